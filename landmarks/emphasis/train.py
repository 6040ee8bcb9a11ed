"""Fit emphasis: what in a voice tells its effort, and how much further people move with it.

Reads: data/ravdess/index.csv and its recordings; data/train.h5 (training-pack), data/ear.h5 (ear-pack), the landmark-model that
ships. Writes: CNN_record/00001/: run.json, model.npz (emphasis-model) and `done`.
Two regressions: acted phrases of two intensities give the direction of effort (ridge regression of their difference to one
unit, by many hundred pairs); measured talkers give how far opening and corners of a mouth go beyond the predicted ones with a
unit of it, a line through their means, person by person. Few people are measured, hence one number each.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.stage import say, stage
from landmarks.emphasis.data import APART, SOURCES, Phrase, Windows, acted, measured, pairs_of, slopes_of
from learn.run import run_options, train_as_asked

STAGE = "landmarks.emphasis.train"
RESAMPLED = 500  # times that people are drawn anew, for the interval of the slopes


def direction(phrases: Sequence[Phrase], ridge: float) -> NDArray:
    """Weights [mel] of the log-mel that rise by one from normal to strong intensity."""
    size = np.std([phrase.features for phrase in phrases], 0) + 1e-6
    apart = np.array([strong.features - normal.features for normal, strong in pairs_of(phrases)]) / size
    square = apart.T @ apart + ridge * np.eye(len(size))
    return np.linalg.solve(square, apart.sum(0)) / size


def told_apart(phrases: Sequence[Phrase], weights: NDArray) -> float:
    """Share of the phrases whose strong version has the greater effort."""
    return float(np.mean([(strong.features - normal.features) @ weights > 0 for normal, strong in pairs_of(phrases)]))


def fit(phrases: Sequence[Phrase], windows: Windows, path: str | Path, options: dict, inputs: Collection[str | Path]) -> Path:
    """Fit the model on both and write it to `path`; its sidecar holds how sure it is."""
    actors = sorted({phrase.actor for phrase in phrases})
    folds = [actors[start::options["folds"]] for start in range(options["folds"])]
    held_out = [told_apart([p for p in phrases if p.actor in fold],
                           direction([p for p in phrases if p.actor not in fold], options["ridge"]))
                for fold in folds if 0 < len(fold) < len(actors)]
    weights = direction(phrases, options["ridge"])
    effort = windows.features @ weights
    slopes, rng = slopes_of(windows, effort), np.random.default_rng(options["seed"])
    drawn = np.array([slopes_of(windows, effort, rng) for _ in range(RESAMPLED)])
    about = {"told_apart": float(np.mean(held_out)) if held_out else None, "people": len(np.unique(windows.person)),
             "slopes": slopes.tolist(), "slopes_5_to_95": np.percentile(drawn, [5, 95], axis=0).T.tolist()}
    with artifacts.described(path, "emphasis-model", stage=STAGE, options=options, inputs=inputs, held_out=about) as (part, _):
        np.savez(part, weights=weights.astype(np.float32), mean=np.float32(effort.mean()),
                 slopes=np.maximum(slopes, 0).astype(np.float32))
    say(f"{about}")
    return Path(path)


@stage(reads="the recordings that INDEX lists, PACK (training-pack), EAR (ear-pack)",
       writes="RECORD/00001/ with model.npz, run.json",
       examples=("python -m preprocess.list_recordings path/to/ravdess --out data/ravdess",
                 "python -m landmarks.emphasis.train --index data/ravdess/index.csv"))
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/ravdess/index.csv"),
              help="A list of acted recordings, RAVDESS.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Measured talkers.")
@click.option("--ear", type=click.Path(path_type=Path), default=Path("data/ear.h5"), help="Their ear-pack.")
@run_options("CNN_record", resumes=False)
@click.option("--source", "sources", multiple=True, default=SOURCES, help="Folders of the talkers.")
@click.option("--apart", multiple=True, default=APART, help="Actors kept for landmarks.emphasis.evaluate.")
@click.option("--ridge", type=click.FloatRange(0), default=100.0, help="Of the direction of effort.")
@click.option("--folds", type=click.IntRange(2), default=5, help="Groups of actors, to say how often strong is told from "
                   "normal.")
@click.option("--seed", type=int, default=1, help="Of the interval of the slopes.")
def main(index, pack, ear, record, trained, sources, apart, **options) -> None:
    """Fit how far a face moves with the effort of its voice."""
    options |= {"sources": list(sources), "apart": list(apart), "index": str(index)}

    def prepare(options, data):
        phrases, windows = acted(index, apart=apart), measured(data, ear, "train", sources)
        return lambda run: fit(phrases, windows, run / "model.npz", options, [index, data, ear])

    click.echo(train_as_asked(prepare, stage=STAGE, data=pack, options=options, record=record, trained=trained, resumes=False))


if __name__ == "__main__":
    main()
