"""The one command: photo and speech in, video out, every file in between kept."""

import numpy as np
import pytest
import soundfile
from conftest import command, portrait
from PIL import Image
from test_render import opening_motion

import animator
import landmarks.predict
import main
from core import artifacts, face68
from core.clock import n_frames_of
from core.video import probe, write_gif


@pytest.fixture
def photo_path(tmp_path):
    path = tmp_path / "my phöto.png"
    Image.fromarray(portrait()).save(path)
    return path


@pytest.fixture
def short_speech(tmp_path):
    """A second of a hum that swells and falls, in stereo, at 44.1 kHz."""
    t = np.arange(44100) / 44100
    path = tmp_path / "a hum.wav"
    soundfile.write(path, np.stack([np.sin(700 * t) * np.sin(9 * t) ** 2 * 0.5] * 2, 1), 44100)
    return path


@pytest.fixture
def predicted(monkeypatch):
    """A predictor that needs no model: the mouth opens and closes. Returns the list of files it was given."""
    heard = []

    def predict_file(speech, out, model_path=None):
        heard.append(speech)
        sound, rate = soundfile.read(speech)
        rest = np.zeros((face68.N_POINTS, 2), np.float32)
        rest[list(face68.GROUPS["left_eye"]), 0], rest[list(face68.GROUPS["right_eye"]), 0] = 0.5, -0.5
        artifacts.save(out / "rest_face.npy", rest, "rest-face", stage="test")
        write_gif(out / "landmarks.gif", [np.zeros((8, 8), np.uint8)] * 2)
        moves = opening_motion(n_frames_of(len(sound), rate))
        return artifacts.save(out / "landmarks.npy", rest + moves, "landmarks-face", stage="test")

    monkeypatch.setattr(landmarks.predict, "predict_file", predict_file)
    return heard


def test_photo_and_speech_become_a_video(tmp_path, photo_path, short_speech, predicted):
    out = tmp_path / "out put.mp4"
    done = command(main.main, "--image", photo_path, "--audio", short_speech, "--output", out, "--result_dir", tmp_path / "r")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(out)
    assert abs(probe(out).seconds - 1) <= 1 / 25
    assert probe(out).has_sound
    kept = {path.name for path in next((tmp_path / "r").iterdir()).iterdir()}
    assert {"photo_check.png", "face.json", "landmarks.npy", "rest_face.npy", "landmarks.gif"} <= kept
    assert photo_path.name in artifacts.read_sidecar(out)["inputs"]


def test_the_other_spelling(tmp_path, photo_path, short_speech, predicted):
    folder = tmp_path / "results"
    done = command(main.main, "--source_image", photo_path, "--driven_audio", short_speech, "--result_dir", folder,
                   "--expression_scale", 1.5, "--preprocess", "crop", "--size", 128, "--fps", 30, "--gpu", "false",
                   "--quality", "high")
    assert done.exit_code == 0, done.stderr
    [video] = folder.glob("*.mp4")
    assert done.stdout.splitlines()[-1] == str(video)
    assert video.stem.startswith("my phöto_a hum_")
    assert probe(video).size == (128, 128)
    assert probe(video).fps == 30


def test_a_motion_replaces_the_prediction(tmp_path, photo_path, short_speech, predicted):
    """Landmarks of a video, head and all; the sound stays, and says how long it lasts. Both spellings of options."""
    rest = np.zeros((face68.N_POINTS, 2), np.float32)
    rest[list(face68.GROUPS["left_eye"]), 0], rest[list(face68.GROUPS["right_eye"]), 0] = 0.5, -0.5
    for name, n_frames in (("clip", 25), ("long", 90)):
        artifacts.save(tmp_path / f"{name}.face.npy", rest + opening_motion(n_frames), "landmarks-face", stage="test")
        artifacts.save(tmp_path / f"{name}.pose.npy", np.full((n_frames, 4), 50, np.float32), "head-pose", stage="test")
    ours = ("--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", "--result-dir", tmp_path / "r")
    done = command(main.main, *ours, "--motion", tmp_path / "clip.face.npy", "--head-scale", 1, "--blink_rate", 0, "--preview")
    assert done.exit_code == 0, done.stderr
    assert predicted == []
    assert probe(tmp_path / "v.mp4").has_sound
    assert (tmp_path / "v.preview.png").is_file()
    assert "clip.face.npy" in artifacts.read_sidecar(tmp_path / "v.mp4")["inputs"]
    done = command(main.main, *ours, "--motion", tmp_path / "long.face.npy")
    assert done.exit_code == 1 and "90 frames of landmarks, 25 frames of speech" in done.stderr
    done = command(main.main, *ours, "--motion", tmp_path / "none.npy")
    assert done.exit_code == 1 and "none.npy: no such file" in done.stderr


def test_gpu(tmp_path, monkeypatch, photo_path, short_speech, predicted):
    devices = []
    monkeypatch.setattr(animator, "render_video", lambda *_, device, **__: devices.append(device))
    for gpu in ("true", "false"):
        ours = ("--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", "--result_dir", tmp_path / gpu)
        assert command(main.main, *ours, "--gpu", gpu).exit_code == 0
    assert devices == ["auto", "cpu"]


def test_other_sound_is_converted_first(tmp_path, photo_path, short_speech, predicted):
    sound, rate = soundfile.read(short_speech)
    soundfile.write(tmp_path / "hum.mp3", sound, rate)
    done = command(main.main, "--image", photo_path, "--audio", tmp_path / "hum.mp3", "--result_dir", tmp_path / "r")
    assert done.exit_code == 0, done.stderr
    assert predicted[0].name == "speech.wav"
    assert "converted" in done.stderr


def test_the_photo_is_checked_before_anything_slow(tmp_path, short_speech, predicted):
    Image.new("RGB", (300, 300), "grey").save(tmp_path / "wall.png")
    done = command(main.main, "--image", tmp_path / "wall.png", "--audio", short_speech, "--result_dir", tmp_path / "r")
    assert done.exit_code == 1
    assert "no face found" in done.stderr
    assert predicted == []


@pytest.mark.parametrize("image, audio", [("none.png", "a hum.wav"), ("my phöto.png", "none.wav"),
                                          ("my phöto.png", "none.mp3"), ("a hum.wav", "a hum.wav")])
def test_mistakes_are_one_line(tmp_path, photo_path, short_speech, predicted, image, audio):
    done = command(main.main, "--image", tmp_path / image, "--audio", tmp_path / audio, "--result_dir", tmp_path / "r")
    assert done.exit_code == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert done.stderr.splitlines()[-1] == errors[0]
    assert not (tmp_path / "r").exists(), "a mistake leaves nothing behind"


@pytest.mark.parametrize("option, value", [("--face", "9"), ("--landmarks", "none.json")])
def test_a_wrong_face_is_said_before_anything_slow(tmp_path, photo_path, short_speech, predicted, option, value):
    done = command(main.main, "--image", photo_path, "--audio", short_speech, option, value, "--result_dir", tmp_path / "r")
    assert done.exit_code == 1
    assert value in done.stderr.splitlines()[-1]
    assert predicted == []
    assert not (tmp_path / "r").exists()
