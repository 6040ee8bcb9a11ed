"""The melody of speech: how high the voice is in each hop, and whether it sounds at all.

Reads, writes: nothing. The pitch is the highest peak of the autocorrelation, made from the power spectrum (Wiener-Khinchin) and
freed of the window's own as in Boersma 1993.
"""

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.media.audio import N_FFT

PITCH_HZ = (70.0, 400.0)
SOUNDS = 0.6  # height of the autocorrelation's peak from which a voice is taken to sound
REACH = 0.7  # octaves above and below the voice's own middle
_LAGS = np.arange(int(SAMPLE_RATE / PITCH_HZ[1]), int(SAMPLE_RATE / PITCH_HZ[0]) + 1)
_BLOCK = 1024  # frames whose autocorrelation is held at a time


def _of_the_window():
    """Autocorrelation of the spectrum's own window at `_LAGS`, 1 at lag 0."""
    power = np.square(np.abs(np.fft.rfft(np.hanning(N_FFT + 1)[:-1], 2 * N_FFT)))
    whole = np.fft.irfft(power)
    return np.maximum(whole[_LAGS] / whole[0], 0.05)


def pitch(spectrum: NDArray) -> NDArray:
    """FFT magnitudes [frame, hop, bin] -> log2 of the pitch in Hz (NaN where no voice sounds), float32 [frame, hop]."""
    height, window = np.empty(spectrum.shape[:2], np.float32), _of_the_window()
    for t in range(0, len(spectrum), _BLOCK):
        correlation = np.fft.irfft(np.square(spectrum[t:t + _BLOCK].astype(np.float32)), axis=-1)
        peaks = correlation[..., _LAGS] / window / np.maximum(correlation[..., :1], 1e-6)
        best = peaks.argmax(-1)
        height[t:t + _BLOCK] = np.where(peaks.max(-1) > SOUNDS, np.log2(SAMPLE_RATE / _LAGS[best]), np.nan)
    return height


def melody(height: NDArray) -> NDArray:
    """What a pitch [frame, hop] (`pitch`) says: octaves about the voice's median (0 without a voice), share that sounds.

    float32 [frame, 2]
    """
    sounds = np.isfinite(height)
    middle = np.median(height[sounds]) if sounds.any() else 0.0
    octaves = np.where(sounds, np.clip(height - middle, -REACH, REACH), 0).sum(1) / np.maximum(sounds.sum(1), 1)
    return np.stack([octaves, sounds.mean(1)], 1).astype(np.float32)
