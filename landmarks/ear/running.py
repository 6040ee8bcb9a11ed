"""Ear features of what a landmark network looks at, of a whole recording or of a stream.

Reads, writes: nothing. The encoder looks both ways in time; what it makes of the last frames changes as sound follows them, so
a stream encodes its last seconds again at each frame, for all that the network looks at. Pieces of any size give the same.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS, SAMPLES_PER_FRAME
from landmarks.ear.encoder import HALVES, HOP, HOPS, N_FFT, N_MELS, N_VALUES, Encoder, levelled, whisper_mel
from landmarks.features import CONTEXT, LOOK_AHEAD

HEARD = round(2.5 * FPS)  # frames encoded again
AROUND = N_FFT - HOP  # samples beside a frame that its windows reach, half of them ahead


class WholeEar:
    """Features of a recording that lies there whole: [LOOK_AHEAD + frame + LOOK_AHEAD, half * value]."""

    def __init__(self, features: NDArray):
        self._left = features

    def next(self, loud: NDArray) -> Iterator[NDArray]:
        """Those around the next `len(loud)` frames: float32 [CONTEXT + frame, half * value], in one piece."""
        n = len(loud)
        yield self._left[:n + CONTEXT].astype(np.float32)
        self._left = self._left[n:]


class RunningEar:
    """Sound in pieces in, features around one frame after another out.

    Parameters
    ----------
    encoder : from `landmarks.ear.encoder.load_encoder`
    n_heard : frames that are encoded at each frame, at most 30 s
    """

    def __init__(self, encoder: Encoder, n_heard: int = HEARD):
        self._encoder, self._n_heard = encoder, n_heard
        self._to_take = CONTEXT * SAMPLES_PER_FRAME  # with the first frame: silence before it, and sound ahead of it
        self._sound = np.zeros(LOOK_AHEAD * SAMPLES_PER_FRAME + N_FFT // 2, np.float32)
        self._mel: Any = np.empty((0, N_MELS), np.float32)

    def push(self, sound: NDArray) -> None:
        """Take float32 [sample], 16 kHz."""
        self._sound = np.concatenate([self._sound, sound])

    @property
    def n_ready(self) -> int:
        """Frames of the sound pushed whose features can be had and were not yet."""
        return max(0, (len(self._sound) - self._to_take - AROUND) // SAMPLES_PER_FRAME)

    def next(self, loud: NDArray) -> Iterator[NDArray]:
        """Those around each of the next `len(loud)` frames, a frame at a time: float32 [CONTEXT + 1, half * value].

        `loud` : power of the voice's loud frames as of each, see `landmarks.hearing.Loudness`.

        Raises
        ------
        ValueError : so many are not ready.
        """
        for one in loud:
            yield self._next(one)

    def _next(self, loud):
        if not self.n_ready:
            raise ValueError("no frame is ready")
        n, self._to_take = self._to_take + SAMPLES_PER_FRAME, 0
        self._mel = np.concatenate([self._mel, whisper_mel(self._sound[:n + AROUND])])[-self._n_heard * HOPS:]
        self._sound = self._sound[n:]
        return self._encoder.encode(levelled(self._mel, loud)).reshape(-1, HALVES * N_VALUES)[-CONTEXT - 1:]
