"""Pitch and voicing of a recording, 100 times a second: how a voice says it, beside what log-mel holds.

Reads, writes: nothing.
Autocorrelation of a window, from its power spectrum (Wiener-Khinchin), divided by that of the window itself: its peaks lie at
the periods of a voice (Boersma 1993). There are two pitch trackers. `pitch_and_voicing` is the better one: windows of 64 ms, a
grid up to 620 Hz (acted voices shout), an average over time. `pitch_of_spectrum` sees windows of 32 ms and takes some women's
voices for an octave lower; it stays because the head-model that ships was trained with it: given the other's pitch, head and
brows move otherwise by 6 to 22 % of their standard deviation. A head-model trained anew should take `pitch_and_voicing`.
"""

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE, n_frames_of
from core.media.audio import HOP, HOPS_PER_FRAME, N_FFT
from core.smooth import moving_average

N_WINDOW, N_PADDED = 1024, 1536  # samples: four periods of a deep voice, and room for the longest period looked for
HEARD_RATE = 8000  # Hz: periods are looked for in what lies below half of it
PITCH_HZ, PER_OCTAVE = (60.0, 620.0), 24
STEADY_HOPS = 5  # a pitch holds at least so long
OCTAVE_COST = 0.02  # an octave: of two alike the higher pitch, the other being a multiple of its period
_BLOCK = 2000  # hops whose spectra are held at a time
_WINDOW = np.hanning(N_WINDOW + 1)[:-1].astype(np.float32)
_N_LAGS = N_PADDED * HEARD_RATE // SAMPLE_RATE
_OCTAVES = np.arange(0, np.log2(PITCH_HZ[1] / PITCH_HZ[0]), 1 / PER_OCTAVE).astype(np.float32)

SPECTRUM_PITCH_HZ = (70.0, 400.0)  # what `pitch_of_spectrum` looks for
SOUNDS = 0.6  # height of the autocorrelation's peak from which a voice is taken to sound
REACH = 0.7  # octaves above and below the voice's own middle
_LAGS = np.arange(int(SAMPLE_RATE / SPECTRUM_PITCH_HZ[1]), int(SAMPLE_RATE / SPECTRUM_PITCH_HZ[0]) + 1)
_BLOCK_FRAMES = 1024  # whose autocorrelation is held at a time


def _autocorrelation(windows):
    """float32 [hop, N_WINDOW] -> autocorrelation at the periods of the grid, 1 at lag 0: float32 [hop, pitch]."""
    power = np.square(np.abs(np.fft.rfft(windows, N_PADDED)))[:, :_N_LAGS // 2 + 1]
    lagged = np.fft.irfft(power, _N_LAGS).astype(np.float32)
    period = HEARD_RATE / PITCH_HZ[0] / 2 ** _OCTAVES
    before, share = period.astype(int), period % 1
    return ((1 - share) * lagged[:, before] + share * lagged[:, before + 1]) / (lagged[:, :1] + 1e-9)


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
    score = moving_average(np.concatenate(scores), STEADY_HOPS)
    best = (score + OCTAVE_COST * _OCTAVES).argmax(1)
    voicing = np.take_along_axis(score, best[:, None], 1)[:, 0]
    return _OCTAVES[best], np.clip(voicing, 0, 1).astype(np.float32)


def _of_the_window():
    """Autocorrelation of the spectrum's own window at `_LAGS`, 1 at lag 0."""
    power = np.square(np.abs(np.fft.rfft(np.hanning(N_FFT + 1)[:-1], 2 * N_FFT)))
    whole = np.fft.irfft(power)
    return np.maximum(whole[_LAGS] / whole[0], 0.05)


def pitch_of_spectrum(spectrum: NDArray) -> NDArray:
    """FFT magnitudes [frame, hop, bin] -> log2 of the pitch in Hz (NaN where no voice sounds), float32 [frame, hop]."""
    height, window = np.empty(spectrum.shape[:2], np.float32), _of_the_window()
    for t in range(0, len(spectrum), _BLOCK_FRAMES):
        correlation = np.fft.irfft(np.square(spectrum[t:t + _BLOCK_FRAMES].astype(np.float32)), axis=-1)
        peaks = correlation[..., _LAGS] / window / np.maximum(correlation[..., :1], 1e-6)
        best = peaks.argmax(-1)
        height[t:t + _BLOCK_FRAMES] = np.where(peaks.max(-1) > SOUNDS, np.log2(SAMPLE_RATE / _LAGS[best]), np.nan)
    return height


def melody(height: NDArray) -> NDArray:
    """What a pitch [frame, hop] (`pitch_of_spectrum`) says: float32 [frame, 2].

    Octaves about the voice's median (0 without a voice), and the share of the hops that sound.
    """
    sounds = np.isfinite(height)
    middle = np.median(height[sounds]) if sounds.any() else 0.0
    octaves = np.where(sounds, np.clip(height - middle, -REACH, REACH), 0).sum(1) / np.maximum(sounds.sum(1), 1)
    return np.stack([octaves, sounds.mean(1)], 1).astype(np.float32)
