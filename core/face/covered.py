"""Frames of a video in which something stands before the lips: a hand, a cup, a microphone.

Reads, writes: nothing.
A small picture of the mouth is taken of each frame, in the light of the face above it. Mouths that speak differ along a few
principal components. These are fitted to the clip itself, to frames that show lips best first, and then to more and more that
lie near (least trimmed squares; Rousseeuw 1984). What comes before the lips for a time is far from all of them, in many places
at once, and is not red where they are. Measured in docs/experiments.md, "A new voice over a video".
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.face import face68
from core.face.crop import align_face
from core.media import nv12

CELL = 0.1  # eye distances
LEFT, TOP, ROWS, COLUMNS = -0.6, -0.45, 14, 12  # of the small picture; eye distances from the nose's base, cells
N_LIT = 4  # upper rows, of nose and cheeks: they tell of the light
_OVER = 2  # samples a cell, each way
N_MODES, N_ROUNDS = 8, 6
FAR, TIMES = 14.0, 4.0  # how far a cell is from all mouths: of 255, and times what is usual there
BEGINS, GOES_ON = 0.25, 0.15  # of the cells far off, where the lips are covered, and until they no longer are
RED, STILL_RED = 0.55, 0.75  # correlation of where it is red with the clip's mouths, below which that counts
PALE = 0.35  # of that: so low that fewer cells are enough for it to begin
GAP_S, AROUND_S = 0.16, 0.08  # without a sign of it between two; before and after, where its edge is there already
SHORTEST_S = 0.2  # of clear signs
FEWEST = 10  # frames, of which a clip is
APART = 0.3  # by which it is less than usual, in a clip without much colour
_LESS_LIGHT = np.array([0.3, 1, 1], np.float32)  # of what is usual at first: a mouth that opens changes in its light most
_FAINT = 10.0  # norm of the deviations of red over the cells: as much is noise
_NOISE = 30.0  # of the product of two such norms
MOST = 4096  # frames that the mouths of a clip are fitted to, and that are worked on at a time


def look(frame: NDArray, points: NDArray) -> NDArray:
    """The small picture of the mouth of a frame in NV12: uint8 [ROWS, COLUMNS, yuv]; 0 where `points` [68, 2] px are NaN."""
    if not np.isfinite(points).all():
        return np.zeros((ROWS, COLUMNS, 3), np.uint8)
    right, left = (points[list(face68.GROUPS[f"{side}_eye"])].mean(0) for side in ("right", "left"))
    across = left - right
    base = points[list(face68.GROUPS["nose_base"])].mean(0)
    pose = np.array([max(np.hypot(*across), 1e-3), np.arctan2(across[1], across[0]), *base])
    corners = np.array([[LEFT, TOP], [-LEFT, TOP], [LEFT, TOP + ROWS * CELL], [-LEFT, TOP + ROWS * CELL]])
    at = face68.to_pixel_space(corners[None], pose)[0]
    low, high = np.floor(at.min(0) / 2).astype(int) * 2 - 2, np.ceil(at.max(0) / 2).astype(int) * 2 + 2
    seen, unit = [], _OVER / CELL
    for plane, half in zip(nv12.views(frame), (1, 2)):
        (x, y), (x_end, y_end) = (np.clip(edge // half, 0, (np.array(plane.shape[1::-1]))) for edge in (low, high))
        if x_end - x < 2 or y_end - y < 2:
            return np.zeros((ROWS, COLUMNS, 3), np.uint8)
        own = np.array([pose[0] / half, pose[1], *((pose[2:] + 0.5) / half - 0.5 - (x, y))])
        view = np.array([unit, 0.0, -LEFT * unit - 0.5, -TOP * unit - 0.5])
        face = align_face(np.ascontiguousarray(plane[y:y_end, x:x_end]), own, view, (ROWS * _OVER, COLUMNS * _OVER))
        seen.append(cv2.resize(face, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).reshape(ROWS, COLUMNS, -1))
    return np.dstack(seen)


@dataclass(frozen=True)
class Mouths:
    """The mouths of a clip: how they differ, how far from them is far, where they are red, and in which light they are."""

    middle: NDArray  # [values of all cells]
    modes: NDArray  # [mode, values]
    most: NDArray  # [mode], how far they go along each
    far: NDArray  # [cell], of 255
    red: NDArray  # [row, column]
    light: float

    def away(self, mouths: NDArray) -> NDArray:
        """How far each cell of `mouths` is from all of these: float [frame, cell]."""
        left = mouths.reshape(len(mouths), -1) - self.middle
        left -= np.clip(left @ self.modes.T, -self.most, self.most) @ self.modes
        return np.linalg.norm(left.reshape(mouths.shape), axis=2)


def _light(looks):
    return np.maximum(np.median(looks[:, :N_LIT, :, 0], (1, 2)) - 16.0, 8)


def _in_light(looks, light):
    """The mouths of `looks`, as `light` shows them: float32 [frame, cell, yuv]."""
    mouths = looks[:, N_LIT:].reshape(len(looks), -1, 3).astype(np.float32)
    mouths[..., 0] = (mouths[..., 0] - 16) * (light / _light(looks))[:, None]
    return mouths


def _redness(mouths):
    """Red of each cell, less the mean of its frame: float [frame, row, column]."""
    red = mouths[..., 2].reshape(len(mouths), ROWS - N_LIT, COLUMNS)
    return red - red.mean((1, 2), keepdims=True)


def _as_red(red, where, faint=0.0):
    """Correlation of `red` [frame, row, column] with one of its kind, `where`, or with it a cell away: float [frame]."""
    inner = where[1:-1, 1:-1].ravel() - where[1:-1, 1:-1].mean()
    size, best = np.linalg.norm(inner), np.full(len(red), -1.0)
    for row, column in np.ndindex(3, 3):
        part = red[:, row:row + len(where) - 2, column:column + COLUMNS - 2].reshape(len(red), -1)
        part = part - part.mean(1, keepdims=True)
        best = np.maximum(best, part @ inner / ((np.linalg.norm(part, axis=1) + faint) * size + _NOISE))
    return best


def _lips():
    """Where lips are red, about: float [row, column]."""
    y = TOP + (np.arange(N_LIT, ROWS) + 0.5)[:, None] * CELL
    x = LEFT + (np.arange(COLUMNS) + 0.5) * CELL
    return 10 * np.exp(-np.square(x / 0.35) / 2 - np.square((y - 0.45) / 0.1) / 2)


def _modes(values):
    """The N_MODES largest singular values of [frame, value], and their directions [mode, value]: of its smaller square."""
    is_wide = values.shape[0] < values.shape[1]
    squares, vectors = np.linalg.eigh(values @ values.T if is_wide else values.T @ values)
    sizes = np.sqrt(np.maximum(squares[:-1 - N_MODES:-1], 0))
    modes = vectors[:, :-1 - N_MODES:-1].T
    return sizes, modes @ values / np.maximum(sizes, 1e-9)[:, None] if is_wide else modes


def _fit(mouths, like, red, light):
    """`Mouths` of those that are `like`, bool [frame]."""
    flat = mouths[like].reshape(int(like.sum()), -1)
    middle = flat.mean(0)
    sizes, modes = _modes(flat - middle)
    most = 3 * sizes / np.sqrt(len(flat))
    found = Mouths(middle, modes, most, np.zeros(mouths.shape[1]), red[like].mean(0), light)
    return replace(found, far=np.maximum(FAR, TIMES * np.median(found.away(mouths[like]), 0)))


def _compare(known, mouths, red):
    return (known.away(mouths) > known.far).mean(1), np.maximum(_as_red(red, known.red), _as_red(red, _lips(), _FAINT))


def _from(like, mouths, red, light):
    """`Mouths` that grow from those that are `like`; and which frames, bool [frame], they leave out."""
    n_first = like.sum()
    for _ in range(N_ROUNDS):
        known = _fit(mouths, like, red, light)
        far, as_red = _compare(known, mouths, red)
        like = (far < GOES_ON) & (as_red > min(RED, np.median(as_red[like]) - APART)) | (as_red > STILL_RED)
        if like.sum() < min(FEWEST, n_first):
            break
    return known, (far >= BEGINS) & (as_red < RED)


def mouths_of(looks: NDArray) -> Mouths:
    """What is common to the mouths of a clip, whatever stands before some; `looks` as in `unlike`.

    They grow from the usual frames, and from those usual among the ones that are red where lips are, as what stands there may
    be usual, or red, too: what is left out has to look less like lips, and the more of it is left out the better.
    """
    looks = looks[::-(-len(looks) // MOST)]
    light = float(np.median(_light(looks)))
    mouths = _in_light(looks, light)
    red, half = _redness(mouths), -(-len(mouths) // 2)
    as_lips, found = _as_red(red, _lips(), _FAINT), []
    for start in (slice(None), np.argsort(-as_lips, kind="stable")[:half]):
        off = np.linalg.norm((mouths - np.median(mouths[start], 0)) * _LESS_LIGHT, axis=2).mean(1)
        known, out = _from(off <= np.partition(off, half - 1)[half - 1], mouths, red, light)
        fits = not out.any() or np.median(as_lips[out]) < np.median(as_lips[~out])
        found.append((fits * (1 + int(out.sum())), known))
    return max(found, key=lambda one: one[0])[1]


def unlike(looks: NDArray) -> tuple[NDArray, NDArray]:
    """How little each frame shows a mouth of its clip.

    Parameters
    ----------
    looks : uint8 [frame, ROWS, COLUMNS, yuv], of frames with a face

    Returns
    -------
    far : float [frame], 0..1, how many of the cells are unlike those of the clip's mouths
    as_red : float [frame], -1..1, how far it is red where they are, or where lips are
    """
    known, found = mouths_of(looks), []
    for start in range(0, len(looks), MOST):
        mouths = _in_light(looks[start:start + MOST], known.light)
        found.append(_compare(known, mouths, _redness(mouths)))
    far, as_red = zip(*found)
    return np.concatenate(far), np.concatenate(as_red)


@threadpool_limits.wrap(limits=1, user_api="blas")  # threads wait for each other longer than they work on so little
def covered_frames(looks: NDArray, seen: NDArray, fps: float) -> NDArray:
    """Frames in which something stands before the lips: bool [frame].

    Parameters
    ----------
    looks : uint8 [frame, ROWS, COLUMNS, yuv], of `look`
    seen : bool [frame], whether there is a face
    """
    covered = np.zeros(len(looks), bool)
    if seen.sum() < FEWEST:
        return covered
    far, as_red = unlike(looks[seen])
    clear, faint = np.zeros((2, len(looks)), np.uint8)
    clear[seen] = (far >= BEGINS) & (as_red < RED) | (far >= GOES_ON) & (as_red < PALE)
    faint[seen] = (far >= GOES_ON) & (as_red < STILL_RED)
    joined = cv2.morphologyEx(faint[None], cv2.MORPH_CLOSE, np.ones((1, _odd(GAP_S * fps)), np.uint8))[0]
    edges = np.flatnonzero(np.diff(np.r_[0, joined, 0].astype(int)))
    for start, stop in zip(edges[::2], edges[1::2]):
        covered[start:stop] = clear[start:stop].sum() >= max(2, round(SHORTEST_S * fps))
    wide = cv2.dilate(covered[None].astype(np.uint8), np.ones((1, _odd(2 * AROUND_S * fps)), np.uint8))[0] > 0
    return wide & seen


def _odd(frames):
    return max(1, round(frames) // 2 * 2 + 1)
