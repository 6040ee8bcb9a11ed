"""Fit the beat of a head: a ridge regression from the voice to gestures of people whose heads move.

Reads: data/train.h5 (training-pack), data/heads (preprocess.extract_head).
Writes: CNN_record/00001/: run.json, model.npz (beat-model) and `done`.
Channels that the voice does not tell, of people held out in turn, stay without a beat.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts, metrics
from core.stage import say, stage
from landmarks.dataset import open_pack
from landmarks.head.beat import beat_features
from landmarks.head.data import HeadClip
from landmarks.head.knots import CHANNELS
from learn.run import run_options, train_as_asked

STAGE = "landmarks.head.train_beat"
LEAST_R = 0.03  # of a channel, on people held out, to be kept
_ABOUT = 1e-6


def fit(clips: Sequence[HeadClip], ridge: float) -> NDArray:
    """Weights float32 [value, channel]: who moves little says as much as who moves far; the size is that of the median."""
    size = np.median([clip.face.std(0) for clip in clips], 0)
    n_values = beat_features(clips[0].power, clips[0].height).shape[1]
    square, product = np.zeros((n_values, n_values)), np.zeros((n_values, len(size)))
    for clip in clips:
        values = beat_features(clip.power, clip.height)
        square, product = square + values.T @ values, product + values.T @ (clip.face / (clip.face.std(0) + _ABOUT))
    square = square + (ridge * np.trace(square) / len(square) + _ABOUT) * np.eye(len(square))
    return (np.linalg.solve(square, product) * size).astype(np.float32)


def correlations(weights: NDArray, clips: Sequence[HeadClip]) -> NDArray:
    """Of the beat and the motion, float [clip, channel]."""
    beats = [beat_features(clip.power, clip.height) @ weights for clip in clips]
    return np.array([[metrics.correlation(*pair) for pair in zip(beat.T, clip.face.T)] for beat, clip in zip(beats, clips)])


def held_out(clips: Sequence[HeadClip], ridge: float, folds: int) -> NDArray:
    """Mean `correlations` [channel] over clips of people who taught nothing."""
    people = sorted({clip.speaker for clip in clips})
    found = []
    for start in range(min(folds, len(people))):
        apart = set(people[start::folds])
        weights = fit([clip for clip in clips if clip.speaker not in apart], ridge)
        found.append(correlations(weights, [clip for clip in clips if clip.speaker in apart]))
    return np.nanmean(np.concatenate(found), 0)


def train(run: Path, pack: str | Path, options: dict) -> Path:
    """Fit in the folder `run`; return the path of the model, whose sidecar holds the correlations of people held out."""
    from landmarks.head_judge.data import load_talkers
    clips = load_talkers(pack, options["heads_folder"], "train")
    told = held_out(clips, options["ridge"], options["folds"])
    weights = fit(clips, options["ridge"]) * (told > LEAST_R)
    about = dict(zip(CHANNELS, np.round(told, 3).tolist()))
    say(f"{run}: {len(clips)} clips; correlation with people held out: {about}")
    with artifacts.described(run / "model.npz", "beat-model", stage=STAGE, options=options, inputs=[pack],
                             held_out=about) as (part, _):
        np.savez(part, weights=weights.astype(np.float32))
    return run / "model.npz"


@stage(reads="PACK (data/train.h5), HEADS (data/heads)", writes="RECORD/00001/ with model.npz, run.json",
       examples=("python -m landmarks.head.train_beat",))
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Training clips.")
@run_options("CNN_record", resumes=False)
@click.option("--heads-folder", default="data/heads", help="How head and brows move in them.")
@click.option("--ridge", type=click.FloatRange(0), default=3.0, help="Of the regression, in means of its diagonal.")
@click.option("--folds", type=click.IntRange(2), default=5, help="Groups of people, held out in turn.")
def main(pack, record, trained, **options) -> None:
    """Fit what of head and brows follows the voice."""
    def prepare(options, data):
        with open_pack(data):
            return lambda run: train(run, data, options)

    click.echo(train_as_asked(prepare, stage=STAGE, data=pack, options=options, record=record, trained=trained, resumes=False))


if __name__ == "__main__":
    main()
