"""Where a voice stresses, asks and draws breath: accents, questions and phrases of a recording.

Reads, writes: nothing.
A stressed syllable is louder and higher than those around it; a question that yes or no answers ends higher than it went on; a
phrase lies between two pauses. Sources: Pierrehumbert and Hirschberg 1990 (the meaning of intonational contours).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.smooth import gaussian_filter
from landmarks.head.prosody import melody

_SYLLABLE_S, _AROUND_S = 0.08, 0.6  # of the Gaussians between which a stress stands out
_PER_DECADE, _PER_OCTAVE = 1.0, 3.0  # how much loudness and pitch count
_QUIETEST = -4.0  # decades below the loudest: what is softer is no louder than this
STRESSED = 0.35  # of that measure
APART_S = 0.4  # at least, from one accent to the next
PAUSE_S, PHRASE_S = 0.3, 0.6  # at least
_END_S, RISES = 0.4, 0.12  # what counts as the end of a phrase, and by how many octaves it lies above the rest in a question


@dataclass(frozen=True)
class Accents:
    """Frames of a recording.

    stressed : int [accent], the middles of stressed syllables, in order
    strength : float [accent], how far each stands out
    phrases : list of (first, last), frames
    asks : bool [phrase], whether it ends as a question does
    """

    stressed: np.ndarray
    strength: np.ndarray
    phrases: list
    asks: np.ndarray


def phrases_of(free: NDArray) -> list:
    """First and last frames of what is spoken between two pauses; `free` [frame], > 0.5 where somebody speaks."""
    speaks = np.concatenate([[0], (free > 0.5).astype(int), [0]])
    starts, ends = np.flatnonzero(np.diff(speaks) == 1), np.flatnonzero(np.diff(speaks) == -1)
    joined: list = []
    for start, end in zip(starts.tolist(), ends.tolist()):
        if joined and start - joined[-1][1] < PAUSE_S * FPS:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= PHRASE_S * FPS]


def voiced_stretches(power: NDArray) -> NDArray:
    """Where there is sound, float [frame] 0..1: mel power [frame, hop, mel] within 20 dB of the loud frames, pauses kept."""
    total = power.sum((1, 2))
    loud = max(float(np.percentile(total, 95)), 1e-9)
    return (gaussian_filter((total > 1e-2 * loud).astype(float), _SYLLABLE_S * FPS) > 0.5).astype(float)


def accents_of(power: NDArray, height: NDArray, free: NDArray) -> Accents:
    """Accents of a recording.

    Parameters
    ----------
    power : mel power [frame, hop, mel]
    height : pitch, float [frame, hop], `landmarks.head.prosody.pitch_of_spectrum`
    free : float [frame], 0 where nobody speaks
    """
    total = power.sum((1, 2))
    decades = np.maximum(np.log10(total / max(float(total.max()), 1e-9) + 1e-9), _QUIETEST)
    octaves, sounds = melody(height).T
    pitch = gaussian_filter(octaves * sounds, _SYLLABLE_S * FPS)
    values = _PER_DECADE * decades + _PER_OCTAVE * pitch
    stands_out = (gaussian_filter(values, _SYLLABLE_S * FPS) - gaussian_filter(values, _AROUND_S * FPS)) * (free > 0.5)
    chosen: list[int] = []
    for t in np.argsort(-stands_out, kind="stable").tolist():
        if stands_out[t] < STRESSED:
            break
        if all(abs(t - other) >= APART_S * FPS for other in chosen):
            chosen.append(t)
    stressed = np.array(sorted(chosen), int)
    phrases = phrases_of(free * voiced_stretches(power))
    asks = np.array([_asks(octaves[a:b], sounds[a:b]) for a, b in phrases], bool)
    return Accents(stressed, stands_out[stressed], phrases, asks)


def _asks(octaves, sounds):
    """Whether a phrase, pitch in octaves and how much of each frame sounds, ends above where it went on."""
    n_end, sounding = round(_END_S * FPS), sounds > 0.5
    before, end = sounding.copy(), sounding.copy()
    before[-n_end:], end[:-n_end] = False, False
    return before.sum() >= 5 and end.sum() >= 3 and np.median(octaves[end][-3:]) - np.median(octaves[before]) > RISES
