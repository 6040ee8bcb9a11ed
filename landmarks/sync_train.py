"""Train the sync judge.

Reads: data/train.h5 (training-pack).
Writes: CNN_record/00001/: run.json, state.npz (to go on), curves.csv, curves.png, events (TensorBoard), model.tflite
(sync-model, its accuracy in the sidecar), metrics.json and `done`.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np

from core import runs
from core.stage import only_one, progress, say, stage
from landmarks.dataset import open_pack

STAGE = "landmarks.sync_train"
CHECKED_S = 2  # length of the stretches looked at while training


def build(options):
    """The untrained network, its twin that holds the averaged weights, and the optimiser, as `options` say."""
    import keras

    from landmarks.sync_model import DEFAULTS, built
    keras.utils.set_random_seed(options["seed"])
    network, average = (built(**{name: options[name] for name in DEFAULTS}) for _ in range(2))
    average.set_weights(network.get_weights())
    schedule = keras.optimizers.schedules.CosineDecay(0.0, options["steps"], 0.02, warmup_target=options["rate"],
                                                      warmup_steps=min(200, options["steps"] // 10 + 1))
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=options["decay"])
    optimizer.build(network.trainable_variables)
    return network, average, optimizer


def make_train_step(network, average, optimizer, n_others: int):
    """A compiled function (features, shapes, seen, target) -> dict of loss terms: one step, the averaged weights follow."""
    import tensorflow as tf

    from core.audio import HOPS_PER_FRAME
    from core.face68 import N_MOUTH_SHAPE
    from landmarks.features import N_MELS
    from landmarks.sync import N_LAGS
    from landmarks.sync_model import loss_terms
    from landmarks.train import AVERAGING
    shapes = (HOPS_PER_FRAME, N_MELS), (N_MOUTH_SHAPE,), ()
    signature = [*(tf.TensorSpec((None, None, *shape)) for shape in shapes), tf.TensorSpec((None, N_LAGS))]

    @tf.function(input_signature=signature)  # one graph for all lengths: a resumed run computes as an unbroken one
    def train_step(features, shapes, seen, target):
        with tf.GradientTape() as tape:
            terms = loss_terms(network, *network(features, shapes, training=True), seen, target, n_others)
            loss = terms["lag"] + terms["clip"]
        variables = network.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        optimizer.apply_gradients(zip(gradients, variables))
        for slow, fast in zip(average.trainable_variables, variables):
            slow.assign(slow + (1 - AVERAGING) * (fast - slow))
        return {"loss": loss, **terms}

    return train_step


def judge_of(network):
    """The network in memory as a `sync.Judge`."""
    import tensorflow as tf

    from landmarks.sync import Judge
    hear, see = (tf.function(lambda x, net=net: net(x[None], training=False)[0], reduce_retracing=True)
                 for net in (network.ear, network.eye))
    return Judge(lambda features: hear(tf.constant(features)).numpy(), lambda shapes: see(tf.constant(shapes)).numpy(), {})


def train(run, pack, options, stop_after=None):
    """Train in the folder `run` until `options['steps']`, going on from state.npz when there is one.

    `stop_after` ends the run early as a kill would, after that many steps (tests). Returns the path of the model.
    """
    import tensorflow as tf

    from landmarks.dataset import load_clips
    from landmarks.sync_dataset import SyncBatches
    from landmarks.sync_evaluate import by_judge, measure, publish_accuracy, recordings
    from landmarks.sync_model import export
    from landmarks.train import load_state, save_state
    clips, held_out = load_clips(pack, "train"), recordings(pack, "val")
    batches = SyncBatches(clips, n_items=options["batch"], seed=options["seed"])
    network, average, optimizer = build(options)
    variables, state = [*network.variables, *average.variables, *optimizer.variables], run / "state.npz"
    first = load_state(state, variables) if state.is_file() else 0
    last = min(options["steps"], stop_after or options["steps"])
    train_step, answer = make_train_step(network, average, optimizer, options["others"]), by_judge(judge_of(average))
    say(f"{run}: {len(clips)} clips, {average.count_params():,} weights, steps {first} to {options['steps']}")
    recent = []
    with ThreadPoolExecutor(1) as ahead, progress(range(first, last), "train sync") as bar:
        coming = ahead.submit(batches.batch, first)
        for step in bar:
            batch, coming = coming.result(), ahead.submit(batches.batch, step + 1)
            recent.append({name: float(value) for name, value in train_step(*map(tf.convert_to_tensor, batch)).items()})
            if (step + 1) % options["every"] == 0 or step + 1 == last:
                losses = {name: float(np.mean([r[name] for r in recent])) for name in recent[0]}
                record(run, step + 1, losses, measure(held_out, answer, (CHECKED_S,)))
                save_state(state, step + 1, variables)
                recent = []
    if last < options["steps"]:
        return None
    path = export(average, run / "model.tflite", stage=STAGE, options=options, inputs=[pack])
    publish_accuracy(path, pack)
    (run / "done").touch()
    return path


def record(run, step, losses, rows):
    """Write one row of the course of a run, and say it; `rows` of `sync_evaluate.measure`, none when no clip is long enough."""
    from landmarks.train import add_to_curves
    shares = {source: values["within_frame"] for row in rows for source, values in row["sources"].items()}
    add_to_curves(run, {"step": step, **losses, **{f"{source}/within_frame": share for source, share in shares.items()}})
    say(f"step {step}: loss {losses['loss']:.3f}; within a frame on {CHECKED_S} s: "
        + ", ".join(f"{source} {share:.0%}" for source, share in shares.items()))


@stage(reads="PACK (data/train.h5)", writes="RECORD/00001/ with model.tflite, curves.png, metrics.json, run.json",
       examples=("python -m landmarks.sync_train", "python -m landmarks.sync_train --resume CNN_record/00002"))
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Training clips.")
@click.option("--record", "record_folder", type=click.Path(path_type=Path), default=Path("CNN_record"),
              help="Folder of the runs.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with this run; its own options hold.")
@click.option("--steps", type=click.IntRange(1), default=2000, help="Batches to learn from.")
@click.option("--batch", type=click.IntRange(2), default=32, help="Stretches a batch.")
@click.option("--others", type=click.IntRange(0), default=3, help="Foreign sounds each mouth must be told from.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=2e-3, help="Highest learning rate.")
@click.option("--decay", type=click.FloatRange(0), default=0.05, help="Weight decay.")
@click.option("--channels", type=click.IntRange(2), default=16, help="Channels of the convolutions over frequency.")
@click.option("--width", type=click.IntRange(2), default=80, help="Values that describe a frame inside the encoders.")
@click.option("--size", type=click.IntRange(1), default=32, help="Values that describe a frame in the end.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.3, help="Share of values hidden while training.")
@click.option("--every", type=click.IntRange(1), default=250, help="Steps between saved states.")
@click.option("--seed", type=int, default=1, help="Of the first weights and of the batches.")
@click.option("--dry-run", is_flag=True, help="Two small steps, to see that everything works.")
def main(pack, record_folder, resume, dry_run, **options):
    """Train the network that judges whether lips and sound are together."""
    if dry_run:
        options |= {"steps": 2, "batch": 4, "every": 2}
    if resume:
        about = runs.read_run(resume)
        run, options, pack = resume, about["options"], about["data"]["file"]
    else:
        open_pack(pack).close()  # before a run folder is made
        run = runs.unfinished_run(record_folder, stage=STAGE, options=options, data=pack) \
            or runs.new_run(record_folder, stage=STAGE, options=options, data=pack)
    with only_one(run):
        click.echo(train(run, pack, options))


if __name__ == "__main__":
    main()
