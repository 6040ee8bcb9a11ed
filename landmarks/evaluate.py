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

from core import artifacts, paths
from core.face import face68
from core.media.audio import level_dbfs, read_speech, spectrum_of
from core.metrics import box_scaled, landmark_drift, lip_measures, mse
from core.stage import progress, stage
from landmarks.dataset import Clip, load_clips
from landmarks.timing import as_text, lip_gains, timing
from landmarks.wordless import checked

STAGE = "landmarks.evaluate"
SPEECH = paths.SAMPLE_SPEECH
QUIET_DB, NOISY_DB = 30, 10
LANDMARK_MEASURES = ("box_mse", "drift", "lip_drift")
LIP_MEASURES = ("opening_correlation", "opening_amplitude", "width_correlation", "opening_speed_ratio",
                "opening_jitter_ratio")


def measure(clips: Sequence[Clip], predict: Callable[[Clip], NDArray], mean_offset: NDArray | None = None) -> list:
    """Measure `predict` (Clip -> [frame, 68, 2]) and the baselines on each clip.

    Returns
    -------
    list of dicts: clip, source, and per method a dict of measures
    """
    rows = []
    for clip in clips:
        seen = np.isfinite(clip.face).all((1, 2))
        measured = clip.face[seen]
        methods = {"model": predict(clip)[seen]}
        if mean_offset is not None:
            stills = {"mean_face": clip.rest + mean_offset, "first_frame*": measured[0], "clip_mean*": measured.mean(0)}
            methods |= {name: np.broadcast_to(still, measured.shape) for name, still in stills.items()}
        rows.append({"clip": clip.name, "source": clip.source,
                     **{name: measures_of(face, measured) for name, face in methods.items()}})
    return rows


def measures_of(predicted: NDArray, measured: NDArray) -> dict:
    """All measures of one clip, face space [frame, 68, 2]: `box_mse` is the recipe's, the rest are in eye distances."""
    return {"box_mse": mse(box_scaled(predicted), box_scaled(measured)), "drift": landmark_drift(predicted, measured),
            **lip_measures(predicted, measured)}


def summary(rows: Sequence[dict]) -> dict:
    """Mean over clips: source -> method -> measure."""
    table = {}
    for source in sorted({row["source"] for row in rows}):
        chosen = [row for row in rows if row["source"] == source]
        table[source] = {method: {name: float(np.mean([row[method][name] for row in chosen])) for name in chosen[0][method]}
                         for method in chosen[0] if method not in ("clip", "source")}
    return table


def as_markdown(table: dict) -> str:
    """`summary` as a table to paste into the documents."""
    names = (*LANDMARK_MEASURES, *LIP_MEASURES)
    lines = ["| source | method | " + " | ".join(names) + " |", "|---|---" + "|---:" * len(names) + "|"]
    for source, methods in table.items():
        for method, values in methods.items():
            lines.append(f"| {source} | {method} | " + " | ".join(
                f"{values[n]:.6f}" if n == "box_mse" else f"{values[n]:.3f}" for n in names) + " |")
    return "\n".join(lines)


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
    sounds = {**checked(), f"speech {QUIET_DB} dB softer": speech * 10 ** (-QUIET_DB / 20),
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
    click.echo(as_markdown(table))
    gains, in_time = lip_gains(table), timing(clips, predict)
    click.echo(f"\n{as_text(gains, in_time)}\n")
    still = wordless(model, running=running, gated=gated)
    click.echo("Mouth motion, of that in the sample speech: "
               + ", ".join(f"{name} {share:.1%}" for name, share in still.items()))
    out, options = out or model.with_name("metrics.json"), {"split": split, "running": running, "gated": gated}
    about = {"split": split, "clips": len(clips), "sources": table, "lip_gain": gains, "timing": in_time, "wordless": still}
    click.echo(artifacts.save_described_json(out, about, "metrics", stage=STAGE, options=options, inputs=[model, pack]))


if __name__ == "__main__":
    main()
