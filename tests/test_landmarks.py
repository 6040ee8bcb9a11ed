"""Speech to landmarks: the network, its training, its export and its command, on made-up speech."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import SENTENCES, command, describe, speak
from made_up import babble, resting_face

from core import artifacts
from core.clock import FPS, SAMPLE_RATE, n_frames_of
from core.errors import InputError
from core.face import face68
from core.files import save_json
from core.media.audio import spectrum_of, write_wav

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"steps": 6, "batch": 4, "frames": 24, "rate": 3e-3, "decay": 0.0, "channels": 4, "width": 16, "hidden": 12, "rank": 4,
         "dropout": 0.2, "rnn": True, "every": 3, "seed": 5, "ear": None, "ear_dropout": 0.2}


@pytest.fixture(scope="session")
def pack(tmp_path_factory):
    """A training-pack of six clips whose mouths follow their sound."""
    path = tmp_path_factory.mktemp("pack") / "train.h5"
    spectra, faces, n_frames, rest = [], [], [], resting_face()
    for i in range(6):
        sound, envelope = babble(2, i)
        face = np.repeat(rest[None], len(envelope), 0)
        face[..., 1] += envelope[:, None] * np.clip(rest[:, 1] - 1.2, 0, 1)
        face[:, face68.GROUPS["inner_lips"][5:], 1] += 0.2 * envelope[:, None]
        face[3 if i == 1 else []] = np.nan
        spectra.append(spectrum_of(sound))
        faces.append(face)
        n_frames.append(len(face))
    with h5py.File(path, "w") as file:
        file["spectrum"], file["face"] = np.concatenate(spectra), np.concatenate(faces).astype(np.float32)
        file["rest"], file["n_frames"], file["start"] = [rest] * 6, n_frames, np.cumsum([0, *n_frames[:-1]])
        file["first_frame"] = file["first_hop"] = np.zeros(6, int)
        file["name"] = [f"folder{i % 2}/clip{i}".encode() for i in range(6)]
        file["speaker"] = [f"speaker{i % 3}".encode() for i in range(6)]
        file["split"] = [b"val" if i == 5 else b"train" for i in range(6)]
    return describe(path, "training-pack")


@pytest.fixture(scope="session")
def trained(pack, tmp_path_factory):
    """A run trained for a few steps: folder and model file."""
    from landmarks.train import train
    run = tmp_path_factory.mktemp("run")
    return run, train(run, pack, SMALL)


def network(**changes):
    import keras

    from landmarks.model import untrained
    keras.utils.set_random_seed(3)
    return untrained(resting_face(), {**SMALL, **changes})


@pytest.mark.parametrize("rnn", [True, False])
def test_rnn_carries_the_past_and_only_the_rnn(rnn):
    from landmarks.features import CONTEXT, N_MELS
    net, rng = network(rnn=rnn), np.random.default_rng(0)
    features = rng.normal(size=(1, 60 + CONTEXT, 4, N_MELS)).astype(np.float32)
    changed = features.copy()
    changed[:, :10] += 1.0
    difference = np.abs(np.asarray(net({"features": features})) - np.asarray(net({"features": changed})))[0].max((1, 2))
    assert difference[:10].max() > 1e-4
    assert bool(difference[20:].max() > 1e-7) == rnn  # beyond the reach of the convolutions


def test_look_ahead_is_what_is_stated():
    from landmarks.features import CONTEXT, LOOK_AHEAD, N_MELS
    net = network()
    features = np.zeros((1, 30 + CONTEXT, 4, N_MELS), np.float32)
    later = features.copy()
    later[:, LOOK_AHEAD + 20:] = 1.0  # sound of frame 20 and after
    difference = np.abs(np.asarray(net({"features": features})) - np.asarray(net({"features": later})))[0].max((1, 2))
    assert difference[:20 - LOOK_AHEAD].max() == 0
    assert difference[20 - LOOK_AHEAD] > 0


def test_resuming_equals_not_stopping(pack, trained, tmp_path):
    from landmarks.train import train
    assert train(tmp_path, pack, SMALL, stop_after=3) is None
    assert train(tmp_path, pack, SMALL).is_file()
    with np.load(trained[0] / "state.npz") as whole, np.load(tmp_path / "state.npz") as resumed:
        assert whole.files == resumed.files
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], resumed[name], err_msg=name)


def test_training_learns_from_the_sound(pack):
    import tensorflow as tf

    from landmarks.batches import Batches
    from landmarks.dataset import load_clips
    from landmarks.train import build, make_train_step
    clips = load_clips(pack, "train")
    options = {**SMALL, "steps": 60, "dropout": 0.0}
    model, average, optimizer = build(clips, options)
    step = make_train_step(model, average, optimizer)
    batch = tf.nest.map_structure(tf.convert_to_tensor, Batches(clips, n_items=4, n_frames=24, seed=1, augment=False).batch(0))
    losses = [float(step(*batch)["loss"]) for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]


def test_exported_model_equals_keras(trained, pack):
    from landmarks.dataset import load_clips
    from landmarks.lite import load_model
    from landmarks.measure import file_predictor
    from landmarks.train import build, predictor
    from learn.keras_run import load_state
    clips = load_clips(pack, "train")
    model, average, optimizer = build(clips, SMALL)
    load_state(trained[0] / "state.npz", [*model.variables, *average.variables, *optimizer.variables])
    by_file = file_predictor(load_model(trained[1]), gated=False)
    for clip in clips[:2]:
        np.testing.assert_allclose(by_file(clip), predictor(average)(clip), atol=2e-5)


def offsets_by(path, features):
    """Offsets that a landmark-model predicts for `features` [frame + context, hop, mel], float32 [frame, 68, 2]."""
    from landmarks.lite import load_model
    model, state, offsets = load_model(path), None, []
    state = np.zeros((1, model.n_state), np.float32)
    for code in model.codes(features=features):
        out = model.step(code=code[None], state=state)
        state = out["state"]
        offsets.append(out["offset"][0])
    return np.array(offsets)


def test_a_joined_model_is_the_mean_of_its_members(pack, tmp_path):
    from landmarks import join, train
    small = [f"--{name}={value}" for name, value in SMALL.items() if name not in ("rnn", "seed", "ear")]
    paths = [command(train.main, "--pack", pack, "--record", tmp_path, *small, *own).stdout.strip()
             for own in (("--seed", 5), ("--seed", 6, "--no-rnn", "--hidden", 7))]
    joined = command(join.main, *paths, "--record", tmp_path).stdout.strip()
    assert joined == str(tmp_path / "00003" / "model.tflite")
    features = np.random.default_rng(0).normal(size=(20, 4, 64)).astype(np.float32)
    whole, *members = (offsets_by(path, features) for path in (joined, *paths))
    assert np.abs(members[0] - members[1]).max() > 1e-3
    np.testing.assert_allclose(whole, np.mean(members, 0), atol=1e-5)
    (Path(paths[0]).parent / "done").unlink()
    stopped = command(join.main, *paths, "--record", tmp_path)
    assert stopped.exit_code == 1 and "--resume" in stopped.stderr and len(list(tmp_path.glob("0*"))) == 3


def test_another_pitch_moves_the_pitch_alone():
    from core.media.audio import N_FFT
    from landmarks.augment import other_pitch
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    vowel = sum(np.cos(2 * np.pi * 150 * k * t) * np.exp(-((150 * k - 700) / 400) ** 2) for k in range(1, 40)) * 0.05
    spectrum = spectrum_of(vowel.astype(np.float32))[5:20]
    higher = other_pitch(spectrum, 1.25)

    def pitch(magnitudes):
        cepstrum = np.fft.irfft(np.log(magnitudes + 1e-4), axis=-1).mean((0, 1))
        return SAMPLE_RATE / (40 + np.argmax(cepstrum[40:N_FFT // 2]))

    def formant(magnitudes):
        return float((magnitudes.mean((0, 1)) * np.arange(magnitudes.shape[-1])).sum() / magnitudes.mean((0, 1)).sum())

    assert pitch(spectrum) == pytest.approx(150, rel=0.05) and pitch(higher) == pytest.approx(187, rel=0.07)
    assert formant(higher) == pytest.approx(formant(spectrum), rel=0.1)


def test_run_folder_explains_itself(trained):
    run, model = trained
    assert {p.name for p in run.iterdir()} >= {"curves.csv", "curves.png", "preview.gif", "state.npz", "model.tflite"}
    assert json.loads(artifacts.sidecar_path(model).read_text())["settings"]["hidden"] == SMALL["hidden"]


def test_batches_depend_on_seed_and_step_alone(pack):
    from landmarks.batches import Batches
    from landmarks.dataset import load_clips
    clips = load_clips(pack, "train")
    one, two = (Batches(clips, n_items=4, n_frames=24, seed=7) for _ in range(2))
    one.batch(0)
    (sound, *rest), (same_sound, *same_rest) = one.batch(5), two.batch(5)
    for a, b in zip([sound["features"], *rest], [same_sound["features"], *same_rest]):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(sound["features"], one.batch(6)[0]["features"])


def test_missing_frames_weigh_nothing(pack):
    from landmarks.batches import Batches
    from landmarks.dataset import load_clips
    clip = next(c for c in load_clips(pack, "train") if np.isnan(c.face).any())
    sound, offsets, weight = Batches([clip], n_items=1, n_frames=64, seed=0, augment=False).batch(0)
    assert np.isfinite(offsets).all() and np.isfinite(sound["features"]).all()
    assert weight[0, 3] == 0 and weight[0, 2] == 1 and not weight[0, len(clip.face):].any()


def test_measures_know_right_from_wrong(pack):
    from landmarks.dataset import load_clips
    from landmarks.measure import measure, summary
    clips = [c for c in load_clips(pack, "train") if np.isfinite(c.face).all()]
    perfect = summary(measure(clips, lambda clip: clip.face, np.zeros((68, 2))))
    for methods in perfect.values():
        assert methods["model"]["box_mse"] == 0 and methods["model"]["opening_correlation"] > 0.999
        assert methods["mean_face"]["opening_amplitude"] < 1e-3 < methods["mean_face"]["box_mse"]


@pytest.mark.parametrize("seconds", [0.03, 0.5, 1.999, 2.0, 3.33])
def test_prediction_has_the_clocks_length(trained, seconds):
    from landmarks.predict import load_model, predict
    sound = babble(4)[0][:int(seconds * SAMPLE_RATE)]
    face = predict(load_model(trained[1]), sound)
    assert face.shape == (n_frames_of(len(sound)), 68, 2) and face.dtype == np.float32 and np.isfinite(face).all()


def test_level_does_not_matter_and_silence_is_calm():
    from landmarks.predict import load_model, predict
    model, sound = load_model(), speak(SENTENCES[0], seconds=3)
    loud, soft = predict(model, sound), predict(model, sound * 0.03)
    assert np.abs(loud - soft).max() < 0.05 < np.ptp(face68.mouth_opening(loud))
    opening = face68.mouth_opening(predict(model, np.zeros(3 * SAMPLE_RATE, np.float32)))
    assert np.ptp(opening[5:]) < 0.02 and opening.max() < 0.1


def run_predict(*arguments):
    return subprocess.run([sys.executable, ROOT / "predict.py", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)


def test_predict_command(tmp_path, monkeypatch):
    speech = tmp_path / "a b.ü.wav"
    write_wav(speech, speak(SENTENCES[0], seconds=1.5))
    done = run_predict(speech, "--out", tmp_path / "out", "--pictures")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out" / "a b.ü"
    assert done.stdout.split("\n")[0] == str(folder / "landmarks.npy")
    landmarks = artifacts.load(folder / "landmarks.npy", "landmarks-face")
    assert landmarks.array.shape == (38, 68, 2) and landmarks.sidecar["fps"] == FPS
    assert len(list((folder / "frames").glob("*.png"))) == 38
    from PIL import Image
    with Image.open(folder / "landmarks.gif") as gif:
        assert gif.n_frames <= 38 and gif.info["duration"] == 1000 // FPS


@pytest.mark.parametrize("name, content", [("x.mp3", b"ID3"), ("x.wav", b""), ("x.wav", b"hello"), ("missing.wav", None)])
def test_bad_speech_gets_one_line_and_leaves_nothing(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run_predict(tmp_path / name, "--out", tmp_path / "out")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and name in done.stderr
    assert not (tmp_path / "out").exists()


def test_prediction_needs_no_tensorflow():
    code = "import sys, landmarks.predict as p; p.load_model(); sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_model_of_another_version_is_refused(trained, tmp_path):
    from landmarks.predict import load_model
    model = tmp_path / "model.tflite"
    model.write_bytes(trained[1].read_bytes())
    about = json.loads(artifacts.sidecar_path(trained[1]).read_text())
    save_json(artifacts.sidecar_path(model), {**about, "version": 99})
    with pytest.raises(InputError, match="version 99"):
        load_model(model)
    artifacts.sidecar_path(model).unlink()
    model.write_bytes(b"not a model")
    with pytest.raises(InputError, match="not readable as landmark-model"):
        load_model(model)


@pytest.mark.parametrize("is_hdf5", [False, True])
def test_a_bad_pack_makes_no_run(tmp_path, is_hdf5):
    from conftest import command

    from landmarks.train import main
    pack = tmp_path / "a.h5"
    h5py.File(pack, "w").close() if is_hdf5 else pack.write_text("text")
    done = command(main, "--dry-run", "--pack", pack, "--record", tmp_path / "record")
    assert done.exit_code == 1 and "expected a training-pack" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "record").exists()


def test_the_mel_filters_are_those_of_librosa():
    mel = pytest.importorskip("librosa.filters").mel
    from landmarks import features
    low, high = features.MEL_RANGE_HZ
    theirs = mel(sr=SAMPLE_RATE, n_fft=features.N_FFT, n_mels=features.N_MELS, fmin=low, fmax=high, norm=None).T
    assert np.array_equal(features.mel_filters(), theirs.astype(np.float32))
