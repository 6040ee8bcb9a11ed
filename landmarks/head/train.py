"""Train the transformer that moves head and brows with the speech.

Reads: data/train.h5 (training-pack), data/heads (preprocess.extract_head).
Writes: CNN_record/00001/: run.json, state.npz (to go on), curves.csv, curves.png, events (TensorBoard), model.tflite (to
use) and `done`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from core.stage import say, stage
from landmarks.dataset import open_pack
from landmarks.head.data import MOVING
from learn.keras_run import add_to_curves, descend, go_on, optimizer_of, train_as_asked, training_options

if TYPE_CHECKING:
    from landmarks.head.data import HeadClip
    from landmarks.head.network import HeadNetwork

STAGE = "landmarks.head.train"
N_CHECKED = 16  # batches of held-out clips that a check looks at


def flow_loss(network: "HeadNetwork", sound: Any, conditional: Any, manner: Any, motion: Any, weight: Any, noise: Any,
              time: Any, *, training: bool = False) -> Any:
    """How far the network's velocity is from that of a straight way from noise to motion, in squared sizes of a channel."""
    from learn.tensorflow import tf
    start, share = network.begin(noise), time[:, None, None]
    velocity = network((1 - share) * start + share * motion, network.encode(sound, conditional, training), manner, time, weight,
                       training=training)
    error = tf.reduce_mean(tf.square((velocity - (motion - start)) / network.size), -1)
    return tf.reduce_sum(error * weight) / tf.reduce_sum(weight)


def build(clips: "Sequence[HeadClip]", options: dict) -> "tuple[HeadNetwork, HeadNetwork]":
    """The untrained network, its twin that holds the averaged weights, and the optimiser, as `options` say."""
    from landmarks.head.data import turning
    from landmarks.head.network import DEFAULTS, HeadNetwork, statistics_of
    from learn.tensorflow import keras
    keras.utils.set_random_seed(options["seed"])
    statistics = statistics_of([clip for clip in clips if turning(clip) > MOVING] or clips)
    network, average = (HeadNetwork(statistics, **{name: options[name] for name in DEFAULTS}) for _ in range(2))
    return network, average


def train(run: Path, pack: str | Path, options: dict, stop_after: int | None = None) -> Path | None:
    """Train in the folder `run` until `options['steps']`, going on from state.npz when there is one.

    `stop_after` ends the run early as a kill would, after that many steps (tests). Returns the path of the model.
    """
    from landmarks.head.data import HeadBatches, load_heads, turning
    from landmarks.head.network import export
    from learn.tensorflow import tf
    clips, val = (load_heads(pack, options["heads_folder"], split) for split in ("train", "val"))
    settings = {"n_items": options["batch"], "n_frames": options["frames"], "seed": options["seed"]}
    batches = HeadBatches(clips, **settings)
    held_out = HeadBatches([clip for clip in val if turning(clip) > MOVING] or val, **settings, taught=False)
    checked = [tuple(map(tf.convert_to_tensor, held_out.batch(i))) for i in range(N_CHECKED)]
    network, average = build(clips, options)
    for each in (network, average):
        flow_loss(each, *checked[0])
    average.set_weights(network.get_weights())
    optimizer = optimizer_of(network, options)
    variables = [*network.variables, *average.variables, *optimizer.variables]
    say(f"{run}: {len(clips)} clips, {average.count_params():,} weights, {options['steps']} steps")

    @tf.function
    def train_step(*batch):
        with tf.GradientTape() as tape:
            loss = flow_loss(network, *batch, training=True)
        descend(tape, loss, network, optimizer, average)
        return {"loss": loss}

    measured = tf.function(lambda *batch: flow_loss(average, *batch))

    def check(step, losses):
        own = float(np.mean([measured(*batch) for batch in checked]))
        other = float(np.mean([measured(tf.roll(batch[0], 1, 0), *batch[1:]) for batch in checked]))
        unconditional = float(np.mean([measured(batch[0], 0 * batch[1], *batch[2:]) for batch in checked]))
        add_to_curves(run, {"step": step, **losses, "held out/own sound": own, "held out/another's": other,
                            "held out/unconditional": unconditional})
        say(f"step {step}: loss {losses['loss']:.3f}; held out {own:.3f}, with another's sound {other:.3f}, "
            f"unconditional {unconditional:.3f}")

    if not go_on(run, options, batches, train_step, variables, check, label="train head", stop_after=stop_after):
        return None
    return export(average, run / "model.tflite", stage=STAGE, options=options, inputs=[pack])


@stage(reads="PACK (data/train.h5), HEADS (data/heads)", writes="RECORD/00001/ with model.tflite, curves.png, run.json",
       examples=("python -m landmarks.head.train", "python -m landmarks.head.train --resume CNN_record/00002"))
@training_options(steps=3000, batch=8, rate=1e-3, every=250)
@click.option("--heads-folder", default="data/heads", help="How head and brows move in them.")
@click.option("--frames", type=click.IntRange(8), default=250, help="Frames a stretch.")
@click.option("--width", type=click.IntRange(4), default=48, help="Values that describe a knot.")
@click.option("--depth", type=click.IntRange(1), default=3, help="Layers of attention.")
@click.option("--heads", type=click.IntRange(1), default=4, help="Parts of a layer's attention.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.1, help="Share of values hidden while training.")
def main(**options) -> None:
    """Train the transformer that moves head and brows with the speech."""
    click.echo(train_as_asked(train, STAGE, open_pack, **options))


if __name__ == "__main__":
    main()
