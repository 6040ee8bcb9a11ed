"""The emotion recogniser's network in Keras, and its weights as landmarks.emotion.model wants them.

Reads, writes: nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from landmarks.emotion.model import N_FEATURES, SILENT, STEPS_PER_FRAME
from learn.keras_run import descend
from learn.tensorflow import keras, layers, ops, tf
from preprocess.ravdess import EMOTIONS

DEFAULTS = {"width": 96, "channels": 64, "units": 48, "dropout": 0.3}


class Statistics(layers.Layer):
    """Attentive mean and spread: states [batch, frame, value], weight [batch, frame] -> [batch, 2 * value]."""

    def build(self, states_shape, weight_shape):
        self.attention = self.add_weight(shape=(states_shape[-1], 1), initializer="zeros", name="attention")

    def call(self, states, weight):
        share = ops.exp(states @ self.attention) * ops.maximum(weight, SILENT)[..., None]
        share = share / ops.sum(share, 1, keepdims=True)
        mean, square = ops.sum(share * states, 1), ops.sum(share * ops.square(states), 1)
        return ops.concatenate([mean, ops.sqrt(ops.maximum(square - ops.square(mean), 0) + SILENT)], -1)


def built(width: int, channels: int, units: int, dropout: float) -> keras.Model:
    """Features [batch, step, N_FEATURES], sounding [batch, frame] -> scores [batch, 8], of strong acting [batch, 1]."""
    features, sounding = keras.Input((None, N_FEATURES)), keras.Input((None,))
    x = features
    for name, size, stride in (("first", width, STEPS_PER_FRAME), ("second", channels, 1)):
        x = layers.Conv1D(size, 5, strides=stride, padding="same", use_bias=False, name=name)(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_norm")(x))
        x = layers.SpatialDropout1D(dropout / 2)(x)
    both = layers.Bidirectional(layers.LSTM(units, return_sequences=True), name="lstm")(x)
    pooled = layers.Dropout(dropout)(Statistics(name="statistics")(layers.Concatenate()([both, x]), sounding))
    heads = [layers.Dense(n, name=name)(pooled) for name, n in (("out", len(EMOTIONS)), ("strong", 1))]
    return keras.Model([features, sounding], heads)


def arrays_of(network: keras.Model) -> dict:
    """Weights by name, batch normalisation folded into the convolutions: what one network adds to an emotion-model."""
    found = {}
    for name in ("first", "second"):
        scale, shift, mean, variance = (np.asarray(v) for v in network.get_layer(f"{name}_norm").weights)
        factor = scale / np.sqrt(variance + network.get_layer(f"{name}_norm").epsilon)
        found[name] = np.asarray(network.get_layer(name).kernel) * factor
        found[f"{name}_bias"] = shift - mean * factor
    ways = network.get_layer("lstm").get_weights()
    for name, forward, backward in zip(("kernel", "recurrent", "bias"), ways[:3], ways[3:]):
        found[name] = np.stack([forward, backward])
    found["attention"] = network.get_layer("statistics").get_weights()[0][:, 0]
    found["out"], found["out_bias"] = network.get_layer("out").get_weights()
    return found


def make_train_step(network: keras.Model, optimizer: Any, smoothing: float, strong_weight: float) -> Callable:
    """A compiled function of a batch -> dict of loss terms."""
    @tf.function(reduce_retracing=True)
    def train_step(features, sounding, emotion, strong, weight):
        wanted = emotion * (1 - smoothing) + smoothing / len(EMOTIONS)
        with tf.GradientTape() as tape:
            scores, strength = network([features, sounding], training=True)
            terms = {"emotion": tf.reduce_mean(weight * tf.nn.softmax_cross_entropy_with_logits(wanted, scores)),
                     "strong": tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(strong, strength[:, 0]))}
            loss = terms["emotion"] + strong_weight * terms["strong"]
        descend(tape, loss, network, optimizer)
        return {"loss": loss, **terms}

    return train_step
