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
FINEST_PX = 1.0  # of a Gaussian: what is wider is blurred at a smaller size


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

    `patch`, uint8 [row, column, rgb and mask] -> alike; `view`, uint8 [row, column, rgb and more]; `blur_px` 1.2 and more. At
    the border of the view nothing is laid.
    """
    shrink = 2 ** max(1, int(np.log2(blur_px / FINEST_PX)))
    laid, under = (cv2.split(cv2.resize(one, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA))
                   for one in (patch, view))
    changes = [cv2.multiply(cv2.subtract(*pair, dtype=cv2.CV_32F), laid[3], dtype=cv2.CV_32F) for pair in zip(laid[:3], under)]
    changes = cv2.merge([*changes, laid[3].astype(np.float32)])
    spread = (blur_px / shrink) ** 2 - 0.25  # being made smaller and larger blurs, too
    *changes, share = cv2.split(cv2.GaussianBlur(changes, (0, 0), spread**0.5, borderType=cv2.BORDER_CONSTANT))
    changes = [cv2.divide(change, cv2.max(share, 0.5)) / 2 + 128 for change in changes]  # in 8 bits
    changes = cv2.resize(cv2.merge([*changes, share]).round().astype(np.uint8), patch.shape[1::-1])
    share = cv2.extractChannel(changes, 3)
    share[[0, -1]] = share[:, [0, -1]] = 0
    return cv2.insertChannel(share, cv2.addWeighted(view, 1, changes, 2, -256), 3)
