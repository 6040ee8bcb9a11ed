"""How a head in a video moved, measured from its 68 points: turn, nod, lean, shift, and how far the brows are raised.

Reads, writes: nothing. The head is that of `core.face.head`, so what is measured here is what the renderer shows: a small
motion moves each point along known directions, and the motion of a frame is the least-squares fit of them to the points that
neither speech nor brows move. The head's size is fitted too, and dropped.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.clock import FPS
from core.face import face68
from core.face.head import HeadField

STEADY_S = 0.06  # of Gaussian smoothing in time: the detector trembles faster than a head can move
LARGEST_TURN = 0.8  # sine of the largest yaw and pitch
BROWS = tuple(list(face68.GROUPS[name]) for name in ("right_brow", "left_brow"))
_JAW, _N_CHEEK = list(face68.GROUPS["jaw"]), 4
_FIRM = sorted({*face68.RIGID, *face68.GROUPS["nose_base"], *_JAW[:_N_CHEEK], *_JAW[-_N_CHEEK:]})  # not moved by speech


def directions(points: NDArray) -> NDArray:
    """How `points` float [n, 2] move with yaw, pitch, roll, shift right, shift down, size: float [n, 2, 6], a unit each."""
    follows, depth = HeadField(points).basis.T[2:]
    ways, (x, y) = np.zeros((len(points), 2, 6)), points.T
    ways[:, 0, 0] = ways[:, 1, 1] = depth
    ways[:, 0, 2], ways[:, 1, 2] = -y * follows, x * follows
    ways[:, 0, 3] = ways[:, 1, 4] = follows
    ways[:, :, 5] = points
    return ways


def _level(face, pose):
    """The points under the clip's median pose alone: float [frame, 68, 2], eye distances; its head is free to move."""
    seen = np.isfinite(pose).all(1)
    scale, roll, *origin = np.median(pose[seen], axis=0)
    turn = np.exp(1j * pose[seen, 1])
    roll = np.angle(np.median(turn.real) + 1j * np.median(turn.imag))
    z = face68.to_pixel_space(face, pose) @ np.array([1, 1j])
    z = (z - complex(*origin)) / (scale * np.exp(1j * roll))
    return np.stack([z.real, z.imag], -1)


def head_and_brows(face: NDArray, pose: NDArray) -> tuple[NDArray, NDArray]:
    """Measure a clip.

    Parameters
    ----------
    face : float [frame, 68, 2], landmarks-face; NaN where there was no face, not everywhere
    pose : float [frame, 4], head-pose

    Returns
    -------
    head : float32 [frame, 5], about the clip's median: yaw, pitch, roll (rad), shift right and down (eye distances)
    brows : float32 [frame, 2], how far the right and the left brow are raised above their median, eye distances
    Frames without a face are filled in time.
    """
    points = _level(face, pose)
    rest = np.nanmedian(points, axis=0)
    ways = directions(rest)
    moved = face68.fill_missing(points) - rest
    fit = moved[:, _FIRM].reshape(len(moved), -1) @ np.linalg.pinv(ways[_FIRM].reshape(-1, ways.shape[-1])).T
    left = moved - np.einsum("pxw,tw->tpx", ways, fit)
    brows = -np.stack([left[:, brow, 1].mean(1) for brow in BROWS], 1)
    fit[:, :2] = np.arcsin(np.clip(fit[:, :2], -LARGEST_TURN, LARGEST_TURN))
    steady = gaussian_filter1d(np.concatenate([fit[:, :5], brows], 1), STEADY_S * FPS, axis=0, mode="nearest")
    steady -= np.median(steady, axis=0)
    return steady[:, :5].astype(np.float32), steady[:, 5:].astype(np.float32)
