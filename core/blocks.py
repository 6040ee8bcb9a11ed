"""Arrays too long for memory, written and read piece by piece along their first axis.

Reads, writes: any `.npy` of `core.kinds`, with the sidecar of `core.artifacts`.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts import described, shape_error
from core.kinds import KINDS, shape_text

N_FRAMES = 1024  # of a block


def _write_header(stream, kind, shape):
    """A .npy header; NumPy leaves room for the first axis to grow, so it can be written again at the end."""
    np.lib.format.write_array_header_1_0(stream, {"descr": np.dtype(kind.dtype).str, "fortran_order": False,
                                                  "shape": tuple(shape)})


def save(path: str | Path, blocks: Iterable[NDArray], kind_name: str, *, stage: str, options: dict | None = None,
         inputs: Iterable[str | Path] = (), **facts: Any) -> list[int] | None:
    """Like `artifacts.save`, for an array that comes in pieces; memory holds one of them.

    Returns
    -------
    the shape written, or None when there was no piece (then nothing is written)
    """
    blocks = iter(blocks)
    first = next(blocks, None)
    if first is None:
        return None
    kind, shape, n_missing = KINDS[kind_name], [0, *first.shape[1:]], 0
    about: dict[str, Any] = {"stage": stage, "options": options, "inputs": inputs, "dtype": kind.dtype,
                             "axes": [name for name, _ in kind.axes]}
    with described(path, kind_name, **about, **facts) as (part, known), open(part, "wb") as stream:
        _write_header(stream, kind, shape)
        for block in chain([first], blocks):
            if error := shape_error(kind, block):
                raise ValueError(f"{path}: {kind_name} takes {shape_text(kind)}, got {error}")
            stream.write(np.ascontiguousarray(block).tobytes())
            shape[0] += len(block)
            if block.dtype.kind == "f":
                n_missing += int(np.isnan(block).reshape(len(block), -1).any(1).sum())
        stream.seek(0)
        _write_header(stream, kind, shape)
        known["shape"] = shape
        if first.dtype.kind == "f" and kind.is_sequence:
            known.setdefault("missing_frames", n_missing)
    return shape


def read(path: str | Path, start: int = 0, stop: int | None = None) -> NDArray:
    """Frames `start` to `stop` of a `.npy` just written or checked: an array of its own; nothing else stays in memory."""
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[start:stop])


def each(path: str | Path, around: int = 0) -> Iterator[tuple[NDArray, slice]]:
    """All blocks of a `.npy` in order, with up to `around` more frames on both sides.

    Yields
    ------
    block : the frames and those around them
    own : slice of `block` that is not around
    """
    n_total = len(np.load(path, mmap_mode="r", allow_pickle=False))
    for start in range(0, n_total, N_FRAMES):
        first = max(0, start - around)
        block = read(path, first, start + N_FRAMES + around)
        yield block, slice(start - first, start - first + N_FRAMES)
