"""A video sent while it is made: to a pipe, or to a server.

Writes: standard output, or what a URL names; a server gets it no faster than it is watched.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from numpy.typing import NDArray

from core.errors import InputError
from core.media.out.target import Stream, Target
from core.media.video import feed

KEY_FRAME_S = 1  # a watcher who comes late waits so long at most
PIECE_S = 0.25  # of a fragment
MOST_SILENT_S = 15  # of a server, before it counts as gone
_S = 1_000_000  # microseconds, ffmpeg's
_FRAGMENTS = ["-movflags", "+empty_moov+default_base_moof", "-frag_duration", str(round(PIECE_S * _S)), "-flush_packets", "1"]


@contextmanager
def taken(target: Target) -> Iterator[Target]:
    """`target` for use: standard output is the video's alone; what else would go there in the block goes to standard error."""
    if not isinstance(target, Stream) or target.url:
        yield target
        return
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield replace(target, descriptor=own)
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)


def _reason(ended, stream):
    """Why ffmpeg ended, without the URL and its key."""
    said = f"{ended.said} {ended.failure}".lower()
    if any(word in said for word in ("broken pipe", "reset by peer")):
        return "who took it went away"
    told = ended.failure.rpartition(": ")[2] if stream.url else ended.failure
    return "who takes it reads no more" if "timed out" in said else told


def send(stream: Stream, frames: Iterable[NDArray], n_frames: int, *, fps: float, speech: Path | None, quality: str,
         heard_s: float | None) -> None:
    """Send `frames` and `speech`, as `core.media.video.feed` takes them.

    Parameters
    ----------
    n_frames : how many are to come

    Raises
    ------
    InputError : the server or the reader is not there, or goes away before the end.
    """
    key_frames = ["-g", str(max(1, round(KEY_FRAME_S * fps)))]
    if not stream.url:
        how = [*key_frames, *_FRAGMENTS] if stream.container == "mp4" else []
        to = [*how, "-f", stream.container, "pipe:1"]
    else:
        patience = [] if stream.url.startswith("file:") else ["-rw_timeout", str(MOST_SILENT_S * _S)]
        fragments = _FRAGMENTS if stream.container == "mp4" else []
        to = [*key_frames, *fragments, "-f", stream.container, *patience, stream.url]
    sent, ended = feed(frames, stream.form, to, fps=fps, speech=speech, quality=quality, heard_s=heard_s,
                         paced=bool(stream.url), stdout=None if stream.url else stream.descriptor)
    if ended.failure:
        when = f"after {sent / fps:.1f} of {n_frames / fps:.1f} s" if sent < n_frames else "at the end"
        raise InputError("--stream" if stream.url else "--output", f"{stream}: ended {when} ({_reason(ended, stream)})",
                         "a server that takes it" if stream.url else "a reader to the end")
