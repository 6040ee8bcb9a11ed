"""Sound files that a program wrote to a pipe, so that no length stands in them: .aiff, .au, .w64 as ffmpeg leaves them.

Reads: the headers of such files. Writes: nothing.
Sources: Audio Interchange File Format 1.3, Apple, 1989; Sun's audio(4); Sony Wave64, 2003.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_W64_CHUNK = 24  # bytes of a chunk's name and length, which its length counts
_AU_UNTIL_END = 0xFFFF_FFFF
_LONGEST_HEADER = 2**20


def patches_of(path: str | Path) -> list[tuple[int, bytes]]:
    """Where in a file lengths of nothing stand, and what should; empty where they are all right, or it is another format."""
    n_bytes = os.path.getsize(path)
    with open(path, "rb") as stream:
        start = stream.read(16)
        if start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
            return _of_aiff(stream, n_bytes)
        if start[:4] == b".snd" and start[8:12] == bytes(4):
            return [(8, struct.pack(">I", _AU_UNTIL_END))]
        return _of_w64(stream, n_bytes) if start == _W64_RIFF else []


def _of_aiff(stream: BinaryIO, end: int) -> list:
    at, n_frames, frame_bytes, frames_at = 12, 0, 0, 0
    while at < min(end, _LONGEST_HEADER):
        stream.seek(at)
        header = stream.read(8)
        if len(header) < 8:
            return []
        name, n_bytes = struct.unpack(">4sI", header)
        if name == b"COMM":
            n_channels, n_frames, n_bits = struct.unpack(">hIh", stream.read(8))
            frame_bytes, frames_at = n_channels * ((n_bits + 7) // 8), at + 10
        if name == b"SSND":
            held = end - at - 8
            if (n_bytes and n_frames) or not frame_bytes or held <= 8:
                return []
            return [(4, struct.pack(">I", end - 8)), (frames_at, struct.pack(">I", (held - 8) // frame_bytes)),
                    (at + 4, struct.pack(">I", held))]
        at += 8 + n_bytes + (n_bytes & 1)
    return []


def _of_w64(stream: BinaryIO, end: int) -> list:
    at = 40
    while at < min(end, _LONGEST_HEADER):
        stream.seek(at)
        header = stream.read(_W64_CHUNK)
        if len(header) < _W64_CHUNK:
            return []
        name, n_bytes = header[:16], struct.unpack("<Q", header[16:])[0]
        if name == _W64_DATA:
            if _W64_CHUNK < n_bytes <= end - at:
                return []
            return [(16, struct.pack("<Q", end)), (at + 16, struct.pack("<Q", end - at))]
        if n_bytes < _W64_CHUNK:
            return []
        at += (n_bytes + 7) // 8 * 8
    return []
