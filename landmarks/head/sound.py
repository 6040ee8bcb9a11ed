"""Features of the head-motion network: loudness, coarse bands and pitch at each knot.

Reads, writes: nothing. The same in training and prediction.
"""

import numpy as np
from numpy.typing import NDArray

from core.media.audio import HOPS_PER_FRAME
from landmarks.features import N_MELS, normalise
from landmarks.head.knots import at_knots
from landmarks.head.prosody import melody

N_BANDS = 16  # of the spectrum: a head follows how loud speech is, not which vowel
N_SOUND = N_BANDS * HOPS_PER_FRAME // 2 + 2  # numbers a frame


def sound_features(power: NDArray, height: NDArray) -> tuple[NDArray, NDArray]:
    """What the network takes: float32 [frame, N_SOUND] of mel power [frame, hop, mel] and pitch [frame, hop]; and silence."""
    features, silence = normalise(power)
    bands = features.reshape(len(power), HOPS_PER_FRAME // 2, 2, N_BANDS, N_MELS // N_BANDS).mean((2, 4)) / 2
    quiet = np.tile(silence.reshape(N_BANDS, -1).mean(1) / 2, HOPS_PER_FRAME // 2)
    return (np.concatenate([bands.reshape(len(power), -1), 2 * melody(height)], 1).astype(np.float32),
            np.concatenate([quiet, np.zeros(2)]).astype(np.float32))


def knot_features(power: NDArray, height: NDArray) -> NDArray:
    """`sound_features` around each knot: float32 [knot, KNOT * N_SOUND]."""
    features = at_knots(*sound_features(power, height))
    return features.reshape(len(features), -1)
