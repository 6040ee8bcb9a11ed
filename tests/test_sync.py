"""The sync judge: what is moved is found, by as much; its training, its measure and its command."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import SENTENCES, command, describe, loudness, speak
from made_up import babble, resting_face

from core import artifacts
from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.face import face68
from core.media.audio import HOPS_PER_FRAME, spectrum_of, write_wav
from landmarks.sync import judge as sync
from landmarks.sync.__main__ import main as judge_main
from landmarks.sync.judge import MAX_LAG, judge_clip, load_judge, mouth_features, similarities, verdict_of

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"steps": 4, "batch": 4, "others": 1, "rate": 3e-3, "decay": 0.0, "channels": 4, "width": 16, "size": 8, "dropout": 0.2,
         "every": 2, "seed": 5}


def face_that_follows(envelope):
    """A plain face whose lower lip and chin fall by `envelope` [frame]: float32 [frame, 68, 2]."""
    face = np.repeat(resting_face()[None], len(envelope), 0)
    low = [*face68.GROUPS["inner_lips"][5:], *face68.GROUPS["outer_lips"][7:], *face68.GROUPS["jaw"][6:11]]
    face[:, low, 1] += 0.25 * np.asarray(envelope, np.float32)[:, None]
    return face


def late(sound, milliseconds):
    """`sound` as it is when it comes late by so much (early when negative), of the same length."""
    n = round(milliseconds * SAMPLE_RATE / 1000)
    return np.concatenate([np.zeros(n, np.float32), sound[:len(sound) - n]]) if n >= 0 else np.pad(sound[-n:], (0, -n))


@pytest.fixture(scope="module")
def sound():
    return np.concatenate([speak(sentence, seconds=3.0) for sentence in SENTENCES[:2]])


@pytest.fixture(scope="module")
def face(sound):
    return face_that_follows(loudness(sound))


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """A training-pack of six clips of six seconds whose mouths follow their sound."""
    path = tmp_path_factory.mktemp("pack") / "train.h5"
    pairs = [babble(6, seed) for seed in range(6)]
    with h5py.File(path, "w") as file:
        file["spectrum"] = np.concatenate([spectrum_of(sound) for sound, _ in pairs])
        file["face"] = np.concatenate([face_that_follows(envelope) for _, envelope in pairs])
        n_frames = [len(envelope) for _, envelope in pairs]
        file["rest"], file["n_frames"], file["start"] = [resting_face()] * 6, n_frames, np.cumsum([0, *n_frames[:-1]])
        file["first_frame"] = file["first_hop"] = np.zeros(6, int)
        file["name"] = [f"folder{i % 2}/clip{i}".encode() for i in range(6)]
        file["speaker"] = [f"speaker{i // 2}".encode() for i in range(6)]
        file["split"] = [b"val" if i > 3 else b"train" for i in range(6)]
    return describe(path, "training-pack")


@pytest.fixture(scope="module")
def trained(pack, tmp_path_factory):
    from landmarks.sync.train import train
    run = tmp_path_factory.mktemp("run")
    return run, train(run, pack, SMALL)


@pytest.mark.parametrize("shift_ms", [-400, -120, -40, 20, 50, 100, 300])
def test_late_sound_is_positive_and_measured(sound, face, shift_ms):
    judge = load_judge()
    as_it_is, moved = (judge_clip(judge, late(sound, ms), face) for ms in (0, shift_ms))
    assert moved.offset_ms - as_it_is.offset_ms == pytest.approx(shift_ms, abs=16)
    assert abs(as_it_is.offset_ms) < 120, "a jaw that follows loudness is no real one, but not far off"
    assert moved.confidence > 0.2


def test_level_tone_and_size_do_not_matter(sound, face):
    judge = load_judge()
    as_it_is = judge_clip(judge, sound, face).offset_ms
    dull = np.convolve(sound, [0.5, 0.5], "same").astype(np.float32)
    half = face[:1] + (face - face[:1]) / 2
    for other_sound, other_face in ((0.02 * sound, face), (dull, face), (sound, half)):
        assert judge_clip(judge, other_sound, other_face).offset_ms == pytest.approx(as_it_is, abs=16)


def test_another_sound_is_not_trusted(sound, face):
    judge, rng = load_judge(), np.random.default_rng(0)
    own = judge_clip(judge, sound, face).confidence
    others = [judge_clip(judge, sound, face[rng.permutation(len(face))]).confidence for _ in range(5)]
    assert np.mean(others) < own / 2


@pytest.mark.parametrize("spoil", ["still", "no face", "short", "silent"])
def test_what_cannot_be_told_is_nan(sound, face, spoil):
    face, heard = face.copy(), sound
    if spoil == "still":
        face[:] = face[0]
    elif spoil == "no face":
        face[:] = np.nan
    elif spoil == "short":
        face, heard = face[:8], sound[:8 * 640]
    else:
        heard = np.zeros_like(sound)
    verdict = judge_clip(load_judge(), heard, face)
    assert np.isnan(verdict.offset_ms) and verdict.confidence == 0


def test_similarity_is_one_where_the_sequences_meet_and_blind_to_missing_frames():
    rng = np.random.default_rng(0)
    shown = rng.normal(size=(100, 4))
    heard = np.roll(shown, 3, axis=0)
    seen = np.ones(100, bool)
    assert similarities(heard, shown, seen).argmax() == MAX_LAG + 3
    assert similarities(heard, shown, seen).max() == pytest.approx(1, abs=0.01)
    shown[20:40], seen[20:40] = 99, False
    assert similarities(heard, shown, seen).max() == pytest.approx(1, abs=0.01)
    assert np.isnan(similarities(heard[:20], shown[:20], seen[:20])[[0, -1]]).all(), "too few frames meet"


def test_between_frames_by_a_parabola():
    lags = np.arange(-MAX_LAG, MAX_LAG + 1)
    verdict = verdict_of(1 - 0.01 * np.square(lags - 2.3))
    assert verdict.offset_ms == pytest.approx(2.3 * sync.FRAME_MS)


def test_training_compares_as_the_judge_does():
    import tensorflow as tf

    from landmarks.sync.network import similarities as batched
    rng = np.random.default_rng(0)
    heard, shown = rng.normal(size=(2, 3, 60, 5)).astype(np.float32)
    seen = np.ones((3, 60), np.float32)
    seen[1, 10:20] = 0
    in_training = batched(tf.constant(heard), tf.constant(shown), tf.constant(seen)).numpy()
    for i in range(3):
        np.testing.assert_allclose(in_training[i], similarities(heard[i], shown[i], seen[i] > 0), atol=1e-5)


@pytest.mark.parametrize("late_hops", [-13, -4, 0, 3, 8])
def test_a_shifted_stretch_is_late_by_so_many_hops(late_hops):
    from landmarks.sync.data import shift_sound
    power, shapes = np.zeros((80, HOPS_PER_FRAME, 2)), np.zeros((80, 8))
    power[40], shapes[40] = 1, 1
    heard, shown, seen = shift_sound(power, shapes, np.ones(80, bool), late_hops, 60)
    assert heard.shape == (60, HOPS_PER_FRAME, 2) and shown.shape == (60, 8) and seen.all()
    sound_at = np.flatnonzero(heard[..., 0].ravel())[0]
    assert sound_at - np.flatnonzero(shown[:, 0])[0] * HOPS_PER_FRAME == late_hops


def test_a_trial_is_late_by_what_it_says():
    from landmarks.sync.accuracy import HOP_MS, trials
    n, hops = 100, (100, HOPS_PER_FRAME, 3)
    spectrum = np.broadcast_to(np.arange(n * HOPS_PER_FRAME, dtype=np.float32).reshape(n, HOPS_PER_FRAME, 1), hops)
    face = np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None], (n, 68, 2))
    shifts = []
    for source, late_ms, heard, shown in trials([("one", spectrum, face)], 2):
        assert source == "one" and heard.shape == (50, HOPS_PER_FRAME, 3) and shown.shape == (50, 68, 2)
        assert shown[0, 0, 0] * HOPS_PER_FRAME - heard[0, 0, 0] == late_ms / HOP_MS
        shifts.append(late_ms)
    assert len(set(shifts)) > 1 and max(map(abs, shifts)) <= 400


def test_share_right_knows_chance():
    from landmarks.sync.accuracy import share_right
    truth = np.arange(-400.0, 401, 100)
    perfect, stuck = share_right(truth, truth), share_right(truth, 0 * truth)
    assert perfect["within_frame"] == 1 and stuck["within_frame"] == pytest.approx(1 / 9)
    assert perfect["chance"] == stuck["chance"] == pytest.approx(1 / 9)
    assert share_right(truth, np.where(truth > 0, np.nan, truth))["within_frame"] == pytest.approx(5 / 9), "no answer is no hit"


def test_batches_depend_on_seed_and_step_alone(pack):
    from landmarks.dataset import load_clips
    from landmarks.sync.data import SyncBatches
    clips = load_clips(pack, "train")
    one, two = (SyncBatches(clips, n_items=3, seed=7) for _ in range(2))
    one.batch(0)
    for a, b in zip(one.batch(5), two.batch(5)):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.batch(5)[3], one.batch(6)[3])
    np.testing.assert_allclose(one.batch(5)[3].sum(1), 1, rtol=1e-5)


def test_resuming_equals_not_stopping(pack, trained, tmp_path):
    from landmarks.sync.train import train
    assert train(tmp_path, pack, SMALL, stop_after=2) is None
    assert train(tmp_path, pack, SMALL).is_file()
    with np.load(trained[0] / "state.npz") as whole, np.load(tmp_path / "state.npz") as resumed:
        assert whole.files == resumed.files
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], resumed[name], err_msg=name)


def test_training_learns_what_belongs_together(pack):
    import tensorflow as tf

    from landmarks.dataset import load_clips
    from landmarks.sync.data import SyncBatches
    from landmarks.sync.train import build, make_train_step
    network, average, optimizer = build({**SMALL, "steps": 80, "dropout": 0.0})
    step = make_train_step(network, average, optimizer, 1)
    batch = [tf.convert_to_tensor(part) for part in SyncBatches(load_clips(pack, "train"), n_items=4, seed=1).batch(0)]
    losses = [float(step(*batch)["lag"]) for _ in range(80)]
    assert losses[-1] < 0.6 * losses[0]


def test_the_model_file_equals_keras_and_says_how_often_it_is_right(trained):
    from landmarks.sync.train import build, judge_of
    from learn.keras_run import load_state
    network, average, optimizer = build(SMALL)
    load_state(trained[0] / "state.npz", [*network.variables, *average.variables, *optimizer.variables])
    sound, envelope = babble(3, 9)
    verdicts = [judge_clip(judge, sound, face_that_follows(envelope)) for judge in (load_judge(trained[1]), judge_of(average))]
    np.testing.assert_allclose(verdicts[0].similarity, verdicts[1].similarity, atol=1e-4)
    lengths = artifacts.check(trained[1], "sync-model")["accuracy"]["lengths"]
    assert [row["seconds"] for row in lengths] == [1, 2, 3, 5]
    assert all(row["trials"] and 0 < row["chance"] < 1 for row in lengths)
    metrics = json.loads((trained[0] / "metrics.json").read_text())
    assert set(metrics["methods"]) == {"judge", "ridge regression"}


def test_the_answer_for_landmarks_stands_beside_how_often_it_is_right(sound, face, tmp_path):
    write_wav(tmp_path / "a.wav", late(sound, 200))
    np.save(tmp_path / "a.npy", face)
    done = command(judge_main, tmp_path / "a.npy", "--speech", tmp_path / "a.wav")
    assert done.exit_code == 0, done.stderr
    answer, beside = done.stdout.splitlines()
    assert 80 < float(answer.split()[1]) < 320 and "late" in answer
    assert "5 s" in beside and "%" in beside and "chance" in beside
    told = json.loads(command(judge_main, tmp_path / "a.npy", "--speech", tmp_path / "a.wav", "--json").stdout)
    assert told["offset_ms"] == pytest.approx(float(answer.split()[1]), abs=1) and 0.5 < told["accuracy"]["within_frame"] <= 1
    assert len(told["similarity"]) == len(told["lags_ms"]) == 2 * MAX_LAG + 1


def test_pixels_are_judged_as_faces_are(sound, face):
    pixel = face68.to_pixel_space(face, (80.0, 0.2, 300.0, 200.0))
    as_face, as_pixel = (judge_clip(load_judge(), sound, face68.to_face_space(points)[0]) for points in (face, pixel))
    assert as_pixel.offset_ms == pytest.approx(as_face.offset_ms, abs=2)


def test_a_video_is_judged_by_its_own_picture_and_sound(clip):
    done = command(judge_main, clip, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["confidence"] > 0


@pytest.mark.parametrize("name, speech, found", [
    ("missing.npy", True, "no such file"), ("text.npy", True, "not readable as a NumPy array"),
    ("still.npy", True, "nothing to judge by"),
    ("still.npy", False, "landmarks alone"), ("gone.npy", True, "no face in it"), ("missing.mp4", False, "no such file")])
def test_bad_input_gets_one_line(sound, face, tmp_path, name, speech, found):
    write_wav(tmp_path / "a.wav", sound)
    (tmp_path / "text.npy").write_text("text")
    np.save(tmp_path / "still.npy", np.repeat(face[:1], 50, 0))
    np.save(tmp_path / "gone.npy", np.full((50, 68, 2), np.nan, np.float32))
    done = command(judge_main, tmp_path / name, *(("--speech", tmp_path / "a.wav") if speech else ()))
    assert done.exit_code == 1 and not done.stdout and len(done.stderr.splitlines()) == 1
    assert name in done.stderr and found in done.stderr


def test_mouth_features_know_size_from_shape(face):
    shapes, seen = mouth_features(face)
    double, _ = mouth_features(face[:1] + 2 * (face - face[:1]))
    np.testing.assert_allclose(shapes, double, rtol=0.06, atol=0.01)  # the gap at rest does not double
    assert shapes.shape == (len(face), face68.N_MOUTH_SHAPE) and seen.all() and np.abs(shapes.mean(0)).max() < 1e-3


def test_judging_needs_no_tensorflow():
    code = ("import sys; from landmarks.sync.judge import load_judge; load_judge(); "
            "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_another_file_is_no_judge(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"not a model")
    with pytest.raises(InputError, match="not readable as sync-model"):
        load_judge(tmp_path / "model.tflite")


def test_a_bad_pack_makes_no_run(tmp_path):
    from landmarks.sync.train import main
    (tmp_path / "a.h5").write_text("text")
    done = command(main, "--dry-run", "--pack", tmp_path / "a.h5", "--record", tmp_path / "record")
    assert done.exit_code == 1 and "expected a training-pack" in done.stderr and not (tmp_path / "record").exists()
