"""Fit the model that finds by how much sound and picture are apart: a ridge regression, whose coefficients it is.

Reads: data/landmarks/index.csv, data/landmarks/CLIP.face.npy, data/fft/CLIP.npy.
Writes: CNN_record/00001/: run.json, model.npz (offset-model) and `done`.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from core import artifacts
from core.stage import progress, stage
from learn.run import run_options, train_as_asked
from preprocess.offset import CONTEXT, N_BANDS, mouth_signals, sound_features
from preprocess.usable import clips_of_split, load_clip

STAGE = "preprocess.fit_offset"
RIDGE = 3e-2  # of the mean variance
ENOUGH_FRAMES = 4500  # three minutes: a speaker with more counts as having this much
OPTIONS = {"n_bands": N_BANDS, "context": CONTEXT, "ridge": RIDGE}


def fit(rows: Sequence[dict], fft: str | Path, landmarks: str | Path, path: str | Path) -> Path:
    """Fit the coefficients on the clips of `rows` and write them to `path`; no speaker weighs more than the cap."""
    frames_of = {}
    for row in rows:
        frames_of[row["speaker"]] = frames_of.get(row["speaker"], 0) + row["n_frames"]
    n_features = N_BANDS * (2 * CONTEXT + 1)
    squares, products, total = np.zeros((n_features, n_features)), np.zeros((n_features, 2)), 0.0
    with progress(rows, "fit offset model") as bar:
        for row in bar:
            spectrum, face = load_clip(row, fft, landmarks)
            measured, seen = mouth_signals(face)
            x, y = sound_features(spectrum)[seen], measured[seen]
            weight = min(1.0, ENOUGH_FRAMES / frames_of[row["speaker"]])
            squares += weight * (x.T @ x)
            products += weight * (x.T @ y)
            total += weight * len(x)
    ridge = RIDGE * np.trace(squares) / n_features
    coefficients = np.linalg.solve(squares + ridge * np.eye(n_features), products).astype(np.float32)
    with artifacts.described(path, "offset-model", stage=STAGE, options=OPTIONS, inputs=[Path(landmarks) / "index.csv"],
                             clips=len(rows), frames=round(total)) as (part, _):
        np.savez(part, coefficients=coefficients)
    return Path(path)


@stage(reads="FFT/CLIP.npy, LANDMARKS/CLIP.face.npy, LANDMARKS/index.csv", writes="RECORD/00001/ with model.npz, run.json",
       examples=("python -m preprocess.fit_offset",))
@click.option("--fft", type=click.Path(path_type=Path), default=Path("data/fft"), help="Folder of the spectra.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@run_options("CNN_record", resumes=False)
def main(fft, landmarks, record, trained) -> None:
    """Fit the model that finds by how much sound and picture are apart."""
    def prepare(_options, _index):
        rows = clips_of_split(fft, landmarks, "train")
        return lambda run: fit(rows, fft, landmarks, run / "model.npz")

    click.echo(train_as_asked(prepare, stage=STAGE, data=landmarks / "index.csv", options=OPTIONS, record=record,
                              trained=trained, resumes=False))


if __name__ == "__main__":
    main()
