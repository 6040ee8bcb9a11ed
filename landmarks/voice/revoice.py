"""Speech in another voice: whispered, sung, or of a smaller person.

Reads, writes: nothing. Every function takes speech [sample] at 16 kHz. A voice is a source and a filter (Fant 1960): the filter
is kept, the first cepstra of each frame; the source is changed, to noise or to pulses that sing a melody.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import istft, stft

from core.clock import SAMPLE_RATE
from core.media.audio import resample
from landmarks.voice.wordless import SCALE

N_FFT, HOP, N_CEPSTRA = 1024, 256, 40  # the first cepstra are the formants, the rest is the voice's pitch
VIBRATO_HZ, NOTE_S = 5.5, (0.2, 1.2)
HISS_HZ = 4000  # above it even a sung vowel is noise
UNVOICED = 0.5  # share of the power above HISS_HZ / 2 from which a frame is a fricative


def _spectrum(sound):
    return stft(sound, SAMPLE_RATE, nperseg=N_FFT, noverlap=N_FFT - HOP)[2]


def _envelope(spectrum):
    """Logarithm of the filter, float [bin, frame]."""
    cepstra = np.fft.irfft(np.log(np.abs(spectrum) + 1e-6), axis=0)
    cepstra[N_CEPSTRA:-N_CEPSTRA + 1] = 0
    return np.fft.rfft(cepstra, axis=0).real


def _filtered(source, envelope, n_samples):
    """The source, a spectrum [bin, frame], through the filter: float32 [n_samples]."""
    sound = istft(source * np.exp(envelope - _envelope(source)), SAMPLE_RATE, nperseg=N_FFT, noverlap=N_FFT - HOP)[1]
    return np.pad(sound, (0, max(0, n_samples - len(sound))))[:n_samples].astype(np.float32)


def whisper(sound: NDArray, rng: np.random.Generator) -> NDArray:
    """Whispered: the source is noise, as loud as the voice was."""
    return _filtered(_spectrum(rng.normal(0, 1, len(sound))), _envelope(_spectrum(sound)), len(sound))


def sing(sound: NDArray, rng: np.random.Generator, lowest_hz: float, slower: float = 2.0) -> NDArray:
    """Sung: `slower` times as long, on notes of a scale over `lowest_hz`, with vibrato; fricatives stay noise."""
    spoken, n = _spectrum(sound), round(len(sound) * slower)
    times = np.arange(n // HOP + 2) / slower
    envelope = np.stack([np.interp(times, np.arange(spoken.shape[1]), line) for line in _envelope(spoken)])
    notes, t = np.empty(n), np.arange(n) / SAMPLE_RATE
    at = 0
    while at < n:
        length = int(rng.uniform(*NOTE_S) * SAMPLE_RATE)
        notes[at:at + length] = rng.choice(SCALE)
        at += length
    glide = np.convolve(np.pad(notes, 800, mode="edge"), np.ones(1601) / 1601, "valid")
    pitch_hz = lowest_hz * 2 ** ((glide + rng.uniform(0.1, 0.6) * np.sin(2 * np.pi * VIBRATO_HZ * t)) / 12)
    pulses = _spectrum(np.diff(np.floor(np.cumsum(pitch_hz) / SAMPLE_RATE), prepend=0))[:, :envelope.shape[1]]
    noise = _spectrum(rng.normal(0, np.sqrt(lowest_hz / SAMPLE_RATE), n))[:, :envelope.shape[1]]
    envelope, hz = envelope[:, :pulses.shape[1]], np.linspace(0, SAMPLE_RATE / 2, len(envelope))[:, None]
    power = np.exp(2 * envelope)
    fricative = power[hz[:, 0] > HISS_HZ / 2].sum(0) > UNVOICED * power.sum(0)
    return _filtered(np.where((hz > HISS_HZ) | fricative, noise, pulses), envelope, n)


def shrink(sound: NDArray, factor: float) -> NDArray:
    """Pitch, formants and tempo times `factor`, as of a smaller person in a hurry: played faster."""
    return resample(sound, round(SAMPLE_RATE * factor), SAMPLE_RATE)
