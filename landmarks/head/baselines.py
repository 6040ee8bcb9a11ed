"""Motions a head-model is compared with, and its own: what `evaluate` and the judge of heads look at.

Reads, writes: nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core import metrics
from core.clock import FPS
from core.smooth import gaussian_filter
from landmarks.head.data import MOVING, HeadClip, turning
from landmarks.head.motion import HeadModel, motion_of, seeded_noise
from landmarks.head.sound import knot_features
from landmarks.voice.gate import WholeVoice

FAST_S = 0.12  # of the Gaussian that accents are wider than


def predict_motion(model: HeadModel, clip: HeadClip, seed: int, sound: HeadClip | None = None) -> NDArray:
    """The model's motion [frame, channel] for a clip, or for the sound of another clip, `sound`."""
    sound = sound or clip
    free = WholeVoice(sound.power).free
    return np.concatenate(motion_of(model, knot_features(sound.power, sound.height), seeded_noise(len(free), seed), free), 1)


def filtered(values: NDArray, sigma_s: float) -> NDArray:
    """Values [frame, ...] under a Gaussian of `sigma_s`."""
    return gaussian_filter(values, sigma_s * FPS, mode="symmetric")


def loudness(clip: HeadClip) -> NDArray:
    """Decades of power, smoothed, float [frame]."""
    return filtered(np.log10(clip.power.sum((1, 2)) + 1), FAST_S)


def correlation(a: NDArray, b: NDArray) -> float:
    """`core.metrics.correlation` of the frames that both have."""
    n = min(len(a), len(b))
    return metrics.correlation(a[:n], b[:n])


def replay_motion(clip: HeadClip, train: Sequence[HeadClip]) -> NDArray:
    """The motion of the clip of `train` whose loudness goes most like this one's, [frame, channel]."""
    n, own = len(clip.face), loudness(clip)
    others = [other for other in train if len(other.face) >= n and turning(other) > MOVING]
    if not others:
        return np.zeros_like(clip.face)
    return max(others, key=lambda other: correlation(own, loudness(other)[:n])).face[:n]
