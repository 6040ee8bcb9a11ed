"""What a pretrained speech encoder says of a stretch of speech, for the emotion recogniser.

Reads, writes: nothing. Where the encoder (landmarks.ear) is installed, the mean and the spread of what its last and some of
its inner layers make join networks and moments of the recogniser; where it is not, these do without, and a line says so.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from landmarks.ear.encoder import N_VALUES, is_installed, require_encoder, say_missing
from landmarks.ear.layers import LIPS
from landmarks.emotion.moments import statistics
from landmarks.features import LOOK_AHEAD, recording_loudness

LAYERS = 1, LIPS, 3  # of the encoder, that a new recogniser reads; a model says which it does
NEAR = 10  # steps: what is 0.2 s from sound counts, as the encoder knows there too how a word began or ended


def ear_of(sound: NDArray, spectrum: NDArray, layers: Sequence[int] = LAYERS,
           known: Mapping[int, NDArray] | None = None) -> list[NDArray] | None:
    """Features of a recording after each of `layers`, float16 [frame, half * value] as of `Encoder.features`.

    None without the encoder, said once. `sound` is float32 [sample], 16 kHz, `spectrum` what `spectrum_of` makes of it, and
    `known` what is known already, by the layer.
    """
    if not is_installed():
        return say_missing()
    loud, known = recording_loudness(spectrum), known or {}
    return [known[n] if n in known else require_encoder(n_layers=n).features(sound, loud) for n in layers]


def ear_steps(ear: Sequence[NDArray], first: int, last: int) -> NDArray:
    """Features of the frames from `first` to before `last`, of `ear_of`: float16 [step, layer * value]."""
    return np.concatenate([layer[LOOK_AHEAD + first:LOOK_AHEAD + last].reshape(-1, N_VALUES) for layer in ear], 1)


class EarMoments:
    """Mean and spread of an encoder's features over any stretch of one recording, where there is sound or nearly.

    Parameters
    ----------
    ear : [step, layer * value], of `ear_steps`
    sounding : bool [step]
    """

    def __init__(self, ear: NDArray, sounding: NDArray):
        near = np.convolve(sounding, np.ones(2 * NEAR + 1))[NEAR:-NEAR] > 0.5
        self._part = ear.astype(np.float32), near.astype(np.float32), "ms"

    def __call__(self, first: NDArray, last: NDArray) -> NDArray:
        """Statistics of stretches of steps, each from `first` to before `last` [stretch]: float32 [stretch, n]."""
        return statistics(*self._part, first, last).astype(np.float32)
