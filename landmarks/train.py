"""Train the CNN + RNN from speech to landmarks.

Reads: data/train.h5 (training-pack), and data/ear.h5 (ear-pack) with --ear.
Writes: CNN_record/00001/: run.json, state.npz (to go on), curves.csv, curves.png, events (TensorBoard), preview.gif,
model.tflite (to use) and `done`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from core.face import draw, face68
from core.media.video import write_gif
from core.stage import say, stage
from landmarks.batches import Batches, EarBatches
from landmarks.dataset import PITCHES, Clip, layers_of, load_clips, open_pack, quiet_sounds
from landmarks.ear.encoder import N_VALUES
from landmarks.features import LOOK_AHEAD, normalise, pad_with_silence
from learn.keras_run import add_to_curves, descend, go_on, optimizer_of, train_as_asked, training_options

if TYPE_CHECKING:
    from landmarks.model import SpeechToLandmarks

STAGE = "landmarks.train"
LEAST_SPREAD = 1e-4  # of a value


def make_train_step(model: "SpeechToLandmarks", average: "SpeechToLandmarks", optimizer: Any) -> Callable:
    """A compiled function (sound, offsets, weight) -> dict of loss terms: one step, then the averaged weights follow."""
    from landmarks.losses import loss_terms, total_loss
    from learn.tensorflow import tf

    @tf.function(reduce_retracing=True)
    def train_step(sound, offsets, weight):
        with tf.GradientTape() as tape:
            terms = loss_terms(model(sound, training=True), offsets, weight)
            loss = total_loss(terms)
        descend(tape, loss, model, optimizer, average)
        return {"loss": loss, **terms}

    return train_step


def build(clips: Sequence[Clip], options: dict) -> "tuple[SpeechToLandmarks, SpeechToLandmarks, Any]":
    """The untrained network, its twin that holds the averaged weights, and the optimiser, as `options` say."""
    from landmarks.model import untrained
    from learn.tensorflow import keras
    keras.utils.set_random_seed(options["seed"])
    speakers = sorted({clip.speaker for clip in clips})
    rest = np.mean([np.mean([c.rest for c in clips if c.speaker == s], 0) for s in speakers], 0)
    model, average = untrained(rest, options), untrained(rest, options)
    if options["ear"]:
        model.encoder.get_layer("whiten").set_weights(principal_axes(clips, options["components"]))
    average.set_weights(model.get_weights())
    return model, average, optimizer_of(model, options)


def principal_axes(clips: Sequence[Clip], n_components: int) -> list[NDArray]:
    """What `landmarks.model.Whiten` holds for the ear features of `clips`, all versions: mean [value], axes [value, component].

    Each value counts alike, whatever its deviation.
    """
    values = np.concatenate([ear[::5].reshape(-1, N_VALUES).astype(np.float32) for clip in clips for ear in clip.versions])
    mean, spread = values.mean(0), values.std(0) + LEAST_SPREAD
    variances, axes = np.linalg.eigh(np.cov((values - mean) / spread, rowvar=False))
    kept = slice(-1, -1 - n_components, -1)
    return [mean, axes[:, kept] / np.sqrt(variances[kept] + LEAST_SPREAD**2) / spread[:, None]]


def batches_of(clips: Sequence[Clip], ear: str | Path | None, options: dict) -> Batches:
    """Augmented batches of `clips`, which have versions when there is an ear-pack `ear`."""
    size = {"n_items": options["batch"], "n_frames": options["frames"], "seed": options["seed"]}
    return EarBatches(clips, quiet=quiet_sounds(ear), **size) if ear else Batches(clips, **size)


def train(run: Path, pack: str | Path, options: dict, stop_after: int | None = None) -> Path | None:
    """Train in the folder `run` until `options['steps']`, going on from state.npz when there is one.

    `stop_after` ends the run early as a kill would, after that many steps (tests). Returns the path of the model.
    """
    from landmarks.measure import measure, summary
    from landmarks.model import export
    ear = options["ear"]
    clips, val = load_clips(pack, "train", () if ear else PITCHES, ear), load_clips(pack, "val", ear=ear)
    batches = batches_of(clips, ear, options)
    model, average, optimizer = build(clips, options)
    predict = predictor(average)
    variables = [*model.variables, *average.variables, *optimizer.variables]
    say(f"{run}: {len(clips)} clips, {average.count_params():,} weights, {options['steps']} steps")

    def check(step, losses):
        record(run, step, losses, summary(measure(val, predict)))

    if not go_on(run, options, batches, make_train_step(model, average, optimizer), variables, check, label="train cnn",
                 stop_after=stop_after):
        return None
    preview(run / "preview.gif", val, predict)
    return export(average, run / "model.tflite", stage=STAGE, options=options, inputs=[pack, *([ear] if ear else [])])


def predictor(network: "SpeechToLandmarks") -> Callable[[Clip], NDArray]:
    """A function Clip -> face [frame, 68, 2] on the clip's own rest face, as the exported model would give it."""
    from learn.tensorflow import tf

    @tf.function(reduce_retracing=True)
    def offsets(sound):
        return network(sound, training=False)

    def predict(clip):
        if network.settings["ear"]:
            sound = {"ear": clip.ear.astype(np.float32)}
        else:
            sound = {"features": pad_with_silence(*normalise(clip.power), LOOK_AHEAD, LOOK_AHEAD)}
        batch = {name: tf.convert_to_tensor(part[None]) for name, part in sound.items()}
        return face68.uncross_lips(offsets(batch).numpy()[0] + clip.rest)

    return predict


def record(run: Path, step: int, losses: dict, measured: dict) -> None:
    """Write one row of the course of a run, and say it."""
    row = {"step": step, **losses}
    for source, values in measured.items():
        row |= {f"{source}/{name}": values["model"][name] for name in ("opening_correlation", "opening_amplitude")}
    add_to_curves(run, row)
    by_source = (f"{source} {v['model']['opening_correlation']:.3f} / {v['model']['opening_amplitude']:.2f}"
                 for source, v in measured.items())
    say(f"step {step}: loss {losses['loss']:.3f}; mouth-opening correlation / amplitude: {', '.join(by_source)}")


def preview(path: str | Path, clips: Sequence[Clip], predict: Callable[[Clip], NDArray]) -> None:
    """A GIF of the same clips each time, the first of each source: measured above, predicted below."""
    side_px = 192
    firsts = list({clip.source: clip for clip in reversed(clips)}.values())[:3]
    pairs = [(face68.fill_missing(clip.face), predict(clip)) for clip in firsts]
    n_frames = min(len(face) for face, _ in pairs)
    rows = [[face68.to_pixel_space(face, draw.face_view(side_px)) for face in row] for row in zip(*pairs)]

    def frames():
        for t in range(n_frames):
            yield np.vstack([np.hstack([draw.sketch(points[t], side_px) for points in row]) for row in rows])

    write_gif(path, frames(), palette=draw.PALETTE)


@stage(reads="PACK (data/train.h5)", writes="RECORD/00001/ with model.tflite, curves.png, preview.gif, run.json",
       examples=("python -m landmarks.train", "python -m landmarks.train --resume CNN_record/00001",
                 "python -m landmarks.train --ear data/ear.h5 --steps 1500", "python -m landmarks.train --steps 200 --no-rnn"))
@training_options(steps=4000, batch=24, rate=2e-3, every=500)
@click.option("--ear", type=click.Path(path_type=Path), help="Learn from the features of this ear-pack, not from log-mel.")
@click.option("--frames", type=click.IntRange(8), default=72, help="Frames a segment.")
@click.option("--channels", type=click.IntRange(2), default=32, help="Channels of the convolutions over frequency.")
@click.option("--width", type=click.IntRange(2), default=160, help="Values that describe a frame of sound.")
@click.option("--hidden", type=click.IntRange(2), default=160, help="Values the GRU remembers.")
@click.option("--rank", type=click.IntRange(1), default=32, help="Independent motions of the face.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.4, help="Share of values hidden while training.")
@click.option("--ear-dropout", type=click.FloatRange(0, 0.9), default=0.5, help="Share of ear features hidden.")
@click.option("--components", type=click.IntRange(1, N_VALUES), default=192, help="Principal components of the ear features.")
@click.option("--rnn/--no-rnn", default=True, help="With the GRU, or a dense layer in its place (to compare).")
def main(ear, **options) -> None:
    """Train the network that turns speech into landmarks."""
    options["ear"] = ear and str(ear)
    if ear:
        options["layers"] = layers_of(ear)
    click.echo(train_as_asked(train, STAGE, open_pack, **options))


if __name__ == "__main__":
    main()
