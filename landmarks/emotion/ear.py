"""What a pretrained speech encoder says of a stretch of speech, for the emotion recogniser.

Reads, writes: nothing. Where the encoder (landmarks.ear) is installed, the mean and the spread of its features join the
networks and the moments of the recogniser; where it is not, these do without, and a line says so.
"""

import numpy as np
from numpy.typing import NDArray

from landmarks.ear.encoder import N_VALUES, load_encoder, say_missing
from landmarks.emotion.moments import statistics
from landmarks.features import LOOK_AHEAD, recording_loudness

NEAR = 10  # steps: what is 0.2 s from sound counts, as the encoder knows there too how a word began or ended


def ear_of(sound: NDArray, spectrum: NDArray) -> NDArray | None:
    """Features of a recording, float16 [frame, value] as of `Encoder.features`; None without the encoder, said once.

    `sound` is float32 [sample], 16 kHz, and `spectrum` what `spectrum_of` makes of it.
    """
    encoder = load_encoder()
    return encoder.features(sound, recording_loudness(spectrum)) if encoder else say_missing()


def ear_steps(ear: NDArray, first: int, last: int) -> NDArray:
    """Features of the frames from `first` to before `last`, of `ear_of`: float16 [step, value]."""
    return ear[LOOK_AHEAD + first:LOOK_AHEAD + last].reshape(-1, N_VALUES)


class EarMoments:
    """Mean and spread of an encoder's features over any stretch of one recording, where there is sound or nearly.

    Parameters
    ----------
    ear : [step, value], of `ear_steps`
    sounding : bool [step]
    """

    def __init__(self, ear: NDArray, sounding: NDArray):
        near = np.convolve(sounding, np.ones(2 * NEAR + 1))[NEAR:-NEAR] > 0.5
        self._part = ear.astype(np.float32), near.astype(np.float32), "ms"

    def __call__(self, first: NDArray, last: NDArray) -> NDArray:
        """Statistics of stretches of steps, each from `first` to before `last` [stretch]: float32 [stretch, 2 * value]."""
        return statistics(*self._part, first, last).astype(np.float32)
