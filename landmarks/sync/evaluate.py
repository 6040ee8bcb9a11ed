"""Evaluate the sync judge on held-out speech, shifted by known amounts.

Reads: data/train.h5 (training-pack), a sync-model; CNN_record/offsets/model.npz, the baseline.
Writes: the model's sidecar (`accuracy`, printed beside every answer of landmarks.sync), metrics.json beside the model.
A trial is a stretch of a speaker's clips, end to end, its sound moved by -400 to 400 ms (steps of a hop) and taken
from the recording there, never filled. Right is within one frame. Chance: the same answers, dealt out at random.
"""

from pathlib import Path

import click
import numpy as np

from core.stage import stage
from landmarks.sync.accuracy import N_SHIFTS, publish_accuracy, trials
from landmarks.sync.judge import DEFAULT_MODEL
from learn.measures import cell, markdown

STAGE = "landmarks.sync.evaluate"


def confidences(found, answer, seconds: float) -> dict:
    """Confidence with the own sound and with that of the stretch before; `told_apart`: how often the own is the higher
    of two drawn at random (the area under the ROC curve)."""
    stretches = list(trials(found, seconds))
    own = np.array([answer(spectrum, face)[1] for _, _, spectrum, face in stretches])
    foreign = np.array([answer(before[2], after[3])[1] for before, after in zip(stretches, stretches[N_SHIFTS:])])
    return {"seconds": seconds, "own": float(np.median(own)), "foreign": float(np.median(foreign)),
            "told_apart": float((own[:, None] > foreign).mean())}


def as_text(about) -> str:
    """The measures as a table to paste into the documents, and a sentence."""
    table = markdown(("source", "seconds", "trials", "method", "within one frame", "median error, ms", "by chance"), [
        (source, row["seconds"], right["trials"], name, f"{right['within_frame']:.1%}", cell(right["median_error_ms"], ".0f"),
         f"{right['chance']:.1%}")
        for name, rows in about["methods"].items() for row in rows for source, right in {**row["sources"], "all": row}.items()])
    sure = about["confidence"]
    return (f"{table}\n\nConfidence on {sure['seconds']} s: median {sure['own']:.2f} with the own sound, {sure['foreign']:.2f} "
            f"with another's; told apart in {sure['told_apart']:.0%} of pairs")


@stage(reads="MODEL (sync-model), PACK (training-pack)", writes="MODEL.json (its accuracy), metrics.json beside the model",
       examples=("python -m landmarks.sync.evaluate",
                 "python -m landmarks.sync.evaluate --model CNN_record/00002/model.tflite"))
@click.option("--model", type=click.Path(path_type=Path), default=DEFAULT_MODEL, show_default="the shipped one")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips to measure on.")
@click.option("--split", default="val", help="Split to measure on.")
def main(model, pack, split):
    """Measure how often the sync judge is right."""
    publish_accuracy(model, pack, split, is_told=True)


if __name__ == "__main__":
    main()
