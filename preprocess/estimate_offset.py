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

from pathlib import Path

import click
import numpy as np

from core import artifacts
from core.corpus import output_path, run_stage
from core.errors import InputError
from core.index import source_of
from core.stage import progress, stage
from preprocess.offset import (
    CONTEXT,
    FRAME_MS,
    MODEL,
    N_BANDS,
    SURE,
    at_lags,
    mouth_signals,
    offset_in,
    offset_of,
    sound_features,
)
from preprocess.usable import usable_clips

STAGE = "preprocess.estimate_offset"
RIDGE = 3e-2  # of the mean variance
ENOUGH_FRAMES = 4500  # three minutes: a speaker with more counts as having this much
CHECK_SHIFTS = tuple(range(-200 // FRAME_MS, 200 // FRAME_MS + 1))  # frames


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


def fit(fft, landmarks, path) -> Path:
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


def measure(fft, landmarks) -> list:
    """Shift each clip of split val by known whole frames and estimate: rows (source, shift_ms, error_ms, confidence)."""
    found = []
    with progress(_rows(fft, landmarks, "val"), "check offsets") as bar:
        for row in bar:
            spectrum, face = _load(row, fft, landmarks)
            for shift in CHECK_SHIFTS:
                heard = spectrum[max(0, -shift):len(spectrum) - max(0, shift)]
                shown = face[max(0, shift):len(face) + min(0, shift)]
                offset_ms, confidence = offset_of(heard, shown)
                source = source_of(row["clip"]) or row["speaker"]
                found.append((source, shift * FRAME_MS, offset_ms - shift * FRAME_MS, confidence))
    return found


def print_table(found):
    """Print, per source, how often the estimate lies within one frame of the truth."""
    click.echo(f"{'source':<17} {'trials':>6} {'within 1 frame':>14} {'median error':>13}   with confidence above {SURE}")
    for source in sorted({row[0] for row in found}):
        errors, confidence = np.array([row[2:] for row in found if row[0] == source]).T
        right, sure = np.abs(errors) <= FRAME_MS, confidence > SURE
        among = f"{right[sure].mean():.0%} right" if sure.any() else "none"
        click.echo(f"{source:<17} {len(errors):>6} {right.mean():>14.0%} {np.nanmedian(errors):>10.0f} ms   "
                   f"{sure.mean():.0%} of trials, {among}")


def estimate_clip(row, _out, options):
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
def main(fft, landmarks, out, jobs, wanted):
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
