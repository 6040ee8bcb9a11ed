"""Measures of the emotion recogniser: recall per class, cross-entropy, scores of labelled recordings.

Reads, writes: nothing.
"""

import numpy as np

HELD_OUT_ACTORS = ("actor_19", "actor_20")


def recall(wanted, scores) -> float:
    """Unweighted average recall of scores [item, 8] for the true classes `wanted` [item]."""
    found = scores.argmax(-1)
    return float(np.mean([(found[wanted == k] == k).mean() for k in np.unique(wanted)]))


def surprise(wanted, chances) -> float:
    """Mean negative logarithm of the chances [item, class] of the true classes [item]."""
    return -float(np.log(np.maximum(chances[np.arange(len(wanted)), wanted], 1e-12)).mean())


def scores_of(recogniser, takes):
    """Scores of takes by the networks and by the discriminant, float [take, 8] each, and of being acted, float [take]."""
    found = [recogniser.listen(*take.sounds) for take in takes]
    scores = [recogniser.scores(one, np.array([0]), np.array([len(one)])) for one in found]
    return tuple(np.concatenate(part) for part in zip(*scores))
