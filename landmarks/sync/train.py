"""Train the sync judge.

Reads: data/train.h5 (training-pack).
Writes: CNN_record/00001/: run.json, state.npz (to go on), curves.csv, curves.png, events (TensorBoard), model.tflite
(sync-model, its accuracy in the sidecar), metrics.json and `done`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.stage import say, stage
from landmarks.dataset import open_pack
from learn.keras_run import add_to_curves, descend, go_on, optimizer_of, train_as_asked, training_options

if TYPE_CHECKING:
    from landmarks.sync.judge import Judge
    from landmarks.sync.network import SyncNetwork

STAGE = "landmarks.sync.train"
CHECKED_S = 2  # length of the stretches looked at while training


def build(options: dict) -> "tuple[SyncNetwork, SyncNetwork, Any]":
    """The untrained network, its twin that holds the averaged weights, and the optimiser, as `options` say."""
    from landmarks.sync.network import DEFAULTS, built
    from learn.tensorflow import keras
    keras.utils.set_random_seed(options["seed"])
    network, average = (built(**{name: options[name] for name in DEFAULTS}) for _ in range(2))
    average.set_weights(network.get_weights())
    return network, average, optimizer_of(network, options)


def make_train_step(network: "SyncNetwork", average: "SyncNetwork", optimizer: Any, n_others: int) -> Callable:
    """A compiled function (features, shapes, seen, target) -> dict of loss terms: one step, the averaged weights follow."""
    from core.face.face68 import N_MOUTH_SHAPE
    from core.media.audio import HOPS_PER_FRAME
    from landmarks.features import N_MELS
    from landmarks.sync.judge import N_LAGS
    from landmarks.sync.network import loss_terms
    from learn.tensorflow import tf
    shapes = (HOPS_PER_FRAME, N_MELS), (N_MOUTH_SHAPE,), ()
    signature = [*(tf.TensorSpec((None, None, *shape)) for shape in shapes), tf.TensorSpec((None, N_LAGS))]

    @tf.function(input_signature=signature)  # one graph for all lengths: a resumed run computes as an unbroken one
    def train_step(features, shapes, seen, target):
        with tf.GradientTape() as tape:
            sound, mouth = network(features, shapes, training=True)
            terms = loss_terms(network, sound, mouth, seen, target, n_others)
            loss = terms["lag"] + terms["clip"]
        descend(tape, loss, network, optimizer, average)
        return {"loss": loss, **terms}

    return train_step


def judge_of(network: "SyncNetwork") -> "Judge":
    """The network in memory as a `sync.Judge`."""
    from landmarks.sync.judge import Judge
    from learn.tensorflow import tf
    embed_sound, embed_mouth = (tf.function(lambda x, net=net: net(x[None], training=False)[0], reduce_retracing=True)
                 for net in (network.ear, network.eye))
    return Judge(lambda features: embed_sound(tf.constant(features)).numpy(),
                 lambda shapes: embed_mouth(tf.constant(shapes)).numpy(), {})


def train(run: Path, pack: str | Path, options: dict, stop_after: int | None = None) -> Path | None:
    """Train in the folder `run` until `options['steps']`, going on from state.npz when there is one.

    `stop_after` ends the run early as a kill would, after that many steps (tests). Returns the path of the model.
    """
    from landmarks.dataset import load_clips
    from landmarks.sync.accuracy import by_judge, measure, publish_accuracy, recordings
    from landmarks.sync.data import SyncBatches
    from landmarks.sync.network import export
    clips, held_out = load_clips(pack, "train"), recordings(pack, "val")
    batches = SyncBatches(clips, n_items=options["batch"], seed=options["seed"])
    network, average, optimizer = build(options)
    variables = [*network.variables, *average.variables, *optimizer.variables]
    train_step, answer = make_train_step(network, average, optimizer, options["others"]), by_judge(judge_of(average))
    say(f"{run}: {len(clips)} clips, {average.count_params():,} weights, {options['steps']} steps")

    def check(step, losses):
        record(run, step, losses, measure(held_out, answer, (CHECKED_S,)))

    if not go_on(run, options, batches, train_step, variables, check, label="train sync", stop_after=stop_after):
        return None
    path = export(average, run / "model.tflite", stage=STAGE, options=options, inputs=[pack])
    publish_accuracy(path, pack)
    return path


def record(run: Path, step: int, losses: dict, rows: Sequence[dict]) -> None:
    """Write one row of the course of a run, and say it; `rows` of `sync_evaluate.measure`, none when no clip is long enough."""
    shares = {source: values["within_frame"] for row in rows for source, values in row["sources"].items()}
    add_to_curves(run, {"step": step, **losses, **{f"{source}/within_frame": share for source, share in shares.items()}})
    say(f"step {step}: loss {losses['loss']:.3f}; within a frame on {CHECKED_S} s: "
        + ", ".join(f"{source} {share:.0%}" for source, share in shares.items()))


@stage(reads="PACK (data/train.h5)", writes="RECORD/00001/ with model.tflite, curves.png, metrics.json, run.json",
       examples=("python -m landmarks.sync.train", "python -m landmarks.sync.train --resume CNN_record/00002"))
@training_options(steps=2000, batch=32, rate=2e-3, every=250, fewest=2)
@click.option("--others", type=click.IntRange(0), default=3, help="Foreign sounds each mouth must be told from.")
@click.option("--channels", type=click.IntRange(2), default=16, help="Channels of the convolutions over frequency.")
@click.option("--width", type=click.IntRange(2), default=80, help="Values that describe a frame inside the encoders.")
@click.option("--size", type=click.IntRange(1), default=32, help="Values that describe a frame in the end.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.3, help="Share of values hidden while training.")
def main(**options) -> None:
    """Train the network that judges whether lips and sound are together."""
    click.echo(train_as_asked(train, STAGE, open_pack, **options))


if __name__ == "__main__":
    main()
