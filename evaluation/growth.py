"""How cost grows with length, size and number, and what single parts cost: the ear, the voice, a dub, the page.

Reads: data/samples/speech.wav, the portrait in scikit-image, the models that ship. Writes: a temporary folder.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from core.clock import FPS
from core.cost import Row, python, seconds_of
from core.face.sample import write_photo
from core.media.audio import read_speech, spectrum_of
from core.media.video import write_video
from core.paths import ROOT
from evaluation.speed import N_TIMES, SPEECH_S, batch, render_row, speech_of
from render import motion, photo

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SENTENCE = "Good morning. Your bill of INR 5,053 is due on the twelfth of May."
LENGTHS_S, SIDES_PX, NUMBERS = (10, 60, 300), (256, 512, 1024, 2048), (1, 4, 8)
DUB_S, DUB_PX = 15, (1280, 720)


@dataclass
class Growth:
    """What a cost is at each of several amounts."""

    what: str
    unit: str
    of: str  # what there is more and more of
    points: list[tuple[float, float]]  # amount, cost


def ear(folder: Path) -> list[Row]:
    """The speech encoder, once loaded."""
    from landmarks.lite import load_model
    model, sound = load_model(), read_speech(speech_of(SPEECH_S, folder))
    power = model.power(spectrum_of(sound))
    model.ear(sound, power)
    return [Row(f"ear: features of {SPEECH_S} s, once loaded", median(seconds_of(lambda: model.ear(sound, power))
                                                                      for _ in range(N_TIMES)), "s", "the speech", SPEECH_S)]


def voice(folder: Path) -> list[Row]:
    """The default voice: a sentence from a cold start, and once loaded."""
    from speech.engines import default_engine, speak
    engine = default_engine("en-in")
    cold_s = median(python("-m", "speech.synthesize", "--text", SENTENCE, folder / "a.wav", "--force").seconds
                    for _ in range(N_TIMES))
    spoken = speak(SENTENCE, "en-in", engine=engine)
    lasts_s = len(spoken.sound) / spoken.rate
    others = iter(f"{SENTENCE} {n}." for n in ["one", "two", "three"])  # what was said a moment ago is not said anew
    warm_s = median(seconds_of(lambda: speak(next(others), "en-in", engine=engine)) for _ in range(N_TIMES))
    return [Row(f"voice ({engine}): a sentence, cold start", cold_s, "s", "the sentence", lasts_s),
            Row(f"voice ({engine}): a sentence, once loaded", warm_s, "s", "the sentence", lasts_s)]


def dub(folder: Path) -> list[Row]:
    """A new voice over a video of 1280x720, from a cold start, tracking and encoding included."""
    face = photo.frame_photo(_portrait(folder), "full", DUB_PX[1])
    left = (DUB_PX[0] - face.picture.shape[1]) // 2
    wide = np.pad(face.picture, ((0, 0), (left, DUB_PX[0] - face.picture.shape[1] - left), (0, 0)), constant_values=128)
    sways = (6 * np.sin(np.arange(DUB_S * FPS) / 9)).round().astype(int)
    clip = write_video(folder / "clip.mp4", (np.roll(wide, sway, 1) for sway in sways), speech=speech_of(DUB_S, folder))
    ended = python("main.py", "--video", clip, "--audio", speech_of(DUB_S, folder), "--output", folder / "dub.mp4")
    return [Row(f"dub of {DUB_S} s, 1280x720, cold start", ended.seconds, "s", "the video", DUB_S)]


def page(_folder: Path) -> list[Row]:
    """The page: until it answers, and until its models are loaded."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            next(iter(process.stdout or ()), "")  # its address
            answers_s = time.perf_counter() - began
            for line in process.stderr or ():
                if "models are loaded" in line:
                    break
            loaded_s = time.perf_counter() - began
        finally:
            process.terminate()
    return [Row("page: until it answers", answers_s, "s", "until its models are loaded", loaded_s)]


def _portrait(folder):
    from render import photo_check
    return photo_check.find_face(write_photo(folder / "portrait.png"))


def with_length(folder: Path) -> Growth:
    """Landmarks of speech, once loaded."""
    from landmarks.predict import load_model, predict
    model, points = load_model(), []
    for seconds in LENGTHS_S:
        sound = read_speech(speech_of(seconds, folder))
        points.append((float(seconds), seconds_of(lambda sound=sound: predict(model, sound))))
    return Growth("landmarks of speech, once loaded", "s", "s of speech", points)


def with_size(folder: Path) -> Growth:
    """The photo renderer for a face that fills the picture."""
    from landmarks.predict import predict_file
    from render.life.talker import add_head_motion
    moves, rest = motion.read_motion(predict_file(speech_of(4, folder), folder / "out"))
    moves, found = add_head_motion(moves, rest), _portrait(folder)
    rows = ((side, render_row("close-up", photo.frame_photo(found, "crop", side), moves, folder)) for side in SIDES_PX)
    return Growth("a frame of a close-up, encoding included", "ms", "megapixels of the picture",
                  [(side * side / 1e6, 1000 / row.value) for side, row in rows])


def with_number(folder: Path) -> Growth:
    """Reminders of one batch."""
    points = []
    for n in NUMBERS:
        (place := folder / str(n)).mkdir()
        points.append((float(n), batch(place, n)[0].value))
    return Growth("a batch of reminders, CPU", "s", "rows", points)


GROWTHS: dict[str, Callable[[Path], Growth]] = {"length": with_length, "size": with_size, "number": with_number}


def draw(growths: list[Growth]) -> "Figure":
    """A panel for each, both axes logarithmic; the dotted line is what grows as the amount does."""
    from matplotlib.figure import Figure
    figure = Figure((4.5 * len(growths), 3.5), dpi=100, layout="constrained")
    for axis, growth in zip(figure.subplots(1, len(growths), squeeze=False)[0], growths):
        amounts, costs = zip(*growth.points)
        axis.loglog(amounts, costs, "o-")
        axis.loglog(amounts, [costs[-1] * amount / amounts[-1] for amount in amounts], ":", color="0.6")
        axis.set(title=growth.what, xlabel=growth.of, ylabel=growth.unit)
    return figure
