"""Synthetic sounds without speech: noise, hum, machines, knocks, tones and music.

Reads: nothing. Writes: nothing. The detector of voices learns from these (landmarks.voice.train), and is measured on
`wordless_samples()` (landmarks.evaluate).
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE

PARTS = 12  # harmonics of a tone
CHORDS = ((0, 4, 7), (0, 3, 7), (0, 5, 9), (0, 4, 7, 10), (0, 7))  # semitones
SCALE = (0, 2, 4, 5, 7, 9, 11)
MAINS_HZ = (50, 60)
CHECK_S, CHORD_HZ = 5, (220, 277, 330)


def _seconds(n):
    return np.arange(n) / SAMPLE_RATE


def _curve(rng, n, hz, low, high):
    """A random line through `hz` points a second, between `low` and `high`: float [n]."""
    at = np.arange(0, n + 1, max(1, int(SAMPLE_RATE / hz)))
    return np.interp(np.arange(n), at, rng.uniform(low, high, len(at)))


def coloured_noise(rng: np.random.Generator, n: int) -> NDArray:
    """Noise of a random colour: white through a random smooth equaliser."""
    spectrum = np.fft.rfft(rng.normal(0, 1, n))
    octave = np.log2(np.linspace(0, SAMPLE_RATE / 2, len(spectrum)) / 60 + 1)
    slope, knots = rng.uniform(-6, 1) / 6, rng.normal(0, rng.uniform(0, 1), 9)
    return np.fft.irfft(spectrum * 2.0 ** (slope * octave + np.interp(octave, np.arange(len(knots)), knots)), n)


def band_noise(rng: np.random.Generator, n: int) -> NDArray:
    """Noise in one narrow band, which may wander: wind, a whistle, a hiss."""
    centre = 10 ** _curve(rng, n, rng.uniform(0.2, 2), *np.sort(rng.uniform(2, 3.8, 2)))
    phase = 2 * np.pi * np.cumsum(centre) / SAMPLE_RATE
    width = int(SAMPLE_RATE / 10 ** rng.uniform(1, 3))
    slow = [np.convolve(rng.normal(0, 1, n), np.hanning(width + 2), "same") for _ in range(2)]
    return slow[0] * np.cos(phase) + slow[1] * np.sin(phase)


def hum(rng: np.random.Generator, n: int) -> NDArray:
    """Mains and its harmonics, steady."""
    base, t = rng.choice(MAINS_HZ) * rng.uniform(0.99, 1.01), _seconds(n)
    return sum(rng.exponential(1 / k) * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) for k in range(1, 2 * PARTS))


def hum_and_hiss(rng: np.random.Generator, n: int) -> NDArray:
    """Mains hum with white noise, as of a poor amplifier."""
    sound = hum(rng, n)
    return sound / level_of(sound) + rng.uniform(0.05, 1) * rng.normal(0, 1, n)


def engine(rng: np.random.Generator, n: int) -> NDArray:
    """Pulses through a few resonances: a motor, a saw, a purr."""
    rate = _curve(rng, n, rng.uniform(0.1, 1), *np.sort(rng.uniform(8, 140, 2)))
    pulses = np.diff(np.floor(np.cumsum(rate) / SAMPLE_RATE), prepend=0) * rng.uniform(0.5, 1.5, n)
    return _ring(rng, pulses, rng.integers(1, 4)) + coloured_noise(rng, n) * rng.uniform(0, 0.02)


def _ring(rng, pulses, n_modes):
    t, answer = _seconds(int(0.3 * SAMPLE_RATE)), np.zeros(1)
    for _ in range(n_modes):
        fall, hz = 10 ** rng.uniform(0.8, 2.3), 10 ** rng.uniform(2, 3.7)
        answer = answer + rng.uniform(0.2, 1) * np.exp(-t * fall) * np.sin(2 * np.pi * hz * t)
    size = 1 << int(np.ceil(np.log2(len(pulses) + len(answer))))
    return np.fft.irfft(np.fft.rfft(pulses, size) * np.fft.rfft(answer, size), size)[:len(pulses)]


def knocks(rng: np.random.Generator, n: int) -> NDArray:
    """Knocks, keys, steps, rain: struck things, in time or at random."""
    rate, pulses = 10 ** rng.uniform(-0.3, 1.6), np.zeros(n)
    in_time = np.arange(0, n, SAMPLE_RATE / rate)
    at = in_time if rng.random() < 0.4 else rng.uniform(0, n, len(in_time))
    pulses[at.astype(int)] = rng.exponential(1, len(at))
    return _ring(rng, pulses, rng.integers(2, 6))


def sweep(rng: np.random.Generator, n: int) -> NDArray:
    """A tone that glides or warbles: a siren, a kettle, a bird."""
    octaves = _curve(rng, n, 10 ** rng.uniform(-0.5, 1.2), *np.sort(rng.uniform(0, 5, 2)))
    phase = 2 * np.pi * np.cumsum(100 * 2**octaves) / SAMPLE_RATE
    return sum((np.sin(k * phase) * rng.exponential(0.3**k) for k in range(1, 4)), np.zeros(n))


def _note(rng, n, hz, timbre, attack_s, decay):
    t = _seconds(n)
    phase = 2 * np.pi * hz * np.cumsum(1 + timbre["vibrato"] * np.sin(2 * np.pi * 5.5 * t)) / SAMPLE_RATE
    tone = sum(part * np.sin(k * phase + rng.uniform(0, 6)) * np.exp(-t * decay * k**0.5)
               for k, part in enumerate(timbre["parts"], 1) if k * hz < SAMPLE_RATE / 2)
    return tone * np.minimum(1, t / attack_s) * np.minimum(1, (t[-1] - t) / 0.02)


def _line(rng, n, length, key_hz, chords):
    """One instrument: a chord of `chords` (semitones) on a random degree of the scale every `length` samples."""
    timbre = {"parts": rng.uniform(0.2, 1, PARTS) / np.arange(1, PARTS + 1) ** rng.uniform(0.3, 2.5),
              "vibrato": rng.choice([0, 0, 0.003, 0.01])}
    attack_s, decay, held = 10 ** rng.uniform(-2.5, -0.8), 10 ** rng.uniform(-1, 1), rng.uniform(0.4, 1)
    out = np.zeros(n)
    for start in range(0, n - SAMPLE_RATE // 16, length):
        m, root = min(int(length * held), n - start), rng.choice(SCALE)
        for step in chords[rng.integers(len(chords))]:
            out[start:start + m] += _note(rng, m, key_hz * 2 ** ((root + step) / 12), timbre, attack_s, decay)
    return out


def music(rng: np.random.Generator, n: int) -> NDArray:
    """Chords, a melody, or both, with drums now and then."""
    beat, key_hz = int(SAMPLE_RATE * 60 / rng.uniform(60, 180)), 100 * 2 ** rng.uniform(0, 1.5)
    lines, out = rng.integers(1, 4), np.zeros(n)
    if lines & 1:
        out += _line(rng, n, beat * int(rng.choice([1, 2, 4])), key_hz, CHORDS)
    if lines & 2:
        out += _line(rng, n, beat // int(rng.choice([1, 2, 4])), 2 * key_hz, ((0,),)) * rng.uniform(0.5, 2)
    if rng.random() < 0.4:
        strokes = np.zeros(n)
        strokes[::beat // 2] = rng.exponential(1, len(strokes[::beat // 2]))
        fall = np.exp(-(np.arange(n) % (beat // 2)) / SAMPLE_RATE * rng.uniform(10, 60))
        out += (_ring(rng, strokes, 3) + fall * coloured_noise(rng, n)) * rng.uniform(0.3, 3)
    return out


KINDS = (coloured_noise, coloured_noise, band_noise, hum, hum_and_hiss, engine, knocks, sweep, music, music, music)

STEADY = (coloured_noise, hum, hum_and_hiss)


def _swells(rng, n):
    """How loud a sound is over time: float [n], 0..1."""
    form, hz, t = rng.integers(5), 10 ** rng.uniform(-0.5, 1), _seconds(n)
    if form < 2:
        return np.ones(n)
    if form == 2:
        return (np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) > rng.uniform(-0.7, 0.7)).astype(float)
    if form == 3:
        return (0.5 + 0.5 * np.sin(2 * np.pi * hz * t)) ** rng.uniform(0.5, 2)
    return np.clip(_curve(rng, n, hz, rng.uniform(-1, 0.2), 1), 0, 1)


def level_of(sound: NDArray) -> float:
    """Root mean square of the louder half of `sound` [sample], of pieces of a tenth of a second."""
    pieces = np.square(sound[:len(sound) // 1600 * 1600].reshape(-1, 1600)).mean(1)
    return float(np.sqrt(np.sort(pieces)[len(pieces) // 2:].mean())) + 1e-9


def wordless(rng: np.random.Generator, n: int, kinds: Sequence[Callable] = KINDS) -> NDArray:
    """A random sound without words: float64 [n samples], `level_of` it is 1."""
    sound = np.zeros(n)
    for _ in range(1 + (rng.random() < 0.3)):
        one = kinds[int(rng.integers(len(kinds)))](rng, n)
        sound += one / level_of(one) * _swells(rng, n) * rng.uniform(0.3, 1)
    if rng.random() < 0.3:
        sound = reverberate(rng, sound)
    return sound / level_of(sound)


def steady(rng: np.random.Generator, n: int) -> NDArray:
    """Noise, hum, or both, which stay as they are: float64 [n samples], `level_of` it is 1."""
    sound = STEADY[int(rng.integers(len(STEADY)))](rng, n)
    return sound / level_of(sound)


def reverberate(rng: np.random.Generator, sound: NDArray) -> NDArray:
    """`sound` [sample] in a room: convolved with noise that dies away."""
    t = _seconds(int(0.6 * SAMPLE_RATE))
    room = rng.normal(0, 1, len(t)) * np.exp(-t * rng.uniform(8, 40)) * rng.uniform(0.01, 0.06)
    room[0] = 1
    size = 1 << int(np.ceil(np.log2(len(sound) + len(room))))
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[:len(sound)]


def wordless_samples() -> dict:
    """The sounds that measures are published for: name -> float32 [sample], five seconds at 16 kHz."""
    rng, n = np.random.default_rng(0), CHECK_S * SAMPLE_RATE
    t = _seconds(n)
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in CHORD_HZ) / len(CHORD_HZ)
    sounds = {"silence": 0 * t, **{f"white noise, {db} dBFS": rng.normal(0, 10 ** (db / 20), n) for db in (-50, -20)},
              "a chord, on and off twice a second": 0.3 * chord * (np.sin(4 * np.pi * t) > 0),
              "mains hum": 0.1 * sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 9)),
              "noise, on and off four times a second": rng.normal(0, 0.1, n) * (np.sin(8 * np.pi * t) > 0),
              "plucked notes": 0.3 * sum(np.sin(2 * np.pi * 220 * 2 ** ((7 * (t // 0.25) % 12) / 12) * k * t) / k
                                         for k in (1, 2, 3)) * np.exp(-6 * (t % 0.25)),
              "knocks": _ring(rng, (np.arange(n) % 6400 == 0) * 0.5, 3)}
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}
