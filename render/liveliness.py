"""Blinks, and idle head sway where head motion is not known, from a seed.

Reads: nothing. Writes: nothing.
Sources: 17 blinks a minute at rest, more in talk (Bentivoglio et al. 1997); lids close faster than they open (Evinger,
Manning and Sibony 1991); heads move with the stress of the words (Munhall et al. 2004). Gaps between blinks are taken
log-normal: many short ones, a few long.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.smooth import gaussian_filter, taper

BLINK_RATE = 15.0  # a minute
CLOSING_S, CLOSED_S, OPENING_S = 0.1, 0.04, 0.2
BLINK_S = CLOSING_S + CLOSED_S + OPENING_S
PAUSE_S = 0.15  # at least, from one blink to the next
_GAP_SPREAD = 0.6  # standard deviation of a gap's logarithm
UPPER_SHARE = 0.75  # of the way to a closed eye is the upper lid's
_SLIT = 0.04  # of the eye's opening that a closed one keeps: lashes have a thickness

_SWAY_S, _BEAT_S = 0.75, 0.28  # of Gaussian smoothing of noise: the posture, and the small motion upon it
_BEAT_SHARE = 0.12  # of the beat's amplitude beside the sway's
_SWAY_DEG = np.array([3.0, 1.5, 1.2])  # yaw, pitch, roll: standard deviation in style 0
_STYLES = (0.7, 1.3)  # what another style may multiply each of them with
_LIMIT = 2.5  # standard deviations that no sway exceeds
_ROLL_BY_YAW = 0.25  # a head that turns also tilts
_NOD_DEG, _NOD_S, _PHRASE_S = 0.8, 0.12, 0.8  # a nod's size, and the band of mouth openings that calls for it
_FADE_S = 1.0  # from rest at the start, to rest at the end
_BEHIND_GLASSES = [k for side in ("right", "left") for part in ("brow", "eye") for k in face68.GROUPS[f"{side}_{part}"]]
_LEVER = np.array([0.3, 0.3, 1.6])  # eye distances from the eyes back to the axes of yaw and pitch, and down to the roll's


def _noise(rng, n_frames, smoothing_s):
    """Smooth noise of unit variance, float [frame, 3]; the first frames do not depend on how many follow."""
    sigma = smoothing_s * FPS
    around = int(4 * sigma + 0.5)  # what the filter looks at on each side
    white = rng.standard_normal((n_frames + 2 * around, 3))
    return gaussian_filter(white, sigma)[around:around + n_frames] * np.sqrt(2 * np.sqrt(np.pi) * sigma)


def _nods(opening):
    """Where the mouth opens more than it did around: float [frame], rad, > 0 down."""
    band = gaussian_filter(opening, _NOD_S * FPS) - gaussian_filter(opening, _PHRASE_S * FPS)
    return np.radians(_NOD_DEG) * np.tanh(band / max(1.5 * float(band.std()), 0.01))  # a shut mouth's tremble is no stress


def head_motion(n_frames: int, seed: int = 0, opening: NDArray | None = None) -> NDArray:
    """A head that sways a few degrees and starts and ends at rest; each seed in its own manner.

    For landmarks without a head.npy or pose: of a stream, or a user's own.

    Parameters
    ----------
    n_frames : at `FPS` frames a second
    opening : float [frame], of the mouth in eye distances; the head nods with it

    Returns
    -------
    float32 [frame, 5]: yaw, pitch, roll in rad; shift right and down in eye distances; as `motion.Motion.head`
    """
    manner, noise = np.random.default_rng((seed, 1)), np.random.default_rng((seed, 2))
    size = np.radians(_SWAY_DEG) * (manner.uniform(*_STYLES, 3) if seed else 1)
    sway = _noise(noise, n_frames, _SWAY_S) + _BEAT_SHARE * _noise(np.random.default_rng((seed, 3)), n_frames, _BEAT_S)
    sway[:, 2] += _ROLL_BY_YAW * manner.choice((-1, 1)) * sway[:, 0]
    angles = _LIMIT * np.tanh(sway / _LIMIT) * size
    if opening is not None:
        angles[:, 1] += _nods(opening)
    angles *= taper(n_frames, _FADE_S)[:, None]
    shift = angles[:, [0, 1]] * _LEVER[:2]
    shift[:, 0] += angles[:, 2] * _LEVER[2]
    return np.concatenate([angles, shift], 1).astype(np.float32)


def blink_times(seconds: float, rate: float = BLINK_RATE, seed: int = 0) -> NDArray:
    """When blinks begin, float [blink], s: `rate` a minute in the long run, none cut by the end."""
    if not rate:
        return np.zeros(0)
    rng = np.random.default_rng((seed, 4))
    gap_s = 60 / rate - BLINK_S - PAUSE_S
    first, n = rng.uniform(0.1, 0.6), int(seconds / 60 * rate * 2) + 20
    gaps = BLINK_S + PAUSE_S + gap_s * rng.lognormal(-_GAP_SPREAD**2 / 2, _GAP_SPREAD, n)  # of mean 60 / rate
    times = np.cumsum(gaps) - gaps[0] * (1 - first)
    return times[times + BLINK_S <= seconds]


def blinks(n_frames: int, fps: float = FPS, rate: float = BLINK_RATE, seed: int = 0) -> NDArray:
    """How far the lids are closed in each frame: float32 [frame], 0..1."""
    share, window = np.zeros(n_frames, np.float32), np.arange(int(BLINK_S * fps) + 2)
    for start in blink_times(n_frames / fps, rate, seed):
        frames = int(start * fps) + window
        frames = frames[frames < n_frames]
        since = (frames + 0.5) / fps - start
        way = np.minimum(since / CLOSING_S, (BLINK_S - since) / OPENING_S)
        share[frames] = np.maximum(share[frames], (1 - np.cos(np.pi * np.clip(way, 0, 1))) / 2)
    return share


def close_lids(face: NDArray, share: float) -> NDArray:
    """`face` float32 [68, 2] (face space) with the lids closed by `share`, 0 as they are, 1 shut; a copy.

    The upper lid goes three quarters of the way.
    """
    face = face.copy()
    for upper, lower in face68.EYE_LIDS:
        way = (face[lower] - face[upper]) * np.float32(share * (1 - _SLIT))
        face[upper] += way * np.float32(UPPER_SHARE)
        face[lower] -= way * np.float32(1 - UPPER_SHARE)
    return face


def add_blinks(moves: Iterable[tuple], shares: Iterable[float]) -> Iterator[tuple]:
    """Close the lids of the faces in `moves`, `motion.Move`s, by `shares`, one each."""
    for (face, *more), share in zip(moves, shares):
        yield close_lids(face, share) if share else face, *more


def hold_rims(moves: Iterable[tuple[NDArray, NDArray]], base: NDArray) -> Iterator[tuple[NDArray, NDArray]]:
    """`moves`, pairs (face, head), with brows and lids as `base` has them: what moves there would bend a pair of glasses."""
    for face, head in moves:
        face = face.copy()
        face[_BEHIND_GLASSES] = base[_BEHIND_GLASSES]
        yield face, head
