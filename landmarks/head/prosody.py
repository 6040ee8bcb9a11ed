"""Pitch and voicing of a recording, 100 times a second: how a voice says it, beside what log-mel holds.

Reads, writes: nothing.
Autocorrelation of a window, divided by that of the window itself, whose peaks lie at the periods of a voice (Boersma 1993);
looked at on a grid of pitches, and smoothed along time. Windows of 64 ms and a grid up to 620 Hz: acted voices shout.
"""

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE, n_frames_of
from core.media.audio import HOP, HOPS_PER_FRAME

N_WINDOW, N_FFT = 1024, 1536  # samples: four periods of a deep voice, and room for the longest period looked for
HEARD_RATE = 8000  # Hz: periods are looked for in what lies below half of it
PITCH_HZ, PER_OCTAVE = (60.0, 620.0), 24
STEADY_HOPS = 5  # a pitch holds at least so long
OCTAVE_COST = 0.02  # an octave: of two alike the higher pitch, the other being a multiple of its period
_BLOCK = 2000  # hops whose spectra are held at a time
_WINDOW = np.hanning(N_WINDOW + 1)[:-1].astype(np.float32)
_N_LAGS = N_FFT * HEARD_RATE // SAMPLE_RATE
_OCTAVES = np.arange(0, np.log2(PITCH_HZ[1] / PITCH_HZ[0]), 1 / PER_OCTAVE).astype(np.float32)


def _autocorrelation(windows):
    """float32 [hop, N_WINDOW] -> autocorrelation at the periods of the grid, 1 at lag 0: float32 [hop, pitch]."""
    power = np.square(np.abs(np.fft.rfft(windows, N_FFT)))[:, :_N_LAGS // 2 + 1]
    lagged = np.fft.irfft(power, _N_LAGS).astype(np.float32)
    period = HEARD_RATE / PITCH_HZ[0] / 2 ** _OCTAVES
    before, share = period.astype(int), period % 1
    return ((1 - share) * lagged[:, before] + share * lagged[:, before + 1]) / (lagged[:, :1] + 1e-9)


def _smoothed(values):
    """Running mean over STEADY_HOPS of `values` [hop, pitch], ends held."""
    half = STEADY_HOPS // 2
    total = np.cumsum(np.pad(values, ((half + 1, half), (0, 0)), "edge"), 0)
    return (total[STEADY_HOPS:] - total[:-STEADY_HOPS]) / STEADY_HOPS


def pitch_and_voicing(sound: NDArray) -> tuple[NDArray, NDArray]:
    """How high and how regular a voice is.

    Parameters
    ----------
    sound : float32 [sample], 16 kHz

    Returns
    -------
    octaves : float32 [hop], pitch in octaves above PITCH_HZ[0], meaningful where there is a voice
    voicing : float32 [hop], 0 (noise) to 1 (a perfectly regular wave)
        both of ``HOPS_PER_FRAME * n_frames_of(len(sound))`` hops
    """
    n_hops, before = HOPS_PER_FRAME * n_frames_of(len(sound)), (N_WINDOW - HOP) // 2
    padded = np.pad(sound.astype(np.float32), (before, max(0, (n_hops - 1) * HOP + N_WINDOW - before - len(sound))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, N_WINDOW)[::HOP][:n_hops]
    own, scores = _autocorrelation(_WINDOW[None]), []
    for t in range(0, n_hops, _BLOCK):
        block = windows[t:t + _BLOCK]
        scores.append(_autocorrelation((block - block.mean(1, keepdims=True)) * _WINDOW) / own)
    score = _smoothed(np.concatenate(scores))
    best = (score + OCTAVE_COST * _OCTAVES).argmax(1)
    voicing = np.take_along_axis(score, best[:, None], 1)[:, 0]
    return _OCTAVES[best], np.clip(voicing, 0, 1).astype(np.float32)
