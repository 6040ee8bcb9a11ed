"""Motion as cubic B-splines: a few numbers a second that no trembling fits in, and back to frames.

Reads, writes: nothing. Knot k lies at frame ``(k - 1) * KNOT``; a frame is a mixture of four of them. Source: Unser 1999.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS

KNOT = 4  # frames from one to the next: 160 ms, up to 3 Hz
KNOTS_S = FPS / KNOT  # knots a second
CHANNELS = ("yaw", "pitch", "roll", "right", "down", "right brow", "left brow")
N_CHANNELS = len(CHANNELS)
N_HEAD = 5  # of them are `head-motion`


def n_knots_of(n_frames: int) -> int:
    """Knots of a motion of `n_frames`."""
    return -(-n_frames // KNOT) + 3


def _weights():
    """The share of four neighbouring knots in the frames between the middle two: float32 [KNOT, 4]."""
    u = np.arange(KNOT)[:, None] / KNOT
    return np.concatenate([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3], 1) / 6


def to_frames(knots: NDArray, n_frames: int) -> NDArray:
    """Knots [knot, channel] -> float32 [frame, channel]."""
    four = np.lib.stride_tricks.sliding_window_view(knots, 4, axis=0)  # [knot - 3, channel, 4]
    frames = np.einsum("kcf,wf->kwc", four, _weights()).reshape(-1, knots.shape[1])
    return frames[:n_frames].astype(np.float32)


@cache
def _fit(n_frames: int):
    """What makes knots of `n_frames`: float32 [knot, frame]."""
    basis = to_frames(np.eye(n_knots_of(n_frames)), n_frames)
    ridge = 1e-3 * np.eye(basis.shape[1])  # the outermost knots hardly touch a frame
    return np.linalg.solve(basis.T @ basis + ridge, basis.T).astype(np.float32)


def to_knots(frames: NDArray) -> NDArray:
    """Frames [frame, channel] -> the knots that fit them best, float32 [knot, channel]."""
    return (_fit(len(frames)) @ frames).astype(np.float32)


def at_knots(values: NDArray, fill: NDArray) -> NDArray:
    """Values of frames [frame, n] as what lies around each knot: float32 [knot, KNOT, n]; `fill` [n] beyond either end."""
    before = KNOT + KNOT // 2
    n_knots = n_knots_of(len(values))
    padded = np.empty((n_knots * KNOT, values.shape[1]), np.float32)
    padded[:] = fill
    padded[before:before + len(values)] = values
    return padded.reshape(n_knots, KNOT, -1)
