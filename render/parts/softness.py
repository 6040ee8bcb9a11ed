"""How blurred a photo's face is, and what is painted for it as blurred: sharp lines in a soft face are seen at once.

Reads, writes: nothing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.photo import Photo

LEVELS = 0.6, 1.2, 2.4, 4.8  # px of Gaussians: a face's detail lies between two of them
SHARPNESS = (((0.33, 0.36, 0.46, 0.66), (2.6, 1.7, 0.8, 0.0)),  # of a face, finest detail over the next; px it is blurred by
             ((0.35, 0.40, 0.475, 0.525, 0.58), (4.0, 3.0, 2.0, 1.5, 0.0)))  # of the next two: beyond noise and JPEG's squares
SEEN_PX = 1.2  # of the photo, that it is blurred by: from here on a painted line is seen to be sharper
FINEST_PX = 2.0  # of a Gaussian: what is wider is blurred at a smaller size


def blur_of(photo: Photo) -> float:
    """How much a photo's face is blurred, px of a Gaussian: its finest detail beside the one twice as coarse tells.

    Noise looks like fine detail: a face enlarged from a small one tells itself only at the next two scales.
    """
    rows, columns = photo.picture.shape[:2]
    left, top = np.clip(photo.points.min(0), 0, (columns - 2, rows - 2)).astype(int)
    right, bottom = np.maximum(photo.points.max(0).astype(int), (left + 2, top + 2))
    grey = cv2.cvtColor(photo.picture[top:bottom, left:right], cv2.COLOR_RGB2GRAY).astype(np.float32)
    levels = [cv2.GaussianBlur(grey, (0, 0), spread) for spread in LEVELS]
    details = [max(float(np.square(a - b).mean()) ** 0.5, 1e-3) for a, b in zip(levels, levels[1:])]
    return max(float(np.interp(fine / coarse, *known)) for fine, coarse, known in zip(details, details[1:], SHARPNESS))


def soften(patch: NDArray, view: NDArray, blur_px: float) -> NDArray:
    """A painted patch, its difference from the `view` it is laid over blurred by `blur_px`.

    `patch`, uint8 [row, column, rgb and mask] -> alike; `view`, uint8 [row, column, rgb and more]. At the border of the view
    nothing is laid.
    """
    rows, columns = patch.shape[:2]
    shrink = max(1, int(blur_px / FINEST_PX))
    mask = cv2.extractChannel(patch, 3)
    change = (patch[..., :3].astype(np.float32) - view[..., :3]) * mask[..., None]
    laid = cv2.resize(np.dstack([change, mask.astype(np.float32)]), (-(-columns // shrink), -(-rows // shrink)),
                      interpolation=cv2.INTER_AREA)
    laid = cv2.GaussianBlur(laid, (0, 0), blur_px / shrink, borderType=cv2.BORDER_CONSTANT)
    laid = cv2.resize(laid, (columns, rows), interpolation=cv2.INTER_LINEAR)
    inner = cv2.copyMakeBorder(np.ones((rows - 2, columns - 2), np.float32), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    colours = view[..., :3] + laid[..., :3] / np.maximum(laid[..., 3:], 0.5)
    return np.dstack([np.clip(np.round(colours), 0, 255), np.round(laid[..., 3] * inner)]).astype(np.uint8)
