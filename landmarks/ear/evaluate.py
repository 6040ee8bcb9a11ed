"""Compare the speech encoder's features of a stream with those of the whole recording.

Reads: a .wav; the speech encoder. Writes: OUT (metrics).
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import paths
from core.clock import FPS, SAMPLES_PER_FRAME
from core.media.speech import Speech, open_speech
from core.stage import progress, stage
from landmarks.ear.encoder import Encoder, require_encoder
from landmarks.ear.layers import LIPS, N_LAYERS
from landmarks.ear.running import RunningEar
from landmarks.features import CONTEXT, LOOK_AHEAD, recording_loudness
from learn.measures import markdown, report

STAGE = "landmarks.ear.evaluate"
SECONDS = (1.0, 2.5, 4.0, 8.0)  # encoded again at each frame


def stream_features(encoder: Encoder, speech: Speech, n_encoded: int) -> NDArray:
    """Features of a stream: float32 [frame, CONTEXT + 1, half * value], of each frame and those around it."""
    running, loud, found = RunningEar(encoder, n_encoded), recording_loudness(speech.spectrum), []
    for start in range(0, len(speech.sound), SAMPLES_PER_FRAME):
        running.push(speech.sound[start:start + SAMPLES_PER_FRAME])
        found += running.next(np.full(running.n_ready, loud))
    return np.array(found)


def correlation(a: NDArray, b: NDArray) -> float:
    """Of [frame, value], each value standardised over the frames."""
    a, b = ((part - part.mean(0)) / (part.std(0) + 1e-6) for part in (a, b))
    return float((a * b).mean())


def evaluate(encoder: Encoder, speech: Speech) -> dict:
    """Correlation with the features of the file: seconds encoded again -> frames of look-ahead -> correlation.

    The first second, where a stream has heard little, does not count.
    """
    whole = encoder.features(speech.sound, recording_loudness(speech.spectrum))[LOOK_AHEAD:-LOOK_AHEAD].astype(np.float32)
    table = {}
    with progress(SECONDS, "evaluate") as bar:
        for seconds in bar:
            stream = stream_features(encoder, speech, round(seconds * FPS))
            table[f"{seconds:g} s"] = {
                str(ahead): correlation(stream[FPS:, CONTEXT - ahead], whole[FPS + LOOK_AHEAD - ahead:][:len(stream) - FPS])
                for ahead in range(0, LOOK_AHEAD + 1, 2)}
    return table


@stage(reads="SPEECH (.wav), the speech encoder", writes="OUT (metrics)",
       examples=("python -m landmarks.ear.evaluate", "python -m landmarks.ear.evaluate speech.wav"))
@click.argument("speech", type=click.Path(path_type=Path), default=paths.SAMPLE_SPEECH)
@click.option("--ear", type=click.Path(path_type=Path), help="A faster-whisper model folder.  [default: Whisper tiny.en]")
@click.option("--layers", type=click.IntRange(1, N_LAYERS), default=LIPS, help="Of the encoder, the first ones, that are used.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/ear_metrics.json"), help="The measures.")
def main(speech, ear, layers, out) -> None:
    """Measure how near the features of a stream are to those of the whole recording, by default the sample's."""
    measured = evaluate(require_encoder(ear, n_layers=layers), open_speech(speech))
    columns = ("encoded again", *(f"look-ahead {1000 * int(ahead) // FPS} ms" for ahead in next(iter(measured.values()))))
    rows = [(seconds, *(f"{value:.3f}" for value in row.values())) for seconds, row in measured.items()]
    options = {"ear": ear and str(ear), "layers": layers}
    report(out, measured, markdown(columns, rows), stage=STAGE, options=options, inputs=[speech])


if __name__ == "__main__":
    main()
