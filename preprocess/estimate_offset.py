"""By how many milliseconds the sound and the picture of each clip are apart.

Reads: data/landmarks/index.csv, data/landmarks/CLIP.face.npy, data/fft/CLIP.npy; the model CNN_record/offsets/model.npz.
Writes: data/offsets/index.csv with the columns offset_ms, confidence and correlations.

`offset_ms` is the time of a sound minus the time of the lip movement that made it. Positive: the sound is late, the
picture leads; cut that much from the start of the sound. Negative: the sound is early; cut from the start of the
picture. `confidence` is the peak correlation minus the best one more than 200 ms away from it; `correlations` are those of
all lags, from -400 to 400 ms by frames.
Method: ridge regression from band energies to the opening of the mouth and its speed; the prediction is slid along
the measurement. (Idea: SyncNet, Chung & Zisserman 2016, without its network.)
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from core.corpus import jobs_option, run_stage
from core.index import source_of
from core.stage import progress, stage
from preprocess.offset import (
    FRAME_MS,
    SURE,
    at_lags,
    offset_in,
    offset_of,
)
from preprocess.usable import clips_of_split, load_clip

STAGE = "preprocess.estimate_offset"
CHECK_SHIFTS = tuple(range(-200 // FRAME_MS, 200 // FRAME_MS + 1))  # frames




def measure(fft: str | Path, landmarks: str | Path) -> list:
    """Shift each clip of split val by known whole frames and estimate: rows (source, shift_ms, error_ms, confidence)."""
    found = []
    with progress(clips_of_split(fft, landmarks, "val"), "check offsets") as bar:
        for row in bar:
            spectrum, face = load_clip(row, fft, landmarks)
            for shift in CHECK_SHIFTS:
                sound = spectrum[max(0, -shift):len(spectrum) - max(0, shift)]
                mouth = face[max(0, shift):len(face) + min(0, shift)]
                offset_ms, confidence = offset_of(sound, mouth)
                source = source_of(row["clip"]) or row["speaker"]
                found.append((source, shift * FRAME_MS, offset_ms - shift * FRAME_MS, confidence))
    return found


def print_table(found: Sequence[tuple]) -> None:
    """Print, per source, how often the estimate lies within one frame of the truth."""
    click.echo(f"{'source':<17} {'trials':>6} {'within 1 frame':>14} {'median error':>13}   with confidence above {SURE}")
    for source in sorted({row[0] for row in found}):
        errors, confidence = np.array([row[2:] for row in found if row[0] == source]).T
        right, sure = np.abs(errors) <= FRAME_MS, confidence > SURE
        among = f"{right[sure].mean():.0%} right" if sure.any() else "none"
        click.echo(f"{source:<17} {len(errors):>6} {right.mean():>14.0%} {np.nanmedian(errors):>10.0f} ms   "
                   f"{sure.mean():.0%} of trials, {among}")


def estimate_clip(row: dict, _out: Path, options: dict) -> dict:
    """Columns of one clip's row: offset_ms, empty when it cannot be told, confidence, and correlations between spaces."""
    found = at_lags(*load_clip(row, options["fft"], options["landmarks"]))
    offset_ms, confidence = offset_in(found)
    return {"offset_ms": "" if np.isnan(offset_ms) else round(offset_ms), "confidence": round(confidence, 3),
            "correlations": " ".join(f"{value:.3f}" for value in found)}


@stage(reads="FFT/CLIP.npy, LANDMARKS/CLIP.face.npy, LANDMARKS/index.csv", writes="OUT/index.csv",
       examples=("python -m preprocess.estimate_offset", "python -m preprocess.estimate_offset --check"))
@click.option("--fft", type=click.Path(path_type=Path), default=Path("data/fft"), help="Folder of the spectra.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/offsets"), help="Folder of the index.")
@jobs_option
@click.option("--check", "is_check", is_flag=True, help="Measure the model on split val, shifted by known amounts, instead.")
def main(fft, landmarks, out, jobs, is_check) -> None:
    """Find by how much sound and picture are apart (positive: the sound is late)."""
    if is_check:
        print_table(measure(fft, landmarks))
    else:
        options = {"fft": str(fft), "landmarks": str(landmarks)}
        click.echo(run_stage(estimate_clip, landmarks / "index.csv", out, stage=STAGE, options=options, jobs=jobs))


if __name__ == "__main__":
    main()
