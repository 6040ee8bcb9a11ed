"""What an .mp4 holds, read from its own tables: tracks, how many samples, how long; and a box put at its end.

Reads: .mp4. Writes: a box at the end of one.
Source: ISO/IEC 14496-12 (ISO base media file format).
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_CONTAINERS = {"moov", "trak", "mdia", "minf", "stbl"}
_UUID_BYTES = 16


@dataclass
class Track:
    """A track of a file: `handler` is vide, soun, sbtl ...; `n_samples` are frames of a picture, packets of a sound."""

    handler: str = ""
    seconds: float = 0.0
    n_samples: int = 0


def _boxes(stream, end):
    """Yield (name, end) of the boxes up to `end`, the stream at what each holds. Raises ValueError when one is cut off."""
    while (start := stream.tell()) < end:
        header = stream.read(8)
        if len(header) < 8:
            raise ValueError("cut off in a box")
        size, name = struct.unpack(">I4s", header)
        if size == 1:
            size = struct.unpack(">Q", stream.read(8))[0]
        stop = end if size == 0 else start + size
        if stop > end or stop < stream.tell():
            raise ValueError(f"the box {name!r} reaches beyond the file")
        yield name.decode("latin-1"), stop
        stream.seek(stop)


def _read_box(stream, name, track):
    """Take the facts of one box into `track`."""
    if name == "mdhd":
        long = stream.read(1) == b"\1"
        stream.seek(3 + (16 if long else 8), 1)
        scale, duration = struct.unpack(">IQ" if long else ">II", stream.read(12 if long else 8))
        track.seconds = duration / scale if scale else 0.0
    elif name == "hdlr":
        stream.seek(8, 1)
        track.handler = track.handler or stream.read(4).decode("latin-1")
    elif name == "stsz":
        stream.seek(8, 1)
        track.n_samples = struct.unpack(">I", stream.read(4))[0]


def _walk(stream, end, tracks):
    for name, stop in _boxes(stream, end):
        if name == "trak":
            tracks.append(Track())
        if name in _CONTAINERS:
            _walk(stream, stop, tracks)
        elif tracks:
            _read_box(stream, name, tracks[-1])


def tracks_of(path: str | Path) -> list:
    """The tracks of a whole file, a list of `Track`. Raises ValueError when it is cut off or damaged."""
    tracks: list = []
    with open(path, "rb") as stream:
        try:
            _walk(stream, os.path.getsize(path), tracks)
        except struct.error:
            raise ValueError("cut off in a table") from None
    if not tracks:
        raise ValueError("no table of tracks")
    return tracks


def append_uuid_box(path: str | Path, uuid: bytes, content: bytes) -> None:
    """Put a box of the user type `uuid` (16 bytes) with `content` at the end of a file; players pass it over."""
    assert len(uuid) == _UUID_BYTES
    with open(path, "ab") as stream:
        stream.write(struct.pack(">I4s", 8 + _UUID_BYTES + len(content), b"uuid") + uuid + content)


def uuid_box(path: str | Path, uuid: bytes) -> bytes:
    """What the last box of the user type `uuid` holds; empty without one."""
    found = b""
    with open(path, "rb") as stream:
        try:
            for name, stop in _boxes(stream, os.path.getsize(path)):
                if name == "uuid" and stream.read(_UUID_BYTES) == uuid:
                    found = stream.read(stop - stream.tell())
        except (ValueError, struct.error):
            return b""
    return found
