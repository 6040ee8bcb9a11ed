"""Faces made up of a photo's own, with mouth and lids as far from it as speech and blinks take them.

Reads, writes: nothing.
"""

import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render.liveliness import close_lids

OPEN, WIDE = 0.25, 1.15  # eye distances; times as wide
_SHAPES = (0, 1), (0, WIDE), (0.06, 1), (0.06, 0.75), (0.14, WIDE), (0.14, 0.85), (OPEN, 1), (1.4 * OPEN, 1)
_CLOSED = 0.4, 0.7, 1.0  # shares of the way
_LIPS = [*face68.GROUPS["outer_lips"], *face68.GROUPS["inner_lips"]]
_FALLS = [*list(face68.GROUPS["outer_lips"])[7:], *list(face68.GROUPS["inner_lips"])[5:]]
_CHIN = list(face68.GROUPS["jaw"])[4:13]


def _mouth(face, opening, width):
    face, middle = face68.closed_mouth(face, 0), face[_LIPS, 0].mean()
    face[_LIPS, 0] = middle + (face[_LIPS, 0] - middle) * width
    face[_FALLS, 1] += opening
    face[_CHIN, 1] += opening * np.sin(np.linspace(0, np.pi, len(_CHIN)))
    return face


def example_faces(face: NDArray, lids: bool) -> list[NDArray]:
    """Of `face` [68, 2] (face space) some that speak, or with `lids` some whose eyes close."""
    return [close_lids(face, share) for share in _CLOSED] if lids else [_mouth(face, *shape) for shape in _SHAPES]
