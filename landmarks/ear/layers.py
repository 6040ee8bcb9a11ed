"""The first layers of the speech encoder as an encoder of their own.

Reads: model.bin of a faster-whisper model folder. Writes: nothing.
The last layer knows the words; inner ones tell better how they are said (Pepino et al. 2021). CTranslate2 gives only what the
last layer makes, so the layers after the wanted one are left out of the file, and nearly all of the decoder. The file (binary
version 6) is a list of arrays, each its name, rank, shape, type, number of bytes, and bytes.
"""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

N_LAYERS = 4  # of the encoder of Whisper tiny
LIPS = 2  # of them are used for the lips: what comes later knows more of words and less of mouths (docs/experiments.md)
WORDS = ("<|endoftext|>", "<|startoftranscript|>")  # a vocabulary has to be there; the decoder is never asked
_ENCODER, _DECODER, _EMBEDDINGS, _NORM = "encoder/layer_", "decoder/layer_", "decoder/embeddings/weight", "encoder/layer_norm/"


def first_layers(folder: Path, n_layers: int) -> dict[str, bytes]:
    """The files of a model of the first `n_layers` of the encoder at `folder`, name -> contents.

    Its features are of mean 0 and variance 1 in each step: the scale that the last layer's are given belongs to the last.
    """
    with open(folder / "model.bin", "rb") as file:
        head = file.read(4) + _string(file) + file.read(4)
        arrays = [_array(file, n_layers) for _ in range(_number(file))]
        rest = file.read()
    kept = [array for array in arrays if array]
    return {"model.bin": head + struct.pack("<I", len(kept)) + b"".join(kept) + rest,
            "vocabulary.txt": "\n".join(WORDS).encode(), "config.json": (folder / "config.json").read_bytes()}


def _number(file: BinaryIO) -> int:
    return struct.unpack("<I", file.read(4))[0]


def _string(file: BinaryIO) -> bytes:
    """A string as it stands there: its length, two bytes, and it, which ends with a zero."""
    length = file.read(2)
    return length + file.read(struct.unpack("<H", length)[0])


def _array(file: BinaryIO, n_layers: int) -> bytes:
    """The next array as the smaller model has it; nothing where it has none."""
    named = _string(file)
    name, rank = named[2:-1].decode(), file.read(1)
    shape, kind, n_bytes = file.read(4 * rank[0]), file.read(1), _number(file)
    for part, n_kept in ((_ENCODER, n_layers), (_DECODER, 1)):
        number = name.removeprefix(part).split("/")[0]
        if name.startswith(part) and number.isdigit() and int(number) >= n_kept:
            file.seek(n_bytes, 1)
            return b""
    values = file.read(len(WORDS) * n_bytes // struct.unpack("<I", shape[:4])[0] if name == _EMBEDDINGS else n_bytes)
    if name == _EMBEDDINGS:
        file.seek(n_bytes - len(values), 1)
        shape = struct.pack("<I", len(WORDS)) + shape[4:]
    if name.startswith(_NORM):
        values = np.full(len(values) // 2, name.endswith("gamma"), np.float16).tobytes()
    return named + rank + shape + kind + struct.pack("<I", len(values)) + values
