"""By how much the sound of an .avi begins after its picture: the format has no time stamps, ffmpeg lets both begin at once.

Reads: .avi. Writes: nothing.
Sound that begins later shows in two ways: empty pieces of sound stand for the time before it, or all of its pieces stand that
much further back among the frames than they would. Source: AVI RIFF File Reference, Microsoft.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

_MOST_PIECES = 20_000  # that are looked at
_FEWEST_PIECES = 8
_LEAST_S = 0.1  # less is how programs mix sound and picture
_EMPTY_AFTER = 3  # pieces of sound: a codec's first ones may stand before the empty ones
_STEADY = 0.4  # of the delay: how far pieces may stray


@dataclass
class _Stream:
    kind: bytes = b""
    tick_s: float = 0.0  # of a frame, or of a block of sound
    block_bytes: int = 0  # 0: a piece is a block
    begins: int = 0  # ticks after the file does; ffmpeg follows it
    pieces: list = field(default_factory=list)  # bytes of each


def _chunks(stream: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place of the content, and length of the chunks from `at` to `end`, those in lists too."""
    while at + 8 <= end:
        stream.seek(at)
        header = stream.read(12)
        if len(header) < 8:
            return
        name, n_bytes = struct.unpack("<4sI", header[:8])
        if name in (b"LIST", b"RIFF"):
            yield header[8:], at, n_bytes
            at += 12  # into it
            continue
        yield name, at + 8, n_bytes
        at += 8 + n_bytes + (n_bytes & 1)


def _read_header(stream, at) -> _Stream:
    stream.seek(at)
    content = stream.read(48).ljust(48, b"\0")
    scale, rate, begins = struct.unpack("<III", content[20:32])
    return _Stream(content[:4], scale / rate if rate else 0.0, struct.unpack("<I", content[44:48])[0], begins)


def late_s(path: str | Path) -> float:
    """Seconds by which the sound of an .avi begins after its picture; 0 for other files, and where it cannot be told."""
    streams: list[_Stream] = []
    rows = []  # of each piece of sound: frames before it
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"AVI ":
            return 0.0
        for number, (name, at, n_bytes) in enumerate(_chunks(file, 0, Path(path).stat().st_size)):
            if name == b"strh":
                streams.append(_read_header(file, at))
            elif name[:2].isdigit() and int(name[:2]) < len(streams) and name[2:] in (b"dc", b"db", b"wb"):
                streams[int(name[:2])].pieces.append(n_bytes)
                if streams[int(name[:2])] is _first(streams, b"auds"):
                    rows.append(len(picture.pieces) if (picture := _first(streams, b"vids")) else 0)
            if number > _MOST_PIECES:
                break
    sound, picture = _first(streams, b"auds"), _first(streams, b"vids")
    if sound is None or picture is None or len(sound.pieces) < _FEWEST_PIECES or not sound.tick_s * picture.tick_s:
        return 0.0
    if sound.begins or picture.begins:
        return 0.0
    empty_s = _empty_s(sound)
    return empty_s if empty_s > _LEAST_S else _further_back_s(sound, picture, rows)


def _first(streams, kind) -> _Stream | None:
    return next((stream for stream in streams if stream.kind == kind), None)


def _empty_s(sound) -> float:
    """Seconds of empty pieces at the beginning."""
    n_real = n_empty = 0
    for n_bytes in sound.pieces:
        n_empty, n_real = n_empty + (n_bytes == 0), n_real + (n_bytes > 0)
        if n_real > _EMPTY_AFTER:
            break
    return n_empty * sound.tick_s if not sound.block_bytes else 0.0


def _further_back_s(sound, picture, n_before) -> float:
    """Seconds by which all pieces of sound stand behind the frames of their time."""
    ticks = np.array([n / sound.block_bytes if sound.block_bytes else 1.0 for n in sound.pieces])
    begins = (np.cumsum(ticks) - ticks) * sound.tick_s
    n_before = np.array(n_before)
    among = n_before < len(picture.pieces)  # what stands behind the last frame tells nothing
    behind = (n_before * picture.tick_s - begins)[among]
    if len(behind) < _FEWEST_PIECES:
        return 0.0
    low, delay, high = np.percentile(behind, (10, 50, 90)) - picture.tick_s / 2
    is_fine = 2 * np.median(ticks) * sound.tick_s < delay
    return float(delay) if delay > _LEAST_S and is_fine and high - low < _STEADY * delay else 0.0
