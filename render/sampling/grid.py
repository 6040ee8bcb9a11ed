"""Displacement fields on a coarse grid, interpolated at every pixel of a box.

Reads, writes: nothing.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68

MIN_STEP_PX = 4  # between nodes: finer is not seen


def box_of(low: NDArray, high: NDArray, pose: NDArray, window: Sequence[int]) -> list:
    """Pixels around a box of face space (corners `low`, `high`) under `pose`: left, top, right, bottom, cut by `window`.

    Even numbers, as those of `window` are.
    """
    corners = np.array([[low, (high[0], low[1]), high, (low[0], high[1])]], np.float32)
    corners = face68.to_pixel_space(corners, pose)[0]
    box = np.concatenate([np.floor(corners.min(0) / 2), np.ceil(corners.max(0) / 2)]) * 2
    return np.clip(box, (*window[:2],) * 2, (*window[2:],) * 2).astype(int).tolist()


class Grid:
    """A box of pixels with nodes, a little beyond it on all sides: fields are made at the nodes, and interpolated in the box.

    Parameters
    ----------
    low, high : corners of the box in face space, float [2]
    pose : float [4], of the photo
    window : what the box is cut by: left, top, right, bottom, px, all even
    cell : eye distances between nodes
    """

    def __init__(self, low, high, pose, window, cell):
        self.box = left, top, right, bottom = box_of(low, high, pose, window)
        step = cell * float(pose[0])
        self.step = max(MIN_STEP_PX, 4 * round(step / 4) if step > 10 else 2 * round(step / 2))
        x, y = (np.arange(-1, -(-(b - a) // self.step) + 1) * self.step + (self.step - 1) / 2 + a
                for a, b in ((left, right), (top, bottom)))
        self.nodes_px = np.stack(np.meshgrid(x, y), -1).astype(np.float32)
        factor, origin = pose[0] * np.exp(1j * pose[1]), complex(pose[2], pose[3])
        z = ((self.nodes_px[..., 0] + 1j * self.nodes_px[..., 1]) - origin) / factor
        self.nodes = np.stack([z.real.ravel(), z.imag.ravel()], 1).astype(np.float32)
        self.to_px = np.array([[factor.real, factor.imag], [-factor.imag, factor.real]], np.float32)

    def source(self, offsets):
        """Offsets of the nodes (face space, [n, 2]) to where their pixels come from: float32 [row, column, xy] px."""
        return self.nodes_px + (offsets @ self.to_px).reshape(self.nodes_px.shape)

    def box_of_nodes(self, chosen):
        """The part of the box around the nodes `chosen` (bool [row, column]): left, top, right, bottom; None without any."""
        sides = []
        for axis, (low, high) in enumerate(zip(self.box, self.box[2:])):
            numbers = np.flatnonzero(chosen.any(axis))
            first, last = (low + (n * self.step) for n in (numbers[0] - 1, numbers[-1])) if len(numbers) else (low, low)
            sides.append((max(first, low), min(last, high)))
        (left, right), (top, bottom) = sides
        return (left, top, right, bottom) if left < right and top < bottom else None

    def nodes_of(self, low, high, axis):
        """The first node that counts for pixels from `low` to before `high`, px along an axis, and the first after the last."""
        half = self.step // 2 - self.box[axis]
        return (low + half) // self.step, (high - 1 + half) // self.step + 2

    def interpolate(self, values, box=None, shrink=1):
        """Values at the nodes (float32 [row, column, channel]) at each pixel of the box, or of a `box` within it.

        With `shrink` 2 in the middle of each four of them.
        """
        left, top, right, bottom = box or self.box
        (first_x, last_x), (first_y, last_y) = self.nodes_of(left, right, 0), self.nodes_of(top, bottom, 1)
        values = np.ascontiguousarray(values[first_y:last_y, first_x:last_x])
        step = self.step // shrink
        large = cv2.resize(values, (values.shape[1] * step, values.shape[0] * step), interpolation=cv2.INTER_LINEAR)
        x, y = ((low - own) // shrink - (f - 1) * step for low, own, f in zip((left, top), self.box, (first_x, first_y)))
        return large[y:y + (bottom - top) // shrink, x:x + (right - left) // shrink]
