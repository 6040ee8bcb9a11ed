"""Distorted copies of speech for robustness tests: microphones, rooms, telephone, codecs and pitch.

Reads, writes: nothing. Every function takes float32 [sample] at 16 kHz and gives as many samples, at the same time.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, istft, sosfiltfilt, stft

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media import ffmpeg
from core.media.audio import decode_any, resample

REVERB_S, WET = 0.5, 1.0  # RT60; energy of the reverberation beside that of the direct sound
TELEPHONE_HZ = (300, 3400)
N_FFT, N_CEPSTRA = 1024, 40  # 64 ms; the first cepstra are the formants, the rest is the voice's pitch
CODECS = {"MP3, 32 kbit/s": (".mp3", "-c:a", "libmp3lame", "-b:a", "32k"),
          "Opus, 12 kbit/s": (".ogg", "-c:a", "libopus", "-b:a", "12k")}


def scale_to_peak(sound: NDArray, dbfs: float) -> NDArray:
    """`sound` with its peak at so many dB below full scale."""
    return (sound / max(np.abs(sound).max(), 1e-9) * 10 ** (dbfs / 20)).astype(np.float32)


def limit_bandwidth(sound: NDArray, rate: int) -> NDArray:
    """Sampled at `rate` Hz, and back."""
    back = resample(resample(sound, SAMPLE_RATE, rate), rate, SAMPLE_RATE)
    return np.pad(back, (0, max(0, len(sound) - len(back))))[:len(sound)]


def add_noise(sound: NDArray, noise: NDArray, snr_db: float) -> NDArray:
    """`sound` with `noise` [sample] so many dB below it."""
    power, noise = np.mean(np.square(sound)), np.resize(noise, len(sound))
    return (sound + noise * np.sqrt(power / max(np.mean(np.square(noise)), 1e-12) * 10 ** (-snr_db / 10))).astype(np.float32)


def add_reverberation(sound: NDArray, rng: np.random.Generator) -> NDArray:
    """In a synthetic room: the direct sound, then noise that decays by 60 dB in REVERB_S."""
    t = np.arange(round(REVERB_S * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(size=len(t)) * 10 ** (-3 * t / REVERB_S)
    tail *= np.sqrt(WET / np.square(tail).sum())
    tail[0] += 1
    return fftconvolve(sound, tail)[:len(sound)].astype(np.float32)


def telephone_band(sound: NDArray, band_hz: tuple[float, float] = TELEPHONE_HZ) -> NDArray:
    """Through the band of a telephone line, or of another poor one, without delay."""
    return sosfiltfilt(butter(4, band_hz, "bandpass", fs=SAMPLE_RATE, output="sos"), sound).astype(np.float32)


def shift_pitch(sound: NDArray, semitones: float) -> NDArray:
    """Pitch and formants moved, as of a larger or smaller person."""
    from librosa.effects import pitch_shift
    return pitch_shift(sound, sr=SAMPLE_RATE, n_steps=semitones)


def shift_formants(sound: NDArray, factor: float) -> NDArray:
    """Formants times `factor`, pitch and speed as they were: the spectral envelope (first cepstra) is stretched."""
    _, _, spectrum = stft(sound, SAMPLE_RATE, nperseg=N_FFT, noverlap=3 * N_FFT // 4)
    cepstra = np.fft.irfft(np.log(np.abs(spectrum) + 1e-6), axis=0)
    cepstra[N_CEPSTRA:-N_CEPSTRA + 1] = 0
    envelope = np.fft.rfft(cepstra, axis=0).real
    bins = np.arange(len(envelope))
    moved = np.stack([np.interp(bins / factor, bins, frame) for frame in envelope.T], 1)
    _, changed = istft(spectrum * np.exp(moved - envelope), SAMPLE_RATE, nperseg=N_FFT, noverlap=3 * N_FFT // 4)
    return changed[:len(sound)].astype(np.float32)


def apply_codec(sound: NDArray, suffix: str, *codec: str) -> NDArray:
    """Through a codec of ffmpeg and back, by a file: its header tells the decoder the codec's delay."""
    raw = ("-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"coded{suffix}"
        with ffmpeg.running([*raw, "-i", "-", *codec, ffmpeg.url(path)], stdin=subprocess.PIPE) as encoder:
            encoder.stdin.write(sound.astype(np.float32).tobytes())
        if encoder.failure:
            raise InputError(suffix, f"not coded ({encoder.failure})", "a codec that ffmpeg has")
        back = np.concatenate(list(decode_any(path)))
    return np.pad(back, (0, max(0, len(sound) - len(back))))[:len(sound)]


def distortions(others: Sequence[NDArray], seed: int = 0) -> dict:
    """Name -> function of a sound. `others`: speech [sample], whose sum is the babble.

    Each is turned round by half a period, so that a sound among them meets another part of itself.
    """
    rng = np.random.default_rng(seed)
    length = max(map(len, others))
    babble = np.sum([np.resize(np.roll(scale_to_peak(other, 0), len(other) // 2), length) for other in others], 0)
    white = rng.normal(size=30 * SAMPLE_RATE)
    found: dict[str, Any] = {"as it is": lambda sound: sound}
    found |= {f"peak at {db} dBFS": lambda sound, db=db: scale_to_peak(sound, db) for db in (0, -10, -20, -30)}
    found |= {"8 kHz and back": lambda sound: limit_bandwidth(sound, 8000), "telephone": telephone_band,
              f"room, RT60 {REVERB_S} s": lambda sound: add_reverberation(sound, np.random.default_rng(seed))}
    for name, noise in (("white noise", white), ("babble", babble)):
        found |= {f"{name}, {db} dB below": lambda sound, db=db, noise=noise: add_noise(sound, noise, db) for db in (20, 10)}
    found |= {f"pitch {n:+d} semitones": lambda sound, n=n: shift_pitch(sound, n) for n in (-4, 4)}
    found |= {f"formants x {factor}": lambda sound, factor=factor: shift_formants(sound, factor) for factor in (0.85, 1.18)}
    return found | {name: lambda sound, codec=codec: apply_codec(sound, *codec) for name, codec in CODECS.items()}
