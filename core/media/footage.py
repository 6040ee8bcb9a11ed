"""A video as it is: its own frame rate and size, frames in the encoder's planes, streamed.

Reads: any video ffmpeg knows. Writes: nothing.
Frames come in NV12 by BT.709 (`core.media.nv12`), so what nobody changes goes from decoder to encoder without a conversion.
Pictures are turned upright, pixels made square, interlaced pictures joined, ten bits made eight, HDR mapped to SDR, a changing
frame rate made even: each is noted.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, absent
from core.media import ffmpeg

MOST_FPS = 120.0
UNEVEN = 0.01  # share by which the mean frame rate differs from the nominal one, from where on it counts as changing
EVEN_RATES = (24, 25, 30, 50, 60)  # what a changing one becomes: the next above its mean
LARGE_ROWS = 720  # pictures that say nothing of their colours are BT.709 from this size on, BT.601 below
_STREAM = re.compile(r"Stream #0:\d+.*?: Video: (.*)")
_FROM_0 = ":start_time=0,"  # ends the filter behind which frames have their numbers
_HDR = "smpte2084", "arib-std-b67"
_TONES = ("zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=mobius:param=0.5:desat=0,"
          "zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv420p,setparams=colorspace=bt709")


@dataclass(frozen=True)
class Footage:
    """What a video is, and how it is read.

    Parameters
    ----------
    size : width, height as shown, px, both even
    fps : frames a second, as they are read
    seconds : length, as the header says; 0 where it does not
    filters : of ffmpeg
    notes : what is done to its pictures, in words
    """

    path: Path
    size: tuple[int, int]
    fps: float
    seconds: float
    filters: str
    notes: tuple[str, ...]


def exact_rate(fps: float) -> float:
    """A rate that ffmpeg rounds to two digits: 29.97 is 30000 / 1001."""
    for whole in (24, 30, 48, 60, 120):
        if abs(fps - whole * 1000 / 1001) < 0.006:
            return whole * 1000 / 1001
    return fps


def _number(pattern, text):
    found = re.search(pattern, text)
    return float(found[1]) * (1000 if found[0].rstrip(" ,").endswith("k fps") else 1) if found else 0.0


def _rate(said):
    """Frames a second, and the note of a changing rate or an empty text."""
    mean, nominal = _number(r"([\d.]+)k? fps", said), _number(r"([\d.]+) tbr", said)
    if mean and nominal and abs(mean - nominal) > UNEVEN * nominal:
        fps = float(next((rate for rate in EVEN_RATES if rate >= mean - UNEVEN * rate), EVEN_RATES[-1]))
        return fps, f"its frame rate changes (about {mean:g} a second): {fps:g} a second are made of it"
    return min(exact_rate(mean or nominal or 25.0), MOST_FPS), ""


def open_footage(path: str | Path) -> Footage:
    """Look at a video. Raises InputError when it holds no moving picture."""
    path = Path(path)
    if not path.is_file():
        raise InputError(path, absent(path), "a video")
    with ffmpeg.running(["-v", "info", "-i", ffmpeg.url(path), "-map", "0:V:0", "-frames:v", "1", "-f", "rawvideo", "-"],
                        stdout=subprocess.PIPE) as process:
        process.stdout.read()
    given, _, made = process.said.partition("Output #0")
    stream = _STREAM.search(given)
    if not stream or process.failure:
        reason = process.failure if stream else "it has no picture"
        raise InputError(path, f"not readable as a video ({reason})", "a video file that ffmpeg can decode", "export it again")
    said, notes, before = stream[1], [], []
    hours = re.search(r"Duration: (\d+):(\d+):([\d.]+)", given)
    seconds = sum(float(part) * unit for part, unit in zip(hours.groups(), (3600, 60, 1))) if hours else 0.0
    fps, changing = _rate(said)
    shown = re.search(r"Video: .*?, (\d+)x(\d+)[ ,\n]", made)
    assert shown  # ffmpeg made a frame of it
    width, height = int(shown[1]), int(shown[2])
    if re.search(r"\b(top|bottom) (coded )?first", said):
        before.append("bwdif=mode=send_frame")
        notes.append("interlaced: its half pictures are joined")
    is_hdr = any(name in said for name in _HDR)
    if is_hdr:
        before.append(_TONES)
        notes.append("HDR: mapped to SDR")
    elif re.search(r"p1[0246]|p010|p016", said):
        notes.append("more than 8 bits a colour: 8 are kept")
    if changing:
        notes.append(changing)
    ratio = re.search(r"SAR (\d+):(\d+)", said)
    wide = float(ratio[1]) / float(ratio[2]) if ratio and float(ratio[1]) and float(ratio[2]) else 1.0
    if wide != 1:
        turned = "displaymatrix: rotation of" in given and re.search(r"rotation of -?90", given)
        width, height = (width, round(height * wide)) if turned else (round(width * wide), height)
        notes.append("its pixels are made square")
    if width % 2 or height % 2:
        notes.append("an odd row or column is left out")
    width, height = (max(2, side // 2 * 2) for side in (width, height))
    tagged = is_hdr or re.search(r"\((?:tv|pc)?(?:, )?(bt|smpte|gbr|fcc|ycgco)", said)
    matrix = "" if tagged else f":in_color_matrix={'bt709' if height >= LARGE_ROWS else 'bt601'}"
    shape = f"scale={width}:{height}" if wide != 1 else f"crop={width}:{height}:0:0,scale={width}:{height}"
    filters = [*before, f"fps={fps!r}{_FROM_0}{shape}{matrix}:out_color_matrix=bt709:out_range=tv", "format=nv12"]
    return Footage(path, (width, height), fps, seconds, ",".join(filters), tuple(notes))


def _any_of(numbers):
    """What ffmpeg calls one of some frames: a tree, as sums of more than a hundred are too deep for it."""
    half = len(numbers) // 2
    return f"({_any_of(numbers[:half])}+{_any_of(numbers[half:])})" if half else f"eq(n,{numbers[0]})"


def read_planes(footage: Footage, only: Sequence[int] | None = None) -> Iterator[NDArray]:
    """Yield the frames: uint8 [row * 3 / 2, column], as `core.media.nv12` lays them out; each can be written to.

    only : numbers of frames, ascending, of a video that `open_footage` looked at: no others are converted
    """
    (width, height), filters = footage.size, footage.filters
    if only is not None:
        filters = filters.replace(_FROM_0, f"{_FROM_0}select='{_any_of(list(only))}',", 1)
    n_bytes, n_frames = width * height * 3 // 2, 0
    with ffmpeg.running(["-i", ffmpeg.url(footage.path), "-map", "0:V:0", "-an", "-vf", filters, "-fps_mode",
                         "passthrough", "-f", "rawvideo", "-"], stdout=subprocess.PIPE) as decoder:
        frame = np.empty((height * 3 // 2, width), np.uint8)
        while decoder.stdout.readinto(frame) == n_bytes:  # a buffered stream: short at its end alone
            yield frame
            n_frames, frame = n_frames + 1, np.empty_like(frame)
    if not n_frames:
        raise InputError(footage.path, f"not readable as a video ({decoder.failure or 'no frames'})",
                         "a video file that ffmpeg can decode", "export it again")
