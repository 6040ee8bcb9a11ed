"""By how many milliseconds is the sound of a talking face late? `python -m landmarks.sync`.

Reads: a video, or landmarks .npy and speech; MODEL (sync-model). Writes: nothing, the answer is printed.
"""

import json
from pathlib import Path

import click
import numpy as np

from core.clock import FPS
from core.errors import InputError
from core.stage import stage
from landmarks.sync.judge import FEWEST, FRAME_MS, MAX_LAG, accuracy_for, judge_clip, landmarks_of, load_judge, sound_of


@stage(reads="IN: a video, or landmarks .npy with --speech; MODEL (sync-model)", writes="nothing: the answer is printed",
       examples=("python -m landmarks.sync results/demo.mp4",
                 "python -m landmarks.sync predict_landmark/speech/landmarks.npy --speech data/samples/speech.wav --json"))
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("--speech", type=click.Path(path_type=Path), help="Its sound, a .wav.  [default: the video's own]")
@click.option("--model", type=click.Path(path_type=Path), help="A sync-model.  [default: the shipped one]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the similarity at each lag.")
def main(source, speech, model, as_json) -> None:
    """Judge by how many milliseconds the sound of a talking face is late."""
    judge = load_judge(model)
    sound, face = sound_of(source, speech), landmarks_of(source)
    verdict = judge_clip(judge, sound, face)
    if np.isnan(verdict.offset_ms):
        raise InputError(source, "nothing to judge by", f"speech, and a mouth that moves, for {FEWEST} frames or more")
    right = accuracy_for(judge.accuracy, len(face) / FPS)
    if as_json:
        click.echo(json.dumps({"offset_ms": round(verdict.offset_ms, 1), "confidence": round(verdict.confidence, 3),
                               "accuracy": right, "lags_ms": [lag * FRAME_MS for lag in range(-MAX_LAG, MAX_LAG + 1)],
                               "similarity": [None if np.isnan(v) else round(float(v), 4) for v in verdict.similarity]}))
        return
    click.echo(f"offset {verdict.offset_ms:+.0f} ms (positive: the sound is late), confidence {verdict.confidence:.2f}")
    if right:
        by_source = ", ".join(f"{source} {share:.0%}" for source, share in right["sources"].items())
        click.echo(f"on {right['trials']} held-out stretches of {right['seconds']:g} s it is within {FRAME_MS} ms in "
                   f"{right['within_frame']:.0%} ({by_source}; by chance {right['chance']:.0%})")


if __name__ == "__main__":
    main()
