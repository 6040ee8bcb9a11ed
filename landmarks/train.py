"""Train the CNN + RNN from speech to landmarks.

Reads: data/train.h5 (training-pack).
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
from core.media.audio import HOPS_PER_FRAME
from core.media.video import write_gif
from core.stage import say, stage
from landmarks.dataset import Clip, open_pack
from landmarks.features import CONTEXT, LOOK_AHEAD, N_MELS, normalise, pad_with_silence
from learn.keras_run import add_to_curves, descend, go_on, optimizer_of, train_as_asked, training_options

if TYPE_CHECKING:
    from landmarks.model import SpeechToLandmarks

STAGE = "landmarks.train"


def make_train_step(model: "SpeechToLandmarks", average: "SpeechToLandmarks", optimizer: Any) -> Callable:
    """A compiled function (features, offsets, weight) -> dict of loss terms: one step, then the averaged weights follow."""
    import tensorflow as tf

    from landmarks.losses import loss_terms, total_loss

    @tf.function(reduce_retracing=True)
    def train_step(features, offsets, weight):
        with tf.GradientTape() as tape:
            terms = loss_terms(model(features, training=True), offsets, weight)
            loss = total_loss(terms)
        descend(tape, loss, model, optimizer, average)
        return {"loss": loss, **terms}

    return train_step


def build(clips: Sequence[Clip], options: dict) -> "tuple[SpeechToLandmarks, SpeechToLandmarks, Any]":
    """The untrained network, its twin that holds the averaged weights, and the optimiser, as `options` say."""
    import keras

    from landmarks.model import DEFAULTS, SpeechToLandmarks
    keras.utils.set_random_seed(options["seed"])
    speakers = sorted({clip.speaker for clip in clips})
    rest = np.mean([np.mean([c.rest for c in clips if c.speaker == s], 0) for s in speakers], 0)
    model, average = (SpeechToLandmarks(rest, **{name: options[name] for name in DEFAULTS}) for _ in range(2))
    for network in (model, average):
        network(np.zeros((1, CONTEXT + 2, HOPS_PER_FRAME, N_MELS), np.float32))
    average.set_weights(model.get_weights())
    return model, average, optimizer_of(model, options)


def train(run: Path, pack: str | Path, options: dict, stop_after: int | None = None) -> Path | None:
    """Train in the folder `run` until `options['steps']`, going on from state.npz when there is one.

    `stop_after` ends the run early as a kill would, after that many steps (tests). Returns the path of the model.
    """
    from landmarks.dataset import PITCHES, Batches, load_clips
    from landmarks.measure import measure, summary
    from landmarks.model import export
    clips, val = load_clips(pack, "train", PITCHES), load_clips(pack, "val")
    batches = Batches(clips, n_items=options["batch"], n_frames=options["frames"], seed=options["seed"])
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
    return export(average, run / "model.tflite", stage=STAGE, options=options, inputs=[pack])


def predictor(network: "SpeechToLandmarks") -> Callable[[Clip], NDArray]:
    """A function Clip -> face [frame, 68, 2] on the clip's own rest face, as the exported model would give it."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, None, HOPS_PER_FRAME, N_MELS))])
    def offsets(features):
        return network(features, training=False)

    def predict(clip):
        features, silence = normalise(clip.power)
        padded = pad_with_silence(features, silence, LOOK_AHEAD, LOOK_AHEAD)
        return face68.uncross_lips(offsets(padded[None]).numpy()[0] + clip.rest)

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
                 "python -m landmarks.train --steps 200 --no-rnn"))
@training_options(steps=4000, batch=24, rate=2e-3, every=500)
@click.option("--frames", type=click.IntRange(8), default=72, help="Frames a segment.")
@click.option("--channels", type=click.IntRange(2), default=32, help="Channels of the convolutions over frequency.")
@click.option("--width", type=click.IntRange(2), default=160, help="Values that describe a frame of sound.")
@click.option("--hidden", type=click.IntRange(2), default=160, help="Values the GRU remembers.")
@click.option("--rank", type=click.IntRange(1), default=32, help="Independent motions of the face.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.4, help="Share of values hidden while training.")
@click.option("--rnn/--no-rnn", default=True, help="With the GRU, or a dense layer in its place (to compare).")
def main(**options) -> None:
    """Train the network that turns speech into landmarks."""
    click.echo(train_as_asked(train, STAGE, open_pack, **options))


if __name__ == "__main__":
    main()
