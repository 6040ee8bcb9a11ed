"""The sync judge's network: encoders of sound and mouth whose embeddings correlate when in sync (Keras).

Sound features and mouth shapes -> a vector a frame each; `similarities` slides one sequence along the other.
Source: the two encoders follow SyncNet (Chung & Zisserman 2016), the loss InfoNCE (van den Oord et al. 2018).
"""

from pathlib import Path
from typing import Any

import numpy as np

from core.face.face68 import N_MOUTH_SHAPE
from core.media.audio import HOPS_PER_FRAME
from landmarks.features import CONTEXT, N_MELS
from landmarks.model import build_encoder
from landmarks.sync.judge import MAX_LAG, N_LAGS
from learn.export import write_litert
from learn.tensorflow import keras, layers, tf

DEFAULTS = {"channels": 16, "width": 80, "size": 32, "dropout": 0.3}
SHARPNESS = 20.0  # what a correlation is multiplied with before the softmax, to begin with


def _tail(x, width, size, dropout):
    """The last layers of either encoder: [batch, frame, width] -> [batch, frame, size]."""
    x = layers.Dropout(dropout)(layers.Conv1D(width, 5, padding="same", activation="relu")(x))
    return layers.Conv1D(size, 5, padding="same")(x)


def build_sound_encoder(channels: int, width: int, size: int, dropout: float) -> keras.Model:
    """Features [batch, frame + CONTEXT, hop, mel] -> [batch, frame, size]; a vector knows 17 frames of sound."""
    sound = keras.Input((None, HOPS_PER_FRAME, N_MELS))
    x = build_encoder(channels, width, dropout)({"features": sound})
    return keras.Model(sound, _tail(x, width, size, dropout), name="ear")


def build_mouth_encoder(width: int, size: int, dropout: float) -> keras.Model:
    """Mouth shapes [batch, frame, N_MOUTH_SHAPE] -> [batch, frame, size]; a vector knows 17 frames of picture."""
    shape = keras.Input((None, N_MOUTH_SHAPE))
    x = layers.Conv1D(width, 5, padding="same", activation="relu")(shape)
    x = layers.Dropout(dropout)(layers.Conv1D(width, 5, padding="same", activation="relu")(x))
    return keras.Model(shape, _tail(x, width, size, dropout), name="eye")


class SyncNetwork(keras.Model):
    """Encoders of sound (`ear`) and mouth (`eye`), and the sharpness of the softmax; `settings` give every shape."""

    def __init__(self, **settings):
        super().__init__()
        self.settings = {**DEFAULTS, **settings}
        self.ear = build_sound_encoder(**self.settings)
        self.eye = build_mouth_encoder(**{name: self.settings[name] for name in ("width", "size", "dropout")})
        self.log_sharpness = self.add_weight(shape=(), name="log_sharpness",
                                             initializer=keras.initializers.Constant(np.log(SHARPNESS)))

    def call(self, features, shapes, training=False):
        """Features [batch, frame + CONTEXT, hop, mel], shapes [batch, frame, N_MOUTH_SHAPE] -> embeddings of both."""
        return self.ear(features, training=training), self.eye(shapes, training=training)


def similarities(sound: Any, mouth: Any, seen: Any) -> Any:
    """`sync.similarities` of batches, in TensorFlow: sound, mouth [batch, frame, size], seen [batch, frame] -> [batch, lag]."""
    sound = sound - tf.reduce_mean(sound, 1, keepdims=True)
    mouth = (mouth - tf.reduce_sum(mouth * seen[..., None], 1, keepdims=True)
             / (tf.reduce_sum(seen, 1)[:, None, None] + 1e-6)) * seen[..., None]
    n = tf.shape(sound)[1]
    places = tf.range(n)[:, None] + tf.range(N_LAGS)[None]  # [frame, lag]: where in the padded sound a lag looks
    beyond = [[0, 0], [MAX_LAG, MAX_LAG]]
    products = tf.einsum("btd,bsd->bts", mouth, tf.pad(sound, [*beyond, [0, 0]]))
    products = tf.gather(products, tf.tile(places[None], [tf.shape(sound)[0], 1, 1]), axis=2, batch_dims=2)
    sound_energy = tf.gather(tf.pad(tf.reduce_sum(sound * sound, 2), beyond), places, axis=1)
    inside = tf.gather(tf.pad(tf.ones([n]), beyond[1:]), places)
    energy = tf.reduce_sum(sound_energy * seen[..., None], 1) * tf.einsum("bt,tl->bl", tf.reduce_sum(mouth * mouth, 2), inside)
    return tf.reduce_sum(products, 1) / tf.sqrt(energy + 1e-6)


def loss_terms(network: SyncNetwork, sound: Any, mouth: Any, seen: Any, target: Any, n_others: int) -> dict[str, Any]:
    """Cross-entropy of the true lag, among the lags of a clip, and among those of `n_others` other clips' sounds too.

    target : [batch, lag], how likely each lag is; sums to 1
    """
    sharpness = tf.exp(network.log_sharpness)
    own = sharpness * similarities(sound, mouth, seen)
    foreign = [sharpness * similarities(tf.roll(sound, i, 0), mouth, seen) for i in range(1, n_others + 1)]
    every = tf.concat([own, *foreign], 1)
    picked = tf.reduce_sum(target * own, 1)
    return {"lag": tf.reduce_mean(tf.reduce_logsumexp(own, 1) - picked),
            "clip": tf.reduce_mean(tf.reduce_logsumexp(every, 1) - picked)}


def export(network: SyncNetwork, path: str | Path, **about: Any) -> Path:
    """Write `network` to `path` as LiteRT (sync-model): `hear` and `see`, frames as the batch axis; see `learn.export`."""
    features = tf.TensorSpec((None, HOPS_PER_FRAME, N_MELS), name="features")
    shapes = tf.TensorSpec((None, N_MOUTH_SHAPE), name="shapes")
    return write_litert(network, path, "sync-model", {
        "hear": (lambda features: {"heard": network.ear(features[None], training=False)[0]}, [features]),
        "see": (lambda shapes: {"shown": network.eye(shapes[None], training=False)[0]}, [shapes])}, **about)


def built(**settings: Any) -> SyncNetwork:
    """An untrained network whose variables exist."""
    network = SyncNetwork(**settings)
    network(np.zeros((1, CONTEXT + 4, HOPS_PER_FRAME, N_MELS), np.float32), np.zeros((1, 4, N_MOUTH_SHAPE), np.float32))
    return network
