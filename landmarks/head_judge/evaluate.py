"""Can the sound of a head be told by how it moves: real heads, predicted ones, noise, replayed motion, a still head.

Reads: a head-judge-model, a head-model, data/train.h5 (training-pack), data/heads (preprocess.extract_head).
Writes: OUT, metrics.json beside the judge by default.
Held-out people whose heads move freely; windows of 4 s. Of two sounds, the own and another, chance finds the own in 50 %.
`predicted` is what a video shows in a style: the head-model's motion, accents and style with it.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core.stage import progress, stage
from landmarks.emphasis.style import STYLES, style_of
from landmarks.head.baselines import predict_motion, replay_motion
from landmarks.head.data import HeadClip
from landmarks.head.knots import to_frames
from landmarks.head.motion import DEFAULT_MODEL, HeadModel, load_head_model, seeded_noise
from landmarks.head_judge.accuracy import told_apart
from landmarks.head_judge.data import load_talkers
from landmarks.head_judge.judge import HeadJudge, load_head_judge
from landmarks.predict import head_and_brows
from learn.measures import markdown, report

STAGE = "landmarks.head_judge.evaluate"
SEEDS = 3


def shown_motion(model: HeadModel, clip: HeadClip, seed: int, style: str) -> NDArray:
    """Head and brows as `predict.py` writes them for the sound of a clip, [frame, channel]."""
    head, brows, _ = head_and_brows(clip.power, clip.height, seeded_noise(len(clip.face), seed), style_of(style), seed, model)
    return np.concatenate([head, brows], 1)


def motions_of(model: HeadModel, clip: HeadClip, train: Iterable[HeadClip], styles: Iterable[str]) -> dict:
    """Every way of moving for a clip: name -> list of motions [frame, channel]."""
    n, seeds = len(clip.face), range(SEEDS)
    found = {"real": [clip.face], "head-model alone": [predict_motion(model, clip, seed) for seed in seeds],
             "noise": [to_frames(model.begin(noise=seeded_noise(n, seed))["motion"], n) for seed in seeds],
             "replayed": [replay_motion(clip, list(train))], "still": [np.zeros_like(clip.face)]}
    return found | {style: [shown_motion(model, clip, seed, style) for seed in seeds] for style in styles}


def measure(judge: HeadJudge, model: HeadModel, clips: list, train: list, styles: Iterable[str]) -> dict:
    """`told_apart` of every way of moving: name -> its measures."""
    moved: dict = {}
    with progress(clips, "evaluate head judge") as bar:
        for clip in bar:
            for name, motions in motions_of(model, clip, train, styles).items():
                moved.setdefault(name, []).extend((clip, motion) for motion in motions)
    return {name: told_apart(judge, pairs) for name, pairs in moved.items()}


def as_text(about: dict) -> str:
    """The measures as a table."""
    def cell(row):
        return f"{row['mean']:.1%} ({row['low']:.0%} to {row['high']:.0%}, {row['people']} people)"

    return markdown(("motion", "from the same person's sounds", "from others' sounds"),
                    [(name, cell(row["the same person"]), cell(row["others"])) for name, row in about.items()], n_names=1)


@stage(reads="JUDGE (head-judge-model), MODEL (head-model), PACK (training-pack), HEADS", writes="OUT (metrics.json)",
       examples=("python -m landmarks.head_judge.evaluate --judge CNN_record/00001/model.tflite",))
@click.option("--judge", type=click.Path(path_type=Path), required=True, help="A head-judge-model.")
@click.option("--model", type=click.Path(path_type=Path), default=DEFAULT_MODEL, show_default="the shipped one",
              help="A head-model.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="The sound of the clips.")
@click.option("--heads", type=click.Path(path_type=Path), default=Path("data/heads"), help="How head and brows move in them.")
@click.option("--style", "styles", type=click.Choice(list(STYLES)), multiple=True, default=("natural", "vivid"),
              help="Of the predicted heads; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the measures go; default metrics.json beside the judge.")
def main(judge, model, pack, heads, styles, out) -> None:
    """Measure how often a head's own sound is told from another's."""
    loaded = load_head_judge(judge)
    clips, train = (load_talkers(pack, heads, split, loaded.keeps_lips) for split in ("val", "train"))
    about = measure(loaded, load_head_model(model), clips, train, styles)
    report(out or Path(judge).with_name("metrics.json"), about, as_text(about), stage=STAGE, inputs=[judge, model, pack])


if __name__ == "__main__":
    main()
