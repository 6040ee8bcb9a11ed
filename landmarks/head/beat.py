"""The beat of a head: what of its motion, and of the brows', follows the voice syllable by syllable.

Reads: CNN_record/beat/model.npz (beat-model), made by landmarks.head.train_beat. Writes: nothing.
A linear filter from bands of the spectrum and pitch, from REACH_S before a frame to as much after, to gestures: the mean motion
of people who say so. The flow of `landmarks.head.motion` gives what a voice does not tell. Source: Munhall et al. 2004 (heads
move with pitch and loudness). Lips lend a little to the points that a head is measured by; `without_lips` takes that away.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core import paths
from core.clock import FPS
from core.face import face68
from core.models import read_arrays, read_model
from core.smooth import gaussian_filter
from landmarks.head.sound import N_BANDS, sound_features

MODEL = paths.BEAT_MODEL
POSTURE_S = 1.0  # of the Gaussian whose mean is no gesture
LIPS_REACH, LIPS_RIDGE = 3, 1e-3  # frames to either side; of the trace
REACH_S, STEP, SMOOTH_S = 0.8, 2, 0.06  # of the filter: s to either side, frames from one weight to the next, of the sound
GAIN = 2.0  # times the mean motion: one head moves further than the mean of many, whose beats cancel
_ABOUT = 1e-9


@cache
def beat_model() -> NDArray:
    """The filter that ships: `weights` float32 [value of `beat_features`, channel]."""
    return read_model(MODEL, "beat-model", read_arrays, "make train-beat")["weights"]


def gestures_in(motion: NDArray) -> NDArray:
    """`motion` [frame, channel] about its mean over some seconds: what a posture does not explain."""
    return motion - gaussian_filter(motion, POSTURE_S * FPS)


def without_lips(motion: NDArray, face: NDArray) -> NDArray:
    """Gestures in `motion` [frame, channel] that opening and width of the mouth in `face` [frame, 68, 2] do not explain.

    Linear, by least squares over the clip, from LIPS_REACH frames before to as many after.
    """
    face = face68.fill_missing(face)
    lips = np.stack([np.roll(part, lag) for part in (face68.mouth_opening(face), face68.mouth_width(face))
                     for lag in range(-LIPS_REACH, LIPS_REACH + 1)], 1)
    lips, moved = gestures_in(lips), gestures_in(motion.astype(float))
    square = lips.T @ lips
    ridge = (LIPS_RIDGE * np.trace(square) / len(square) + _ABOUT) * np.eye(len(square))
    return (moved - lips @ np.linalg.solve(square + ridge, lips.T @ moved)).astype(np.float32)


def _around(power, height):
    """Bands and pitch at each lag of the filter: a list of float [frame, value], parts of one array."""
    sound = sound_features(power, height)[0]
    bands = sound[:, :-2].reshape(len(sound), -1, N_BANDS).mean(1)
    values = gaussian_filter(gestures_in(np.concatenate([bands, sound[:, -2:]], 1)), SMOOTH_S * FPS)
    reach = round(REACH_S * FPS)
    padded = np.pad(values, ((reach, reach), (0, 0)))
    return [padded[lag:lag + len(values)] for lag in range(0, 2 * reach + 1, STEP)]


def beat_features(power: NDArray, height: NDArray) -> NDArray:
    """Bands and pitch around each frame: mel power [frame, hop, mel], pitch [frame, hop] -> float [frame, value]."""
    return np.concatenate(_around(power, height), 1)


def beat_of(power: NDArray, height: NDArray, free: NDArray, weights: NDArray | None = None) -> NDArray:
    """The beat of head and brows, float32 [frame, channel] as `knots.CHANNELS`; none where nobody speaks, `free` [frame] 0."""
    around = _around(power, height)  # lag by lag: all of an hour at once would be hundreds of MB
    weights = np.split(beat_model() if weights is None else weights, len(around))
    beat = sum(values @ of_lag for values, of_lag in zip(around, weights))
    speaks = gaussian_filter(np.asarray(free, float), FPS / 4)[:, None]
    return (GAIN * speaks * beat).astype(np.float32)
