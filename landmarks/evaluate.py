"""Measure a speech-to-landmark model beside its baselines, per source.

Reads: data/samples/speech.wav; a landmark-model and data/train.h5 (training-pack).
Writes: metrics.json beside the model or where --out says.
Every method knows the clip's rest face, as a user's photo would give it, and no other frame, but for the two marked
with *: `first_frame*` sees the clip's first frame, `clip_mean*` the mean of all its frames.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core import paths
from core.face import face68
from core.media.audio import level_dbfs, read_speech, spectrum_of
from core.stage import progress, stage
from landmarks.dataset import Clip, load_clips
from landmarks.measure import LANDMARK_MEASURES, LIP_MEASURES, measure, summary
from landmarks.timing import as_text, lip_gains, timing
from landmarks.wordless import wordless_samples
from learn.measures import markdown, report

STAGE = "landmarks.evaluate"
SPEECH = paths.SAMPLE_SPEECH
QUIET_DB, NOISY_DB = 30, 10


def as_markdown(table: dict) -> str:
    """`summary` as a table to paste into the documents."""
    names = (*LANDMARK_MEASURES, *LIP_MEASURES)
    return markdown(("source", "method", *names), [
        (source, method, *(f"{values[n]:.6f}" if n == "box_mse" else f"{values[n]:.3f}" for n in names))
        for source, methods in table.items() for method, values in methods.items()], n_names=2)


def mean_offset_of(clips: Sequence[Clip]) -> NDArray:
    """The mean offset from rest over speakers of `clips`, float [68, 2]: what a dead mouth should look like."""
    by_speaker = {}
    for clip in clips:
        by_speaker.setdefault(clip.speaker, []).append(np.nanmean(clip.face, 0) - clip.rest)
    return np.mean([np.mean(offsets, 0) for offsets in by_speaker.values()], 0)


def file_predictor(model_path: str | Path, **options: Any) -> Callable[[Clip], NDArray]:
    """A function Clip -> face [frame, 68, 2] by a landmark-model file, on the clip's own rest face.

    `options` are those of `landmarks.predict.predict_power`.
    """
    from landmarks.predict import load_model, predict_power
    model = load_model(model_path)
    return lambda clip: face68.uncross_lips(predict_power(model, clip.power, **options) - model.rest_face + clip.rest)


def wordless(model_path: str | Path, **options: Any) -> dict:
    """How much the mouth moves where nobody speaks: std of its opening over that in the sample speech, name -> share.

    The speech itself, `QUIET_DB` softer and in noise `NOISY_DB` below it, stands beside: there 100 % is right.
    """
    from landmarks.predict import load_model, predict_power
    model, speech = load_model(model_path), read_speech(SPEECH)
    noise = np.random.default_rng(0).normal(0, 10 ** ((level_dbfs(speech) - NOISY_DB) / 20), len(speech))
    sounds = {**wordless_samples(), f"speech {QUIET_DB} dB softer": speech * 10 ** (-QUIET_DB / 20),
              f"speech {NOISY_DB} dB above noise": speech + noise}

    def motion(sound):
        power = model.power(spectrum_of(sound.astype(np.float32)))
        return float(face68.mouth_opening(predict_power(model, power, **options)).std())

    whole = motion(speech)
    return {name: motion(sound) / whole for name, sound in sounds.items()}


@stage(reads="MODEL (landmark-model), PACK (training-pack)", writes="OUT (metrics.json)",
       examples=("python -m landmarks.evaluate", "python -m landmarks.evaluate --model CNN_record/00001/model.tflite",
                 "python -m landmarks.evaluate --running --out results/metrics_stream.json"))
@click.option("--model", type=click.Path(path_type=Path), default=Path("CNN_record/default/model.tflite"))
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips to measure on.")
@click.option("--split", default="val", help="Split to measure on.")
@click.option("--running", is_flag=True, help="Level and channel of what was heard so far, as in a stream.")
@click.option("--gated/--free", default=True, help="Let the face rest while nobody speaks, or not.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the measures go; default metrics.json beside the model.")
def main(model, pack, split, running, gated, out) -> None:
    """Measure a speech-to-landmark model beside its baselines."""
    predict = file_predictor(model, running=running, gated=gated)
    clips, offset = load_clips(pack, split), mean_offset_of(load_clips(pack, "train"))
    with progress(clips, "evaluate") as bar:
        rows = measure(bar, predict, offset)
    table = summary(rows) | summary([{**row, "source": "all clips"} for row in rows])
    gains, in_time = lip_gains(table), timing(clips, predict)
    still = wordless(model, running=running, gated=gated)
    moves = ", ".join(f"{name} {share:.1%}" for name, share in still.items())
    text = f"{as_markdown(table)}\n\n{as_text(gains, in_time)}\n\nMouth motion, of that in the sample speech: {moves}"
    about = {"split": split, "clips": len(clips), "sources": table, "lip_gain": gains, "timing": in_time, "wordless": still}
    report(out or model.with_name("metrics.json"), about, text, stage=STAGE, inputs=[model, pack],
           options={"split": split, "running": running, "gated": gated})


if __name__ == "__main__":
    main()
