"""`make inspect` names every kind of file, says whether it is still what its description says, and draws it."""

import json

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from safetensors.numpy import save_file

from core import artifacts, runs
from core.clock import FPS, SAMPLE_RATE
from core.face import draw, face68
from core.kinds import KINDS
from core.media.audio import spectrum_of, write_wav
from core.media.video import write_gif, write_video
from viewer.inspect import main
from viewer.look import look_at

N_FRAMES = 40
STAGE = {"stage": "tests.make", "options": {"strength": 3}}


def faces(n_frames=N_FRAMES):
    """A face of two ellipses whose mouth opens and closes: float32 [frame, 68, 2], face space."""
    angle = np.linspace(0, 2 * np.pi, face68.N_POINTS)
    face = np.tile(np.stack([np.cos(angle), 0.8 + np.sin(angle)], 1), (n_frames, 1, 1))
    for name, (x, y, width) in {"right_eye": (-0.5, 0, 0.2), "left_eye": (0.5, 0, 0.2), "inner_lips": (0, 1.2, 0.3)}.items():
        points = list(face68.GROUPS[name])
        around = np.linspace(np.pi, 3 * np.pi, len(points), endpoint=False)
        height = 0.1 + 0.1 * np.sin(np.arange(n_frames) / 3)[:, None]
        face[:, points] = np.stack([np.broadcast_to(x + width * np.cos(around), (n_frames, len(points))),
                                    y + height * np.sin(around)], -1)
    return face.astype(np.float32)


def speech(seconds=N_FRAMES / FPS):
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.4 * np.sin(2 * np.pi * 220 * t) * np.sin(2 * np.pi * 2 * t)).astype(np.float32)


def array(kind):
    pixel = face68.to_pixel_space(faces(), draw.face_view(200))
    pixel[3:6] = np.nan
    return {"spectrum": lambda: spectrum_of(speech()), "landmarks-pixel": lambda: pixel, "landmarks-face": faces,
            "head-pose": lambda: np.cumsum(np.ones((N_FRAMES, 4), np.float32), 0), "rest-face": lambda: faces()[0],
            "head-motion": lambda: np.cumsum(np.ones((N_FRAMES, 5), np.float32), 0),
            "brow-motion": lambda: np.cumsum(np.ones((N_FRAMES, 2), np.float32), 0),
            "noise": lambda: np.cumsum(np.ones((N_FRAMES, 7), np.float32), 0),
            "image-embedding": lambda: np.sin(np.arange(128, dtype=np.float32)),
            "speech-embedding": lambda: np.sin(np.outer(np.arange(N_FRAMES), np.arange(12)) / 9).astype(np.float32),
            "ear-features": lambda: np.sin(np.outer(np.arange(2 * N_FRAMES), np.arange(384)) / 9).astype(np.float16),
            "face-crops": lambda: np.stack([np.full((32, 32, 3), 6 * t, np.uint8) for t in range(N_FRAMES)])}[kind]()


ARRAYS = [name for name, kind in KINDS.items() if kind.dtype]


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Run the command in an empty folder; return its lines, the drawing checked to hold something."""
    monkeypatch.chdir(tmp_path)

    def run(path):
        before = sorted(path.parent.iterdir())
        result = CliRunner().invoke(main, [str(path)])
        assert result.exit_code == 0, result.output + repr(result.exception)
        *lines, drawing = result.stdout.splitlines()
        assert drawing == f".cache/inspect/{path.name}.png"
        with Image.open(tmp_path / drawing) as picture:
            grey = np.asarray(picture.convert("L"))
        assert min(grey.shape) > 60 and grey.std() > 3, "a blank drawing"
        assert sorted(p for p in path.parent.iterdir() if p.name != ".cache") == before, "something written beside the file"
        return "\n".join(lines)

    return run


@pytest.mark.parametrize("kind", ARRAYS)
def test_array_with_its_sidecar(kind, tmp_path, look):
    text = look(artifacts.save(tmp_path / "a clip.npy", array(kind), kind, **STAGE))
    assert f"kind       {kind}, version" in text
    assert "tests.make; options: strength 3" in text
    assert "sidecar    matches" in text
    if kind == "landmarks-pixel":
        assert "3 of 40 frames are NaN" in text
        assert "40 frames at 25 a second: 1.60 s" in text


@pytest.mark.parametrize("kind", ARRAYS)
def test_array_without_sidecar_is_known_by_its_shape(kind, tmp_path, look):
    np.save(tmp_path / "own.npy", array(kind))
    assert f"by its shape and range {kind}:" in look(tmp_path / "own.npy")


@pytest.mark.parametrize("kind, names", [("head-motion", "yaw, pitch, roll, shift right, shift down"),
                                         ("head-pose", "scale, roll, x, y"), ("brow-motion", "right brow, left brow")])
def test_curves_have_the_names_of_what_moves(kind, names, tmp_path):
    figure = look_at(artifacts.save(tmp_path / "a.npy", array(kind), kind, **STAGE))[1]()
    titles = [axis.get_title().split(", ") for axis in figure.axes]
    assert ", ".join(name for name, _ in titles) == names
    assert ", ".join(unit for _, unit in titles) == KINDS[kind].unit or len({unit for _, unit in titles}) == 1


def test_changed_file_is_told(tmp_path, look):
    path = artifacts.save(tmp_path / "a.npy", faces(), "landmarks-face", **STAGE)
    np.save(path, faces() * 2)
    assert "DOES NOT MATCH" in look(path)


def test_landmarks_without_any_face_are_drawn(tmp_path, look):
    empty = np.full((5, face68.N_POINTS, 2), np.nan, np.float32)
    assert "5 of 5 frames are NaN" in look(artifacts.save(tmp_path / "a.npy", empty, "landmarks-face", **STAGE))


def test_sound(tmp_path, look):
    assert "16000 Hz, 1 channel(s), PCM_16, 1.60 s" in look(write_wav(tmp_path / "a.wav", speech()))


@pytest.mark.parametrize("with_sound", [True, False])
def test_video(with_sound, tmp_path, look):
    wav = write_wav(tmp_path / "a.wav", speech())
    pictures = (draw.sketch_rgb(face, 96) for face in face68.to_pixel_space(faces(), draw.face_view(96)))
    text = look(write_video(tmp_path / "a.mp4", pictures, speech=wav if with_sound else None))
    assert "96x96 px, 25 frames a second, 1.60 s" in text
    assert f"sound      {'yes' if with_sound else 'none'}" in text


def test_gif(tmp_path, look):
    pictures = (draw.sketch(face, 96) for face in face68.to_pixel_space(faces(), draw.face_view(96)))
    assert "96x96 px, 40 frames, 25 a second: 1.60 s" in look(write_gif(tmp_path / "a.gif", pictures, palette=draw.PALETTE))


def test_index(tmp_path, look):
    rows = "clip,split,speaker,problem", "a,train,ann,", "b,val,bob,b.mp4: no face in any of 75 frames"
    (tmp_path / "index.csv").write_text("\n".join(rows))
    text = look(tmp_path / "index.csv")
    assert "2, of them 1 failed; 2 speakers" in text
    assert "1 x no face in any of N frames" in text


def test_training_pack(tmp_path, look):
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["n_frames"], file["split"], file["speaker"] = [50, 75, 100], [b"train", b"train", b"val"], [b"ann", b"bob", b"cy"]
        file["face"] = np.zeros((225, face68.N_POINTS, 2), np.float32)
    text = look(tmp_path / "train.h5")
    assert "float32 [225, 68, 2]" in text
    assert "2 clips of 2 speakers, 125 frames" in text


def test_safetensors(tmp_path, look):
    save_file({"conv.weight": np.zeros((8, 3, 4, 4), np.float32)}, tmp_path / "a.safetensors", {"size_px": "128"})
    text = look(tmp_path / "a.safetensors")
    assert "size_px    128" in text
    assert "1 with 384 values" in text


def test_json(tmp_path, look):
    (tmp_path / "metrics.json").write_text(json.dumps({"model": {"mse": 0.25}, "mean face": {"mse": 0.5}}))
    assert "model.mse  0.25" in look(tmp_path / "metrics.json")


def test_npz(tmp_path, look):
    np.savez(tmp_path / "state.npz", step=3, weights=np.zeros((2, 3)))
    text = look(tmp_path / "state.npz")
    assert "everything needed to go on" in text
    assert "weights    float64 [2, 3]" in text


def test_run_folder(tmp_path, look):
    run = runs.new_run(tmp_path, stage="landmarks.train", options={"steps": 200, "seed": 1})
    (run / "curves.csv").write_text("step,loss,note\n100,0.5,\n200,0.25,best\n")
    (run / "done").write_text("")
    text = look(run)
    assert "run folder of landmarks.train" in text
    assert "steps 200, seed 1" in text
    assert "losses and measures by step" in text
    assert "2 values, 0.5 at first, 0.25 at last" in look(run / "curves.csv")


def test_tensorboard_curves_without_tensorflow(tmp_path, look):
    from tensorboard.compat.proto.event_pb2 import Event
    path = tmp_path / "events.out.tfevents.1.v2"
    with open(path, "wb") as stream:
        for step in range(5):
            event = Event(step=10 * step)
            event.summary.value.add(tag="loss", simple_value=1 / (1 + step))
            record = event.SerializeToString()
            stream.write(len(record).to_bytes(8, "little") + bytes(4) + record + bytes(4))
        stream.write(b"\xff" * 12)  # the beginning of a record that never came
    assert "5 values, 1 at first, 0.2 at last" in look(path)


def test_shipped_landmark_model(look):
    from core.paths import LANDMARK_MODEL as DEFAULT_MODEL
    if not DEFAULT_MODEL.is_file():
        pytest.skip(f"no model at {DEFAULT_MODEL.name}: make train-cnn")
    text = look(DEFAULT_MODEL)
    assert "takes" in text and "gives" in text


@pytest.mark.parametrize(("name", "content"), [
    ("a.bin", b"\x00\x01"), ("a.npy", b"not an array"), ("a.wav", b"RIFF"), ("a.mp4", b"\x00" * 64), ("a.gif", b"GIF89a"),
    ("a.h5", b"HDF"), ("a.safetensors", b"\xff" * 32), ("a.tflite", b"\x00" * 64), ("a.json", b"{"), ("a.csv", b"\xff\xfe"),
    ("a.npz", b"PK"), ("a.png", b"\x89PNG"), ("a.tfevents.1", b"\xff" * 99), ("empty.npy", b""), ("missing.npy", None)])
def test_what_is_not_known_is_said_in_one_line(name, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(main, [name])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {name}: ")
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.glob(".cache/inspect/*"))


def test_array_of_no_kind_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("odd.npy", np.zeros((3, 3), np.int16))
    result = CliRunner().invoke(main, ["odd.npy"])
    assert result.exit_code == 1
    assert "int16 array of shape [3, 3]" in result.stderr


def test_drawing_never_replaces_the_file(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    result = CliRunner().invoke(main, [str(tmp_path / "a.png"), "--out", str(tmp_path / "a.png")])
    assert result.exit_code == 1
    assert "not a place for the drawing" in result.stderr


@pytest.mark.parametrize("content", ["[]", "{}", '{"stage": "a"}'])
def test_a_folder_with_another_run_json_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    done = CliRunner().invoke(main, [str(tmp_path), "--out", str(tmp_path / "a.png")])
    assert done.exit_code == 1 and "not a training run" in done.stderr


def test_a_zip_and_a_bomb_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.zeros(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "big.png")
    for name, said in (("a.npy", "several arrays"), ("big.png", "far too many pixels")):
        done = CliRunner().invoke(main, [str(tmp_path / name), "--out", str(tmp_path / "out.png")])
        assert done.exit_code == 1 and said in done.stderr


def test_long_lists_of_a_sidecar_are_told_by_their_length():
    from avatar.disguise import FACES
    from viewer.look import origin
    also = dict(origin(FACES, artifacts.read_sidecar(FACES)))["also"]
    assert "people [" in also and "points (68 values)" in also and len(also) < 200
