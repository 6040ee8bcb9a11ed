"""Runs of trainings: which one is gone on with, what their commands say, and curves that a kill does not double."""

import csv
import json
import shlex

import pytest

from core import runs
from core.errors import InputError
from core.files import sha256


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "my data.h5"
    path.write_text("numbers")
    return path


def begin(tmp_path, data, stage="landmarks.sync.train", **how):
    return runs.new_run(tmp_path / "a record", stage=stage, options={"steps": 3}, data=data, **how)


def go_on(run, stage="landmarks.sync.train"):
    return runs.resumable_run(run, stage=stage)


def test_a_run_is_gone_on_with_by_its_own_command(tmp_path, data):
    run = begin(tmp_path, data)
    about = go_on(run)
    assert about["options"] == {"steps": 3}
    assert shlex.split(about["resume"])[1:] == ["-m", "landmarks.sync.train", "--resume", str(run)]


@pytest.mark.parametrize("stage", ["landmarks.train", "landmarks.head.train", "gan.train", "render.parts.train"])
def test_a_run_of_another_command_is_refused(tmp_path, data, stage):
    with pytest.raises(InputError, match=f"a run of landmarks.sync.train; expected a run of {stage}; try: python -m"):
        go_on(begin(tmp_path, data), stage)


@pytest.mark.parametrize("module", ["landmarks.train", "landmarks.head.train", "landmarks.sync.train"])
def test_every_command_checks_it(tmp_path, data, module):
    import importlib

    from conftest import command
    other = "landmarks.train" if module != "landmarks.train" else "landmarks.sync.train"
    run = begin(tmp_path, data, stage=other)
    done = command(importlib.import_module(module).main, "--resume", run)
    assert done.exit_code == 1 and f"expected a run of {module}" in done.stderr


def test_changed_or_missing_data_are_told(tmp_path, data):
    run = begin(tmp_path, data)
    data.write_text("other numbers")
    with pytest.raises(InputError, match="my data.h5: changed since"):
        go_on(run)
    data.unlink()
    with pytest.raises(InputError, match="my data.h5: no such file"):
        go_on(run)


def test_a_command_without_resume_tells_itself(tmp_path, data):
    about = runs.read_run(begin(tmp_path, data, stage="landmarks.emotion.train", resumes=False))
    assert about["resume"] == about["command"] and "--resume" not in about["resume"]


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"stage": 1}', "\xff"])
def test_a_folder_that_is_no_run_is_told(tmp_path, text):
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="training run|JSON"):
        go_on(tmp_path)


def test_curves_have_one_row_a_step_whenever_the_run_was_killed(tmp_path):
    """The row is written before the state: a run killed between the two does these steps, and writes the row, again."""
    from learn.curves import add_row
    for step in (100, 200, 200, 300, 200, 300):
        add_row(tmp_path, {"step": step, "loss": 1 / step})
    with open(tmp_path / "curves.csv", newline="") as stream:
        assert [int(row["step"]) for row in csv.DictReader(stream)] == [100, 200, 300]


def test_the_cure_of_an_index_makes_that_index(tmp_path):
    from avatar.identity.data import good_rows
    from landmarks.emotion.data import takes
    from render.parts.data import load_pairs
    for read, cure in ((lambda: good_rows(tmp_path, "train"), "COMICS="), (lambda: takes(tmp_path / "index.csv"), "RAVDESS="),
                       (lambda: load_pairs(tmp_path, "train"), "make train-render")):
        with pytest.raises(InputError, match=cure):
            read()


def test_run_json_is_whole(tmp_path, data):
    about = json.loads((begin(tmp_path, data) / "run.json").read_text())
    assert about["data"] == {"file": str(data), "sha256": sha256(data)}
