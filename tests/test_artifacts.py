"""Files say what they are, are checked on reading, and appear whole or not at all."""

import errno
import json
import subprocess
import sys

import click
import numpy as np
import pytest
from conftest import ROOT, command

from core import artifacts, blocks
from core.clock import FPS
from core.errors import InputError
from core.stage import stage


def save_face(path, n_frames=3, **options):
    face = np.random.default_rng(0).normal(size=(n_frames, 68, 2)).astype(np.float32)
    artifacts.save(path, face, "landmarks-face", stage="a.test", options=options)
    return face


def test_round_trip(tmp_path):
    path = tmp_path / "new folder" / "a.b é.npy"
    face = save_face(path, smooth=5)
    found = artifacts.load(path, "landmarks-face")
    np.testing.assert_array_equal(found.array, face)
    assert found.kind.name == "landmarks-face" and found.sidecar["fps"] == FPS and found.sidecar["shape"] == [3, 68, 2]
    assert found.sidecar["options"] == {"smooth": 5} and found.sidecar["missing_frames"] == 0
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.b é.npy", "a.b é.npy.json"]


def test_missing_frames_are_counted(tmp_path):
    face = np.zeros((5, 68, 2), np.float32)
    face[[1, 3], 7] = np.nan
    artifacts.save(tmp_path / "a.npy", face, "landmarks-face", stage="a.test")
    assert artifacts.read_sidecar(tmp_path / "a.npy")["missing_frames"] == 2


@pytest.mark.parametrize("n_blocks", [1, 2, 7])
def test_blocks_equal_the_whole(tmp_path, n_blocks):
    whole = np.random.default_rng(0).random((1234, 4, 257)).astype(np.float16)
    shape = blocks.save(tmp_path / "a.npy", np.array_split(whole, n_blocks), "spectrum", stage="a.test")
    assert shape == [1234, 4, 257]
    np.testing.assert_array_equal(artifacts.load(tmp_path / "a.npy", "spectrum").array, whole)


def test_no_block_is_no_file(tmp_path):
    assert blocks.save(tmp_path / "a.npy", [], "spectrum", stage="a.test") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("array", [np.zeros((3, 68, 2)), np.zeros((3, 67, 2), np.float32), np.zeros((68, 2), np.float32)])
def test_a_wrong_array_is_not_written(tmp_path, array):
    with pytest.raises(ValueError, match="landmarks-face takes float32"):
        artifacts.save(tmp_path / "a.npy", array, "landmarks-face", stage="a.test")
    assert not list(tmp_path.iterdir())


def _edit(path, **changes):
    beside = artifacts.sidecar_path(path)
    beside.write_text(json.dumps({**json.loads(beside.read_text()), **changes}))


def _refused(path, *kinds):
    with pytest.raises(InputError) as error:
        artifacts.load(path, *kinds)
    assert path.name in str(error.value) and "expected" in str(error.value)
    return str(error.value)


def test_refusals_name_the_file_and_the_cure(tmp_path):
    path = tmp_path / "a.npy"
    assert "preprocess.extract_fft" in _refused(path, "spectrum")
    save_face(path)
    assert "kind 'landmarks-face'" in _refused(path, "spectrum")
    _edit(path, version=99)
    assert "version 99" in _refused(path, "landmarks-face")
    save_face(path)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert "a.npy.json" in _refused(path, "landmarks-face")
    artifacts.sidecar_path(path).write_text("{half")
    assert "not readable as JSON" in _refused(path, "landmarks-face")


def test_a_file_of_the_users_own_passes_when_it_fits(tmp_path):
    np.save(tmp_path / "own.npy", np.zeros((4, 68, 2), np.float32))
    own = artifacts.load(tmp_path / "own.npy", "rest-face", "landmarks-face")
    assert own.kind.name == "landmarks-face" and own.sidecar == {}
    np.save(tmp_path / "flat.npy", np.zeros((4, 136), np.float32))
    assert "[4, 136]" in _refused(tmp_path / "flat.npy", "landmarks-face")
    (tmp_path / "text.npy").write_text("not an array")
    assert "not readable as a NumPy array" in _refused(tmp_path / "text.npy", "landmarks-face")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    assert "not readable as a NumPy array" in _refused(tmp_path / "objects.npy", "landmarks-face")


def test_current_means_same_stage_options_and_inputs(tmp_path):
    source, path = tmp_path / "in.txt", tmp_path / "a.npy"
    source.write_text("1")
    about = {"stage": "a.test", "options": {"n": (1, 2)}, "inputs": [source]}
    artifacts.save(path, np.zeros((1, 68, 2), np.float32), "landmarks-face", **about)
    assert artifacts.is_current(path, "landmarks-face", **about)
    assert not artifacts.is_current(path, "landmarks-face", **{**about, "options": {"n": (1, 3)}})
    assert not artifacts.is_current(path, "landmarks-face", **{**about, "stage": "another"})
    source.write_text("2")
    assert not artifacts.is_current(path, "landmarks-face", **about)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.npy"
    face = save_face(path)

    def broken():
        yield np.zeros((2, 68, 2), np.float32)
        raise RuntimeError("stopped in the middle")

    with pytest.raises(RuntimeError):
        blocks.save(path, broken(), "landmarks-face", stage="a.test")
    np.testing.assert_array_equal(artifacts.load(path, "landmarks-face").array, face)
    assert len(list(tmp_path.iterdir())) == 2


def test_no_room_leaves_nothing(tmp_path):
    """The file may grow to 10 kB only, as on a full disk."""
    code = ("import resource, numpy as np; from core import artifacts\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
            "artifacts.save('a.npy', np.zeros((99, 68, 2), 'float32'), 'landmarks-face', stage='a.test')")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True)
    assert done.returncode == 1 and "a.npy: not written" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_line():
    @stage(reads="nothing", writes="nothing")
    def full():
        """Fill the disk."""
        raise OSError(errno.ENOSPC, "No space left on device", "out.npy")

    result = command(full)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "out.npy" in result.stderr and "room" in result.stderr


def test_a_programmers_mistake_keeps_its_traceback():
    @stage(reads="nothing", writes="nothing")
    @click.option("--n", default=0)
    def broken(n):
        """Divide."""
        return 1 // n

    assert isinstance(command(broken).exception, ZeroDivisionError)


@pytest.mark.parametrize("text", ["[1]", '"x"', "null", '{"kind": []}', '{"inputs": []}', '{"options": 1}', "[" * 100_000])
def test_a_description_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "a.npy"
    save_face(path)
    artifacts.sidecar_path(path).write_text(text)
    with pytest.raises(InputError, match=r"a\.npy\.json: not .*delete it"):
        artifacts.load(path, "landmarks-face")


def test_a_header_that_asks_for_too_much_is_refused(tmp_path):
    with open(tmp_path / "a.npy", "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 68, 2)})
    with pytest.raises(InputError, match="not readable as a NumPy array"):
        artifacts.load(tmp_path / "a.npy", "landmarks-face")


def test_the_cure_of_a_missing_file_can_be_typed(tmp_path):
    for kind, cure in (("index", "make preprocess CORPUS"), ("rest-face", "extract_landmarks --help or python predict.py")):
        with pytest.raises(InputError, match=cure):
            artifacts.check(tmp_path / "none", kind)
