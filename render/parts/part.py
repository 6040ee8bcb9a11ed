"""The parts of a face that a network paints: where each lies, how large its view is, and which outlines tell its masks.

Reads, writes: nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.face import face68

NETWORK, VERSION = "render.mouth_model.MouthPainter", 2  # as files name it, from when it painted mouths alone
LIDS_FROM, LIDS_WHOLE = 0.22, 0.4  # closed by this share of its opening an eye begins to be painted, and is painted
FINER, FINEST_PX = 1.3, 300  # times a photo's own pixels, that they stay sharp; px an eye distance
_AT = np.linspace(-1, 1, 13)  # lips are curves, not corners


def lip_outline(points: NDArray) -> NDArray:
    """The inner lips of `points` [68, 2] as a smooth closed line, above and back below -> [26, 2], in their own unit."""
    upper, lower = face68.inner_lip_curves(points, _AT)
    return np.concatenate([upper, lower[::-1]])


def _lips(face, _):
    return [face[list(face68.GROUPS["outer_lips"])]], [lip_outline(face)]


def _lids(face, photo):
    moved, before = ([points[list(face68.GROUPS[f"{side}_eye"])] for side in ("right", "left")] for points in (face, photo))
    return [*before, *moved], moved


def _always(*_):
    return 1.0


def _as_lids_close(face, photo):
    closed = 1 - face68.eye_opening(face) / max(float(face68.eye_opening(photo)), 1e-3)
    return float(np.clip((closed - LIDS_FROM) / (LIDS_WHOLE - LIDS_FROM), 0, 1))


@dataclass(frozen=True)
class Part:
    """One part.

    rows, columns : of its view, px; divisible by 16
    middle : points [68, 2] in face space -> float [2], what the view is laid by
    at : x, y of that middle, of the view's sides
    near_px : of the view, around the outlines: only there is anything painted
    outlines : points, the photo's own points [68, 2] -> two lists of closed lines float [n, 2]: what of the part is masked
        half, and what whole
    strength : the same points -> how much of the part is painted, 0..1
    pairs : folder of the pairs it learns from
    unit_px : of the view, px an eye distance
    square : px a side that enter the network as one
    least_px : of an eye distance, from which on a recording is sharp enough to learn from
    """

    name: str
    rows: int
    columns: int
    middle: Callable
    at: tuple
    near_px: int
    outlines: Callable
    strength: Callable
    pairs: str
    unit_px: int = 144  # a mouth is about 130 px wide
    square: int = 4
    least_px: float = 0

    @property
    def size(self):
        """Rows, columns."""
        return self.rows, self.columns


MOUTH = Part("mouth", 160, 192, face68.mouth_middle, (0.5, 0.37), 32, _lips, _always, "data/pairs")  # the jaw drops far
EYES = Part("eyes", 96, 272, lambda _: np.zeros(2), (0.5, 0.5), 28, _lids, _as_lids_close, "data/eye_pairs")
LARGE_MOUTH = replace(MOUTH, name="large_mouth", rows=2 * MOUTH.rows, columns=2 * MOUTH.columns, near_px=2 * MOUTH.near_px,
                      unit_px=2 * MOUTH.unit_px, square=2 * MOUTH.square, pairs="data/large_pairs", least_px=90)
PARTS = {part.name: part for part in (MOUTH, LARGE_MOUTH, EYES)}


def of_photo(name: str, photo_px: float, rows: float, columns: float, at: tuple = (0.5, 0.5)) -> Part:
    """A part around both eyes that no network paints, of a photo's own pixels: `rows` by `columns` eye distances.

    `photo_px`, of the photo, an eye distance
    """
    unit_px = int(min(FINER * photo_px, FINEST_PX))
    height, width = (round(side * unit_px / 2) * 2 for side in (rows, columns))
    return Part(name, height, width, lambda _: np.zeros(2), at, 0, lambda *_: ([], []), _always, "", unit_px)


def cure_of(part: Part) -> str:
    """What to do about a painter of a part that is none."""
    return f"python -m render.parts.train --part {part.name}, or take the model that came with the program"
