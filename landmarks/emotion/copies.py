"""Copies of a recording that the speech encoder hears beside it, to train the emotion recogniser on.

Reads, writes: nothing. The encoder hears a recording that begins and ends in silence otherwise than the same words amid a
longer talk: without copies that stand amid others, the discriminant is led astray in all but short recordings.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.media.audio import resample, spectrum_of
from landmarks.ear.augment import distort
from landmarks.emotion.ear import EarMoments, ear_of, ear_steps
from landmarks.emotion.model import emotion_features, sounds_of
from landmarks.features import VOICED

SPEEDS, N_DISTORTED = (0.88, 1.12), 1
MARGIN = 5  # frames of silence around speech amid others


def spoken(sound: NDArray) -> NDArray:
    """`sound` [sample] from a little before its speech to a little after, in whole frames."""
    frames = sound[:len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    power = np.square(frames).mean(1)
    sounding = np.flatnonzero(power >= VOICED * np.percentile(power, 95))
    return frames[max(0, sounding[0] - MARGIN):sounding[-1] + 1 + MARGIN].ravel()


def copies_of(sound: NDArray, alike: Sequence[NDArray], seed: int) -> list:
    """`sound` [sample] slower, faster, distorted, amid two of `alike`: [(sound, its first frame, its frames)].

    `alike` are `spoken` sounds of the same speaker in the same emotion.
    """
    rng = np.random.default_rng(seed)
    changed = [resample(sound, round(SAMPLE_RATE * speed)) for speed in SPEEDS]
    changed += [distort(sound, [], rng)[0] for _ in range(N_DISTORTED)]
    own, (before, after) = spoken(sound), (alike[int(i)] for i in rng.integers(len(alike), size=2))
    return [*((one, 0, n_frames_of(len(one))) for one in changed),
            (np.concatenate([before, own, after]), len(before) // SAMPLES_PER_FRAME, len(own) // SAMPLES_PER_FRAME)]


def hear(sound: NDArray, copies: Sequence[tuple[NDArray, int, int]]) -> tuple[NDArray, NDArray] | tuple[None, None]:
    """Features of `sound` [sample], float16 [step, value], and statistics of it and its copies, float32 [1 + copy, n].

    Nothing where the speech encoder is not installed.
    """
    features, moments = [], []
    for version, first, n_frames in [(sound, 0, n_frames_of(len(sound))), *copies]:
        spectrum = spectrum_of(version)
        ear = ear_of(version, spectrum)
        if ear is None:
            return None, None
        features.append(ear_steps(ear, first, first + n_frames))
        own = version[first * SAMPLES_PER_FRAME:][:n_frames * SAMPLES_PER_FRAME] if n_frames < len(spectrum) else version
        _, sounding = emotion_features(*sounds_of(own, spectrum=spectrum[first:first + n_frames])[:3])
        moments.append(EarMoments(features[-1], sounding)(np.array([0]), np.array([len(sounding)]))[0])
    return features[0], np.stack(moments)
