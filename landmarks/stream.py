"""Speech to landmarks while it is spoken: sound in pieces of any size in, the frames that are ready out.

Reads: a .wav; the shipped landmark-models and the speech encoder, or any landmark-model; CNN_record/voice/model.npz.
Writes: nothing; prints how late the landmarks are, and how long they take.
Memory and time a frame do not grow with the length. A file is predicted by the same code (landmarks.predict).
"""

from pathlib import Path

import click
import numpy as np

from core.clock import SAMPLE_RATE
from core.media.audio import read_speech
from core.stage import stage
from landmarks.lite import load_model
from landmarks.streaming import PIECE_MS, Stream, feed


@stage(reads="SPEECH (.wav), CNN_record/default, fft and voice, the speech encoder", writes="nothing; prints times",
       examples=("python -m landmarks.stream speech.wav", "python -m landmarks.stream speech.wav --fast --piece-ms 10"))
@click.argument("speech", type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="A landmark-model; default the shipped one.")
@click.option("--piece-ms", type=click.IntRange(1, 10_000), default=PIECE_MS, help="Length of the pieces of sound.")
@click.option("--fast", is_flag=True, help="Do not wait for the sound to be spoken.")
def main(speech, model, piece_ms, fast) -> None:
    """Predict speech as if it were being spoken, and say how late the landmarks come."""
    sound, stream = read_speech(speech), Stream(load_model(model))
    took_s, late_s = feed(stream, sound, piece_ms=piece_ms, real_time=not fast)
    n_frames, (typical_ms, slow_ms) = len(late_s) + len(stream.finish()), np.percentile(1000 * took_s, (50, 99))
    click.echo(f"look-ahead           {1000 * stream.look_ahead_s:8.0f} ms of sound after the end of a frame")
    click.echo(f"computing            {typical_ms:8.2f} ms a piece of {piece_ms} ms, median")
    click.echo(f"                     {slow_ms:8.2f} ms, 99th percentile")
    if len(late_s):
        click.echo(f"landmarks come       {1000 * np.median(late_s):8.0f} ms after the end of their frame, median")
        click.echo(f"                     {1000 * late_s.max():8.0f} ms, latest")
    click.echo(f"real-time factor     {took_s.sum() * SAMPLE_RATE / len(sound):8.3f} of the time the speech lasts")
    click.echo(f"frames               {n_frames:8d}")


if __name__ == "__main__":
    main()
