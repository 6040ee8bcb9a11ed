"""Losses of the speech-to-landmark network: positions, speeds and the amplitude of the mouth's opening.

Squared error alone rewards a mouth that hardly moves; the concordance term (Lin 1989) pays for correlation and for
amplitude at once, which is what keeps the prediction from collapsing to the mean face.
"""

from typing import Any

import numpy as np

from core.face import face68
from learn.tensorflow import tf

POINT_WEIGHT = np.full(face68.N_POINTS, 0.3, np.float32)
POINT_WEIGHT[face68.LOWER_FACE] = 1.0
POINT_WEIGHT[face68.MOUTH] = 3.0
POINT_WEIGHT /= POINT_WEIGHT.mean()
HUBER_DELTA = 0.05  # eye distances
TERMS = {"place": 15.0, "speed": 10.0, "opening": 0.6, "width": 0.3}
QUIET = 0.02**2  # variance, squared eye distances: steadier clips do not count as motion


def _concordance(a, b, weight):
    """Lin's concordance of [item, frame] signals under `weight` -> [item]."""
    total = tf.reduce_sum(weight, 1, keepdims=True) + 1e-6
    mean_a, mean_b = (tf.reduce_sum(weight * x, 1, keepdims=True) / total for x in (a, b))
    a, b, total = a - mean_a, b - mean_b, total[:, 0]
    var_a, var_b = (tf.reduce_sum(weight * x * x, 1) / total for x in (a, b))
    covariance = tf.reduce_sum(weight * a * b, 1) / total
    return 2 * covariance / (var_a + var_b + tf.square(mean_a - mean_b)[:, 0] + QUIET)


def loss_terms(predicted: Any, measured: Any, weight: Any) -> dict[str, Any]:
    """The terms of the loss, each a scalar.

    Parameters
    ----------
    predicted, measured : [item, frame, 68, 2], offsets from rest, eye distances
    weight : [item, frame], 0 where nothing was measured
    """
    total = tf.reduce_sum(weight) + 1e-6
    error = tf.abs(predicted - measured)
    huber = tf.where(error < HUBER_DELTA, error * error / (2 * HUBER_DELTA), error - HUBER_DELTA / 2)
    place = tf.reduce_mean(huber * POINT_WEIGHT[:, None], (2, 3))
    speed = tf.abs((predicted[:, 1:] - predicted[:, :-1]) - (measured[:, 1:] - measured[:, :-1]))
    speed = tf.reduce_mean(tf.gather(speed, face68.MOUTH, axis=2), (2, 3))
    both = weight[:, 1:] * weight[:, :-1]
    terms = {"place": tf.reduce_sum(place * weight) / total,
             "speed": tf.reduce_sum(speed * both) / (tf.reduce_sum(both) + 1e-6)}
    for name, direction in (("opening", face68.OPENING_DIRECTION), ("width", face68.WIDTH_DIRECTION)):
        a, b = (tf.einsum("ijpc,pc->ij", x, tf.constant(direction, tf.float32)) for x in (predicted, measured))
        terms[name] = 1 - tf.reduce_mean(_concordance(a, b, weight))
    return terms


def total_loss(terms: dict[str, Any]) -> Any:
    """The weighted sum that is minimised."""
    return tf.add_n([TERMS[name] * value for name, value in terms.items()])
