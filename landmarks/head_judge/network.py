"""The head judge's network: encoders of sound and motion whose embeddings correlate when they belong together (Keras).

Source: the two encoders follow SyncNet (Chung & Zisserman 2016), the loss InfoNCE (van den Oord et al. 2018).
"""

from pathlib import Path
from typing import Any

import numpy as np

from landmarks.head.sound import N_SOUND
from landmarks.head_judge.judge import N_MOTION
from learn.export import write_litert
from learn.tensorflow import keras, layers, tf

DEFAULTS = {"width": 32, "size": 12, "dropout": 0.3}
REACH = 9  # frames a convolution sees: a vector knows 21, 0.8 s
SHARPNESS = 5.0  # what a correlation is multiplied with before the softmax, to begin with


def build_encoder(n_values: int, width: int, size: int, dropout: float, name: str) -> keras.Model:
    """[batch, frame, n_values] -> [batch, frame, size]."""
    given = keras.Input((None, n_values))
    x = layers.SpatialDropout1D(dropout / 3)(given)
    for _ in range(2):
        x = layers.Dropout(dropout)(layers.Conv1D(width, REACH, padding="same", activation="relu")(x))
    return keras.Model(given, layers.Conv1D(size, 5, padding="same")(x), name=name)


class HeadJudgeNetwork(keras.Model):
    """Encoders of sound (`ear`) and motion (`eye`), and the sharpness of the softmax; `settings` give every shape."""

    def __init__(self, **settings):
        super().__init__()
        self.settings = {**DEFAULTS, **settings}
        self.ear = build_encoder(N_SOUND, **self.settings, name="ear")
        self.eye = build_encoder(N_MOTION, **self.settings, name="eye")
        self.log_sharpness = self.add_weight(shape=(), name="log_sharpness",
                                             initializer=keras.initializers.Constant(np.log(SHARPNESS)))

    def call(self, sound, motion, training=False):
        """Sound [batch, frame, N_SOUND], motion [batch, frame, N_MOTION] -> embeddings of both."""
        return self.ear(sound, training=training), self.eye(motion, training=training)


def similarities(sound: Any, motion: Any) -> Any:
    """`judge.similarity` in TensorFlow: embeddings [batch, frame, size] of both -> [motion, sound]."""
    flat = [tf.reshape(part - tf.reduce_mean(part, 1, keepdims=True), (tf.shape(part)[0], -1)) for part in (sound, motion)]
    return tf.matmul(tf.math.l2_normalize(flat[1], 1), tf.math.l2_normalize(flat[0], 1), transpose_b=True)


def loss_of(network: HeadJudgeNetwork, sound: Any, motion: Any, training: bool = False) -> Any:
    """Cross-entropy of the right sound among those of the batch, and of the right motion."""
    scores = tf.exp(network.log_sharpness) * similarities(*network(sound, motion, training=training))
    right = tf.range(tf.shape(scores)[0])
    return sum(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(right, part))
               for part in (scores, tf.transpose(scores))) / 2


def export(network: HeadJudgeNetwork, path: str | Path, **about: Any) -> Path:
    """Write `network` to `path` as LiteRT (head-judge-model): `hear` and `see`, one window each; see `learn.export`."""
    sound, motion = (tf.TensorSpec((None, n), name=name) for n, name in ((N_SOUND, "sound"), (N_MOTION, "motion")))
    return write_litert(network, path, "head-judge-model", {
        "hear": (lambda sound: {"heard": network.ear(sound[None], training=False)[0]}, [sound]),
        "see": (lambda motion: {"shown": network.eye(motion[None], training=False)[0]}, [motion])}, **about)


def built(**settings: Any) -> HeadJudgeNetwork:
    """An untrained network whose variables exist."""
    network = HeadJudgeNetwork(**settings)
    network(np.zeros((1, 4, N_SOUND), np.float32), np.zeros((1, 4, N_MOTION), np.float32))
    return network
