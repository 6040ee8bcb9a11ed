"""Trained models become those that every command uses: each of them, whole, with its description and its measures."""

import pytest
from conftest import command, describe

from core import artifacts, paths
from core.errors import InputError
from core.files import sha256
from core.pretrained import shipped_hashes
from learn import publish


@pytest.fixture
def toolkit(tmp_path, monkeypatch):
    """A toolkit elsewhere, where every model ships already."""
    models = {name: tmp_path / path.relative_to(paths.ROOT) for name, path in paths.MODELS.items()}
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "MODELS", models)
    monkeypatch.setattr(paths, "HASHES", tmp_path / paths.HASHES.name)
    paths.HASHES.write_text("")
    for name, path in models.items():
        write(path, name, f"shipped {name}")
        if path.stem == "model":
            (path.parent / "metrics-old.json").write_text("{}")
    paths.HASHES.write_text("".join(f"{sha256(path)}  {path.relative_to(tmp_path).as_posix()}\n" for path in models.values()))
    return tmp_path


def write(path, name, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return describe(path, publish.TRAINED[name][0])


def train(toolkit, name, number=1):
    """A made-up run that ended, with measures."""
    place = paths.MODELS[name]
    model = write(place.parent.parent / f"{number:05d}" / place.name, name, f"trained {name}")
    (model.parent / "metrics.json").write_text(f'"of {name}"')
    publish.trained_file(name).write_text(f"{model.relative_to(toolkit)}\n")
    return model


def test_every_model_that_ships_has_a_kind_and_a_target():
    assert set(publish.TRAINED) == set(paths.MODELS) and set(paths.SHIPPED) == set(paths.MODELS.values())
    for name, path in paths.MODELS.items():
        assert artifacts.check(path, publish.TRAINED[name][0])


@pytest.mark.parametrize("name", list(paths.MODELS))
def test_a_model_takes_the_place_of_the_one_that_shipped(toolkit, name):
    model, place = train(toolkit, name), paths.MODELS[name]
    done = command(publish.main, name)
    assert done.exit_code == 0 and done.stdout.strip() == str(place), done.stderr
    assert place.read_text() == f"trained {name}"
    assert artifacts.check(place, publish.TRAINED[name][0]) == artifacts.read_sidecar(model)
    assert all(path.read_text() == f"shipped {other}" for other, path in paths.MODELS.items() if other != name)
    measures = {path.name for path in place.parent.glob("metrics*")}
    assert measures == ({"metrics-old.json"} if name == "faces" else {"metrics.json"}), "of this model, and of no other"


def test_without_a_name_all_that_were_trained(toolkit):
    assert command(publish.main).exit_code == 1
    for number, name in enumerate(("sync", "eyes"), 1):
        train(toolkit, name, number)
    done = command(publish.main)
    assert done.stdout.splitlines() == [str(paths.MODELS[name]) for name in ("sync", "eyes")]


def test_what_was_not_trained_or_is_another_is_refused(toolkit):
    with pytest.raises(InputError, match="trained-sync: no such file.*make train-sync"):
        publish.publish("sync")
    model = train(toolkit, "sync")
    publish.trained_file("head").write_text(f"{model.relative_to(toolkit)}\n")
    with pytest.raises(InputError, match="head-model"):
        publish.publish("head")
    model.write_text("changed")
    with pytest.raises(InputError, match="does not match"):
        publish.publish("sync")
    artifacts.sidecar_path(model).unlink()
    with pytest.raises(InputError, match="no description"):
        publish.publish("sync")
    assert paths.MODELS["sync"].read_text() == "shipped sync"


def test_publishing_renews_the_hash_of_this_model_alone(toolkit):
    before, name = shipped_hashes(), "sync"
    train(toolkit, name)
    paths.MODELS["head"].write_text("damaged")
    publish.publish(name)
    after, place = shipped_hashes(), paths.MODELS[name].relative_to(toolkit).as_posix()
    assert list(after) == list(before) and {key for key in after if after[key] != before[key]} == {place}
    assert after[place] == sha256(paths.MODELS[name])
    with pytest.raises(InputError, match="head/model.tflite: not the file that ships"):
        artifacts.check(paths.MODELS["head"], "head-model")
