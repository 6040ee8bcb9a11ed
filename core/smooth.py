"""Smoothing in time: Gaussian filter, moving average, Savitzky-Golay filter, along the first axis; and a taper.

Reads, writes: nothing. They do without scipy, which takes longer to import than they take to smooth.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS

Padding = Literal["constant", "edge", "symmetric"]  # of `numpy.pad`: those that are asked for


def _pad(values, before: int, after: int, mode):
    return np.pad(values, ((before, after), *((0, 0),) * (values.ndim - 1)), mode)


def gaussian_filter(values: NDArray, sigma: float, *, truncate: float = 4.0, mode: Padding = "edge") -> NDArray:
    """Filter with a Gaussian, as `scipy.ndimage.gaussian_filter1d` does.

    Parameters
    ----------
    values : float [frame, ...]
    sigma : standard deviation, frames
    truncate : standard deviations to either side; what lies further off counts for nothing
    mode : of `numpy.pad`: how `values` go on beyond either end; edge is scipy's nearest, symmetric its reflect

    Returns
    -------
    float [frame, ...], of the same type and shape
    """
    reach = int(truncate * sigma + 0.5)
    kernel = np.exp(-np.square(np.arange(-reach, reach + 1) / sigma) / 2)
    columns = _pad(values, reach, reach, mode).reshape(len(values) + 2 * reach, -1)
    mean = [np.convolve(column, kernel / kernel.sum(), "valid") for column in columns.T]
    return np.stack(mean, 1).reshape(values.shape).astype(values.dtype)


def moving_average(values: NDArray, width: int, *, mode: Padding = "edge") -> NDArray:
    """Average `width` (odd) frames around each: float [frame, ...] -> the same shape, NaN where one of them is NaN.

    mode : as for `gaussian_filter`
    """
    half = width // 2
    padded = _pad(values, half + 1, half, mode)
    missing = np.isnan(padded)
    total, n_missing = np.cumsum(np.where(missing, 0, padded), 0), np.cumsum(missing, 0)
    return np.where(n_missing[width:] > n_missing[:-width], np.nan, (total[width:] - total[:-width]) / width)


def savitzky_golay(values: NDArray, width: int, order: int = 2) -> NDArray:
    """Fit a polynomial to `width` frames around each (Savitzky and Golay 1964), in each stretch of frames without NaN.

    values : float [frame, ...] -> the same shape; stretches shorter than `width` stay as they are
    """
    half, smooth = width // 2, values.copy()
    powers = np.vander(np.arange(-half, half + 1.0), order + 1)
    fitted = powers @ np.linalg.pinv(powers)  # [width, width]: a row for each frame of those that are fitted
    known = np.flatnonzero(np.isfinite(values).reshape(len(values), -1).all(1))
    for stretch in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        if len(stretch) >= width:
            own = values[stretch].reshape(len(stretch), -1).astype(np.float64)
            middle = sum(weight * own[i:len(own) - width + 1 + i] for i, weight in enumerate(fitted[half]))
            whole = np.concatenate([fitted[:half] @ own[:width], middle, fitted[half + 1:] @ own[-width:]])
            smooth[stretch] = whole.reshape(len(stretch), *values.shape[1:])
    return smooth


def taper(n_frames: int, seconds: float) -> NDArray:
    """Tapered cosine (Tukey) window: rises from 0 in the first `seconds`, falls to 0 in the last; float [frame], 0..1."""
    at_s = (np.arange(n_frames) + 0.5) / FPS
    inside = np.minimum(at_s, n_frames / FPS - at_s) / min(seconds, n_frames / FPS / 2)
    return np.sin(np.pi / 2 * np.clip(inside, 0, 1)) ** 2
