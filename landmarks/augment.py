"""Other voices, pitches, microphones and rooms for training, made on mel power and spectra: no sound is needed.

Reads, writes: nothing.
Sources: the envelope of a voice is in its first cepstra (Noll 1967, Cepstrum pitch determination); what follows is its
pitch, which is stretched alone, without smearing time; the tail of a room decays like exp(-t) (Polack 1988).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from core.clock import SAMPLE_RATE
from core.media.audio import HOP, N_FFT
from landmarks.features import N_MELS

N_CEPSTRA = 30  # hold the envelope: pitch is above them up to 530 Hz


def augment_sound(power: NDArray, rng: np.random.Generator) -> NDArray:
    """Another voice, microphone and room for mel power [frame, hop, mel]: formants moved, equalised, noisy, reverberant."""
    bands = np.arange(N_MELS)
    warp = rng.uniform(0.84, 1.18)
    at = np.clip(bands * warp + rng.uniform(-1, 1), 0, N_MELS - 1)
    low = np.floor(at).astype(int)
    share = (at - low).astype(np.float32)
    power = power[..., low] * (1 - share) + power[..., np.minimum(low + 1, N_MELS - 1)] * share
    knots = rng.normal(0, 0.45, 7)  # decades: a smooth equaliser of a few dB
    power = power * (10 ** np.interp(bands, np.linspace(0, N_MELS - 1, len(knots)), knots)).astype(np.float32)
    if rng.random() < 0.3:  # a room: energy decays into later hops
        decay = rng.uniform(0.1, 0.6)
        flat = power.reshape(-1, N_MELS).copy()
        tail = flat.copy()
        for delay in range(1, 9):
            flat[delay:] += tail[:-delay] * 0.3 * decay**delay
        power = flat.reshape(power.shape)
    if rng.random() < 0.6:
        power = power + noise(power, 10 ** rng.uniform(-4, -0.7), rng)
    return power


def noise(power: NDArray, level: float, rng: np.random.Generator) -> NDArray:
    """Steady noise of a random colour, `level` times the mean of `power` [frame, hop, mel], and of its shape."""
    tilt = 10 ** np.interp(np.arange(N_MELS), (0, N_MELS - 1), rng.uniform(-1.2, 0.4, 2))
    return (power.mean() * level * tilt / tilt.mean() * rng.exponential(1, power.shape)).astype(np.float32)


def no_speech(power: NDArray, rng: np.random.Generator) -> NDArray:
    """Digital silence or a room's noise in place of `power` [frame, hop, mel]."""
    return noise(power, 10 ** rng.uniform(-7, 0), rng) if rng.random() < 0.5 else np.zeros_like(power)


def other_pitch(spectrum: NDArray, factor: float) -> NDArray:
    """FFT magnitudes [..., bin] of the voice at `factor` times its pitch; formants and time stay."""
    logs = np.log(spectrum + 1e-4)
    cepstra = np.fft.irfft(logs, N_FFT, axis=-1)
    cepstra[..., N_CEPSTRA:-N_CEPSTRA + 1] = 0
    envelope = np.fft.rfft(cepstra, N_FFT, axis=-1).real
    fine, bins = logs - envelope, np.arange(spectrum.shape[-1])
    at = np.minimum(bins / factor, bins[-1])
    low = at.astype(int)
    high, share = np.minimum(low + 1, bins[-1]), at - low
    return np.exp(envelope + fine[..., low] * (1 - share) + fine[..., high] * share).astype(np.float32)


def in_a_room(power: NDArray, rng: np.random.Generator) -> NDArray:
    """Mel power [frame, hop, mel] with the tail of a room, RT60 0.15 to 0.8 s, and up to as much of it as of the voice."""
    decay = 10 ** (-6 * HOP / SAMPLE_RATE / rng.uniform(0.15, 0.8))
    wet = 10 ** rng.uniform(-1.2, 0)
    flat = power.reshape(-1, N_MELS)
    tail = lfilter([0, wet * (1 - decay)], [1, -decay], flat, axis=0)
    return (flat + tail).reshape(power.shape).astype(np.float32)


def among_others(power: NDArray, others: Sequence[NDArray], rng: np.random.Generator) -> NDArray:
    """`power` [frame, hop, mel] with other voices behind it, a list of mel power of any lengths, 3 to 25 dB below."""
    behind = np.sum([np.resize(np.roll(other, int(rng.integers(len(other))), 0), power.shape) for other in others], 0)
    level = 10 ** rng.uniform(-2.5, -0.3) * power.mean() / (behind.mean() + 1e-6)
    return (power + level * behind).astype(np.float32)


def mask_bands(features: NDArray, rng: np.random.Generator) -> NDArray:
    """Hide a few bands and a few frames (SpecAugment, Park et al. 2019)."""
    features = features.copy()
    if rng.random() < 0.5:
        width = rng.integers(1, 9)
        first = rng.integers(0, N_MELS - width)
        features[..., first:first + width] = 0
    if rng.random() < 0.5:
        first = rng.integers(0, max(1, len(features) - 3))
        features[first:first + rng.integers(1, 4)] = 0
    return features
