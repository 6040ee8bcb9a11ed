"""By how many milliseconds the sound and the picture of each clip are apart.

Reads: data/landmarks/index.csv, data/landmarks/CLIP.face.npy, data/fft/CLIP.npy; the model CNN_record/offsets/model.npz.
Writes: data/offsets/index.csv with the columns offset_ms, confidence and correlations; with --fit, the model.

`offset_ms` is the time of a sound minus the time of the lip movement that made it. Positive: the sound is late, the
picture leads; cut that much from the start of the sound. Negative: the sound is early; cut from the start of the
picture. `confidence` is the peak correlation minus the best one more than 200 ms away from it; `correlations` are those of
all lags, from -400 to 400 ms by frames.
Method: ridge regression from band energies to the opening of the mouth and its speed; the prediction is slid along
the measurement. (Idea: SyncNet, Chung & Zisserman 2016, without its network.)
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths
from core.clock import FPS, SAMPLE_RATE
from core.corpus import output_path, run_stage
from core.errors import InputError
from core.face.face68 import fill_missing, mouth_opening
from core.media.audio import N_BINS
from core.metrics import peak_of
from core.models import read_arrays, read_model
from core.stage import progress, stage
from preprocess.pack_hdf5 import SURE, usable_clips

STAGE = "preprocess.estimate_offset"
MODEL = paths.OFFSET_MODEL
FRAME_MS = 1000 // FPS
N_BANDS = 24
BAND_RANGE_HZ = (80.0, 7600.0)
CONTEXT = 8  # frames on either side; differences in time are in there, the regression finds them itself
FLOOR = 1e-4  # of the loud frames: 40 dB below them is silence
MAX_LAG = 400 // FRAME_MS  # frames
ELSEWHERE = 200 // FRAME_MS  # frames from the peak beyond which a correlation is a rival
STILL = 1e-4  # eye distances: a mouth whose opening deviates less does not move
FEWEST = 25  # frames with a face that a lag must be judged on
RIDGE = 3e-2  # of the mean variance
ENOUGH_FRAMES = 4500  # three minutes: a speaker with more counts as having this much
CHECK_SHIFTS = tuple(range(-200 // FRAME_MS, 200 // FRAME_MS + 1))  # frames


@cache
def _band_matrix():
    """Triangles on the mel scale (O'Shaughnessy 1987): float32 [bin, band], each of sum 1."""
    low, high = 2595 * np.log10(1 + np.array(BAND_RANGE_HZ) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, N_BANDS + 2) / 2595) - 1)
    hz = np.linspace(0, SAMPLE_RATE / 2, N_BINS)[:, None]
    rise, fall = (hz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hz) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rise, fall))
    return (triangles / triangles.sum(0)).astype(np.float32)


def sound_features(spectrum: NDArray) -> NDArray:
    """Band energies around each frame, without the recording's level and tone.

    Parameters
    ----------
    spectrum : float16 [frame, hop, bin], magnitudes

    Returns
    -------
    float32 [frame, (2 CONTEXT + 1) N_BANDS], decades; beyond either end the sound goes on as it ended
    """
    power = np.square(spectrum.astype(np.float32)).mean(1) @ _band_matrix()
    loud = max(float(np.percentile(power.sum(1), 95)), 1e-9)
    bands = np.log10(power / loud * N_BANDS + FLOOR)
    padded = np.pad(bands - bands.mean(0), ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * CONTEXT + 1, axis=0)
    return windows.transpose(0, 2, 1).reshape(len(bands), -1)


def mouth_signals(face: NDArray) -> tuple[NDArray, NDArray]:
    """Opening of the mouth and its speed, each with mean 0 and deviation 1: float [frame, 2], and where a face is.

    A clip with fewer than two frames of a face, or with a still mouth, gives zeros.
    """
    seen = np.isfinite(face).all((1, 2))
    opening = mouth_opening(face).astype(np.float64)
    if seen.sum() < 2 or opening[seen].std() < STILL:
        return np.zeros((len(face), 2)), seen
    opening = fill_missing(opening[:, None])[:, 0]
    signals = np.stack([opening, np.gradient(opening)], 1)
    return (signals - signals[seen].mean(0)) / signals[seen].std(0), seen


@cache
def _model():
    return read_model(MODEL, "offset-model", read_arrays, f"git checkout -- {MODEL}")["coefficients"]


def correlations(predicted: NDArray, measured: NDArray, seen: NDArray) -> NDArray:
    """Mean correlation of the [frame, 2] signals at each lag, -MAX_LAG..MAX_LAG frames of late sound; NaN: too few frames."""
    n, found = min(len(predicted), len(measured)), np.full(2 * MAX_LAG + 1, np.nan)
    for i, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
        heard, shown = slice(max(0, lag), n + min(0, lag)), slice(max(0, -lag), n - max(0, lag))
        ok = seen[shown]
        if ok.sum() >= FEWEST:
            a, b = predicted[heard][ok], measured[shown][ok]
            a, b = a - a.mean(0), b - b.mean(0)
            scale = np.sqrt(np.square(a).sum(0) * np.square(b).sum(0))
            found[i] = np.mean((a * b).sum(0) / np.maximum(scale, 1e-9))
    return found


def at_lags(spectrum: NDArray, face: NDArray) -> NDArray:
    """How well sound and mouth fit at each lag.

    Parameters
    ----------
    spectrum : float16 [frame, hop, bin], magnitudes
    face : float [frame, 68, 2], landmarks in face space; NaN without a face

    Returns
    -------
    correlations, float [lag], -MAX_LAG..MAX_LAG frames of late sound; NaN where there are too few frames, or the mouth is still
    """
    measured, seen = mouth_signals(face)
    if not measured.any() or not np.any(spectrum):
        return np.full(2 * MAX_LAG + 1, np.nan)
    return correlations(sound_features(spectrum) @ _model(), measured, seen)


def offset_in(found: NDArray) -> tuple[float, float]:
    """How late the sound is by `at_lags`.

    Returns
    -------
    offset_ms : time of the sound minus time of the picture; NaN when it cannot be told
    confidence : peak correlation minus the best one more than 200 ms away; above SURE nine answers in ten are
        within a frame on clips of three seconds, more on longer ones
    """
    if not np.isfinite(found).any():
        return float("nan"), 0.0
    at = peak_of(found) - MAX_LAG
    far = np.abs(np.arange(-MAX_LAG, MAX_LAG + 1) - at) > ELSEWHERE
    rival = np.nanmax(found[far]) if np.isfinite(found[far]).any() else np.nanmax(found)
    return at * FRAME_MS, float(np.nanmax(found) - rival)


def offset_of(spectrum: NDArray, face: NDArray) -> tuple[float, float]:
    """`offset_in` what `at_lags` finds."""
    return offset_in(at_lags(spectrum, face))


def _load(row, fft, landmarks):
    spectrum = artifacts.load(output_path(fft, row, ".npy"), "spectrum").array
    face = artifacts.load(output_path(landmarks, row, ".face.npy"), "landmarks-face").array
    n = min(len(spectrum), len(face))
    return spectrum[:n], face[:n]


def _rows(fft, landmarks, split):
    rows = [row for row in usable_clips(Path(fft) / "index.csv", Path(landmarks) / "index.csv") if row.get("split") == split]
    if not rows:
        raise InputError(Path(landmarks) / "index.csv", f"no clip of split {split}", "clips with a face", "make preprocess")
    return rows


def fit(fft: str | Path, landmarks: str | Path, path: str | Path) -> Path:
    """Fit the coefficients on the clips of split train and write them to `path`; no speaker weighs more than the cap."""
    rows = _rows(fft, landmarks, "train")
    frames_of = {}
    for row in rows:
        frames_of[row["speaker"]] = frames_of.get(row["speaker"], 0) + row["n_frames"]
    n_features = N_BANDS * (2 * CONTEXT + 1)
    squares, products, total = np.zeros((n_features, n_features)), np.zeros((n_features, 2)), 0.0
    with progress(rows, "fit offset model") as bar:
        for row in bar:
            spectrum, face = _load(row, fft, landmarks)
            measured, seen = mouth_signals(face)
            x, y = sound_features(spectrum)[seen], measured[seen]
            weight = min(1.0, ENOUGH_FRAMES / frames_of[row["speaker"]])
            squares += weight * (x.T @ x)
            products += weight * (x.T @ y)
            total += weight * len(x)
    ridge = RIDGE * np.trace(squares) / n_features
    coefficients = np.linalg.solve(squares + ridge * np.eye(n_features), products).astype(np.float32)
    options = {"n_bands": N_BANDS, "context": CONTEXT, "ridge": RIDGE}
    with artifacts.described(path, "offset-model", stage=STAGE, options=options, inputs=[Path(landmarks) / "index.csv"],
                             clips=len(rows), frames=round(total)) as (part, _):
        np.savez(part, coefficients=coefficients)
    return Path(path)


def source_of(speaker: str) -> str:
    """What a table groups by: grid_s1 by itself, else the first word of the speaker's name."""
    return speaker if speaker == "grid_s1" or "_" not in speaker else speaker.split("_")[0] + "_*"


def measure(fft: str | Path, landmarks: str | Path) -> list:
    """Shift each clip of split val by known whole frames and estimate: rows (source, shift_ms, error_ms, confidence)."""
    found = []
    with progress(_rows(fft, landmarks, "val"), "check offsets") as bar:
        for row in bar:
            spectrum, face = _load(row, fft, landmarks)
            for shift in CHECK_SHIFTS:
                heard = spectrum[max(0, -shift):len(spectrum) - max(0, shift)]
                shown = face[max(0, shift):len(face) + min(0, shift)]
                offset_ms, confidence = offset_of(heard, shown)
                found.append((source_of(row["speaker"]), shift * FRAME_MS, offset_ms - shift * FRAME_MS, confidence))
    return found


def print_table(found: Sequence[tuple]) -> None:
    """Print, per source, how often the estimate lies within one frame of the truth."""
    click.echo(f"{'source':<12} {'trials':>6} {'within 1 frame':>14} {'median error':>13}   with confidence above {SURE}")
    for source in sorted({row[0] for row in found}):
        errors, confidence = np.array([row[2:] for row in found if row[0] == source]).T
        right, sure = np.abs(errors) <= FRAME_MS, confidence > SURE
        among = f"{right[sure].mean():.0%} right" if sure.any() else "none"
        click.echo(f"{source:<12} {len(errors):>6} {right.mean():>14.0%} {np.nanmedian(errors):>10.0f} ms   "
                   f"{sure.mean():.0%} of trials, {among}")


def estimate_clip(row: dict, _out: Path, options: dict) -> dict:
    """Columns of one clip's row: offset_ms, empty when it cannot be told, confidence, and correlations between spaces."""
    found = at_lags(*_load(row, options["fft"], options["landmarks"]))
    offset_ms, confidence = offset_in(found)
    return {"offset_ms": "" if np.isnan(offset_ms) else round(offset_ms), "confidence": round(confidence, 3),
            "correlations": " ".join(f"{value:.3f}" for value in found)}


@stage(reads="FFT/CLIP.npy, LANDMARKS/CLIP.face.npy, LANDMARKS/index.csv", writes="OUT/index.csv; with --fit the model",
       examples=("python -m preprocess.estimate_offset", "python -m preprocess.estimate_offset --check"))
@click.option("--fft", type=click.Path(path_type=Path), default=Path("data/fft"), help="Folder of the spectra.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/offsets"), help="Folder of the index.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="Processes; 0 is one a core.")
@click.option("--fit", "wanted", flag_value="fit", help="Fit the model on the clips of split train instead.")
@click.option("--check", "wanted", flag_value="check", help="Measure it on split val, shifted by known amounts, instead.")
def main(fft, landmarks, out, jobs, wanted) -> None:
    """Find by how much sound and picture are apart (positive: the sound is late)."""
    if wanted == "fit":
        click.echo(fit(fft, landmarks, MODEL))
    elif wanted == "check":
        print_table(measure(fft, landmarks))
    else:
        options = {"fft": str(fft), "landmarks": str(landmarks)}
        click.echo(run_stage(estimate_clip, landmarks / "index.csv", out, stage=STAGE, options=options, jobs=jobs))


if __name__ == "__main__":
    main()
