"""Text to speech, and the samples of the project."""

import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT, command

from core import artifacts
from core.audio import level_dbfs
from preprocess import sample_photo, synthesize_speech
from preprocess.synthesize_speech import PAUSE_S, synthesize, variants, voices


def test_it_speaks(tmp_path):
    out = tmp_path / "hello.wav"
    result = command(synthesize_speech.main, "--text", "Good morning, Bob.", out)
    assert result.exit_code == 0 and result.stdout.strip() == str(out)
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype) == (44100, 1, "PCM_16")
    assert 0.5 < info.duration < 3 and -35 < level_dbfs(soundfile.read(out)[0]) < -5
    assert artifacts.check(out, "speech")["options"]["text"] == "Good morning, Bob."


def test_rate_voice_and_words_change_the_sound():
    plain, rate = synthesize("one two three four five six seven")
    assert len(synthesize("one two three four five six seven", words_per_minute=300)[0]) < 0.75 * len(plain)
    assert len(synthesize("one two")[0]) < 0.6 * len(plain)
    other = synthesize("one two three four five six seven", "en-us+f3")[0]
    n = min(len(plain), len(other))
    assert abs(np.corrcoef(plain[:n], other[:n])[0, 1]) < 0.9 and rate == 22050


def test_a_blank_line_is_a_pause():
    joined, rate = synthesize("Mama.\n\n\nPapa.")
    apart = len(synthesize("Mama.")[0]) + len(synthesize("Papa.")[0])
    assert len(joined) - apart == pytest.approx(PAUSE_S * rate, abs=0.1 * rate)


@pytest.mark.parametrize("arguments, said", [
    (["--text", "  \n "], "nothing to say"), (["--text", "hi", "--voice", "nobody"], "en-us"),
    (["--text", "hi", "--voice", "en-us+nobody"], "f3"), (["--text", "hi", "--voice", ""], "no such voice"),
    ([], "one of the two"), (["--text", "hi", "--script", "x.txt"], "one of the two"),
    (["--script", "missing.txt"], "missing.txt: no such file")])
def test_mistakes_are_said_in_one_line(tmp_path, arguments, said):
    result = command(synthesize_speech.main, *arguments, tmp_path / "out.wav")
    assert result.exit_code == 1 and said in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_script_file(tmp_path):
    script = tmp_path / "skript é.txt"
    script.write_text("Grüße, Bob!", encoding="utf-8")
    assert command(synthesize_speech.main, "--script", script, "--voice", "de", tmp_path / "a.wav").exit_code == 0
    script.write_bytes("Grüße".encode("latin-1"))
    refused = command(synthesize_speech.main, "--script", script, tmp_path / "b.wav")
    assert refused.exit_code == 1 and "UTF-8" in refused.stderr
    taken = command(synthesize_speech.main, "--text", "hi", tmp_path / "a.wav")
    assert taken.exit_code == 1 and "--force" in taken.stderr


def test_voices_are_listed():
    assert {"en-us", "en-gb", "hi", "tr"} <= set(voices()) and {"f3", "m1"} <= set(variants())
    listed = command(synthesize_speech.main, "--list-voices")
    assert listed.exit_code == 0 and "en-us" in listed.stdout


def test_the_sample_speech_is_what_its_readme_says(tmp_path):
    """The command in data/samples/README.md makes the very file that lies there."""
    samples, made = ROOT / "data" / "samples", tmp_path / "speech.wav"
    line = re.search(r"`python (-m preprocess.synthesize_speech .*?)`", (samples / "README.md").read_text(encoding="utf-8"))[1]
    arguments = [str(made) if word.endswith(".wav") else word for word in line.split()]
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    (kept, rate), (again, _) = soundfile.read(samples / "speech.wav"), soundfile.read(made)
    assert rate == 16000 and 6 <= len(kept) / rate <= 8
    np.testing.assert_allclose(again, kept, atol=1e-3)


def test_the_sample_photo(tmp_path):
    import imageio.v3 as iio
    out = tmp_path / "portrait.png"
    assert command(sample_photo.main, out).exit_code == 0
    assert iio.imread(out).shape == (512, 512, 3)
    before = out.stat().st_mtime_ns
    assert command(sample_photo.main, out).exit_code == 0 and out.stat().st_mtime_ns == before
    assert command(sample_photo.main, tmp_path / "portrait.jpg").exit_code == 1
