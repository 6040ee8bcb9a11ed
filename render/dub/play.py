"""The frames of a clip in the order they are shown: once, and for a longer sound back and forth, or the last one held.

Reads: a video. Writes: nothing that stays; what goes backwards waits in a temporary folder, lossless, a few frames a file.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from numpy.typing import NDArray

from core.errors import NEEDS_ROOM, InputError
from core.media import ffmpeg
from core.media.footage import Footage, read_planes
from render.dub.options import LOOPS

CHUNK_BYTES = 96 * 2**20  # of frames that are turned round at once


def _write_chunks(footage, folder, first):
    """The frames from number `first` on as lossless files in `folder`, in order."""
    n_frames = max(2, CHUNK_BYTES // (footage.size[0] * footage.size[1] * 3 // 2))
    failure = ffmpeg.run(["-i", ffmpeg.url(footage.path), "-map", "0:V:0", "-an", "-vf",
                          f"{footage.filters},trim=start_frame={first},setpts=PTS-STARTPTS,format=yuv420p",
                          "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-g", "1",
                          "-f", "segment", "-segment_time", str(n_frames / footage.fps), "-segment_format", "nut",
                          ffmpeg.url(Path(folder) / "%06d.nut")])
    if failure:
        raise InputError(footage.path, f"it could not be turned round ({failure})", NEEDS_ROOM)
    return sorted(Path(folder).glob("*.nut"))


def _backwards(footage, n_frames, n_wanted) -> Iterator[tuple[int, NDArray]]:
    """The last frames but one, back towards the first one: at most `n_wanted`."""
    first = max(0, n_frames - 1 - n_wanted)
    with tempfile.TemporaryDirectory(prefix="talking-face-") as folder:
        number = n_frames - 1
        for chunk in reversed(_write_chunks(footage, folder, first)):
            plain = replace(footage, path=chunk, filters="format=nv12")
            for frame in reversed(list(read_planes(plain))):
                if number < n_frames - 1:
                    yield number, frame
                number -= 1
            chunk.unlink()


def play(footage: Footage, n_frames: int, n_wanted: int, loop: str = LOOPS[0]) -> Iterator[tuple[int, NDArray]]:
    """Yield the number and the frame, as `read_planes` gives it, of each of `n_wanted` frames of a clip of `n_frames`.

    loop : what follows on the last one, one of LOOPS; of `cut` nothing
    """
    left, last = n_wanted, None
    for number, frame in enumerate(read_planes(footage)):
        if number >= n_frames or not left:
            break
        last = frame.copy() if number == n_frames - 1 else None
        yield number, frame
        left -= 1
    if last is None:  # it is shorter than it should be, or long enough
        return
    while left and loop == "hold":
        yield n_frames - 1, last.copy()
        left -= 1
    while left and loop == "pingpong" and n_frames > 1:
        for number, frame in _backwards(footage, n_frames, left):
            if left:
                yield number, frame
                left -= 1
        for number, frame in enumerate(read_planes(footage)):
            if left and 0 < number < n_frames:
                yield number, frame
                left -= 1
