"""The effort of a voice, frame by frame: is it murmured or shouted, however loud the recording is.

Reads: CNN_record/emphasis/model.npz (emphasis-model), made by landmarks.emphasis.train. Writes: nothing.
Level is divided out of a recording, and effort stays: who speaks up raises the upper bands of the spectrum more than the lower
ones (spectral tilt; Traunmueller and Eriksson 2000). A linear form of the log-mel of voiced frames tells it. One unit lies
between a phrase acted with normal and with strong intensity; 0 is the mean of people who talk to a camera.
`WholeEffort` knows the recording from end to end, `RunningEffort` what was heard so far.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core import paths
from core.clock import FPS
from core.models import read_arrays, read_model
from core.smooth import gaussian_filter
from landmarks.features import log_mel, loud_power

MODEL = paths.EMPHASIS_MODEL
VOICED = 1e-2  # frames less than 20 dB below the loud ones tell the effort
SLOW_S = 1.5  # of Gaussian smoothing: a phrase
KEPT = 1 - 1 / (3 * FPS)  # of what was heard, a frame of a stream
DOUBT_S = 1.0  # of voice: as much as the mean of all voices weighs beside what is heard
MOST = 2.5  # units: beyond it nothing was learnt


@cache
def emphasis_model() -> dict:
    """Arrays of the emphasis-model that ships: `weights` [mel], `mean` [], `slopes` [2] of opening and corners."""
    return read_model(MODEL, "emphasis-model", read_arrays, "make train-emphasis")


def effort_features(power: NDArray, loud: float | NDArray) -> tuple[NDArray, NDArray]:
    """What tells the effort of each frame: log-mel [frame, mel], and whether it is voiced, float [frame].

    power : mel power [frame, hop, mel]; loud : power of loud frames, of the recording or of what was heard up to each frame
    """
    loud = np.broadcast_to(loud, len(power))
    return log_mel(power, loud[:, None, None]).mean(1), (power.sum((1, 2)) > VOICED * loud).astype(float)


def _scores(power, loud, model):
    """Effort of each frame [frame], and what it weighs [frame]."""
    features, voiced = effort_features(power, loud)
    return features @ model["weights"] - model["mean"], voiced


def _limited(effort):
    return (MOST * np.tanh(effort / MOST)).astype(np.float32)


class WholeEffort:
    """Effort of a recording that lies there whole: mel power [frame, hop, mel]; `model` as of `emphasis_model`."""

    def __init__(self, power: NDArray, model: dict | None = None):
        scores, voiced = _scores(power, loud_power(power.sum((1, 2))), model or emphasis_model())
        reach = SLOW_S * FPS
        weight = gaussian_filter(voiced, reach, mode="constant") * reach * np.sqrt(2 * np.pi)  # frames of voice around
        total = gaussian_filter(scores * voiced, reach, mode="constant") * reach * np.sqrt(2 * np.pi)
        whole = (scores * voiced).sum() / (voiced.sum() + DOUBT_S * FPS)
        self.effort = _limited((total + DOUBT_S * FPS * whole) / (weight + DOUBT_S * FPS))
        self._left = self.effort

    def push(self, power: NDArray, _loud: NDArray | None = None) -> NDArray:
        """Mel power of the next frames -> their effort, float32 [frame]."""
        now, self._left = self._left[:len(power)], self._left[len(power):]
        return now


class RunningEffort:
    """Effort by what was heard so far; it begins at that of all voices."""

    def __init__(self, model: dict | None = None):
        self._model = model or emphasis_model()
        self._total, self._weight = 0.0, 0.0

    def push(self, power: NDArray, loud: NDArray) -> NDArray:
        """Mel power [frame, hop, mel] and the power of loud frames so far [frame] -> effort, float32 [frame]."""
        effort = np.empty(len(power))
        for t, (score, voiced) in enumerate(zip(*_scores(power, loud, self._model))):
            if voiced:
                self._total, self._weight = KEPT * self._total + score, KEPT * self._weight + 1
            effort[t] = self._total / (self._weight + DOUBT_S * FPS)
        return _limited(effort)
