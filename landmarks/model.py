"""The CNN + RNN: convolutions over frequency, then over time, then a GRU that carries the past (Keras).

Speech features -> offsets from the speaker's rest face, in face space. The convolutions see `features.LOOK_AHEAD`
frames of sound ahead; the past beyond their reach comes to a frame through the GRU's state alone.
Source: the separable convolutions follow Karras et al. 2017 (Audio-driven facial animation), the GRU the RAVDESS recipe.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from core.face.face68 import N_POINTS
from core.media.audio import HOPS_PER_FRAME, N_BINS
from landmarks.features import N_MELS, mel_filters
from learn.export import write_litert

DEFAULTS = {"channels": 32, "width": 160, "hidden": 160, "rank": 32, "dropout": 0.4, "rnn": True}


def build_encoder(channels: int, width: int, dropout: float, **_: Any) -> keras.Model:
    """Features [batch, frame + CONTEXT, hop, mel] -> codes [batch, frame, width]."""
    sound = keras.Input((None, HOPS_PER_FRAME, N_MELS), name="features")
    x = layers.Reshape((-1, N_MELS, 1))(sound)
    for factor in (0.5, 1, 1):  # frequency only
        x = layers.Conv2D(int(channels * factor), (1, 5), strides=(1, 2), padding="same", activation="relu")(x)
    for n_hops in (4, 3):  # time only: 4F hops -> 2F - 1 -> F - 1, each seeing frames t and t + 1
        x = layers.Conv2D(int(channels * 1.5), (n_hops, 1), strides=(2, 1), activation="relu")(x)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
    x = layers.Dropout(dropout)(layers.Dense(width, activation="relu")(x))
    x = layers.Dropout(dropout)(layers.Conv1D(width, 5, activation="relu")(x))
    x = layers.Conv1D(width, 4, activation="relu")(x)
    return keras.Model(sound, x, name="encoder")


class SpeechToLandmarks(keras.Model):
    """Encoder, GRU and head; `settings` give every shape. Without `rnn` a dense layer stands where the GRU is."""

    def __init__(self, rest_face, **settings):
        super().__init__()
        self.settings = {**DEFAULTS, **settings}
        hidden = self.settings["hidden"]
        self.encoder = build_encoder(**self.settings)
        self.gru = layers.GRU(hidden, return_sequences=True) if self.settings["rnn"] else None
        self.instead: Any = None if self.settings["rnn"] else layers.Dense(hidden, activation="tanh")
        self.drop = layers.Dropout(self.settings["dropout"])
        self.motions, self.points = layers.Dense(self.settings["rank"]), layers.Dense(2 * N_POINTS)
        self.rest_face = self.add_weight(shape=(N_POINTS, 2), trainable=False, name="rest_face",
                                         initializer=keras.initializers.Constant(rest_face))
        self.filters = self.add_weight(shape=(N_BINS, N_MELS), trainable=False, name="mel",
                                       initializer=keras.initializers.Constant(mel_filters()))

    def call(self, features, training=False):
        """Features [batch, frame + CONTEXT, hop, mel] -> offsets [batch, frame, 68, 2], eye distances."""
        code = self.encoder(features, training=training)
        past = self.gru(code) if self.gru is not None else self.instead(code)
        return self._offsets(code, self.drop(past, training=training))

    def _offsets(self, code, past):
        offsets = self.points(self.motions(keras.ops.concatenate([code, past], -1)))
        return keras.ops.reshape(offsets, (*keras.ops.shape(offsets)[:-1], N_POINTS, 2))

    def mel(self, spectrum):
        """FFT magnitudes [frame, hop, bin] -> mel power [frame, hop, mel]."""
        return keras.ops.matmul(keras.ops.square(spectrum), self.filters)

    def encode(self, features):
        """Features of one recording [frame + CONTEXT, hop, mel] -> codes [frame, width]."""
        return self.encoder(features[None], training=False)[0]

    def step(self, code, state):
        """One frame: code [1, width], state [1, hidden] -> offset [1, 68, 2], face [1, 68, 2], the next state."""
        if self.gru is not None:
            past, (state,) = self.gru.cell(code, [state])
        else:
            past = self.instead(code)
        offset = self._offsets(code, past)
        return {"offset": offset, "face": self.rest_face[None] + offset, "state": state + 0.0}


def export(model: Any, path: str | Path, **about: Any) -> Path:
    """Write `model` (SpeechToLandmarks, or several joined) to `path` as LiteRT (landmark-model); see `learn.export`.

    Signatures: `mel` (FFT magnitudes to mel power), `encode` (a stretch of features to codes), `step` (one frame: code and
    GRU state in, face, offset and next state out). The state is explicit, so a stream and a file give the same numbers.
    Frames stand on the batch axis.
    """
    width, hidden = model.settings["width"], model.settings["hidden"]
    spectrum = tf.TensorSpec((None, HOPS_PER_FRAME, N_BINS), name="spectrum")
    features = tf.TensorSpec((None, HOPS_PER_FRAME, N_MELS), name="features")
    code, state = tf.TensorSpec((1, width), name="code"), tf.TensorSpec((1, hidden), name="state")
    return write_litert(model, path, "landmark-model", {
        "mel": (lambda spectrum: {"power": model.mel(spectrum)}, [spectrum]),
        "encode": (lambda features: {"code": model.encode(features)}, [features]),
        "step": (model.step, [code, state])}, **about)
