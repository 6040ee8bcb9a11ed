"""What a face does beside speaking: brows that stress and ask, lids that narrow and widen, nods, the breath before a phrase.

Reads, writes: nothing.
Sources: brows rise with some of the accents of pitch, a little before them (Cave et al. 1996; Flecha-Garcia 2010), and with
questions (Ekman 1979); heads nod with stressed words (Munhall et al. 2004; Hadar et al. 1983). Which accents, how far, and with
which brow more, is chosen by the seed. In talkers of the corpus lids go with neither loudness, pitch nor brows (correlations
below 0.1 in the median): they move as steps that come and go, by 0.015 eye distances in the standard deviation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.smooth import gaussian_filter, taper
from landmarks.emphasis.accents import Accents
from landmarks.emphasis.style import Style

RAISED_SHARE, RAISE, RAISE_SPREAD = 0.35, 0.04, 0.4  # of the accents brows stress; eye distances, sd of its logarithm
EARLY_S = 0.06  # brows are before the accent
RAISE_S, FALL_S = 0.2, 0.4
ASK_RAISE, MOST_RAISED = 0.05, 0.07  # eye distances
ONE_SIDED, OTHER_SHARE = 0.2, 0.4  # of the raises are one brow's; what the other does of them
NOD_SHARE, NOD, NOD_S = 0.5, np.radians(1.0), 0.18  # of the accents are nodded; rad; from rest to the lowest
LIFT, LIFT_S = np.radians(0.7), 0.5  # the head rises with a breath
PARTED, PARTING_S = 0.03, 0.24  # eye distances the lips part before the voice
LID_SD, LID_GAP_S, LID_MOVE_S, LID_MOST = 0.015, 1.4, 0.1, 1.6  # eye distances; from step to step; its Gaussian; sd at most
LID_UPPER = 0.7  # of it is the upper lid's
PITCH = 1  # of the numbers of head-motion
FADE_S = 1.0  # from rest at the start, to rest at the end
QUIET = 0.5  # of the lids' motion where nobody speaks


def _drop():
    """How lower lip and chin go when the lips part by one: float32 [68, 2]."""
    drop = np.zeros((face68.N_POINTS, 2), np.float32)
    drop[face68.OPENING_DIRECTION[:, 1] > 0, 1] = 1  # the lower inner lip
    for point, share in face68.HALF_FACE["lower_edge"].items():
        drop[point, 1] += share
        drop[face68.MIRROR[point], 1] += share  # the middle lies on both sides
    jaw = list(face68.GROUPS["jaw"])
    drop[jaw, 1] = 0.5 * np.sin(np.linspace(0, np.pi, len(jaw))) ** 3
    return drop


_DROP = _drop()


@dataclass(frozen=True)
class Gestures:
    """Offsets of a recording's frames.

    brows : float32 [frame, 2], right and left, up, eye distances
    lids : float32 [frame], how much wider the eyes are, eye distances
    nod : float32 [frame], of the head's pitch, rad, > 0 down
    parted : float32 [frame], how much wider the lips are, eye distances
    """

    brows: np.ndarray
    lids: np.ndarray
    nod: np.ndarray
    parted: np.ndarray


def bump(n_frames: int, at: float, rise_s: float, fall_s: float) -> NDArray:
    """Rises in `rise_s` to 1 at frame `at`, falls in `fall_s`: float [frame]."""
    since = (np.arange(n_frames) - at) / FPS
    way = np.where(since < 0, 1 + since / rise_s, 1 - since / fall_s)
    return (1 - np.cos(np.pi * np.clip(way, 0, 1))) / 2


def lid_steps(n_frames: int, seed: int) -> NDArray:
    """Lids that narrow and widen: float [frame], of deviation LID_SD in the long run."""
    gaps, levels = np.random.default_rng((seed, 8)), np.random.default_rng((seed, 9))
    n_steps = int(n_frames / FPS / LID_GAP_S * 3) + 8
    starts = np.cumsum(LID_GAP_S * FPS * gaps.lognormal(-0.18, 0.6, n_steps))
    level = np.clip(levels.standard_normal(n_steps + 1), -LID_MOST, LID_MOST)
    steps = level[np.searchsorted(starts, np.arange(n_frames))]
    return LID_SD * gaussian_filter(steps, LID_MOVE_S * FPS)


def gestures_of(accents: Accents, free: NDArray, style: Style, seed: int = 0) -> Gestures:
    """What a face does with these accents; `free` float [frame], 0 where nobody speaks. The same seed, the same gestures."""
    n, rng = len(free), np.random.default_rng((seed, 7))
    brows, nod, parted = np.zeros((n, 2)), np.zeros(n), np.zeros(n)
    for at in accents.stressed:
        raised, nodded, size, one, side = rng.random(5)
        if raised < RAISED_SHARE:
            height = RAISE * np.exp(RAISE_SPREAD * (2 * size - 1))
            _raise(brows, bump(n, at - EARLY_S * FPS, RAISE_S, FALL_S), height, one, side)
        if nodded < NOD_SHARE:
            nod += NOD * (0.5 + size) * bump(n, at, NOD_S, 1.5 * NOD_S)
    for (first, last), asks in zip(accents.phrases, accents.asks):
        one, side, depth = rng.random(3)
        if asks:
            _raise(brows, bump(n, last - EARLY_S * FPS, RAISE_S, 2 * FALL_S), ASK_RAISE, one, side)
        nod -= LIFT * (0.5 + depth) * bump(n, first - 2, LIFT_S, LIFT_S)
        parted = np.maximum(parted, PARTED * bump(n, first - 1, PARTING_S, PARTING_S / 2))
    alive = QUIET + (1 - QUIET) * gaussian_filter(np.asarray(free, float), FPS / 2)
    brows = MOST_RAISED * np.tanh(style.brows * brows / MOST_RAISED)
    ends = taper(n, FADE_S)  # a video starts and ends as the photo is
    parts = brows, style.lids * alive * ends * lid_steps(n, seed), style.head * ends * nod, style.opening * parted
    return Gestures(*(part.astype(np.float32) for part in parts))


def _raise(brows, course, height, one, side):
    """Add a raise to `brows` [frame, 2]: of both, or of one of them more."""
    shares = np.ones(2)
    if one < ONE_SIDED:
        shares[int(side * 2)] = OTHER_SHARE
    brows += height * course[:, None] * shares


def with_lids(face: NDArray, wider: NDArray) -> NDArray:
    """`face` float32 [frame, 68, 2] with eyes that are `wider` [frame], eye distances; a copy."""
    face = face.copy()
    for upper, lower in face68.EYE_LIDS:
        face[:, upper, 1] -= LID_UPPER * wider[:, None]
        face[:, lower, 1] += (1 - LID_UPPER) * wider[:, None]
    return face


def with_parted_lips(face: NDArray, parted: NDArray) -> NDArray:
    """`face` float32 [frame, 68, 2] with lips at least `parted` [frame] apart, eye distances; a copy."""
    missing = np.maximum(parted - face68.mouth_opening(face), 0)
    return face + missing[:, None, None].astype(np.float32) * _DROP
