"""Move the irises of a photo inside the opening of the eyes: the photo's own pixels, slid along the lids.

Reads: an upright picture of both eyes and the outlines in it, in memory. Writes: nothing.
Between the lids each column of pixels slides sideways, the iris as a whole, the white beside it less and less towards the
corners of the eye; it keeps its distance from both lids, so that nothing of a lid comes into the eye. Up and down the iris
slides less the nearer a lid is. A catch-light belongs to the lamp: it stays, and the iris slides below it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

RIM = 1.15  # times the iris's radius: what slides as a whole
ROOM = 0.55  # of the white beside the iris that may be taken up: beyond it would fold
EDGE = 0.12  # of the radius, over which the lids' edge is blended
CATCH_LIGHT, HALO, STAYS = 60.0, 0.6, 0.5  # lighter than the iris, 0 to 255; of the radius around it; how much of it stays
MOST_LIGHTS = 3


@dataclass(frozen=True)
class Eye:
    """One eye in a picture, px: both lids from corner to corner, float [n, 2], middle of the iris float [2], its radius."""

    upper: np.ndarray
    lower: np.ndarray
    middle: np.ndarray
    radius: float


def _curve(lid):
    """A lid as a smooth curve: its height at x."""
    return np.polynomial.Polynomial.fit(lid[:, 0], lid[:, 1], 4)


class Eyeball:
    """One eye of a picture, ready to look elsewhere; `eye` says where it is in `picture`, uint8 [row, column, rgb]."""

    def __init__(self, picture: NDArray, eye: Eye):
        rows, columns = picture.shape[:2]
        points = np.concatenate([eye.upper, eye.lower])
        edge = np.ceil(2 * EDGE * eye.radius) + 1
        left, top = np.maximum(np.floor(points.min(0) - edge).astype(int), 0)
        right, bottom = np.minimum(np.ceil(points.max(0) + edge).astype(int) + 1, (columns, rows))
        self.box = slice(int(top), int(bottom)), slice(int(left), int(right))
        self.picture = picture[self.box]
        self.middle, self.radius = (eye.middle - (left, top)).astype(np.float32), eye.radius
        self.y, self.x = np.mgrid[:bottom - top, :right - left].astype(np.float32)
        upper, lower = (lid - (left, top) for lid in (eye.upper, eye.lower))
        self.corners = float(upper[:, 0].min()), float(upper[:, 0].max())
        self._upper, self._lower = _curve(upper), _curve(lower)
        inner = RIM * self.radius  # what lies beside the iris, left and right
        self.room = (max(0.0, float(self.middle[0]) - inner - self.corners[0]),
                     max(0.0, self.corners[1] - float(self.middle[0]) - inner))
        self.lids = self._lids(self.x[0])
        self.follows = (1 - STAYS * self._shine()).astype(np.float32)  # of the iris's way that a pixel goes
        upper, lower = self.lids
        down = (self.y - upper) / np.maximum(lower - upper, 1e-3)  # 0 at the upper lid, 1 at the lower
        self.down = np.clip(down, 0, 1).astype(np.float32)
        soft, (first, last) = EDGE * self.radius, self.corners
        along = np.clip((self.x - first) / soft, 0, 1) * np.clip((last - self.x) / soft, 0, 1)
        shown = along * np.clip((self.y - upper) / soft + 1, 0, 1) * np.clip((lower - self.y) / soft + 1, 0, 1)
        self.shown = np.round(255 * shown).astype(np.uint8)

    def _lids(self, x):
        x = np.clip(x, *self.corners)
        upper, lower = self._upper(x), self._lower(x)
        middle = (upper + lower) / 2
        return np.minimum(upper, middle).astype(np.float32), np.maximum(lower, middle).astype(np.float32)

    def _shine(self):
        """How near each pixel is to a catch-light: float32 [row, column], 1 on it."""
        upper, lower = self.lids
        iris = (self.y > upper) & (self.y < lower) & (
            np.hypot(self.x - self.middle[0], self.y - self.middle[1]) < 0.9 * self.radius)
        shine = np.zeros_like(self.x)
        if not iris.any():
            return shine
        grey = cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        bright = (iris & (grey > np.median(grey[iris]) + CATCH_LIGHT)).astype(np.uint8)
        _, _, about, middles = cv2.connectedComponentsWithStats(bright)
        for light in np.argsort(-about[1:, cv2.CC_STAT_AREA])[:MOST_LIGHTS] + 1:
            square = np.square(self.x - middles[light, 0]) + np.square(self.y - middles[light, 1])
            shine = np.maximum(shine, np.exp(-2 * square / (HALO * self.radius) ** 2))
        return shine

    def look(self, to: NDArray) -> NDArray:
        """The eye with its iris moved by `to` [2], px: uint8 [row, column, rgb] of `box`; `shown` says how much of it shows."""
        dx, dy = float(np.clip(to[0], -ROOM * self.room[0], ROOM * self.room[1])), float(to[1])
        x, (left, right) = self.x[0], self.corners
        at, inner = self.middle[0] + dx, RIM * self.radius
        beside = np.where(x < at, (x - left) / max(at - inner - left, 1e-3), (right - x) / max(right - at - inner, 1e-3))
        beside = np.clip(beside, 0, 1)
        slides = (dx * beside * beside * (3 - 2 * beside)).astype(np.float32)
        near = (4 * dy * np.clip(1.5 - np.abs(x - at) / inner, 0, 1)).astype(np.float32)
        by_upper, by_lower = (there - here for here, there in zip(self.lids, self._lids(x - slides)))
        down = self.down
        source_y = self.y + by_upper + down * (by_lower - by_upper) - near * down * (1 - down) * self.follows
        return cv2.remap(self.picture, self.x - slides * self.follows, source_y, cv2.INTER_CUBIC,
                         borderMode=cv2.BORDER_REPLICATE)
