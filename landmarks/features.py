"""Log-mel features, normalised for level and channel: the same in training and prediction.

Reads: mel power of a recording. Writes: nothing.
Removing each recording's mean log spectrum takes the microphone and room out of it, which is what lets unheard
sources work (docs/experiments.md).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.media.audio import N_FFT

CONTEXT = 8  # frames of sound the network's convolutions see beside their own, half of them ahead
LOOK_AHEAD = CONTEXT // 2
N_MELS = 64
MEL_RANGE_HZ = (60.0, 7600.0)
FLOOR = 1e-5  # of the recording's loud frames: 50 dB below them counts as silence
LOUD_PERCENTILE = 95
QUIETEST_LOUD = 0.02  # mel power of a loud frame below which a recording is taken for silent (about -60 dBFS)
VOICED = 1e-3  # frames less than 30 dB below the loud ones make the channel mean
TYPICAL_LOG = -2.0  # stands for the channel mean when nothing is voiced


@cache
def mel_filters() -> NDArray:
    """Mel filter bank, float32 [bin, mel], bit for bit that of librosa.

    Prediction needs no more of librosa than this, and so none of it.
    """
    return mel_filter_bank(N_MELS, MEL_RANGE_HZ, N_FFT)


def mel_filter_bank(n_mels: int, range_hz: tuple[float, float], n_fft: int, equal_area: bool = False) -> NDArray:
    """Triangles on the mel scale of Slaney 1998, float32 [bin, mel], of height 1, or of equal area."""
    step_hz, bend_hz, log_step = 200 / 3, 1000.0, np.log(6.4) / 27  # below the bend hertz, above it octaves are even
    bend = bend_hz / step_hz
    low, high = (hz / step_hz if hz < bend_hz else bend + np.log(hz / bend_hz) / log_step for hz in range_hz)
    mels = np.linspace(low, high, n_mels + 2)
    edges = np.where(mels < bend, step_hz * mels, bend_hz * np.exp(log_step * (mels - bend)))
    apart, ramps = np.diff(edges)[:, None], edges[:, None] - np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE)
    filters = np.maximum(0, np.minimum(-ramps[:-2] / apart[:-1], ramps[2:] / apart[1:]))
    if equal_area:
        filters = filters * (2 / (edges[2:] - edges[:-2]))[:, None]
    return filters.T.astype(np.float32)


def mel_power(spectrum: NDArray, filters: NDArray | None = None) -> NDArray:
    """FFT magnitudes [..., bin] -> mel power, float32 [..., mel].

    filters : float32 [bin, mel], those a model was trained with; by default `mel_filters`. A landmark-model computes the same
        inside its graph (`landmarks.lite.Model.power`), where librosa is not needed.
    """
    return np.square(np.asarray(spectrum, np.float32)) @ (mel_filters() if filters is None else filters)


def log_mel(power: NDArray, loud: float | NDArray) -> NDArray:
    """Mel power [..., mel] in decades, when loud frames have the power `loud`, all bands together."""
    return np.log10(power / loud * power.shape[-1] + FLOOR)


def loud_power(frame_power: NDArray) -> float:
    """The power of a recording's loud frames, of the power of each frame [frame], all bands together."""
    return max(float(np.percentile(frame_power, LOUD_PERCENTILE)), QUIETEST_LOUD)


def recording_loudness(spectrum: NDArray) -> float:
    """`loud_power` of a recording's FFT magnitudes [frame, hop, bin]."""
    return loud_power(mel_power(spectrum).sum(axis=(1, 2)))


def level_and_channel(power: NDArray) -> tuple[float, NDArray]:
    """What `normalise` takes away: the power of loud frames, and the mean log-mel of voiced ones, float [mel]."""
    frame_power = power.sum(axis=(1, 2))
    loud = loud_power(frame_power)
    voiced = frame_power > VOICED * loud
    few = voiced.sum() < 3
    return loud, np.full(power.shape[-1], TYPICAL_LOG) if few else log_mel(power[voiced], loud).mean(axis=(0, 1))


def normalise(power: NDArray) -> tuple[NDArray, NDArray]:
    """Log-mel without level and channel.

    Parameters
    ----------
    power : float32 [frame, hop, mel], mel power of one recording

    Returns
    -------
    float32 [frame, hop, mel], decades; and the value of digital silence in each band, float32 [mel]
    """
    loud, mean = level_and_channel(power)
    return (log_mel(power, loud) - mean).astype(np.float32), (np.log10(FLOOR) - mean).astype(np.float32)


def pad_with_silence(features: NDArray, silence: NDArray, n_before: int, n_after: int) -> NDArray:
    """Put frames of silence around `features` [frame, hop, mel]: zeros would be a loud sound here."""
    n_hops = features.shape[1]
    before, after = (np.broadcast_to(silence, (n, n_hops, len(silence))) for n in (n_before, n_after))
    return np.concatenate([before, features, after]).astype(np.float32)
