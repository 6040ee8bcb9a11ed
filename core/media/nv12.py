"""Pictures as encoders take them: light at full size, colour at half, by BT.709 of limited range, in the layout NV12.

Reads, writes: nothing. A frame is uint8 [row * 3 / 2, column]: the light of all pixels, then pairs of colour differences.
Source: ITU-R BT.709-6; colours lie beside the left pixel of two and between two rows, as H.264 takes them to.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_RED, _BLUE = 0.2126, 0.0722  # of the light
_LIGHT = np.array([_RED, 1 - _RED - _BLUE, _BLUE])
_FROM_RGB = np.array([np.append(_LIGHT * 219 / 255, 16),
                      np.append((np.array([0, 0, 1]) - _LIGHT) * 112 / 255 / (1 - _BLUE), 128),
                      np.append((np.array([1, 0, 0]) - _LIGHT) * 112 / 255 / (1 - _RED), 128)])
_HALVED = np.array([[1, 2, 1]]), np.array([[1], [1]])  # weights of colours: to the side, and down
_BACK = np.linalg.inv(_FROM_RGB[:, :3])
_TO_RGB = np.column_stack([_BACK, -_BACK @ _FROM_RGB[:, 3]])


def to_yuv(picture: NDArray) -> NDArray:
    """uint8 [row, column, rgb] -> uint8 [row, column, yuv], all at full size; a fourth channel stays as it is."""
    form = _FROM_RGB if picture.shape[2] == 3 else np.vstack([np.insert(_FROM_RGB, 3, 0, axis=1), [0, 0, 0, 1, 0]])
    return cv2.transform(np.ascontiguousarray(picture), form)


def to_rgb(frame: NDArray) -> NDArray:
    """A frame as `join` makes them -> uint8 [row, column, rgb]."""
    light, colour = views(frame)
    wide = cv2.resize(colour, light.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.transform(cv2.merge([light, wide]), _TO_RGB)


def split(picture: NDArray, between: bool = False) -> tuple[NDArray, NDArray]:
    """uint8 [row, column, rgb], even sides -> light uint8 [row, column, 1], colour uint8 [row / 2, column / 2, uv].

    `between` : colours lie in the middle of four pixels, as `enlarge` takes them to
    """
    light, *colour = cv2.split(to_yuv(picture))
    if between:
        return light[..., None], cv2.resize(cv2.merge(colour), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sums = cv2.sepFilter2D(cv2.merge(colour), cv2.CV_16S, *_HALVED, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE)
    return light[..., None], ((sums[::2, ::2] + 4) >> 3).astype(np.uint8)


def enlarge(frame: NDArray, out: NDArray) -> None:
    """A frame as `join` makes them, made as large as another: into `out`, both uint8 [row * 3 / 2, column]."""
    for plane, large, kind in zip(views(frame), views(out), (cv2.INTER_CUBIC, cv2.INTER_LINEAR)):
        cv2.resize(plane, large.shape[1::-1], large, interpolation=kind)


def join(light: NDArray, colour: NDArray) -> NDArray:
    """The planes of `split` as one frame, uint8 [row * 3 / 2, column]."""
    return np.concatenate([light[..., 0], colour.reshape(-1, light.shape[1])])


def views(frame: NDArray) -> tuple[NDArray, NDArray]:
    """The planes in a frame, of which `join` was made: changing them changes it."""
    rows = len(frame) * 2 // 3
    return frame[:rows, :, None], frame[rows:].reshape(rows // 2, -1, 2)

