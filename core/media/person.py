"""Where a person is in a picture, by MediaPipe's selfie segmentation; its edges are those of the picture.

Reads: the model file, whose package is installed for this alone. Writes: nothing.
Sources: the model card of MediaPipe Selfie Segmentation (2021); the edges by a guided filter (He, Sun and Tang, ECCV 2010).
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models import Network
from core.pretrained import SELFIE, find

_SIDE_PX = 256  # of what the model looks at
_GUIDED_PX = 512  # longer side at which the edges are sought
_REACH, _EVEN = 6, 1e-4  # px around an edge of the mask; variance of grey values, 0..1, that is no edge


@cache
def _load(path) -> Network:
    return Network(path)


def _segment(model_file, picture):
    """What the model says of a picture: float32 [_SIDE_PX, _SIDE_PX], 0..1."""
    small = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return _load(model_file)(small[None].astype(np.float32) / 255)[0][0, ..., 0]


def _guided(mask, guide):
    """`mask` as a function of `guide` (both float32 [row, column], 0..1) that is linear around each pixel."""
    def mean(values):
        return cv2.blur(values, (2 * _REACH + 1,) * 2)

    middle, level = mean(guide), mean(mask)
    slope = (mean(guide * mask) - middle * level) / (mean(guide * guide) - middle * middle + _EVEN)
    return mean(slope) * guide + mean(level - slope * middle)


def person_mask(picture: NDArray) -> NDArray | None:
    """How much of each pixel is a person: uint8 [row, column, rgb] -> float32 [row, column], 0..1.

    None where the model is not installed.

    Raises
    ------
    InputError : the model's file is not the one that was tested.
    """
    folder = find(SELFIE)
    if folder is None:
        return None
    rows, columns = picture.shape[:2]
    shrink = min(1.0, _GUIDED_PX / max(rows, columns))
    size = max(2, round(columns * shrink)), max(2, round(rows * shrink))
    guide = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    mask = cv2.resize(_segment(folder / SELFIE.sha256[0][0], picture), size, interpolation=cv2.INTER_LINEAR)
    return np.clip(cv2.resize(_guided(mask, guide), (columns, rows), interpolation=cv2.INTER_LINEAR), 0, 1)
