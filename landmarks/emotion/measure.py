"""Measures of the emotion recogniser: recall per class, cross-entropy, calibration, scores of labelled recordings.

Reads, writes: nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from landmarks.emotion.model import Recogniser

HELD_OUT_ACTORS = ("actor_19", "actor_20")
N_BINS = 10  # of the calibration error


def recall(wanted: NDArray, scores: NDArray) -> float:
    """Unweighted average recall of scores [item, 8] for the true classes `wanted` [item]."""
    found = scores.argmax(-1)
    return float(np.mean([(found[wanted == k] == k).mean() for k in np.unique(wanted)]))


def surprise(wanted: NDArray, chances: NDArray) -> float:
    """Mean negative logarithm of the chances [item, class] of the true classes [item]."""
    return -float(np.log(np.maximum(chances[np.arange(len(wanted)), wanted], 1e-12)).mean())


def calibration_error(right: NDArray, confidence: NDArray) -> float:
    """Expected calibration error of answers: bool [item] and their confidence [item]."""
    place = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    return float(sum(abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
                     for b in np.unique(place)))


def scores_of(recogniser: "Recogniser", takes: Sequence) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Scores of whole takes, as of `Recogniser.scores`."""
    found = [recogniser.listen(take.power, take.octaves, take.voicing, take.ear) for take in takes]
    scores = [recogniser.scores(one, np.array([0]), np.array([len(one)])) for one in found]
    by_network, by_moments, acted, by_ear = (np.concatenate(part) for part in zip(*scores))
    return by_network, by_moments, acted, by_ear
