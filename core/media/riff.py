"""The length of sound in a WAV file, where its header lies about it.

Reads: .wav. Writes: nothing.
A program that writes to a pipe cannot go back, and leaves 0, 0x7ffff000 or 0xffffffff for a length; others count a header, or
leave out what they wrote last. Source: Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft, 1991.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_NEVER_COUNTED = 0x7FF0_0000  # and more: bytes that no program of 1991 could write, a mark for "until the end"
_TAGS = b"TAG", b"ID3", b"APETAGEX", b"\0\0\0\0"  # what programs put behind the sound, outside of any chunk
_LONGEST_HEADER = 2**24  # bytes before the sound


@dataclass(frozen=True)
class Length:
    """Bytes of sound that are `promised`, that are `held` after the header, and those of a second."""

    promised: int
    held: int
    of_second: int
    encoding: int  # the format tag
    until_end: bool  # the sound goes on to the end of the file, whatever is promised

    @property
    def missing_s(self) -> float:
        """Seconds that are promised and not there."""
        return 0.0 if self.until_end else max(0, self.promised - self.held) / self.of_second


def _is_chunks(stream: BinaryIO, end: int) -> bool:
    """Whether whole chunks, or tags, are all that is left of the file."""
    while (left := end - stream.tell()) > 0:
        header = stream.read(8)
        if header.startswith(_TAGS) or left == 1:
            return True
        if left < 8:
            return False
        name, n_bytes = struct.unpack("<4sI", header)
        if not all(32 <= letter < 127 for letter in name) or n_bytes > end - stream.tell():
            return False
        stream.seek(n_bytes + (n_bytes & 1), os.SEEK_CUR)
    return True


def is_big_endian(path: str | Path) -> bool:
    """Whether it is a RIFX file, which ffmpeg reads as noise."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"RIFX"


def length_of(path: str | Path) -> Length | None:
    """How long the sound of a RIFF file is; None where that is not for its header to say: another format, or no sound."""
    end, encoding, of_second = os.path.getsize(path), 0, 1
    with open(path, "rb") as stream:
        start = stream.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"WAVE":
            return None
        while len(header := stream.read(8)) == 8 and stream.tell() < _LONGEST_HEADER:
            name, n_bytes = struct.unpack("<4sI", header)
            if name == b"fmt " and n_bytes >= 12:
                encoding, of_second = struct.unpack("<H6xI", stream.read(12).ljust(12, b"\0"))
                n_bytes -= 12
            if name == b"data":
                held = end - stream.tell()
                stream.seek(min(n_bytes + (n_bytes & 1), held), os.SEEK_CUR)
                until_end = n_bytes >= _NEVER_COUNTED > held or not _is_chunks(stream, end)
                return Length(n_bytes, held, max(1, of_second), encoding, until_end)
            stream.seek(n_bytes + (n_bytes & 1), os.SEEK_CUR)
    return None
