"""Text to speech, and the samples of the project."""

import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT, command

from core import artifacts
from core.errors import InputError
from core.media.audio import level_dbfs
from core.media.words import load_words
from preprocess import sample_photo
from render.photo_check import check_photo
from speech import engines as speech_engines
from speech import espeak, indian_english
from speech import synthesize as synthesize_speech
from speech.engines import PAUSE_S, speak
from speech.speakable import MOST_WORDS


def test_it_speaks(tmp_path):
    out = tmp_path / "hello.wav"
    result = command(synthesize_speech.main, "--text", "Good morning, Bob.", out)
    assert result.exit_code == 0 and result.stdout.splitlines() == [str(out), str(tmp_path / "hello.words.json")]
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype) == (44100, 1, "PCM_16")
    assert 0.5 < info.duration < 3 and -35 < level_dbfs(soundfile.read(out)[0]) < -5
    assert artifacts.check(out, "speech")["options"]["text"] == "Good morning, Bob."
    words = load_words(tmp_path / "hello.words.json")
    assert [word.word for word in words] == ["Good", "morning,", "Bob."]
    assert 0 <= words[0].start_s < words[1].start_s < words[2].start_s < words[2].end_s <= info.duration


def test_rate_voice_and_words_change_the_sound():
    text = "one two three four five six seven"
    plain = speak(text, "en-us").sound
    assert len(speak(text, "en-us", words_per_minute=300).sound) < 0.75 * len(plain)
    assert len(speak("one two", "en-us").sound) < 0.6 * len(plain)
    other = speak(text, "en-us+f3")
    n = min(len(plain), len(other.sound))
    assert abs(np.corrcoef(plain[:n], other.sound[:n])[0, 1]) < 0.9 and other.rate == 22050


def test_a_blank_line_is_a_pause():
    joined = speak("Mama.\n\n\nPapa.")
    apart = len(speak("Mama.").sound) + len(speak("Papa.").sound)
    assert len(joined.sound) - apart == pytest.approx(PAUSE_S * joined.rate, abs=0.1 * joined.rate)
    mama, papa = joined.words
    assert papa.start_s - mama.end_s > 0.9 * PAUSE_S


def test_words_are_timed_where_they_sound():
    """Silence before each paragraph's word, sound in it."""
    spoken = speak("Papa.\n\nMama.")
    for word in spoken.words:
        start, end = (round(t * spoken.rate) for t in (word.start_s, word.end_s))
        assert level_dbfs(spoken.sound[start:end]) > -30
    assert level_dbfs(spoken.sound[round(spoken.words[0].end_s * spoken.rate):start]) < -40


def test_indian_english_is_another_accent():
    """Retroflex t and d, dental th, one sound for v and w, long e and o: none of them in plain English."""
    text = "Today the third video went very wide and both boats go."
    plain, ours = (espeak.phonemes(text, voice) for voice in ("en-gb", "en-in"))
    assert not set(plain) & set("ʈɖʋ̪")
    assert set("ʈɖʋ") <= set(ours) and "t̪" in ours and "d̪" in ours
    assert not set(ours) & set("θðvw") and not re.search("[td](?!̪)", ours)
    assert not any(vowel in ours for vowel in ("eɪ", "əʊ", "oʊ"))
    assert "eː" in ours and "oː" in ours
    assert espeak.phonemes("vest", "en-in") == espeak.phonemes("west", "en-in")
    assert espeak.phonemes("vest", "en-gb") != espeak.phonemes("west", "en-gb")


def test_indian_english_keeps_time_by_the_syllable():
    """Stressed and unstressed syllables of like length: the word's two differ less than they do in plain English."""
    assert len(set(re.findall(r"stressLength (.*)", indian_english.VOICE_FILE)[0].split())) > 1
    lengths = {}
    for voice in ("en-us", "en-in"):
        full, weak = (np.ptp([w.start_s for w in speak(" ".join([word] * 9), voice).words]) for word in ("bar", "the"))
        lengths[voice] = full / weak
    assert lengths["en-in"] < lengths["en-us"]


def test_names_are_said_as_they_are_in_india():
    """A word with sounds of its own is not what the spelling rules make of it, and sounds though it is in brackets."""
    assert espeak._to_phonemes("Priya,") == f"[[{indian_english.WORDS['priya']}]],"
    assert espeak._to_phonemes("Bob") == "Bob"
    sound, starts, _ = espeak.say(["Dear", "Priya", "Sharma."], "en-in", 160)
    assert None not in starts and starts == sorted(starts) and np.abs(sound).max() > 0.1


def test_another_layout_of_the_engines_tables_is_refused():
    with pytest.raises(InputError, match="phoneme tables"):
        indian_english.with_our_table(b"\x02\0\0\0" + bytes(100))


@pytest.mark.parametrize("arguments, said", [
    (["--text", "  \n "], "nothing to say"), (["--text", "... --- !"], "nothing to say"),
    (["--text", "hi", "--voice", "nobody"], "en-us"),
    (["--text", "hi", "--voice", "en-us+nobody"], "f3"), (["--text", "hi", "--voice", ""], "no such voice"),
    ([], "one of the two"), (["--text", "hi", "--script", "x.txt"], "one of the two"),
    (["--script", "missing.txt"], "missing.txt: no such file"),
    (["--text", "नमस्ते दुनिया"], "--voice hi"), (["--text", "你好世界", "--voice", "hi"], "--voice cmn"),
    (["--text", "ᚠᚢᚦᚨᚱᚲ"], "--list-voices"), (["--text", "word " * 100_000], f"100000 words; expected at most {MOST_WORDS}")])
def test_mistakes_are_said_in_one_line(tmp_path, arguments, said):
    result = command(synthesize_speech.main, *arguments, tmp_path / "out.wav")
    assert result.exit_code == 1 and said in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_script_file(tmp_path):
    script = tmp_path / "skript é.txt"
    script.write_text("\ufeffGrüße, Bob!", encoding="utf-8")
    assert command(synthesize_speech.main, "--script", script, "--voice", "de", tmp_path / "a.wav").exit_code == 0
    assert [word.word for word in load_words(tmp_path / "a.words.json")] == ["Grüße,", "Bob!"]
    script.write_bytes(b"caf\xe9 \x81")  # neither UTF-8 nor Windows-1252
    refused = command(synthesize_speech.main, "--script", script, tmp_path / "b.wav")
    assert refused.exit_code == 1 and "UTF-8" in refused.stderr
    taken = command(synthesize_speech.main, "--text", "hi", tmp_path / "a.wav")
    assert taken.exit_code == 1 and "--force" in taken.stderr
    script.write_text("word " * 300_000)
    refused = command(synthesize_speech.main, "--script", script, tmp_path / "b.wav")
    assert refused.exit_code == 1 and "1500000 bytes" in refused.stderr
    script.write_text("")
    refused = command(synthesize_speech.main, "--script", script, tmp_path / "b.wav")
    assert refused.exit_code == 1 and "nothing to say" in refused.stderr and str(script) in refused.stderr


def test_another_script_is_spoken_by_a_voice_that_reads_it(tmp_path):
    assert command(synthesize_speech.main, "--text", "नमस्ते दुनिया", "--voice", "hi", tmp_path / "a.wav").exit_code == 0
    assert len(load_words(tmp_path / "a.words.json")) == 2


def test_every_voice_that_is_listed_can_be_set():
    for voice in espeak.voices():
        espeak.set_voice(voice)
    assert espeak.phonemes("card", "en-gb") != espeak.phonemes("card", "en-us")


def test_voices_are_listed():
    assert {"en-in", "en-us", "en-gb", "hi", "tr"} <= set(espeak.voices()) and {"f3", "m1"} <= set(espeak.variants())
    listed = command(synthesize_speech.main, "--list-voices")
    assert listed.exit_code == 0 and "en-in" in listed.stdout


@pytest.mark.parametrize("engine, package", [("gtts", "gtts"), ("edge", "edge_tts")])
def test_an_online_engine_that_is_not_installed(tmp_path, monkeypatch, engine, package):
    for name in (package, "aiohttp"):
        monkeypatch.setitem(sys.modules, name, None)
    result = command(synthesize_speech.main, "--text", "hi", "--engine", engine, tmp_path / "out.wav")
    assert result.exit_code == 1 and "pip install" in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def online(monkeypatch):
    """Stand-ins for gTTS and edge-tts: the words are spoken by eSpeak NG, as .mp3; notes what they were asked."""
    import io
    import types
    asked = {}

    def mp3(text):
        spoken, file = speak(text, "en-us"), io.BytesIO()
        soundfile.write(file, spoken.sound, spoken.rate, format="MP3")
        return file.getvalue()

    class Gtts:
        def __init__(self, text, **how):
            asked.update(text=text, **how)

        def write_to_fp(self, file):
            if asked.get("fails"):
                raise OSError("no network")
            file.write(mp3(asked["text"]))

    class Communicate(Gtts):
        def __init__(self, text, voice, rate):
            asked.update(text=text, voice=voice, rate=rate)

        def stream_sync(self):
            yield {"type": "WordBoundary"}
            yield {"type": "audio", "data": mp3(asked["text"])}

    for name, holds in {"gtts": {"gTTS": Gtts}, "gtts.tts": {"gTTSError": OSError}, "edge_tts": {"Communicate": Communicate},
                        "edge_tts.exceptions": {"EdgeTTSException": OSError}, "aiohttp": {"ClientError": OSError}}.items():
        module = types.ModuleType(name)
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, name, module)
    return asked


def test_an_online_voice_is_indian_english_and_its_words_are_found(tmp_path, online):
    for engine, wanted in (("gtts", {"lang": "en", "tld": "co.in"}), ("edge", {"voice": "en-IN-NeerjaNeural", "rate": "+25%"})):
        done = command(synthesize_speech.main, "--text", "Pay INR 20, Bob.", "--engine", engine, "--rate", 200,
                       tmp_path / f"{engine}.wav")
        assert done.exit_code == 0, done.stderr
        assert online.items() >= wanted.items() and online["text"] == "Pay twenty rupees, Bob."
        assert [word.word for word in load_words(tmp_path / f"{engine}.words.json")] == ["Pay", "INR 20,", "Bob."]


def test_no_network_is_one_line(tmp_path, online):
    online["fails"] = True
    result = command(synthesize_speech.main, "--text", "hi", "--engine", "gtts", tmp_path / "out.wav")
    assert result.exit_code == 1 and "no network" in result.stderr and "--engine espeak" in result.stderr
    assert not list(tmp_path.iterdir())


def test_every_engine_is_there():
    assert set(speech_engines.ENGINES) == set(speech_engines._SPEAKERS)


def test_the_sample_speech_is_what_its_readme_says(tmp_path):
    """The command in data/samples/README.md makes the very file that lies there."""
    samples, made = ROOT / "data" / "samples", tmp_path / "speech.wav"
    line = re.search(r"`python (-m speech.synthesize .*?)`", (samples / "README.md").read_text(encoding="utf-8"))[1]
    arguments = [str(made) if word.endswith(".wav") else word for word in line.split()]
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    (kept, rate), (again, _) = soundfile.read(samples / "speech.wav"), soundfile.read(made)
    assert rate == 16000 and 6 <= len(kept) / rate <= 8
    np.testing.assert_allclose(again, kept, atol=1e-3)


def test_the_sample_photo(tmp_path):
    import imageio.v3 as iio
    out = tmp_path / "portrait.png"
    assert command(sample_photo.main, "--head", out).exit_code == 0
    assert iio.imread(out).shape == (512, 512, 3) and check_photo(out).width_px > 200  # close enough for a clear mouth
    before = out.stat().st_mtime_ns
    assert command(sample_photo.main, "--head", out).exit_code == 0 and out.stat().st_mtime_ns == before
    assert command(sample_photo.main, tmp_path / "portrait.jpg").exit_code == 1
    assert command(sample_photo.main, tmp_path / "whole.png").exit_code == 0
    assert check_photo(tmp_path / "whole.png").width_px < 100
