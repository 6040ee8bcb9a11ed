"""Distorted copies of speech to train on: another person, room or microphone, noise, others behind it.

Reads, writes: nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.media.audio import resample
from landmarks.distort import add_noise, add_reverberation, telephone_band

SPEEDS = (0.86, 1.17)
NOISE, ROOM, TELEPHONE = 0.35, 0.2, 0.08  # of the distorted copies have it


def distort(sound: NDArray, others: Sequence[NDArray], rng: np.random.Generator) -> tuple[NDArray, float]:
    """`sound` [sample] as of another person, room or microphone, `others` behind it; and how many times as fast it is."""
    speed = float(rng.uniform(*SPEEDS))
    sound = resample(sound, round(SAMPLE_RATE * speed))
    if rng.random() < ROOM:
        wet = 10 ** rng.uniform(-1, -0.1)
        sound = (1 - wet) * sound + wet * add_reverberation(sound, rng)
    sound = equalise(sound, rng)
    if len(others):
        sound = add_noise(sound, np.sum([np.resize(other, len(sound)) for other in others], 0), rng.uniform(5, 25))
    if rng.random() < NOISE:
        sound = add_noise(sound, coloured_noise(len(sound), rng), rng.uniform(5, 40))
    if rng.random() < TELEPHONE:
        sound = telephone_band(sound)
    return sound.astype(np.float32), speed


def equalise(sound: NDArray, rng: np.random.Generator) -> NDArray:
    """A smooth equaliser of a few dB, as of another microphone."""
    hz = np.geomspace(60, SAMPLE_RATE / 2, 7)
    spectrum, at = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum * 10 ** np.interp(at, hz, rng.normal(0, 0.2, len(hz))), len(sound)).astype(np.float32)


def coloured_noise(n: int, rng: np.random.Generator) -> NDArray:
    """Steady noise, float [n], whose power falls by 0 to 20 dB a decade."""
    spectrum, at = np.fft.rfft(rng.normal(size=n)), np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum * np.maximum(at, 30) ** -rng.uniform(0, 1), n)
