"""Evaluate the sync judge on held-out speech, shifted by known amounts.

Reads: data/train.h5 (training-pack), a sync-model; CNN_record/offsets/model.npz, the baseline.
Writes: the model's sidecar (`accuracy`, printed beside every answer of landmarks.sync), metrics.json beside the model.
A trial is a stretch of a speaker's clips, end to end, its sound moved by -400 to 400 ms (steps of a hop) and taken
from the recording there, never filled. Right is within one frame. Chance: the same answers, dealt out at random.
"""

from pathlib import Path

import click

from core.stage import stage
from landmarks.sync.accuracy import publish_accuracy
from landmarks.sync.judge import DEFAULT_MODEL


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
