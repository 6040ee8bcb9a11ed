"""The landmark DCGAN, on drawn faces a few pixels wide."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from conftest import stopped_at
from safetensors.torch import load_file, save_file

from core import artifacts
from core.errors import InputError
from core.face import face68
from core.files import sha256
from core.index import write_index
from gan import evaluate, sample
from gan import train as training
from gan.dataset import load_crops, looks_of, measure_speaker
from gan.model import Generator, generate, load_generator, save_generator, widths_for
from gan.regression import fit_linear
from learn import losses
from learn.picture_run import train_as_asked
from preprocess.crop_faces import crop_pose

SIZE_PX, EVERY = 32, 2
OPTIONS = {"epochs": 2, "batch": 4, "seed": 1, "width": 0.1, "adversarial_weight": 0.01, "adversarial_from": 0.5}


def _rest():
    """A made-up face in face space: eyes, brows, nose, mouth, jaw roughly where they belong."""
    angle = np.linspace(np.pi, 0, 17)
    face = np.zeros((face68.N_POINTS, 2))
    face[:17] = np.stack([np.cos(angle), 0.2 + 1.7 * np.sin(angle)], 1)
    face[face68.GROUPS["right_eye"]], face[face68.GROUPS["left_eye"]] = (-0.5, 0), (0.5, 0)
    turn = np.linspace(np.pi, 3 * np.pi, 12, endpoint=False)
    face[48:60] = np.stack([0.45 * np.cos(turn), 1.15 + 0.12 * np.sin(turn)], 1)
    face[60:68] = face[[48, 50, 51, 52, 54, 56, 57, 58]]
    return face.astype(np.float32)


def _open(opening):
    """The face with lower lip and chin dropped by `opening` eye distances."""
    face = _rest()
    face[[5, 6, 7, 8, 9, 10, 11, 55, 56, 57, 58, 59, 65, 66, 67], 1] += opening
    return face


def _draw(face, shade):
    """A picture of a face: skin, and a dark box for the open mouth."""
    picture = np.full((SIZE_PX, SIZE_PX, 3), shade, np.uint8)
    points = face68.to_pixel_space(face[None], crop_pose(SIZE_PX))[0]
    (left, top), (right, bottom) = points[face68.MOUTH].min(0), points[face68.MOUTH].max(0)
    picture[round(float(top)):round(float(bottom)), round(float(left)):round(float(right))] = (90, 20, 20)
    return picture


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Eight clips of eight frames, every other frame cropped; one frame has no face."""
    folder, rng, rows = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0), []
    for i in range(8):
        clip, shade = f"clip{i}", rng.integers(120, 220)
        face = np.stack([_open(opening) for opening in rng.uniform(0, 0.5, 8)])
        crops = np.stack([_draw(f, shade) for f in face[::EVERY]])
        if i == 0:
            face[EVERY], crops[1] = np.nan, 0
        artifacts.save(folder / "crops" / f"{clip}.npy", crops, "face-crops", stage="test", every=EVERY,
                       view=crop_pose(SIZE_PX).tolist())
        artifacts.save(folder / "landmarks" / f"{clip}.face.npy", face, "landmarks-face", stage="test")
        artifacts.save(folder / "landmarks" / f"{clip}.rest.npy", _rest(), "rest-face", stage="test")
        rows.append({"clip": clip, "split": "val" if i > 5 else "train", "speaker": "drawn", "licence": "none"})
    for name in ("crops", "landmarks"):
        write_index(folder / name / "index.csv", rows, stage="test")
    return folder


def _crops(corpus, split="train"):
    return load_crops(corpus / "crops", corpus / "landmarks", split)


def _options(corpus, **changes):
    return {**OPTIONS, "crops": str(corpus / "crops"), "landmarks": str(corpus / "landmarks"), **changes}


def _train(corpus, record, save_every=7, **changes):
    options = _options(corpus, **changes)
    return train_as_asked(training.training, training.STAGE, "crops", record=record, save_every=save_every, **options)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """A model trained long enough to know a mouth."""
    return _train(corpus, tmp_path_factory.mktemp("record"), save_every=1000, epochs=60, adversarial_weight=0.0)


def test_dataset_leaves_out_frames_without_a_face_and_says_so(corpus, capsys):
    crops = _crops(corpus)
    assert len(crops) == 6 * 4 - 1
    assert "1 frames without a face" in capsys.readouterr().err
    assert all(picture.any() for picture in crops.batch(np.arange(len(crops))))


def test_dataset_pairs_each_crop_with_the_landmarks_of_its_frame(corpus):
    crops = _crops(corpus)
    pictures = crops.batch(np.arange(len(crops)))
    assert np.array_equal(pictures, [_draw(face, picture[0, 0, 0]) for face, picture in zip(crops.face, pictures)])


def test_dataset_refuses_crops_of_other_landmarks(corpus, tmp_path):
    write_index(tmp_path / "index.csv", [{"clip": "clip1", "split": "train"}], stage="test")
    artifacts.save(tmp_path / "clip1.npy", np.zeros((3, 8, 8, 3), np.uint8), "face-crops", stage="test", every=1)
    with pytest.raises(InputError, match="8, as the landmarks have"):
        load_crops(tmp_path, corpus / "landmarks", "train")


def test_partners_are_other_crops_of_the_same_clip(corpus):
    crops = _crops(corpus)
    partners = crops.partners(np.random.default_rng(0))
    assert (crops.items[partners, 0] == crops.items[:, 0]).all()
    assert (partners != np.arange(len(crops))).all()


def test_looks_are_white_on_training_crops_and_tell_clips_apart(corpus):
    crops, generator = _crops(corpus), Generator(SIZE_PX, widths_for(SIZE_PX, 0.1))
    measure_speaker(generator, crops)
    looks = looks_of(generator, crops)[:, :2]
    assert torch.allclose(looks.mean(0), torch.zeros(2), atol=1e-3)
    assert torch.allclose(looks.square().mean(0), torch.ones(2), atol=0.05)


@pytest.mark.parametrize("size_px", [16, 32, 64, 256])
def test_generator_draws_its_own_size(size_px):
    generator = Generator(size_px, widths_for(size_px, 0.1)).eval()
    frames = list(generate(generator, np.zeros((3, 68, 2), np.float32), batch=2))
    assert [(f.shape, f.dtype) for f in frames] == [((size_px, size_px, 3), np.dtype(np.uint8))] * 3


def test_generator_refuses_a_size_that_is_no_power_of_two():
    with pytest.raises(InputError, match="100 px"):
        widths_for(100)


def test_missing_frames_take_the_face_of_their_neighbours(trained):
    face = np.stack([_open(0.3)] * 3)
    whole = list(generate(load_generator(trained), face))
    face[1] = np.nan
    assert np.array_equal(whole, list(generate(load_generator(trained), face)))
    with pytest.raises(InputError, match="no frame has a face"):
        list(generate(load_generator(trained), np.full((2, 68, 2), np.nan)))


def test_mouth_landmarks_change_the_mouth_and_little_else(trained):
    closed, opened = (frame.astype(int) for frame in generate(load_generator(trained), np.stack([_open(0.02), _open(0.45)])))
    weight = losses.attention(_rest(), crop_pose(SIZE_PX), SIZE_PX)[0, 0].numpy()
    change = np.abs(opened - closed).mean(-1)
    assert change[weight > 2].mean() > 5 * change[weight < np.median(weight)].mean()
    assert change.max() > 50


def test_look_changes_the_shade_and_not_the_mouth(trained, corpus):
    generator, val = load_generator(trained), _crops(corpus, "val")
    crops = np.stack([np.full((SIZE_PX, SIZE_PX, 3), shade, np.uint8) for shade in (140, 200)])
    dark, light = (next(generate(generator, val.face[:1], look=look)) for look in generator.look_of(crops))
    assert int(light[0, 0, 0]) > int(dark[0, 0, 0]) + 20


def test_training_beats_the_linear_start(corpus, trained):
    """Overfitting a handful of pictures: the error falls by a factor."""
    crops = _crops(corpus)
    looks = looks_of(load_generator(trained), crops)
    start = training.new_trainer(crops, _options(corpus), "cpu")[0].generator

    def error(generator):
        with torch.no_grad():
            drawn = generator(torch.from_numpy(crops.face), looks).permute(0, 2, 3, 1)
        return (drawn - torch.from_numpy(crops.batch(np.arange(len(crops)))) / 127.5 + 1).square().mean()

    assert error(load_generator(trained)) < error(start) / 3


def test_linear_regression_recovers_a_linear_map():
    rng = np.random.default_rng(0)
    x, weights = torch.from_numpy(rng.normal(size=(5000, 4))), torch.from_numpy(rng.normal(size=(4, 6)))
    found = fit_linear(x, [(np.arange(5000), x @ weights + 7)])
    assert torch.allclose(found[:-1], weights, atol=0.02)
    assert torch.allclose(found[-1], torch.full((6,), 7.0).double(), atol=0.02)


def test_resuming_equals_not_stopping(corpus, tmp_path, monkeypatch):
    whole = load_file(_train(corpus, tmp_path / "whole"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "check", stopped_at(training.check, 2))  # what came after the first is done again
        _train(corpus, tmp_path / "parts")
    assert (tmp_path / "parts" / "00001" / "state.safetensors").is_file()
    model = _train(corpus, tmp_path / "parts")
    assert model.parent.name == "00001"
    resumed = load_file(model)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert (model.parent / "curves.png").is_file()


def test_a_finished_run_is_not_gone_on_with(corpus, tmp_path):
    assert [_train(corpus, tmp_path, epochs=1).parent.name for _ in range(2)] == ["00001", "00002"]


def test_a_damaged_state_is_refused(corpus, tmp_path):
    trainer, _ = training.new_trainer(_crops(corpus), _options(corpus), "cpu")
    (tmp_path / "state.safetensors").write_bytes(b"not a state")
    with pytest.raises(InputError, match="not readable as a training state"):
        trainer.load_state(tmp_path / "state.safetensors")


def test_model_file_keeps_settings_measures_and_provenance(trained, corpus):
    generator, about = load_generator(trained), artifacts.read_sidecar(trained)
    assert generator.settings["size_px"] == SIZE_PX
    assert np.allclose(generator.rest_face, _rest(), atol=1e-6)
    assert (about["clips"], about["speakers"], about["licences"]) == (6, ["drawn"], ["none"])


def test_loading_says_what_is_wrong(trained, tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(InputError, match="no such file"):
        load_generator(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="not readable"):
        load_generator(path)
    save_file(load_file(trained), path, {"picture-model": json.dumps({"network": "gan.model.Generator", "version": 99})})
    with pytest.raises(InputError, match="version 99"):
        load_generator(path)
    generator = Generator(32, widths_for(32, 0.2))
    save_generator(path, generator, stage="test")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="does not match its description"):
        load_generator(path)


def test_train_command_takes_both_spellings_and_a_finished_run(corpus, tmp_path):
    arguments = ["--crops", str(corpus / "crops"), "--landmarks", str(corpus / "landmarks"), "--record", str(tmp_path),
                 "--batch", "8", "--width", "0.1", "--threads", "1", "--device", "cpu"]
    dry = CliRunner().invoke(training.main, [*arguments, "--epoch", "25", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert not list(tmp_path.iterdir())
    run = CliRunner().invoke(training.main, [*arguments, "--epochs", "1"])
    assert run.exit_code == 0, run.output
    finished = tmp_path / "00001" / "model.safetensors"
    before = sha256(finished)
    again = CliRunner().invoke(training.main, ["--resume", str(tmp_path / "00001")])
    assert again.exit_code == 0, again.output
    assert again.stdout.strip() == str(finished)
    assert sha256(finished) == before


def test_evaluate_command_compares_with_baselines(trained, corpus, tmp_path):
    picture = tmp_path / "sheet.png"
    result = CliRunner().invoke(evaluate.main, ["--model", str(trained), "--crops", str(corpus / "crops"), "--landmarks",
                                                str(corpus / "landmarks"), "--picture", str(picture)])
    assert result.exit_code == 0, result.output
    measures = json.loads(trained.with_name("metrics.json").read_text())["measures"]
    assert measures["model, look of the clip's first frame"]["psnr_db"] > measures["mean training crop"]["psnr_db"] + 3
    assert "nearest training crop" in result.stdout
    assert picture.is_file()


def test_sample_command_draws_sheets(trained, corpus, tmp_path):
    for name, extra in (("rest", []), ("looks", ["--random-looks", "--n", "4"]), ("file", ["--landmarks",
                        str(corpus / "landmarks" / "clip7.face.npy"), "--n", "10"]),
                        ("folder", ["--landmarks", str(corpus / "landmarks"), "--n", "3"])):
        out = tmp_path / f"{name}.png"
        result = CliRunner().invoke(sample.main, ["--model", str(trained), "--out", str(out), *extra])
        assert result.exit_code == 0, result.output
        assert out.is_file()
