"""The CNN + RNN: convolutions over frequency, then over time, then a GRU that carries the past (Keras).

Speech -> offsets from the speaker's rest face, in face space. Speech comes as log-mel, or as the features of the pretrained
encoder (landmarks.ear): a dict of the one input by its name. The convolutions see `features.LOOK_AHEAD` frames of sound ahead;
the past beyond their reach comes to a frame through the GRU's state alone.
Source: the separable convolutions follow Karras et al. 2017 (Audio-driven facial animation), the GRU the RAVDESS recipe.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.face.face68 import N_POINTS
from core.media.audio import HOPS_PER_FRAME, N_BINS
from landmarks.ear.encoder import HALVES, N_VALUES
from landmarks.features import CONTEXT, N_MELS, mel_filters
from learn.export import write_litert
from learn.tensorflow import keras, layers, tf

DEFAULTS = {"channels": 32, "width": 160, "hidden": 160, "rank": 32, "dropout": 0.4, "rnn": True, "ear": False,
            "ear_dropout": 0.5, "components": 192}
INPUTS = {"features": (HOPS_PER_FRAME, N_MELS), "ear": (HALVES * N_VALUES,)}  # of a frame of sound


class Whiten(layers.Layer):
    """Principal components of values, each of variance 1 in the training: weights that are set once and not learnt.

    The last ones, which vary least, are left out: all of them are more than a few hours of speech can teach.
    """

    def __init__(self, n_components, **options):
        super().__init__(**options)
        self.n_components = n_components

    def build(self, shape):
        self.mean = self.add_weight(shape=(shape[-1],), trainable=False, name="mean", initializer="zeros")
        self.axes = self.add_weight(shape=(shape[-1], self.n_components), trainable=False, name="axes")

    def call(self, values):
        return keras.ops.matmul(values - self.mean, self.axes)


def no_sound(n_frames: int, ear: bool, **_: Any) -> dict:
    """What the network takes, all zeros: name -> [1, frame, ...]."""
    name = "ear" if ear else "features"
    return {name: np.zeros((1, n_frames, *INPUTS[name]), np.float32)}


def build_encoder(channels: int, width: int, dropout: float, ear_dropout: float = 0.0, ear: bool = False,
                  components: int = N_VALUES, **_: Any) -> keras.Model:
    """Sound, name -> [batch, frame + CONTEXT, ...] as `INPUTS` -> codes [batch, frame, width]."""
    if ear:
        sound = keras.Input((None, *INPUTS["ear"]), name="ear")
        x = Whiten(components, name="whiten")(layers.Reshape((-1, N_VALUES))(sound))
        x = layers.Conv1D(width, 2 * HALVES, strides=HALVES, activation="relu")(layers.Dropout(ear_dropout)(x))  # t and t + 1
    else:
        sound = keras.Input((None, *INPUTS["features"]), name="features")
        x = layers.Reshape((-1, N_MELS, 1))(sound)
        for factor in (0.5, 1, 1):  # frequency only
            x = layers.Conv2D(int(channels * factor), (1, 5), strides=(1, 2), padding="same", activation="relu")(x)
        for n_hops in (4, 3):  # time only: 4F hops -> 2F - 1 -> F - 1, each seeing frames t and t + 1
            x = layers.Conv2D(int(channels * 1.5), (n_hops, 1), strides=(2, 1), activation="relu")(x)
        x = layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
        x = layers.Dense(width, activation="relu")(x)
    x = layers.Dropout(dropout)(layers.Conv1D(width, 5, activation="relu")(layers.Dropout(dropout)(x)))
    x = layers.Conv1D(width, 4, activation="relu")(x)
    return keras.Model({sound.name: sound}, x, name="encoder")


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
        self.motions = layers.Dense(self.settings["rank"])
        nearly_at_rest = keras.initializers.RandomNormal(stddev=0.01)  # far from it the first steps lose units for good
        self.points = layers.Dense(2 * N_POINTS, kernel_initializer=nearly_at_rest)
        self.rest_face = self.add_weight(shape=(N_POINTS, 2), trainable=False, name="rest_face",
                                         initializer=keras.initializers.Constant(rest_face))
        self.filters = self.add_weight(shape=(N_BINS, N_MELS), trainable=False, name="mel",
                                       initializer=keras.initializers.Constant(mel_filters()))

    def call(self, sound, training=False):
        """Sound, name -> [batch, frame + CONTEXT, ...] -> offsets [batch, frame, 68, 2], eye distances."""
        code = self.encoder(dict(sound), training=training)
        past = self.gru(code) if self.gru is not None else self.instead(code)
        return self._offsets(code, self.drop(past, training=training))

    def _offsets(self, code, past):
        offsets = self.points(self.motions(keras.ops.concatenate([code, past], -1)))
        return keras.ops.reshape(offsets, (*keras.ops.shape(offsets)[:-1], N_POINTS, 2))

    def mel(self, spectrum):
        """FFT magnitudes [frame, hop, bin] -> mel power [frame, hop, mel]."""
        return keras.ops.matmul(keras.ops.square(spectrum), self.filters)

    def encode(self, **sound):
        """Sound of one recording, name -> [frame + CONTEXT, ...] -> codes [frame, width]."""
        return self.encoder({name: part[None] for name, part in sound.items()}, training=False)[0]

    def step(self, code, state):
        """One frame: code [1, width], state [1, hidden] -> offset [1, 68, 2], face [1, 68, 2], the next state."""
        if self.gru is not None:
            past, (state,) = self.gru.cell(code, [state])
        else:
            past = self.instead(code)
        offset = self._offsets(code, past)
        return {"offset": offset, "face": self.rest_face[None] + offset, "state": state + 0.0}


def untrained(rest_face: NDArray, options: dict) -> "SpeechToLandmarks":
    """A network with its first weights; of `options` those in DEFAULTS count."""
    settings = {name: options.get(name, value) for name, value in DEFAULTS.items()}
    network = SpeechToLandmarks(rest_face, **settings | {"ear": bool(settings["ear"])})
    network(no_sound(CONTEXT + 2, **network.settings))
    return network


def export(model: Any, path: str | Path, **about: Any) -> Path:
    """Write `model` (SpeechToLandmarks, or several joined) to `path` as LiteRT (landmark-model); see `learn.export`.

    Signatures: `mel` (FFT magnitudes to mel power), `encode` (a stretch of sound, as `INPUTS`, to codes), `step` (one frame:
    code and GRU state in, face, offset and next state out). The state is explicit, so a stream and a file give the same
    numbers. Frames stand on the batch axis.
    """
    width, hidden = model.settings["width"], model.settings["hidden"]
    spectrum = tf.TensorSpec((None, HOPS_PER_FRAME, N_BINS), name="spectrum")
    sound = [tf.TensorSpec((None, *INPUTS[name]), name=name) for name in no_sound(0, **model.settings)]
    code, state = tf.TensorSpec((1, width), name="code"), tf.TensorSpec((1, hidden), name="state")

    def encode(*parts):
        return {"code": model.encode(**{spec.name: part for spec, part in zip(sound, parts)})}

    return write_litert(model, path, "landmark-model", {
        "mel": (lambda spectrum: {"power": model.mel(spectrum)}, [spectrum]),
        "encode": (encode, sound), "step": (model.step, [code, state])}, **about)
