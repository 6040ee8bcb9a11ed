"""The 68 iBUG face points: groups, edges, mirror map, face space. The only file with a landmark index in it.

Pixel space: x right, y down, as measured. Face space: a similarity transform, fixed by rigid points (eye corners and
nose bridge), puts the midpoint between the eyes at the origin, the eyes level, and the eye centres one unit apart.
Source: Sagonas et al., 300 Faces In-the-Wild Challenge, 2013.
"""

import numpy as np
from numpy.typing import NDArray

N_POINTS = 68
GROUPS = {
    "jaw": range(0, 17), "right_brow": range(17, 22), "left_brow": range(22, 27), "nose_bridge": range(27, 31),
    "nose_base": range(31, 36), "right_eye": range(36, 42), "left_eye": range(42, 48),
    "outer_lips": range(48, 60), "inner_lips": range(60, 68),
}
CLOSED = ("right_eye", "left_eye", "outer_lips", "inner_lips")
MOUTH = np.r_[48:68]
LOWER_FACE = np.r_[2:15, 48:68]  # moved by speech: jaw and lips
RIGID = np.r_[27:31, 36, 39, 42, 45]
_RIGHT_CORNERS, _LEFT_CORNERS = [36, 39], [42, 45]
_INNER_UPPER, _INNER_LOWER = [61, 62, 63], [67, 66, 65]
_INNER_UPPER_LINE, _INNER_LOWER_LINE = [60, 61, 62, 63, 64], [60, 67, 66, 65, 64]
_THROUGH_FIVE = np.linalg.inv(np.vander(np.linspace(-1, 1, 5)))
_OUTER_UPPER, _OUTER_LOWER, _CHIN = [49, 50, 51, 52, 53], [59, 58, 57, 56, 55], [6, 7, 8, 9, 10]
_OUTER_SHARE = np.array([0.5, 1, 1, 1, 0.5], np.float32)  # of what the inner lips move: less near the corners
_BROWS = [*GROUPS["right_brow"], *GROUPS["left_brow"]]
_MOUTH_CORNERS, _INNER_CORNERS = [48, 54], [60, 64]
_NOSE_BASE = list(GROUPS["nose_base"])
N_MOUTH_SHAPE = 8  # numbers of `mouth_shape`
EYE_LIDS = (([37, 38], [41, 40]), ([43, 44], [47, 46]))  # (upper, lower) of each eye, point above point

# What moves together in an expression, on the right half: point -> share. The middle of the lips is shared with the left.
HALF_FACE: dict[str, dict[int, float]] = {
    "inner_brow": {21: 1, 20: 0.8, 19: 0.35}, "outer_brow": {17: 1, 18: 0.9, 19: 0.65, 20: 0.2},
    "upper_lid": {37: 1, 38: 1}, "lower_lid": {41: 1, 40: 1}, "nostril": {31: 1, 32: 0.6, 33: 0.2},
    "lip_corner": {48: 1, 60: 1, 49: 0.57, 59: 0.55, 61: 0.46, 67: 0.46, 50: 0.17, 58: 0.17},
    "upper_edge": {49: 0.6, 50: 1, 51: 0.5}, "lower_edge": {59: 0.6, 58: 1, 57: 0.5},
    "jaw": {8: 0.38, 7: 0.71, 6: 0.61, 5: 0.5, 4: 0.41, 3: 0.34, 2: 0.28, 1: 0.21,
            66: 0.39, 67: 0.77, 57: 0.42, 58: 0.83, 59: 0.64, 48: 0.19, 60: 0.19},
    "upper_lip": {51: 0.085, 50: 0.15, 49: 0.08, 62: 0.12, 61: 0.22},  # it and the jaw as measured in people who open the mouth
    "lips": {48: 1, 60: 1, 49: 1, 59: 1, 61: 1, 67: 1, 50: 1, 58: 1, 51: 0.5, 57: 0.5, 62: 0.5, 66: 0.5}}

EDGES = [(a, b) for name, points in GROUPS.items()
         for a, b in zip(points, (*points[1:], points[0]) if name in CLOSED else points[1:])]

MIRROR = np.array([*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
                   45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
                   *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65])


def _direction(*pairs):
    """Linear form on [68, 2] points: the mean over (to, from, axis) pairs of one coordinate's difference."""
    form = np.zeros((N_POINTS, 2), np.float32)
    for to, away, axis in pairs:
        form[to, axis] += 1 / len(pairs)
        form[away, axis] -= 1 / len(pairs)
    return form


# Signed, linear stand-ins for `mouth_opening` and `mouth_width` in face space: a loss can push through zero.
OPENING_DIRECTION = _direction(*((low, up, 1) for up, low in zip(_INNER_UPPER, _INNER_LOWER)))
WIDTH_DIRECTION = _direction((_MOUTH_CORNERS[1], _MOUTH_CORNERS[0], 0))


def mirror(points: NDArray) -> NDArray:
    """Mirror face-space `points` [..., 68, 2] left to right."""
    return points[..., MIRROR, :] * np.array([-1, 1], points.dtype)


def mouth_opening(points: NDArray) -> NDArray:
    """Mean gap between the inner lips of `points` [..., 68, 2], in their own unit -> [...]."""
    gaps = points[..., _INNER_LOWER, :] - points[..., _INNER_UPPER, :]
    return np.linalg.norm(gaps, axis=-1).mean(-1)


def mouth_width(points: NDArray) -> NDArray:
    """Distance between the mouth corners of `points` [..., 68, 2] -> [...]."""
    left, right = (points[..., i, :] for i in _MOUTH_CORNERS)
    return np.linalg.norm(right - left, axis=-1)


def mouth_middle(points: NDArray) -> NDArray:
    """Middle of the mouth corners of `points` [..., 68, 2] -> [..., 2]; it hardly moves when the mouth opens."""
    return points[..., _MOUTH_CORNERS, :].mean(-2)


def mouth_shape(points: NDArray) -> NDArray:
    """What lips and jaw do, alike on both sides: face-space `points` [..., 68, 2] -> [..., N_MOUTH_SHAPE], eye distances.

    Outer and inner width; how far upper outer, upper inner, lower inner, lower outer lip and chin lie below the corners;
    how far the corners lie below the nose.
    """
    corners = mouth_middle(points)[..., 1]
    groups = _OUTER_UPPER[1:-1], _INNER_UPPER, _INNER_LOWER, _OUTER_LOWER[1:-1], _CHIN
    heights = [points[..., group, 1].mean(-1) - corners for group in groups]
    inner = points[..., _INNER_CORNERS, 0]
    return np.stack([mouth_width(points), inner[..., 1] - inner[..., 0], *heights,
                     corners - points[..., _NOSE_BASE, 1].mean(-1)], -1)


def uncross_lips(points: NDArray) -> NDArray:
    """Where the inner lips of face-space `points` [..., 68, 2] cross, let them touch halfway; returns a copy."""
    points = points.copy()
    for up, low in zip(_INNER_UPPER, _INNER_LOWER):
        crossed = np.minimum(points[..., low, 1] - points[..., up, 1], 0) / 2
        points[..., low, 1] -= crossed
        points[..., up, 1] += crossed
    return points


def inner_lip_curves(points: NDArray, at: NDArray) -> tuple[NDArray, NDArray]:
    """The inner lips of `points` [68, 2] as curves (quartics through their points), right corner at -1, left at 1.

    `at` float [n], -1..1 -> upper, lower: float [n, 2]
    """
    form = np.vander(at, 5) @ _THROUGH_FIVE
    return form @ points[_INNER_UPPER_LINE], form @ points[_INNER_LOWER_LINE]


def closed_mouth(face: NDArray, gap: float = 0.02) -> NDArray:
    """`face` [68, 2] (face space) with the mouth shut, as at rest: inner lips at most about `gap` apart; a copy.

    Where they meet is a smooth line from corner to corner, a third of the way from the upper lip; the chin follows by a
    third of the gap, as a photo's open mouth is most often a smile.
    """
    upper, lower = face[_INNER_UPPER], face[_INNER_LOWER]
    apart = float(np.mean(np.maximum(lower[:, 1] - upper[:, 1], 0)))
    share = max(0.0, 1 - gap / apart) if apart else 0.0
    corners = face[_INNER_CORNERS]
    x = np.concatenate([corners[:, 0], (upper[:, 0] + lower[:, 0]) / 2])
    y = np.concatenate([corners[:, 1], upper[:, 1] + (lower[:, 1] - upper[:, 1]) / 3])
    line = np.polynomial.Polynomial.fit(x, y, 2, w=[2, 2, 1, 1, 1])
    closed = face.copy()
    for inner, outer in ((_INNER_UPPER, _OUTER_UPPER), (_INNER_LOWER, _OUTER_LOWER)):
        moved = share * (line(face[inner, 0]) - face[inner, 1])
        closed[inner, 1] += moved
        closed[outer, 1] += moved[[0, 0, 1, 2, 2]] * _OUTER_SHARE
    closed[_CHIN, 1] -= share * apart / 3
    return closed


def eye_opening(points: NDArray) -> NDArray:
    """Mean gap between the lids of both eyes of `points` [..., 68, 2] -> [...]."""
    gaps = [np.linalg.norm(points[..., low, :] - points[..., up, :], axis=-1).mean(-1) for up, low in EYE_LIDS]
    return (gaps[0] + gaps[1]) / 2


def brow_height(points: NDArray) -> NDArray:
    """How far both brows of face-space `points` [..., 68, 2] lie above the line of the eyes, their mean -> [...]."""
    return -points[..., _BROWS, 1].mean(-1)


def eye_distance(points: NDArray) -> NDArray:
    """Distance between the eye centres of `points` [..., 68, 2] -> [...]."""
    return np.linalg.norm(points[..., _LEFT_CORNERS, :].mean(-2) - points[..., _RIGHT_CORNERS, :].mean(-2), axis=-1)


def _as_complex(points):
    return points[..., 0].astype(np.float64) + 1j * points[..., 1]


def _eye_similarity(rigid):
    """Factor and shift (complex) that bring each frame of `rigid` [frame, 8] to face space by its eyes alone."""
    right, left = (rigid[:, np.searchsorted(RIGID, corners)].mean(1) for corners in (_RIGHT_CORNERS, _LEFT_CORNERS))
    factor = left - right
    return factor, (left + right) / 2


def to_face_space(pixel: NDArray, template: NDArray | None = None) -> tuple[NDArray, NDArray]:
    """Remove head pose from `pixel` landmarks.

    Parameters
    ----------
    pixel : float [frame, 68, 2], px; NaN where no face was found
    template : the clip's `rigid_template`, when `pixel` is only a part of the clip

    Returns
    -------
    face : float32 [frame, 68, 2], eye distances
    pose : float32 [frame, 4]: px per eye distance, roll (rad), x and y of the origin (px)

    Each frame is fitted by least squares (Umeyama 1991, in the complex plane) to the clip's own median rigid points:
    steadier than two eye centres alone. For one frame the two are the same.
    """
    ok = np.isfinite(pixel).all((1, 2))
    face = np.full(pixel.shape, np.nan, np.float32)
    pose = np.full((len(pixel), 4), np.nan, np.float32)
    if ok.any():
        face[ok], pose[ok] = _fit(_as_complex(pixel[ok]), rigid_template(pixel) if template is None else template)
    return face, pose


def rigid_template(pixel: NDArray) -> NDArray:
    """A clip's median rigid points, mapped to face space by the eyes alone: float [frame, 68, 2] px -> complex [8]."""
    rigid = _as_complex(pixel[:, RIGID])
    rigid = rigid[np.isfinite(rigid).all(1)]
    factor, shift = _eye_similarity(rigid)
    by_eyes = (rigid - shift[:, None]) / factor[:, None]
    return np.median(by_eyes.real, axis=0) + 1j * np.median(by_eyes.imag, axis=0)


def _fit(z, template):
    """Face and pose of the frames `z` (complex [frame, 68]) whose rigid points are fitted to `template`."""
    measured, centred = z[:, RIGID], template - template.mean()
    factor = ((measured - measured.mean(1, keepdims=True)) * centred.conj()).sum(1) / (abs(centred) ** 2).sum()
    shift = measured.mean(1) - factor * template.mean()
    aligned = (z - shift[:, None]) / factor[:, None]
    return np.stack([aligned.real, aligned.imag], -1), np.stack([abs(factor), np.angle(factor), shift.real, shift.imag], -1)


def to_pixel_space(face: NDArray, pose: NDArray) -> NDArray:
    """Put `face` [frame, 68, 2] back under `pose` [frame, 4] or [4] -> float32 [frame, 68, 2], px."""
    pose = np.broadcast_to(pose, (len(face), 4)).astype(np.float64)
    factor = pose[:, 0] * np.exp(1j * pose[:, 1])
    z = _as_complex(face) * factor[:, None] + (pose[:, 2] + 1j * pose[:, 3])[:, None]
    return np.stack([z.real, z.imag], -1).astype(np.float32)


def fill_missing(values: NDArray) -> NDArray:
    """Fill NaN frames of `values` [frame, ...] by interpolation in time (ends held); all-NaN stays as it is."""
    flat = values.reshape(len(values), -1)
    ok = np.isfinite(flat).all(1)
    if ok.all() or not ok.any():
        return values
    t, known = np.arange(len(flat)), np.flatnonzero(ok)
    filled = np.stack([np.interp(t, known, column[known]) for column in flat.T], 1)
    return filled.reshape(values.shape).astype(values.dtype)


def closed_frames(opening: NDArray, closed_share: float = 0.15) -> NDArray:
    """Numbers of the frames at rest: those whose mouth is least open; `opening` float [frame], NaN ones ignored."""
    n_rest = max(1, round(np.isfinite(opening).sum() * closed_share))
    return np.argsort(opening, kind="stable")[:n_rest]  # NaN sorts last


def rest_face(face: NDArray) -> NDArray:
    """A person's resting face from a sequence: the mean of the frames whose mouth is least open.

    Parameters
    ----------
    face : float [frame, 68, 2], face space, NaN frames ignored

    Returns
    -------
    float32 [68, 2]; NaN when no frame has a face
    """
    if not len(face):
        return np.full((N_POINTS, 2), np.nan, np.float32)
    return face[closed_frames(mouth_opening(face))].mean(0).astype(np.float32)
