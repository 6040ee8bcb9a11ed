"""The gate for sound: what passes is 16 kHz mono, on the clock; what does not is refused with a cure."""

import shlex

import numpy as np
import pytest
import soundfile
from conftest import command

from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.errors import InputError
from core.media import audio
from core.media.audio import read_speech, spectrum_blocks, spectrum_of, write_wav
from preprocess import convert_audio


def tone(seconds, rate=SAMPLE_RATE, hz=440):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize("n_samples, n_frames", [(1, 1), (640, 1), (959, 1), (960, 2), (16000, 25), (16319, 25), (16320, 26)])
def test_a_frame_is_640_samples(n_samples, n_frames):
    assert n_frames_of(n_samples) == n_frames
    assert spectrum_of(np.zeros(n_samples, np.float32)).shape == (n_frames, audio.HOPS_PER_FRAME, audio.N_BINS)


@pytest.mark.parametrize("sizes", [(16000, 16000, 1234), (1, 639, 640, 641, 5000), (7,) * 300, (300, 0, 33000)])
def test_spectrum_of_pieces_equals_the_whole(sizes):
    sound = np.random.default_rng(0).normal(0, 0.1, sum(sizes)).astype(np.float32)
    pieces = np.split(sound, np.cumsum(sizes)[:-1])
    np.testing.assert_array_equal(np.concatenate(list(spectrum_blocks(pieces))), spectrum_of(sound))


def test_a_click_is_in_the_middle_of_its_own_hop():
    sound = np.zeros(10 * SAMPLES_PER_FRAME, np.float32)
    sound[6 * SAMPLES_PER_FRAME + 2 * audio.HOP + audio.HOP // 2] = 1
    energy = spectrum_of(sound).astype(float).sum(2).ravel()
    at = 6 * audio.HOPS_PER_FRAME + 2
    assert energy.argmax() == at and energy[at - 1] == pytest.approx(energy[at + 1], rel=0.02)


def test_a_tone_is_in_its_own_bin():
    spectrum = spectrum_of(tone(1, hz=1000)).astype(float).mean((0, 1))
    assert spectrum.argmax() == round(1000 * audio.N_FFT / SAMPLE_RATE)


@pytest.mark.parametrize("rate, channels, subtype", [
    (8000, 1, "PCM_U8"), (16000, 1, "PCM_16"), (22050, 2, "PCM_16"), (44100, 2, "PCM_24"), (48000, 6, "PCM_16"),
    (96000, 1, "FLOAT")])
def test_any_wav_becomes_16_khz_mono(tmp_path, rate, channels, subtype):
    path = tmp_path / "a.WAV"
    soundfile.write(path, np.repeat(tone(1, rate)[:, None], channels, 1), rate, subtype, format="WAV")
    sound = read_speech(path)
    assert sound.dtype == np.float32 and sound.shape == (SAMPLE_RATE,)
    middle = slice(2000, 14000)
    assert np.corrcoef(sound[middle], tone(1)[middle])[0, 1] > 0.999
    assert audio.level_dbfs(sound[middle]) == pytest.approx(20 * np.log10(0.5) - 10 * np.log10(2), abs=0.2)


def test_silence_passes(tmp_path):
    sound = read_speech(write_wav(tmp_path / "silence.wav", np.zeros(SAMPLE_RATE)))
    assert not sound.any() and audio.level_dbfs(sound) == -np.inf
    assert spectrum_of(sound).shape[0] == FPS and not spectrum_of(sound).any()


def _bad_files(folder, speech):
    good = speech.read_bytes()
    text = b"Dear reader, this is not sound. " * 40
    contents = {"text.mp3": text, "text.wav": text, "empty.wav": b"",
                "truncated.wav": good[:len(good) // 2], "header.wav": good[:20]}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    soundfile.write(folder / "none.wav", np.zeros(0), SAMPLE_RATE)
    soundfile.write(folder / "nan.wav", np.array([0, np.nan, 0.1]), SAMPLE_RATE, "FLOAT")


@pytest.mark.parametrize("name, found", [
    ("text.mp3", "not readable"), ("text.wav", "not readable"), ("empty.wav", "empty file"),
    ("truncated.wav", "truncated"), ("header.wav", "not readable"), ("none.wav", "no sound"), ("nan.wav", "not numbers"),
    ("missing.wav", "no such file")])
def test_bad_sound_is_refused_by_name(tmp_path, speech, name, found):
    _bad_files(tmp_path, speech)
    with pytest.raises(InputError) as error:
        read_speech(tmp_path / name)
    text = str(error.value)
    assert name in text and found in text and "expected" in text and "\n" not in text


@pytest.mark.parametrize("name", ["nan.wav", "truncated.wav"])
def test_the_cure_in_the_message_cures(tmp_path, speech, monkeypatch, name):
    _bad_files(tmp_path, speech)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        read_speech(tmp_path / name)
    words = shlex.split(error.value.cure.split("python -m ")[1])
    assert words[0] == "preprocess.convert_audio"
    result = command(convert_audio.main, *words[1:])
    assert result.exit_code == 0, result.stderr
    assert len(read_speech(result.stdout.strip())) > 0


def test_conversion_keeps_the_sound(tmp_path, speech, clip):
    whole = read_speech(speech)
    assert command(convert_audio.main, clip, tmp_path / "out.wav").exit_code == 0
    converted = read_speech(tmp_path / "out.wav")
    assert soundfile.info(tmp_path / "out.wav").subtype == "PCM_16"
    n = min(len(whole), len(converted))
    lag = np.correlate(converted[:n], whole[:n], "full").argmax() - (n - 1)
    assert abs(lag) <= 1 and abs(len(converted) - len(whole)) <= 2048  # AAC comes in blocks of 1024 samples, 44.1 kHz
    assert np.corrcoef(converted[:n], whole[:n])[0, 1] > 0.98


def test_conversion_refuses_what_it_would_spoil(tmp_path, speech):
    taken = tmp_path / "taken.wav"
    taken.write_bytes(b"mine")
    refused = command(convert_audio.main, speech, taken)
    assert refused.exit_code == 1 and "--force" in refused.stderr and taken.read_bytes() == b"mine"
    assert command(convert_audio.main, speech, taken, "--force").exit_code == 0
    assert len(read_speech(taken)) == len(read_speech(speech))
    itself = command(convert_audio.main, taken, taken, "--force")
    assert itself.exit_code == 1 and "one of the inputs" in itself.stderr and len(read_speech(taken)) > 0
    assert command(convert_audio.main, speech, tmp_path / "a.mp3").exit_code == 1


def test_conversion_of_nothing_leaves_nothing(tmp_path):
    (tmp_path / "text.mp3").write_text("no sound here " * 50)
    result = command(convert_audio.main, tmp_path / "text.mp3", tmp_path / "out.wav")
    assert result.exit_code == 1 and "text.mp3" in result.stderr and result.stderr.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["text.mp3"]


def test_a_damaged_recording_does_not_hang(tmp_path, clip):
    damaged = bytearray(clip.read_bytes())
    rng = np.random.default_rng(0)
    for i in rng.integers(len(damaged) // 4, len(damaged), 3000):
        damaged[i] ^= 0xFF
    (tmp_path / "damaged.mp4").write_bytes(damaged)
    try:
        n_samples = sum(len(block) for block in audio.decode_any(tmp_path / "damaged.mp4"))
        assert n_samples <= 3 * SAMPLE_RATE
    except InputError as error:
        assert "damaged.mp4" in str(error)


def test_memory_does_not_grow_with_the_recording(tmp_path, monkeypatch):
    long = write_wav(tmp_path / "long.wav", np.tile(tone(1), 20))
    largest = []
    def watched(blocks, original=audio.decode_any):
        for block in original(blocks):
            largest.append(len(block))
            yield block
    monkeypatch.setattr(convert_audio, "decode_any", watched)
    convert_audio.convert(long, tmp_path / "out.wav")
    assert sum(largest) == 20 * SAMPLE_RATE and max(largest) == SAMPLE_RATE


def test_float_sound_of_any_level_is_heard(tmp_path):
    for name, factor in (("plain", 1), ("as integers", 32768), ("absurd", 1e30)):
        soundfile.write(tmp_path / f"{name}.wav", tone(1) * factor, SAMPLE_RATE, "FLOAT")
    plain, *louder = (read_speech(tmp_path / f"{name}.wav") for name in ("plain", "as integers", "absurd"))
    for sound in louder:
        assert np.abs(sound).max() == 1
        np.testing.assert_allclose(sound * np.abs(plain).max(), plain, atol=1e-6)


def test_an_absurd_rate_is_refused(tmp_path):
    soundfile.write(tmp_path / "slow.wav", tone(1), 1)
    with pytest.raises(InputError, match="1 samples a second"):
        read_speech(tmp_path / "slow.wav")


def test_a_folder_is_called_a_folder(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(InputError, match="a.wav: a folder; expected"):
        read_speech(tmp_path / "a.wav")
