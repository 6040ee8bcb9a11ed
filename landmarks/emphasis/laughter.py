"""Laughter in a recording: where it is, and a face that laughs in place of speaking it.

Reads, writes: nothing.
A laugh repeats one call, a voiced burst and a breath, four to six times a second (Bachorowski, Smoski and Owren 2001): its
spectrum is alike one period later, and two; syllables of speech are not alike. Chosen on laughs made by a formula and on real
speech, as no real laugh was at hand: docs/experiments.md says how often it is right on these.
"""

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.media.audio import HOPS_PER_FRAME
from core.smooth import gaussian_filter
from landmarks.emphasis.gestures import with_parted_lips
from landmarks.expression import emotion_vector, offsets

WINDOW_S, STEP_S = 1.2, 0.2
CALLS_HZ = (3.8, 6.2)
ALIKE = 0.5  # correlation of the spectrum with that of one and of two calls before
FAINT, FLOOR = 1.5, 1e-6  # decades below the loudest hop: a window without a louder one is no laugh; of the loudest, in a band
EASE_S = 0.15  # of Gaussian smoothing: into a laugh, and out of it
ARTICULATED, SMILE = 0.2, 0.8  # of the lips' motion that is left; strength of the smile
PARTED, BOB = 0.06, 0.04  # eye distances between the lips of a laugh, and how much more at each call
_ABOUT = 1e-9
_HOPS_S = FPS * HOPS_PER_FRAME


def _alike(values, lag):
    before, after = values[:-lag], values[lag:]
    return float((before * after).sum() / np.sqrt((before**2).sum() * (after**2).sum() + _ABOUT))


def laughter_of(power: NDArray) -> NDArray:
    """How far somebody laughs in each frame: mel power [frame, hop, mel] -> float [frame], 0..1."""
    hops = power.reshape(-1, power.shape[-1])  # single precision: an hour is 90 MB
    total, n, laughs = hops.sum(1), round(WINDOW_S * _HOPS_S), np.zeros(len(hops))
    logs = np.log10(hops + FLOOR * total.max(initial=_ABOUT) / hops.shape[1])
    lags = range(int(_HOPS_S / CALLS_HZ[1]), int(_HOPS_S / CALLS_HZ[0]) + 1)
    for t in range(0, len(hops) - n + 1, round(STEP_S * _HOPS_S)):
        if total[t:t + n].max() <= total.max() * 10**-FAINT:
            continue
        values = logs[t:t + n] - logs[t:t + n].mean(0)
        if any(_alike(values, lag) > ALIKE and _alike(values, 2 * lag) > ALIKE for lag in lags):
            laughs[t:t + n] = 1
    return gaussian_filter(laughs.reshape(len(power), -1).mean(1), EASE_S * FPS)


def laugh(face: NDArray, rest: NDArray, laughs: NDArray, power: NDArray) -> NDArray:
    """`face` float32 [frame, 68, 2] that smiles, its jaw bobbing, where it `laughs` [frame], in place of speaking; a copy."""
    if not laughs.any():
        return face.copy()
    face, share = face.copy(), laughs[:, None, None]
    lower = face68.LOWER_FACE
    face[:, lower] = rest[lower] + (1 - (1 - ARTICULATED) * share) * (face[:, lower] - rest[lower])
    loud = np.log10(power.sum((1, 2)) + _ABOUT)
    call = np.clip(0.5 + loud - gaussian_filter(loud, WINDOW_S / 2 * FPS), 0, 1)
    smiles = face + SMILE * share * offsets(emotion_vector("happy"))
    return with_parted_lips(smiles.astype(np.float32), laughs * (PARTED + BOB * call))
