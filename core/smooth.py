"""Smoothing in time where a start must be quick: scipy.ndimage does the same, and takes longer to import than to smooth.

Reads, writes: nothing.
"""

import numpy as np
from numpy.typing import NDArray

_REACH = 4  # standard deviations: what lies further off counts for nothing


def smoothed(values: NDArray, sigma: float) -> NDArray:
    """A Gaussian running mean along the first axis; beyond either end it goes on as it ended.

    values : float [frame, ...]; sigma : standard deviation, frames -> float of the same type and shape
    """
    reach = int(_REACH * sigma + 0.5)
    kernel = np.exp(-np.square(np.arange(-reach, reach + 1) / sigma) / 2)
    columns = np.pad(values, ((reach, reach), *((0, 0),) * (values.ndim - 1)), "edge").reshape(len(values) + 2 * reach, -1)
    mean = [np.convolve(column, kernel / kernel.sum(), "valid") for column in columns.T]
    return np.stack(mean, 1).reshape(values.shape).astype(values.dtype)
