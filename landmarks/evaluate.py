"""Measure a speech-to-landmark model beside its baselines, per source.

Reads: data/samples/speech.wav; a landmark-model; data/train.h5 (training-pack), data/ear.h5 (ear-pack) for a model that reads
ear features; as a stream, data/recordings/index.csv and the recordings; data/second_opinion/index.csv if it is there.
Writes: metrics.json beside the model or where --out says.
Every method knows the clip's rest face, as a user's photo would give it, and no other frame, but for the two marked
with *: `first_frame*` sees the clip's first frame, `clip_mean*` the mean of all its frames.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import paths
from core.face import face68
from core.media.audio import level_dbfs, read_speech
from core.stage import progress, stage
from landmarks.dataset import load_clips, with_sound
from landmarks.emphasis.style import STYLES
from landmarks.lite import Model, load_model, model_files
from landmarks.measure import (
    AGREED,
    LANDMARK_MEASURES,
    LIP_MEASURES,
    file_predictor,
    mean_offset_of,
    measure,
    stream_predictor,
    summary,
    trusted,
)
from landmarks.predict import predict as predict_sound
from landmarks.predict import predict_as_stream
from landmarks.timing import as_text, lip_gains, timing
from landmarks.voice.wordless import wordless_samples
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


def trusted_as_markdown(table: dict) -> str:
    """`landmarks.measure.trusted` as a table to paste into the documents."""
    columns = ("source", "clips", f"agree (r {AGREED:g})", "opening r, all", "where they agree", "elsewhere")
    names = ("opening_correlation", "where_agreed", "elsewhere")
    return markdown(columns, [(source, values["clips"], values["agreed"], *(
        "-" if values[name] is None else f"{values[name]:.3f}" for name in names)) for source, values in table.items()])


def wordless(model: Model, predict: Callable[[Model, NDArray], NDArray]) -> dict:
    """How much the mouth moves where nobody speaks: std of its opening over that in the sample speech, name -> share.

    The speech itself, `QUIET_DB` softer and in noise `NOISY_DB` below it, stands beside: there 100 % is right. `predict` is
    `landmarks.predict.predict`, or the like of it.
    """
    speech = read_speech(SPEECH)
    noise = np.random.default_rng(0).normal(0, 10 ** ((level_dbfs(speech) - NOISY_DB) / 20), len(speech))
    sounds = {**wordless_samples(), f"speech {QUIET_DB} dB softer": speech * 10 ** (-QUIET_DB / 20),
              f"speech {NOISY_DB} dB above noise": speech + noise}

    def motion(sound):
        return float(face68.mouth_opening(predict(model, sound.astype(np.float32))).std())

    whole = motion(speech)
    return {name: motion(sound) / whole for name, sound in sounds.items()}


@stage(reads="MODEL (landmark-model), PACK (training-pack)", writes="OUT (metrics.json)",
       examples=("python -m landmarks.evaluate", "python -m landmarks.evaluate --model CNN_record/00001/model.tflite",
                 "python -m landmarks.evaluate --running --out results/metrics_stream.json"))
@click.option("--model", "model_path", type=click.Path(path_type=Path), help="A landmark-model; default the shipped one.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips to measure on.")
@click.option("--ear", type=click.Path(path_type=Path), default=Path("data/ear.h5"), help="Their ear-pack.")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Their recordings.")
@click.option("--second-opinion", type=click.Path(path_type=Path), default=Path("data/second_opinion/index.csv"),
              help="How far a second measurement of their mouths agrees, if it is there.")
@click.option("--split", default="val", help="Split to measure on.")
@click.option("--running", is_flag=True, help="As a stream: of the recordings' sound, by what was heard so far.")
@click.option("--gated/--free", default=True, help="Let the face rest while nobody speaks, or not.")
@click.option("--style", "named", type=click.Choice(list(STYLES)),
              help="How far the face moves; by default as the network has it.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the measures go; default metrics.json beside the model.")
def main(model_path, pack, ear, index, second_opinion, split, running, gated, named, out) -> None:
    """Measure a speech-to-landmark model beside its baselines."""
    files = [path for path in model_files(model_path) if path]
    model, style = load_model(model_path), STYLES[named] if named else None
    clips = load_clips(pack, split, ear=ear if model.encoder and not running else None, n_layers=model.n_layers)
    predict, whole = file_predictor(model, gated=gated, style=style), partial(predict_sound, gated=gated, style=style)
    if running:
        sounds = {clip.name: sound for clip, sound in with_sound(clips, index)}
        predict, whole = stream_predictor(model, sounds, gated, style), partial(predict_as_stream, gated=gated, style=style)
    offset = mean_offset_of(load_clips(pack, "train"))
    with progress(clips, "evaluate") as bar:
        rows = measure(bar, predict, offset)
    table = summary(rows) | summary([{**row, "source": "all clips"} for row in rows])
    gains, in_time = lip_gains(table), timing(clips, predict)
    still = wordless(model, whole)
    moves = ", ".join(f"{name} {share:.1%}" for name, share in still.items())
    text = f"{as_markdown(table)}\n\n{as_text(gains, in_time)}\n\nMouth motion, of that in the sample speech: {moves}"
    about = {"split": split, "clips": len(clips), "sources": table, "lip_gain": gains, "timing": in_time, "wordless": still}
    if second_opinion.is_file():
        files.append(second_opinion)
        about["trusted"] = trusted(rows, second_opinion)
        text += f"\n\n{trusted_as_markdown(about['trusted'])}"
    report(out or files[0].with_name("metrics.json"), about, text, stage=STAGE, inputs=[*files, pack],
           options={"split": split, "running": running, "gated": gated, "style": named})


if __name__ == "__main__":
    main()
