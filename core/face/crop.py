"""Upright pictures of a face: any frame moved so that face space lies where a view says.

Reads, writes: nothing. A view is a pose as in `core.face.face68`: px per eye distance, roll, x and y of the origin.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68


def align_face(frame: NDArray, pose: NDArray, view: NDArray | Sequence[float], size: tuple[int, int]) -> NDArray:
    """Move a frame so that the face under `pose` comes to lie under `view`.

    Parameters
    ----------
    frame : uint8 [row, column, rgb]
    pose : float [4], head pose in `frame`
    view : float [4], the pose wanted
    size : rows, columns of the result

    Returns
    -------
    uint8 [*size, rgb]; beyond the frame its edge goes on; black when `pose` is NaN
    """
    if not np.isfinite(pose).all():
        return np.zeros((*size, 3), np.uint8)
    pose = np.asarray(pose, np.float64)
    shrink = view[0] / pose[0]
    if shrink < 1:  # average first: a cubic of a large picture skips pixels
        frame = cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        pose = np.array([pose[0] * shrink, pose[1], *((pose[2:] + 0.5) * shrink - 0.5)])
    corners = np.array([[[0, 0], [1, 0], [0, 1]]])  # three points of face space fix the affine map
    source, goal = (face68.to_pixel_space(corners, np.asarray(p))[0] for p in (pose, view))
    return cv2.warpAffine(frame, cv2.getAffineTransform(source, goal), tuple(size)[::-1], flags=cv2.INTER_CUBIC,
                          borderMode=cv2.BORDER_REPLICATE)
