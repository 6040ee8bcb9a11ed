"""Several people of one photo, each moved by landmarks of their own: each pixel is of the person nearest to it.

Reads: the models of the photo renderer. Writes: nothing.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from render.photo import Photo
from render.sampling import planes

SOFT = 0.3  # eye distances over which the part of one person passes into that of another
_DOWN = 0.4  # eye distances from the eyes to the middle of a head


def shares(photos: Sequence[Photo]) -> list[NDArray]:
    """How much of each pixel is in each person's part of the picture: float32 [row, column], 0..1, that sum up to 1.

    The distance counts in each person's own eye distances, so that who is near the camera has more room.
    """
    rows, columns = photos[0].picture.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    away = []
    for photo in photos:
        px, roll, *eyes = (float(value) for value in photo.pose)
        middle = eyes[0] - np.sin(roll) * _DOWN * px, eyes[1] + np.cos(roll) * _DOWN * px
        away.append(np.hypot(x - np.float32(middle[0]), y - np.float32(middle[1])) / np.float32(px))
    near = [np.clip(0.5 + (np.min(away[:i] + away[i + 1:], axis=0) - one) / SOFT, 0, 1) for i, one in enumerate(away)]
    total = np.sum(near, axis=0)
    return [one / total for one in near]


def together(parts: Sequence[NDArray], streams: Sequence[Iterator[NDArray]]) -> Iterator[NDArray]:
    """Yield one picture of each person's: uint8 [row, column, rgb], or as `core.media.nv12` lays them out.

    Where a pixel is one person's alone it is theirs, to the bit.

    Parameters
    ----------
    parts : `shares`
    streams : frames of each person, of the whole photo
    """
    sums = np.cumsum(parts, axis=0)
    weights = []  # of each person after the first beside those before: of the whole, and at half size
    for own, before in zip(parts[1:], sums):
        share = own / np.maximum(own + before, 1e-6)
        share[own + before < 1e-6] = 0
        half = cv2.resize(share, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        weights.append((_weight(share), _weight(half)))
    for first, *others in zip(*streams):
        shown = planes.views(first)
        for frame, weight in zip(others, weights):
            for plane, other, (alone, box, own, rest) in zip(shown, planes.views(frame), weight):
                mixed = cv2.blendLinear(np.ascontiguousarray(other[box]), np.ascontiguousarray(plane[box]), own, rest)
                cv2.copyTo(other, alone, plane)
                plane[box] = mixed.reshape(plane[box].shape)
        yield first


def _weight(share):
    """Where a pixel is this person's alone, uint8 [row, column]; the box of those that are so in part; the shares in it."""
    left, top, width, height = cv2.boundingRect(((share > 0) & (share < 1)).astype(np.uint8))
    box = slice(top, top + max(1, height)), slice(left, left + max(1, width))
    part = np.ascontiguousarray(share[box])
    return (share >= 1).astype(np.uint8), box, part, 1 - part
