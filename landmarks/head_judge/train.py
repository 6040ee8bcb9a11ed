"""Train the head judge.

Reads: data/train.h5 (training-pack), data/heads (preprocess.extract_head).
Writes: CNN_record/00001/: run.json, state.npz (to go on), curves.csv, curves.png, events (TensorBoard), model.tflite
(head-judge-model) and `done`.
"""

from pathlib import Path

import click

from core.stage import say, stage
from landmarks.dataset import open_pack
from landmarks.head_judge.judge import OF
from learn.keras_run import add_to_curves, descend, go_on, optimizer_of, train_as_asked, training_options

STAGE = "landmarks.head_judge.train"


def train(run: Path, pack: str | Path, options: dict, stop_after: int | None = None) -> Path | None:
    """Train in the folder `run` until `options['steps']`, going on from state.npz when there is one.

    `stop_after` ends the run early as a kill would, after that many steps (tests). Returns the path of the model.
    """
    from landmarks.head_judge.accuracy import told_apart
    from landmarks.head_judge.data import JudgeBatches, load_talkers
    from landmarks.head_judge.judge import HeadJudge
    from landmarks.head_judge.network import DEFAULTS, built, export, loss_of
    from learn.tensorflow import keras, tf
    keras.utils.set_random_seed(options["seed"])
    clips, held_out = (load_talkers(pack, options["heads_folder"], split, options["keep_lips"]) for split in ("train", "val"))
    batches = JudgeBatches(clips, n_items=options["batch"], seed=options["seed"], of=options["of"])
    network, average = (built(**{name: options[name] for name in DEFAULTS}) for _ in range(2))
    average.set_weights(network.get_weights())
    optimizer = optimizer_of(network, options)
    say(f"{run}: {len(clips)} clips, {average.count_params():,} weights, {options['steps']} steps")

    @tf.function
    def train_step(sound, motion):
        with tf.GradientTape() as tape:
            loss = loss_of(network, sound, motion, training=True)
        descend(tape, loss, network, optimizer, average)
        return {"loss": loss}

    judge = HeadJudge(lambda sound: average.ear(sound[None], training=False)[0].numpy(),
                      lambda motion: average.eye(motion[None], training=False)[0].numpy(), options["of"], options["keep_lips"])

    def check(step, losses):
        found = told_apart(judge, [(clip, clip.face) for clip in held_out])
        shares = {name: row["mean"] for name, row in found.items() if row["people"]}
        add_to_curves(run, {"step": step, **losses, **shares})
        say(f"step {step}: loss {losses['loss']:.3f}; the right sound told from that of "
            + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))

    variables = [*network.variables, *average.variables, *optimizer.variables]
    if not go_on(run, options, batches, train_step, variables, check, label="train head judge", stop_after=stop_after):
        return None
    return export(average, run / "model.tflite", stage=STAGE, options=options, inputs=[pack])


@stage(reads="PACK (data/train.h5), HEADS (data/heads)", writes="RECORD/00001/ with model.tflite, curves.png, run.json",
       examples=("python -m landmarks.head_judge.train", "python -m landmarks.head_judge.train --of brows"))
@training_options(steps=500, batch=40, rate=4e-3, every=100, fewest=4)
@click.option("--heads-folder", default="data/heads", help="How head and brows move in the clips.")
@click.option("--of", type=click.Choice(list(OF)), default="all", help="What of the motion it looks at.")
@click.option("--keep-lips", is_flag=True, help="Learn from heads as they were measured, with what lips lend to them.")
@click.option("--width", type=click.IntRange(2), default=32, help="Values that describe a frame inside the encoders.")
@click.option("--size", type=click.IntRange(1), default=12, help="Values that describe a frame in the end.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.3, help="Share of values hidden while training.")
def main(**options) -> None:
    """Train the network that judges whether a head moves with the sound."""
    click.echo(train_as_asked(train, STAGE, open_pack, **options))


if __name__ == "__main__":
    main()
