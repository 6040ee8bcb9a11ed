"""Where the sound of a WAV file lies, and how long it is, where its header lies; a copy with a true header.

Reads: .wav. Writes: a temporary copy.
A program that writes to a pipe cannot go back, and leaves 0, 0x7ffff000 or 0xffffffff for a length; others count a header,
leave out what they wrote last, or the byte after a chunk of odd length.
Source: Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft, 1991; RF64: EBU Tech 3306.
"""

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.media.unended import patches_of

_NEVER_COUNTED = 0x7700_0000  # and more: 2 GB, which programs write for "until the end"
_IN_DS64 = 0xFFFF_FFFF  # the length of an RF64 stands in another chunk
_TAGS = b"TAG", b"ID3", b"APETAGEX", b"\0\0\0\0"  # what programs put behind the sound, outside of any chunk
_BEHIND = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"smpl", b"inst", b"fact", b"PEAK", b"iXML", b"_PMX", b"afsp", b"acid",
           b"JUNK", b"junk", b"PAD ", b"FLLR", b"cart", b"axml", b"chna", b"umid", b"plst", b"DISP")  # chunks found there
_LONGEST_HEADER = 2**24  # bytes before the sound
_LONGEST_TAIL = 2**20  # bytes of chunks behind it, where its own length does not say where they begin
_LONGEST_FORMAT = 2**16
_COPIED = 2**20  # bytes at a time
_LONG = b"RF64", b"BW64"
_ORDERS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}
_PCM = 1, 3  # integers, floats


@dataclass(frozen=True)
class Layout:
    """Bytes of sound that are `promised`, that are `held` from `start` on, and those of a second; the chunk `fmt`."""

    promised: int
    held: int
    start: int
    fmt: bytes
    order: str  # of its bytes, as `struct` writes it
    until_end: bool  # the sound goes on to the end of the file, or to chunks behind it, whatever is promised
    is_odd: bool  # other programs do not find the sound

    @property
    def encoding(self) -> int:
        """The format tag."""
        return self._fields[0]

    @property
    def missing_s(self) -> float:
        """Seconds that are promised and not there."""
        return 0.0 if self.until_end else max(0, self.promised - self.held) / max(1, self._fields[3])

    @property
    def _fields(self) -> tuple:
        """Format tag, channels, rate, bytes of a second, bytes of a frame, bits."""
        return struct.unpack(self.order + "HHIIHH", self.fmt[:16].ljust(16, b"\0"))

    @property
    def true_fmt(self) -> bytes:
        """The chunk `fmt`, with what can be counted where it says nothing."""
        encoding, n_channels, rate, of_second, of_frame, n_bits = self._fields
        if encoding in _PCM and not (of_frame and of_second):
            of_frame = of_frame or n_channels * ((n_bits + 7) // 8)
            of_second = rate * of_frame
        return struct.pack(self.order + "HHIIHH", encoding, n_channels, rate, of_second, of_frame, n_bits) + self.fmt[16:]

    @property
    def lies(self) -> bool:
        """Whether other programs read something else than the sound."""
        return self.until_end or self.is_odd or self.true_fmt != self.fmt


def _header(stream: BinaryIO, at: int, end: int, order: str) -> tuple[bytes, int] | None:
    """Name and length of a chunk; None where there is none, or one that reaches beyond the file and is not the sound."""
    stream.seek(at)
    if len(header := stream.read(8)) < 8:
        return None
    name, n_bytes = struct.unpack(order + "4sI", header)
    is_chunk = all(32 <= letter < 127 for letter in name) and (name == b"data" or n_bytes <= end - at - 8)
    return (name, n_bytes) if is_chunk else None


def _is_chunks(stream: BinaryIO, at: int, end: int, order: str) -> bool:
    """Whether whole chunks, or tags, are all that is left of the file."""
    while (left := end - at) > 0:
        stream.seek(at)
        if stream.read(8).startswith(_TAGS) or left == 1:
            return True
        header = _header(stream, at, end, order)
        if header is None or header[1] > left - 8:
            return False
        at += 8 + header[1] + (header[1] & 1)
    return True


def _tail(stream: BinaryIO, start: int, end: int, order: str) -> int:
    """Where known chunks begin that fill the file to its end; its end without any."""
    first = max(start, end - _LONGEST_TAIL)
    stream.seek(first)
    last = stream.read(max(0, end - first))
    places = sorted(at for name in _BEHIND for at in _places(last, name))
    return next((first + at for at in places if _is_chunks(stream, first + at, end, order)), end)


def _places(content, name):
    at = content.find(name)
    while at >= 0:
        yield at
        at = content.find(name, at + 1)


def _found(stream: BinaryIO, at: int, end: int, name: bytes, order: str) -> int:
    """Where the next chunk `name` begins, looked for byte by byte; the end of the file without one."""
    stream.seek(at)
    content = stream.read(max(0, min(end - at, _LONGEST_FORMAT)))
    places = [at + place for place in _places(content, name)]
    lengths = [(_header(stream, place, end, order) or (name, -1))[1] for place in places]
    fitting = [place for place, length in zip(places, lengths) if 0 < length <= end - place - 8]
    return next(iter(fitting or places[::-1]), end)  # the last, if none fits: others may be words of a text


def _behind_tag(stream: BinaryIO) -> int:
    """Where the file begins behind a tag of ID3 that somebody put before it; the stream stands there."""
    tag = stream.read(10)
    at = 10 + sum(byte << 7 * place for place, byte in enumerate(tag[:5:-1])) if tag[:3] == b"ID3" else 0
    stream.seek(at)
    return at


def layout_of(path: str | Path) -> Layout | None:
    """Where the sound of a RIFF file lies; None where that is not for its header to say: another format, or no sound."""
    if not Path(path).is_file():
        return None
    end, fmt, long = os.path.getsize(path), b"", 0
    with open(path, "rb") as stream:
        at = _behind_tag(stream)
        magic, is_wave = stream.read(4), stream.read(8)[4:] == b"WAVE"
        order = _ORDERS.get(magic, "")
        if not order or not is_wave:
            return None
        is_odd, at = at > 0, at + 12
        before = at
        while at < min(end, _LONGEST_HEADER):
            header = _header(stream, at, end, order)
            if header is None:  # the chunk before has no length to go by
                at, is_odd = _found(stream, before + 8, end, b"data" if fmt else b"fmt ", order), True
                before = at
                continue
            name, n_bytes = header
            if name == b"data" and (n_bytes or not _header(stream, at + 8, end, order)):
                is_odd = is_odd or magic in _LONG and (n_bytes != _IN_DS64 or not long)
                return _layout(stream, at + 8, end, long if n_bytes == _IN_DS64 and long else n_bytes, fmt, order, is_odd)
            if name == b"fmt ":
                stream.seek(at + 8)
                fmt = stream.read(min(max(n_bytes, 16), _LONGEST_FORMAT))
            if name == b"ds64":
                stream.seek(at + 8)
                long = struct.unpack(order + "8xQ", stream.read(16).ljust(16, b"\0"))[0]
            is_odd = is_odd or name == b"data"  # an empty one, before that of the sound
            before, at = at, at + 8 + n_bytes + (n_bytes & 1)
            if n_bytes & 1 and not _header(stream, at, end, order) and _header(stream, at - 1, end, order):
                at, is_odd = at - 1, True
    return None


def _layout(stream, start, end, promised, fmt, order, is_odd) -> Layout:
    held = end - start
    behind = start + min(promised + (promised & 1), held)
    until_end = promised >= _NEVER_COUNTED > held or not _is_chunks(stream, behind, end, order)
    if until_end or promised >= held:
        sound_end = _tail(stream, start, end, order)
        until_end, held = until_end or sound_end < end, sound_end - start
    return Layout(promised, held, start, fmt, order, until_end, is_odd)


def _chunk(order, name, n_bytes):
    return struct.pack(order + "4sI", name, n_bytes)


@contextmanager
def with_true_header(path: str | Path) -> Iterator[Path]:
    """The path of a file that other programs read rightly: `path` itself, or where its header lies, a copy."""
    layout, patches = layout_of(path), patches_of(path) if Path(path).is_file() else []
    if patches:
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(shutil.copyfile(path, Path(folder) / "plain"))
            with open(plain, "r+b") as copy:
                for at, content in patches:
                    copy.seek(at)
                    copy.write(content)
            yield plain
        return
    if not layout or not layout.lies:
        yield Path(path)
        return
    order, fmt = layout.order, layout.true_fmt
    with tempfile.TemporaryDirectory() as folder, open(path, "rb") as stream:
        plain = Path(folder) / "plain.wav"
        is_long = layout.held >= 2**32 - 2**16
        with open(plain, "wb") as copy:
            magic = b"RF64" if is_long else b"RIFX" if order == ">" else b"RIFF"
            size = 4 + 8 + len(fmt) + (len(fmt) & 1) + 8 + layout.held
            copy.write(_chunk(order, magic, _IN_DS64 if is_long else size) + b"WAVE")
            if is_long:
                copy.write(_chunk(order, b"ds64", 28) + struct.pack("<QQQI", size + 36, layout.held, 0, 0))
            copy.write(_chunk(order, b"fmt ", len(fmt)) + fmt + bytes(len(fmt) & 1))
            copy.write(_chunk(order, b"data", _IN_DS64 if is_long else layout.held))
            stream.seek(layout.start)
            left = layout.held
            while block := stream.read(min(left, _COPIED)):
                left -= copy.write(block)
        yield plain
