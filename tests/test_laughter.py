"""Laughter: a laugh made by a formula is heard, speech is not taken for one, and a face that laughs does not babble."""

import numpy as np
import pytest
from conftest import SENTENCES, speak
from made_up import resting_face
from scipy.signal import lfilter

from core.clock import SAMPLE_RATE
from core.face import face68
from core.media.audio import spectrum_of
from landmarks.emphasis.laughter import PARTED, laugh, laughter_of
from landmarks.features import mel_power


def made_laugh(seconds=3.0, calls_hz=4.8, pitch_hz=240, seed=0):
    """Not a recording: pulses through three resonances, then breath, again and again, each call a little lower and softer."""
    rng, sound, at, k = np.random.default_rng(seed), np.zeros(int(SAMPLE_RATE * seconds)), 0, 0
    while at < len(sound):
        n = int(SAMPLE_RATE / calls_hz * np.exp(rng.normal(0, 0.04)))
        pulses = np.diff(np.floor(np.arange(n) * pitch_hz * 0.98**k / SAMPLE_RATE), prepend=0) * 8
        pulses[int(0.45 * n):] = 0
        source = pulses + rng.normal(0, 0.1, n) * np.hanning(n)
        for hz, width in ((750, 90), (1300, 120), (2600, 160)):
            r = np.exp(-np.pi * width / SAMPLE_RATE)
            source = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * hz / SAMPLE_RATE), r * r], source)
        sound[at:at + n] += source[:len(sound) - at] * 0.97**k
        at, k = at + n, k + 1
    return (0.2 * sound / np.abs(sound).max()).astype(np.float32)


def power_of(sound):
    return mel_power(spectrum_of(sound))


@pytest.mark.parametrize("calls_hz, pitch_hz", [(4.3, 180), (4.8, 240), (5.6, 320)])
def test_a_made_up_laugh_is_heard(calls_hz, pitch_hz):
    assert laughter_of(power_of(made_laugh(calls_hz=calls_hz, pitch_hz=pitch_hz)))[15:55].mean() > 0.8


@pytest.mark.parametrize("sentence", SENTENCES)
def test_speech_silence_and_noise_are_no_laugh(sentence):
    assert not laughter_of(power_of(speak(sentence, seconds=3.0))).any()
    for sound in (np.zeros(SAMPLE_RATE * 2), np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE * 2), np.zeros(100)):
        assert not laughter_of(power_of(sound.astype(np.float32))).any()


def test_a_laugh_amid_speech_is_found_in_its_place():
    spoken = speak(SENTENCES[0], seconds=3.0)
    laughs = laughter_of(power_of(np.concatenate([spoken, made_laugh(), spoken])))
    assert laughs[85:140].mean() > 0.8 and not laughs[:55].any() and laughs[175:].max() < 0.01


def test_who_laughs_smiles_and_does_not_babble():
    power, rest = power_of(made_laugh()), resting_face()
    laughs = laughter_of(power)
    spoken = np.repeat(rest[None], len(power), 0)
    lips = list(face68.GROUPS["inner_lips"])
    spoken[:, lips[5:], 1] += 0.2 * np.abs(np.sin(np.arange(len(power))))[:, None]
    shown = laugh(spoken, rest, laughs, power)
    held = slice(20, 50)
    assert face68.mouth_opening(shown)[held].std() < 0.5 * face68.mouth_opening(spoken)[held].std()
    assert face68.mouth_opening(shown)[held].min() > 0.9 * PARTED
    assert face68.mouth_width(shown)[held].mean() > face68.mouth_width(spoken)[held].mean() + 0.05
    np.testing.assert_array_equal(laugh(spoken, rest, 0 * laughs, power), spoken)
