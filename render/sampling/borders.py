"""What a moving head may bring into the picture: nothing from beyond a border that cuts the person.

Reads, writes: nothing.
There is nothing beyond the border but its mirror image: a collar or hair doubled, as in a kaleidoscope. So towards such a
border the field falls to nothing, over a few times of what it pulls, and the picture is stretched there instead.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.sampling.grid import Grid

_SIDES = ((0, -1), (1, -1), (0, 1), (1, 1))  # left, top, right, bottom of a picture: axis and direction outwards
_OVER = 3.0  # times its pull that a field falls over: the picture is stretched to twice its width at most
_FARTHEST = 0.9  # eye distances from a border, where that begins
_NEAR, _SHARE = 0.1, 0.5  # a border cuts the person where they are as near: eye distances; how much of a pixel they are
_ALONG, _SOFT = 0.3, 0.15  # eye distances along the border from there, and how softly that ends


class Borders:
    """The nodes of a grid that lie near borders of a picture which cut the person.

    Parameters
    ----------
    grid : `Grid`
    picture : uint8 [row, column, rgb]
    person : float32 [row, column], 0..1, of that picture; None: it is the person everywhere
    """

    def __init__(self, grid: Grid, picture: NDArray, person: NDArray | None):
        self.to_px, self.from_px = grid.to_px, np.linalg.inv(grid.to_px).astype(np.float32)
        self.unit_px = float(np.sqrt(np.linalg.det(grid.to_px)))
        self.near = []
        for axis, outwards in _SIDES:
            at, along = (grid.nodes_px[..., k].ravel() for k in (axis, 1 - axis))
            away = at if outwards < 0 else picture.shape[1 - axis] - 1 - at
            chosen = np.flatnonzero(away < _FARTHEST * self.unit_px)
            cut = self._cut(picture.shape[axis], axis, outwards, person)
            cut = np.interp(along[chosen], np.arange(len(cut)), cut).astype(np.float32)
            chosen, cut = chosen[cut > 0], cut[cut > 0]
            self.near.append((axis, outwards, chosen, np.maximum(away[chosen], 0) / self.unit_px, cut))

    def _cut(self, length, axis, outwards, person):
        """How surely the border cuts the person, along its pixels: float32 [length], 0..1."""
        if person is None:
            return np.ones(length, np.float32)
        lines = person.T if axis == 0 else person
        n = max(1, round(_NEAR * self.unit_px))  # whose mirror image is that near as well
        edge = (lines[:n] if outwards < 0 else lines[-n:]).max(0) > _SHARE
        reach = 2 * round(_ALONG * self.unit_px) + 1
        wide = cv2.dilate(edge.astype(np.float32)[None], np.ones((1, reach)))
        return cv2.GaussianBlur(wide, (0, 0), _SOFT * self.unit_px, borderType=cv2.BORDER_REPLICATE)[0]

    def pulls(self, offsets: NDArray) -> list[float]:
        """How far offsets of all nodes (float32 [n, 2], face space) reach towards each of four borders: eye distances."""
        return [float((offsets[chosen] @ self.to_px[:, axis] * outwards).max(initial=0)) / self.unit_px
                for axis, outwards, chosen, _, _ in self.near]

    def hold(self, offsets: NDArray, pulls: list[float]) -> NDArray:
        """Offsets of all nodes that bring in nothing from beyond, where they reach as far as `pulls`; changed in place."""
        for (axis, outwards, chosen, away, cut), pull in zip(self.near, pulls):
            if pull > 0 and len(chosen):
                t = np.minimum(away / min(_OVER * pull, _FARTHEST), 1)
                moved = offsets[chosen] @ self.to_px
                moved[:, axis] *= np.where(moved[:, axis] * outwards > 0, 1 - cut * (1 - t * t * (3 - 2 * t)), 1)
                offsets[chosen] = moved @ self.from_px
        return offsets
