"""Draw docs/flow.png: the sample speech on its way to a talking portrait, one row a stage.

Reads: data/samples/speech.wav, predict_landmark/speech/landmarks.npy, results/demo.mp4 (run `make demo` first).
Writes: docs/flow.png
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import SAMPLE_RATE
from core.face import draw, face68
from core.files import whole_file
from core.media.audio import read_speech, spectrum_of
from core.media.video import read_frames
from core.stage import stage

N_SHOWN, EVERY, FIRST = 10, 3, 6  # frames drawn, the step between them, the first one
SIDE_PX = 160


def strip(pictures: Iterable[NDArray]) -> NDArray:
    """uint8 pictures [row, column, rgb] side by side."""
    return np.hstack(list(pictures))


@stage(reads="data/samples/speech.wav, predict_landmark/speech/landmarks.npy, results/demo.mp4", writes="docs/flow.png",
       examples=("make demo && python -m docs.flow",))
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/flow.png"), help="The picture.")
def main(out) -> None:
    """Draw the flow from speech to video for the README."""
    import cv2
    from matplotlib.figure import Figure
    sound = read_speech(Path("data/samples/speech.wav"))
    spectrum = spectrum_of(sound).astype(np.float32)
    face = artifacts.load("predict_landmark/speech/landmarks.npy", "landmarks-face").array
    shown = slice(FIRST, FIRST + N_SHOWN * EVERY, EVERY)
    points = face68.to_pixel_space(face, draw.face_view(SIDE_PX))[shown]
    video = islice(read_frames("results/demo.mp4"), shown.start, shown.stop, shown.step)
    portrait = [cv2.resize(frame[20:276, 96:352], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for frame in video]
    figure = Figure((10, 5.2), layout="constrained")
    rows = figure.subplots(4, 1, height_ratios=[0.7, 0.9, 1, 1])
    rows[0].plot(np.arange(len(sound)) / SAMPLE_RATE, sound, linewidth=0.4, color="#2f4f6f")
    rows[0].set_xlim(0, len(sound) / SAMPLE_RATE)
    decibels = 20 * np.log10(spectrum.reshape(-1, spectrum.shape[-1]).T + 1e-2)
    rows[1].imshow(decibels, origin="lower", aspect="auto", cmap="magma")
    rows[2].imshow(strip(draw.sketch_rgb(p, SIDE_PX) for p in points))
    rows[3].imshow(strip(portrait))
    for ax, title in zip(rows, ("speech.wav", "FFT magnitudes", "68 landmarks, predicted", "the photo, moved")):
        ax.set_title(title, loc="left", fontsize=9)
        ax.set_axis_off()
    with whole_file(out) as part:
        figure.savefig(part, dpi=110)
    click.echo(out)


if __name__ == "__main__":
    main()
