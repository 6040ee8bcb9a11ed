"""The head-motion network: a transformer that turns noise into motion, conditioned on speech (flow matching, Keras).

Noise, coloured as measured motion is, flows to a motion: the network says in which direction each knot moves on, from
time 0 (the noise) to 1. Attention looks `REACH` knots to either side, so that any length can be made in blocks.
Source: flow matching, Lipman et al. 2023; attention with learnt distances, Shaw et al. 2018.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landmarks.head.data import N_MANNER, HeadClip, manner_of
from landmarks.head.knots import KNOT, N_CHANNELS, to_knots
from landmarks.head.sound import N_SOUND
from learn.export import write_litert
from learn.tensorflow import keras, layers, tf

REACH = 16  # knots attention looks to either side: 2.6 s
COLOUR = 20  # knots to either side that make the colour of the noise
N_TIMES = 8  # waves that tell the time
DEFAULTS = {"width": 48, "depth": 3, "heads": 4, "dropout": 0.1}


class Attention(layers.Layer):
    """Attention over neighbours, `REACH` knots to either side, and how much each distance counts."""

    def __init__(self, width, heads, **options):
        super().__init__(**options)
        self.width, self.heads = width, heads
        self.into, self.out = layers.Dense(3 * width), layers.Dense(width)

    def build(self, shape):
        self.into.build(shape)
        self.out.build(shape)
        self.distance = self.add_weight(shape=(2 * REACH + 1, self.heads), name="distance", initializer="zeros")

    def call(self, x, weight):
        """[item, knot, width], weight [item, knot]: 0 where there is nothing -> [item, knot, width]."""
        n, size = tf.shape(x)[1], self.width // self.heads
        query, key, value = tf.split(tf.reshape(self.into(x), (-1, n, self.heads, 3 * size)), 3, -1)
        apart = tf.range(n)[None] - tf.range(n)[:, None]
        counts = tf.gather(self.distance, tf.clip_by_value(apart, -REACH, REACH) + REACH)  # [knot, knot, head]
        near = tf.cast(tf.abs(apart) <= REACH, tf.float32)[None, None] * weight[:, None, None]
        score = tf.einsum("bihs,bjhs->bhij", query, key) / size**0.5 + tf.transpose(counts, (2, 0, 1))[None]
        mixed = tf.einsum("bhij,bjhs->bihs", tf.nn.softmax(score - 1e4 * (1 - near)), value)
        return self.out(tf.reshape(mixed, (-1, n, self.width)))


class HeadNetwork(keras.Model):
    """The flow. `statistics` of `statistics_of` hold the colour of the noise; `settings` give every shape."""

    def __init__(self, statistics, **settings):
        super().__init__()
        self.settings = {**DEFAULTS, **settings}
        width, depth, heads, dropout = (self.settings[name] for name in DEFAULTS)
        self.ear = [layers.Dense(width, activation="relu"), layers.Dense(width)]
        self.start, self.when, self.how = layers.Dense(width), layers.Dense(width), layers.Dense(width)
        self.blocks = [(layers.LayerNormalization(), Attention(width, heads), layers.LayerNormalization(),
                        layers.Dense(2 * width, activation="relu"), layers.Dense(width)) for _ in range(depth)]
        self.last, self.drop = layers.LayerNormalization(), layers.Dropout(dropout)
        self.velocity = layers.Dense(N_CHANNELS, kernel_initializer="zeros")
        for name, value in statistics.items():
            setattr(self, name, self.add_weight(shape=value.shape, trainable=False, name=name,
                                                initializer=keras.initializers.Constant(value)))

        self.nothing = self.add_weight(shape=(width,), name="nothing", initializer="zeros")

    def encode(self, sound, conditional=None, training=False):
        """Sound [item, knot, KNOT * N_SOUND] -> codes [item, knot, width]; `nothing` where `conditional` [item] is 0."""
        code = self.ear[1](self.drop(self.ear[0](sound), training=training))
        return code if conditional is None else self.nothing + conditional[:, None, None] * (code - self.nothing)

    def begin(self, noise):
        """White noise [item, knot, channel] -> the same, coloured and mixed like measured motion."""
        coloured = tf.nn.depthwise_conv2d(noise[:, :, None], self.colour[:, None, :, None], (1, 1, 1, 1), "SAME")[:, :, 0]
        return tf.matmul(coloured, self.mixing)

    def call(self, motion, code, manner, time, weight, training=False):
        """Where a motion [item, knot, channel] at `time` [item] goes from here: its velocity, of the same shape."""
        waves = time[:, None] * np.pi * np.arange(1, N_TIMES + 1, dtype=np.float32)
        about = self.when(tf.concat([tf.sin(waves), tf.cos(waves)], -1)) + self.how(manner - self.manner)
        x = self.start(motion / self.size) + code + about[:, None]
        for norm, attention, norm_2, wide, narrow in self.blocks:
            x = x + self.drop(attention(norm(x), weight), training=training)
            x = x + self.drop(narrow(wide(norm_2(x))), training=training)
        return self.velocity(self.last(x)) * self.size

    def guide(self, motion, code, manner, time, scale):
        """The guided velocity of one recording, [knot, channel]; `scale` [1] is the guidance scale.

        Source: classifier-free guidance, Ho & Salimans 2022.
        """
        code = tf.stack([tf.zeros_like(code) + self.nothing, code])
        both = [tf.repeat(part[None], 2, 0) for part in (motion, manner, time[0], tf.ones_like(motion[:, 0]))]
        unconditional, conditional = tf.unstack(self(both[0], code, *both[1:]))
        return unconditional + scale * (conditional - unconditional)


def statistics_of(clips: Sequence[HeadClip]) -> dict:
    """What measured motion is like, `clips` of `HeadClip`: size [channel] and manner (medians), colour and mixing of noise."""
    spectra, motions = [], []
    for clip in clips:
        knots = to_knots(clip.face)[2:-2]
        motions.append(knots)
        if len(knots) > COLOUR:
            power = np.abs(np.fft.rfft(knots, 4 * COLOUR, axis=0)) ** 2 if len(knots) >= 4 * COLOUR else None
            spectra += [] if power is None else [power / power.sum(0)]
    size = np.median([knots.std(0) for knots in motions], 0)
    spectrum = np.mean(spectra, 0) if spectra else np.ones((2 * COLOUR + 1, N_CHANNELS))
    colour = np.roll(np.fft.irfft(np.sqrt(spectrum), axis=0), COLOUR, axis=0)[:2 * COLOUR + 1]
    colour = colour * np.hanning(len(colour) + 2)[1:-1, None]
    together = np.mean([np.corrcoef(knots.T) for knots in motions], 0)
    mixing = np.linalg.cholesky(together + 1e-3 * np.eye(N_CHANNELS)).T * size
    manner = np.median([manner_of(clip.face) for clip in clips], 0)
    parts = {"size": size, "colour": colour / np.linalg.norm(colour, axis=0), "mixing": mixing, "manner": manner}
    return {name: value.astype(np.float32) for name, value in parts.items()}


def export(network: HeadNetwork, path: str | Path, **about: Any) -> Path:
    """Write `network` to `path` as LiteRT (head-model): `hear`, `begin` and `move`, one recording each; see `learn.export`.

    Names within the file are those of its version: `hear` takes `heard`, the sound; `listens` is the guidance scale.
    """
    sound, noise, motion, code = (tf.TensorSpec((None, n), name=name) for name, n in (
        ("heard", KNOT * N_SOUND), ("noise", N_CHANNELS), ("motion", N_CHANNELS), ("code", network.settings["width"])))
    manner, time, scale = (tf.TensorSpec((n,), name=name) for name, n in (("manner", N_MANNER), ("time", 1), ("listens", 1)))
    sees = tf.constant(max(COLOUR, network.settings["depth"] * REACH))
    return write_litert(network, path, "head-model", {
        "hear": (lambda heard: {"code": network.encode(heard[None])[0]}, [sound]),
        "begin": (lambda noise: {"motion": network.begin(noise[None])[0], "manner": network.manner + 0.0,
                                 "size": network.size + 0.0, "sees": sees + 0}, [noise]),
        "move": (lambda motion, code, manner, time, listens: {"velocity": network.guide(motion, code, manner, time, listens)},
                 [motion, code, manner, time, scale])}, **about)
