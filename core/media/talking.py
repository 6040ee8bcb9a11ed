"""Frames to a finished talking video: captions, sound, the mark that it is synthetic, its sidecar, and how fast it was made.

Reads: the recording that is heard, words.json. Writes: OUT (talking-video) and its sidecar; or where `core.media.out` leads.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError, command_line
from core.events import FileWritten
from core.media import nv12
from core.media.captions import add_track, burnt, check_drawable
from core.media.formats import FORMATS, format_of
from core.media.marks.credentials import sign
from core.media.marks.watermark import marked
from core.media.out.pictures import write_frames
from core.media.out.stream import send
from core.media.out.target import Frames, Stream, Target, form_of, target_of
from core.media.provenance import mark_synthetic
from core.media.video import encode
from core.media.words import load_words
from core.stage import progress, say, tell


def caption_words(captions: str, words: str | Path | None, spoken: str | Path | None = None) -> list:
    """The `Word`s of `words` (words.json) for captions of a way of `core.media.captions.WAYS`; none without captions.

    Raises
    ------
    InputError : captions without words, which `spoken` has; or letters that cannot be drawn.
    """
    if captions == "none":
        return []
    if words is None:
        raise InputError("--captions", f"{captions}, without words", "--words words.json",
                         command_line("python", "-m", "speech.transcribe", spoken or "speech.wav"))
    found = load_words(words)
    if captions == "burn":
        check_drawable(found)
    return found


def _in_rgb(frames) -> Iterator[NDArray]:
    return (nv12.to_rgb(frame) if frame.ndim == 2 else frame for frame in frames)


def write_talking(out: str | Target, frames: Iterable[NDArray], n_frames: int, *, fps: float, stage: str, captions: str,
                  shown_words: list, heard: Path | None, quality: str, heard_s: float | None = None, watermark: str = "",
                  signed_by: tuple[str, str] | None = None, what: str = "render", **about: Any) -> Target:
    """Write a talking video and its sidecar as its frames come, and say how fast; return where it is.

    Parameters
    ----------
    out : a file, a folder of pictures, standard output or a server, see `core.media.out.target`
    frames : as `core.media.video.encode` takes them
    captions, shown_words : how the words of `caption_words` are shown
    heard, heard_s : the recording, and how much of it
    watermark : a text that is seen in every frame, see `core.media.marks.watermark`; empty: none
    signed_by : certificate and key of the content credentials, of an .mp4; None: it gets none
    what : of the bar of progress
    **about : of the sidecar, see `core.artifacts.described`

    Raises
    ------
    InputError : it could not be written whole.
    """
    out, began = target_of(out), time.monotonic()
    if captions == "burn" or not form_of(out).sound:
        frames = _in_rgb(frames)
    if captions == "burn":
        frames = burnt(frames, shown_words, fps)
    frames = marked(frames, watermark)
    sound: dict[str, Any] = {"speech": heard, "heard_s": heard_s, "quality": quality}
    with progress(frames, what, n_frames) as bar:
        if isinstance(out, Frames):
            write_frames(out, bar, fps=fps, stage=stage, **about)
        elif isinstance(out, Stream):
            send(out, bar, n_frames, fps=fps, **sound)
        else:
            with artifacts.described(out, "talking-video", stage=stage, fps=fps, frames=n_frames, **about) as (part, _):
                encode(part, bar, fps=fps, where=out, **sound)
                if captions == "mux" and shown_words:
                    add_track(part, shown_words, where=out)
                if format_of(out) == FORMATS[".mp4"]:
                    mark_synthetic(part)
                if signed_by:
                    sign(part, *signed_by, out.name)
    took, seconds = time.monotonic() - began, n_frames / fps
    speed = f"{n_frames} frames, {seconds:.2f} s of video in {took:.2f} s: {n_frames / took:.0f} frames a second"
    if isinstance(out, Path):
        tell(FileWritten(speed, out, "talking-video"))
    else:
        say(speed)
    return out
