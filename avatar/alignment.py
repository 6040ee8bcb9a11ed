"""Photo and comic of one face aligned: the warp between their points, and the styles a comic can have.

Reads, writes: nothing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_PX = 256
STYLES = ("v1", "v2")  # of Face2Comics: ink over the photo's own colours; flat colours of a few paints
_SMOOTHING = 4.0  # px²: points are measured to a pixel or two
_NODES = 33  # a side, of the grid the warp is solved on


def warp_of(points: NDArray, goal: NDArray, size_px: int) -> NDArray:
    """Where each pixel comes from when a picture's `points` [68, 2] go to `goal` [68, 2]: float32 [row, column, xy] px."""
    from scipy.interpolate import RBFInterpolator
    edge = np.linspace(0, size_px - 1, 5)
    frame = np.array([(x, y) for x in edge for y in edge if {x, y} & {edge[0], edge[-1]}])
    field = RBFInterpolator(np.r_[goal, frame], np.r_[points, frame], smoothing=_SMOOTHING)
    at = (np.arange(_NODES) + 0.5) * size_px / _NODES - 0.5
    nodes = np.stack(np.meshgrid(at, at), -1)
    offsets = (field(nodes.reshape(-1, 2)).reshape(nodes.shape) - nodes).astype(np.float32)
    pixels = np.stack(np.meshgrid(*[np.arange(size_px, dtype=np.float32)] * 2), -1)
    return pixels + cv2.resize(offsets, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
