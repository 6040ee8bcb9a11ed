"""One job of the page: a thread that makes a video, and its state.

Reads: what an order reads. Writes: files in a folder of its own, which is gone when the state is no longer asked for.
"""

import queue
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from core.events import Done, Failed, FileWritten, Message, Progress, StageStarted, Transcribed, Warned
from core.stage import listen, say
from web.limits import plain_message, without_options
from web.orders import Order, shared_animator

_ONE_AT_A_TIME = threading.Lock()  # two renders at once take longer than one after the other
_SHOWN = ("landmarks.gif", "photo_check.png", "speech.wav.png", "emotion.png")


class Stopped(Exception):
    """Nobody waits for the video any more."""


@dataclass
class State:
    """How far a video is."""

    began: float = field(default_factory=time.monotonic)
    stages: list = field(default_factory=list)  # names, those that have begun
    n_stages: int = 0
    done: float | None = None  # share of the running stage
    seconds_left: float | None = None
    warnings: list = field(default_factory=list)
    transcript: str = ""
    video: Path | None = None
    pictures: dict = field(default_factory=dict)  # file name -> path
    files: list = field(default_factory=list)  # everything, a .zip of it first
    error: str = ""
    ended: float | None = None

    def update(self, event: dict):
        """Take in one of `core.events`."""
        match event:
            case StageStarted():
                self.stages.append(event.stage)
                self.n_stages, self.done, self.seconds_left = event.n_stages, None, None
            case Progress():
                self.done, self.seconds_left = event.done, event.seconds_left
            case Transcribed():
                self.transcript = event.text
            case Warned():
                self.warnings.append(without_options(event.text))
            case FileWritten(kind="talking-video"):
                self.video = event.path
            case Failed():
                self.error, self.ended = event.text, time.monotonic()
            case Done():
                self.ended = time.monotonic()


def warm_up() -> None:
    """Read every library and model, by making a video of a word: the first visitor finds them loaded."""
    from skimage.data import astronaut
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, _ONE_AT_A_TIME:
        from PIL import Image
        Image.fromarray(astronaut()).save(photo := Path(folder) / "photo.png")
        listen(lambda event: None)
        shared_animator().animate(photo, text="Hello.", out=Path(folder) / "v.mp4", size_px=128, keep=True)
    listen(None)
    say(f"all models are loaded ({time.monotonic() - began:.1f} s)")


def _collect(state):
    """Note in `state` the pictures to show, and all files to take away."""
    folder, made = state.video.parent, state.video.with_suffix("")
    state.pictures = {name: found for name in _SHOWN if (found := min(made.rglob(name), default=None))}
    everything = sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    with zipfile.ZipFile(folder / "everything.zip", "w") as archive:
        for path in everything:
            archive.write(path, path.relative_to(folder))
    state.files = [folder / "everything.zip", state.video, *(path for path in everything if path.parent == made)]


def states(order: Order) -> Iterator[State]:
    """Make a video; yield its `State`, again and again, until it has ended with a video or with an error.

    Who stops asking stops the work. The files are there until the generator goes on after the last state.
    """
    received, over, state = queue.Queue(), threading.Event(), State()

    def listener(event):
        if over.is_set():
            raise Stopped
        received.put(event)

    def work():
        with tempfile.TemporaryDirectory(prefix="job-") as name:
            try:
                with _ONE_AT_A_TIME:
                    received.put(Message("its turn has come"))
                    listen(listener)
                    order(Path(name))
            except InputError as error:
                received.put(Failed(plain_message(error)))
            except Stopped:
                return
            except Exception:  # the server lives on, and its owner reads what it was
                traceback.print_exc()
                received.put(Failed("something went wrong here, not with what you gave; the log of the server says what"))
            over.wait()

    threading.Thread(target=work, daemon=True).start()
    try:
        while state.ended is None:
            state.update(received.get())
            if state.ended and not state.error:
                _collect(state)
            yield state
    finally:
        over.set()
