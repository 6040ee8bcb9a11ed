"""Sound moved against picture is found again, by as much."""

import csv
import shutil

import numpy as np
import pytest
from conftest import SENTENCES, command, loudness, portrait, speak

from core import artifacts
from core.clock import SAMPLE_RATE
from core.face import face68
from core.media.audio import spectrum_of
from preprocess import estimate_offset, fit_offset, offset
from preprocess.estimate_offset import CHECK_SHIFTS
from preprocess.offset import FRAME_MS, MAX_LAG, correlations, offset_of


@pytest.fixture(scope="module")
def sound():
    return np.concatenate([speak(sentence, seconds=3.0) for sentence in SENTENCES[:2]])


@pytest.fixture(scope="module")
def face(sound):
    """A face whose lips follow the loudness of `sound`: float32 [frame, 68, 2] in face space."""
    from core.face.face_detector import landmarks_of_picture
    points, _ = landmarks_of_picture(portrait())
    rest, _ = face68.to_face_space(points[None])
    frames = np.repeat(rest, len(loudness(sound)), 0)
    frames[:, face68.GROUPS["inner_lips"][5:], 1] += 0.3 * loudness(sound)[:, None]
    return frames


def late(sound, milliseconds):
    """`sound` as it is when it comes late by so much (early when negative), of the same length."""
    n = round(milliseconds * SAMPLE_RATE / 1000)
    return np.concatenate([np.zeros(n, np.float32), sound[:len(sound) - n]]) if n >= 0 else np.pad(sound[-n:], (0, -n))


@pytest.mark.parametrize("shift_ms", [-200, -120, -40, 20, 50, 100, 200])
def test_late_sound_is_positive_and_measured(sound, face, shift_ms):
    as_it_is, confidence = offset_of(spectrum_of(sound), face)
    moved, _ = offset_of(spectrum_of(late(sound, shift_ms)), face)
    assert moved - as_it_is == pytest.approx(shift_ms, abs=12)
    assert abs(as_it_is) < 120, "a jaw that follows loudness is no real one, but not far off"
    assert confidence > 0.1


def test_level_and_tone_do_not_matter(sound, face):
    as_it_is, _ = offset_of(spectrum_of(sound), face)
    dull = np.convolve(sound, [0.5, 0.5], "same").astype(np.float32)
    for other in (0.02 * sound, dull):
        assert offset_of(spectrum_of(other), face)[0] == pytest.approx(as_it_is, abs=12)


def test_missing_frames_are_left_out(sound, face):
    as_it_is, _ = offset_of(spectrum_of(sound), face)
    gappy = face.copy()
    gappy[40:60] = np.nan
    assert offset_of(spectrum_of(sound), gappy)[0] == pytest.approx(as_it_is, abs=30)


def test_another_sound_is_not_trusted(sound, face):
    """The lips' frames in another order: less sure than in their own."""
    _, own = offset_of(spectrum_of(sound), face)
    rng, others = np.random.default_rng(0), []
    for _ in range(5):
        order = rng.permutation(len(face))
        others.append(offset_of(spectrum_of(sound), face[order])[1])
    assert np.mean(others) < own / 2


@pytest.mark.parametrize("spoil", ["still", "no face", "short", "silent"])
def test_what_cannot_be_told_is_nan(sound, face, spoil):
    face, spectrum = face.copy(), spectrum_of(sound)
    if spoil == "still":
        face[:] = face[0]
    elif spoil == "no face":
        face[:] = np.nan
    elif spoil == "short":
        face, spectrum = face[:20], spectrum[:20]
    else:
        spectrum = np.zeros_like(spectrum)
    offset_ms, confidence = offset_of(spectrum, face)
    assert np.isnan(offset_ms) and confidence == 0


def test_correlation_is_one_where_the_signals_meet():
    signal = np.random.default_rng(0).normal(size=(100, 2))
    found = correlations(np.roll(signal, 3, axis=0), signal, np.ones(100, bool))
    assert found.argmax() == MAX_LAG + 3 and found.max() == pytest.approx(1)


def run(data, *arguments):
    result = command(estimate_offset.main, "--fft", data / "fft", "--landmarks", data / "landmarks", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_stage_writes_a_row_a_clip(data, tmp_path):
    out = run(data, "--out", tmp_path / "offsets", "--jobs", 1).strip()
    with open(out, newline="") as stream:
        rows = {row["clip"]: row for row in csv.DictReader(stream)}
    assert len(rows) == 9 and "no face" in rows["odd/no face"]["problem"] and not rows["odd/no face"]["offset_ms"]
    for row in map(rows.get, ("anna/0", "anna/1", "ben/2", "ben/3")):
        assert abs(float(row["offset_ms"])) <= MAX_LAG * FRAME_MS and float(row["confidence"]) >= 0


def test_a_lost_spectrum_is_a_problem_in_its_row(data, tmp_path):
    shutil.copytree(data / "fft", tmp_path / "fft")
    (tmp_path / "fft" / "ben" / "2.npy").unlink()
    result = command(estimate_offset.main, "--fft", tmp_path / "fft", "--landmarks", data / "landmarks",
                     "--out", tmp_path / "out", "--jobs", 1)
    assert result.exit_code == 0 and "ben/2.npy: no such file" in result.stderr
    with open(result.stdout.strip(), newline="") as stream:
        failed = {row["clip"] for row in csv.DictReader(stream) if row["problem"]}
    assert failed == {"ben/2", "odd/no face", "odd/no sound", "odd/broken"}


def test_the_check_prints_a_table(data):
    lines = run(data, "--check").splitlines()
    assert len(lines) == 2 and lines[1].split()[:2] == ["ben", str(len(CHECK_SHIFTS))]


def test_the_model_can_be_fitted_again(data, tmp_path):
    shipped = offset._model()
    done = command(fit_offset.main, "--fft", data / "fft", "--landmarks", data / "landmarks", "--record", tmp_path,
                   "--trained", tmp_path / "trained-offsets")
    made = (tmp_path / "trained-offsets").read_text().strip()
    assert done.stdout.strip() == made == str(tmp_path / "00001" / "model.npz"), done.stderr
    assert artifacts.check(made, "offset-model")["clips"] == 3, "the good clips of split train"
    with np.load(made, allow_pickle=False) as model:
        assert model["coefficients"].shape == shipped.shape and np.isfinite(model["coefficients"]).all()
