"""Which of several faces is meant: the largest, one by its number, or the one at a place.

Reads, writes: nothing.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError


def choose_face(boxes: NDArray, which: str | None, path: str | Path, columns: int, rows: int,
                see: str = "") -> int:
    """The row of `boxes` that `which` means: `largest` (or None), N from left to right beginning with 1, or x,y in px.

    Parameters
    ----------
    boxes : float [face, 4]: left, top, right, bottom, px; from left to right
    columns, rows : of the picture
    see : a command that shows the faces, for the cure

    Raises
    ------
    InputError : none of these, or there is no such face.
    """
    sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    if which in (None, "largest"):
        return int(sizes.argmax())
    words = str(which).split(",")
    numbers: list[Any]
    try:
        numbers = [int(words[0])] if len(words) == 1 else [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        if not 1 <= numbers[0] <= len(boxes):
            raise InputError("--face", f"{which}, and {path} has {len(boxes)} face{'s' * (len(boxes) > 1)}",
                             f"1 to {len(boxes)}", see)
        return numbers[0] - 1
    if len(numbers) != 2:
        raise InputError("--face", f"{which!r}", "largest, the number of a face, or x,y in px", see)
    x, y = numbers
    if not (0 <= x < columns and 0 <= y < rows):
        raise InputError("--face", f"{which} lies outside of {path}", f"a pixel of {columns}x{rows}", see)
    off = np.maximum(np.maximum(boxes[:, :2] - (x, y), (x, y) - boxes[:, 2:]), 0)  # 0 where a box holds the pixel
    distance = np.hypot(*off.T)
    return int(np.lexsort((sizes, distance))[0])  # of two that hold it, the smaller
