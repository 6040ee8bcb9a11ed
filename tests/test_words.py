"""Words with times: found in speech, recognised, kept in files, shown as captions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT, command

from core import artifacts
from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import resample, write_wav
from core.media.captions import add_track, burnt, check_drawable
from core.media.video import probe, write_video
from core.media.words import LINE_CHARS, Word, confidence, cues, load_words, save_words, srt, transcript, vtt
from speech import evaluate as evaluate_words
from speech import recognise, transcribe, whisper
from speech.align import align
from speech.engines import speak
from speech.pronounce import pronounce
from speech.speakable import Piece

SAID = "Good morning, Priya! Pay INR 5,053 by UPI, please. Bob wrote twice."


@pytest.fixture(scope="module")
def spoken():
    """Speech of SAID, and when the engine that spoke it says each word sounds."""
    made = speak(SAID, "en-us+f2")
    return resample(made.sound, made.rate), made


@pytest.fixture(scope="module")
def spoken_path(spoken, tmp_path_factory):
    return write_wav(tmp_path_factory.mktemp("spoken") / "said.wav", spoken[0])


def test_alignment_agrees_with_the_engine_that_spoke(spoken):
    sound, made = spoken
    found = align(sound, made.said)
    assert [word.word for word in found] == [piece.written for piece in made.said]
    apart_s = [abs(a.start_s - b.start_s) for a, b in zip(found, made.words)]
    assert np.median(apart_s) < 0.04 and max(apart_s) < 0.3
    later = align(np.concatenate([np.zeros(SAMPLE_RATE, np.float32), sound]), made.said)
    assert np.median([b.start_s - a.start_s for a, b in zip(found, later)]) == pytest.approx(1, abs=0.05)


def test_what_nobody_says_has_a_time_too(spoken):
    sound, made = spoken
    with_a_dash = [*made.said[:2], Piece("-", "-"), *made.said[2:]]
    found = align(sound, with_a_dash)
    assert [word.word for word in found[:4]] == ["Good", "morning,", "-", "Priya!"]
    assert found[1].end_s == found[2].start_s == found[2].end_s <= found[3].start_s


def test_words_that_are_not_there_are_refused(spoken):
    sound, made = spoken
    with pytest.raises(InputError, match="are not found in 0.3 s"):
        align(sound[:round(0.3 * SAMPLE_RATE)], made.said)


def test_unknown_words_are_spelt_by_ear():
    assert pronounce("priya").split()[:2] == ["P", "R"]
    assert pronounce("neerja").split() == ["N", "IH", "R", "JH", "AH"]
    assert pronounce("...") == "SIL"


def test_a_script_is_found_by_command(tmp_path, spoken_path):
    script = tmp_path / "said.txt"
    script.write_text(SAID)
    done = command(transcribe.main, spoken_path, "--script", script, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "out" / f"words.{ending}") for ending in ("json", "srt", "vtt")]
    assert SAID in done.stderr
    words = load_words(tmp_path / "out" / "words.json")
    assert transcript(words) == SAID
    assert set(artifacts.read_sidecar(tmp_path / "out" / "words.json")["inputs"]) == {"said.wav", "said.txt"}
    assert "INR 5,053" in (tmp_path / "out" / "words.srt").read_text()


def test_pocketsphinx_hears_words_a_grammar_allows(tmp_path):
    made = speak("set white by l seven soon", "en-us+f2")
    path = write_wav(tmp_path / "a.wav", resample(made.sound, made.rate))
    grammar = Path(shutil.copy(ROOT / "speech" / "grid.gram", tmp_path))
    done = command(transcribe.main, path, "--grammar", grammar, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert transcript(load_words(tmp_path / "out" / "words.json")) == "set white by l seven soon"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.wav", "grid.gram", "out"], "nothing is left beside the grammar"


def test_pocketsphinx_hears_english(spoken):
    heard = {word.word for word in recognise.recognise(spoken[0], "sphinx")}
    assert len(heard & {"good", "morning", "five", "thousand", "fifty", "three", "please", "wrote", "twice"}) > 3


@pytest.mark.parametrize("arguments, said", [
    (["none.wav"], "no such file"), (["{speech}", "--script", "none.txt"], "none.txt: no such file"),
    (["{speech}", "--grammar", "none.gram"], "none.gram: no such file"), (["{speech}", "--script", "{long}"], "at most"),
    (["{speech}", "--script", "{other}"], "Cyrillic letters"), (["{speech}", "--engine", "vosk"], "vosk"),
    (["{speech}", "--engine", "whisper"], "pip install faster-whisper"),
    (["{speech}", "--grammar", "{other}"], "not a grammar"),
    (["{speech}", "--engine", "vosk", "--grammar", "{other}"], "--engine sphinx"),
    (["{speech}", "--engine", "sphinx", "--whisper-model", "x"], "--engine whisper")])
def test_mistakes_are_said_in_one_line(tmp_path, monkeypatch, spoken_path, arguments, said):
    monkeypatch.setitem(sys.modules, "vosk", None)
    monkeypatch.setattr(whisper, "is_installed", lambda: False)
    (tmp_path / "long.txt").write_text("word " * 100_000)
    (tmp_path / "other.txt").write_text("Привет, мир", encoding="utf-8")
    files = {"speech": spoken_path, "long": tmp_path / "long.txt", "other": tmp_path / "other.txt"}
    result = command(transcribe.main, *(str(a).format(**files) for a in arguments), "--out", tmp_path / "out")
    assert result.exit_code == 1 and said in result.stderr and result.stderr.count("\n") == 1, result.stderr
    assert not (tmp_path / "out").exists()


def test_words_of_an_engine_without_times_are_found_in_the_sound(monkeypatch, spoken):
    import speech_recognition
    monkeypatch.setattr(speech_recognition.Recognizer, "recognize_google", lambda self, audio: "good morning priya")
    sound, made = spoken
    words = recognise.recognise(sound[:round(made.words[2].end_s * SAMPLE_RATE)], "google")
    assert [word.word for word in words] == ["good", "morning", "priya"]
    assert [word.start_s for word in words] == pytest.approx([word.start_s for word in made.words[:3]], abs=0.15)

    def nothing(self, audio):
        raise speech_recognition.UnknownValueError

    def no_network(self, audio):
        raise speech_recognition.RequestError("recognition connection failed: no network")

    monkeypatch.setattr(speech_recognition.Recognizer, "recognize_google", nothing)
    assert recognise.recognise(sound, "google") == []
    monkeypatch.setattr(speech_recognition.Recognizer, "recognize_google", no_network)
    with pytest.raises(InputError, match="no network.*the engine sphinx"):
        recognise.recognise(sound, "google")


WORDS = [Word("Mama", 0.1, 0.4), Word("bought", 0.4, 0.7), Word("a", 0.7, 0.8), Word("boat.", 0.8, 1.2),
         Word("Good!", 2.5, 3.0)]


def test_words_are_kept_and_read_again(tmp_path):
    path = save_words(tmp_path / "words.json", WORDS, stage="test")
    assert load_words(path) == WORDS
    path.write_text(path.read_text().replace("2.5", "0.5"))
    with pytest.raises(InputError, match="does not match"):
        load_words(path)


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"words": [{"word": "a"}]}',
                                  '{"words": [{"word": "a", "start_s": 2, "end_s": 1}]}',
                                  '{"words": [{"word": "a", "start_s": 0, "end_s": NaN}]}',
                                  '{"words": [{"word": "a", "start_s": 2, "end_s": 3}, '
                                  '{"word": "b", "start_s": 1, "end_s": 3}]}'])
def test_other_json_is_no_words(tmp_path, text):
    path = tmp_path / "words.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"words.json: .*words"):
        load_words(path)


def test_subtitles():
    assert srt(WORDS) == "1\n00:00:00,100 --> 00:00:01,600\nMama bought a boat.\n\n2\n00:00:02,500 --> 00:00:03,400\nGood!\n\n"
    assert srt([]) == "" and "--> 00:00:03,100" in srt(WORDS, last_s=3.1)


def test_subtitles_for_a_page():
    shown = vtt([Word("A<b", 0.5, 1), Word("&", 1, 1.5), *WORDS[4:]])
    assert shown == ("WEBVTT\n\n00:00:00.500 --> 00:00:01.900\nA&lt;b &amp;\n\n"
                     "00:00:02.500 --> 00:00:03.400\nGood!\n\n")
    assert vtt([]) == "WEBVTT\n\n"


@pytest.mark.parametrize("text, lines", [
    ("Pick a portrait and I will make it move to your voice.", ["Pick a portrait and I will", "make it move to your voice."]),
    ("My name is Bob, and I am a photo that learned to talk.", ["My name is Bob, and I am a", "photo that learned to talk."]),
    ("Good morning to you all, my name is Bob and I talk.", ["Good morning to you all,", "my name is Bob and I talk."]),
    ("It fits into a single line.", ["It fits into a single line."])])
def test_two_lines_are_about_as_long(text, lines):
    [cue] = cues([Word(word, i / 4, i / 4 + 0.2) for i, word in enumerate(text.split())])
    assert cue.text.splitlines() == lines


def test_probabilities_are_kept_where_there_are_any(tmp_path):
    heard = [Word("Mama", 0.1, 0.4, 0.5), Word("spoke.", 0.4, 0.7, 1.0)]
    assert load_words(save_words(tmp_path / "words.json", heard, stage="test")) == heard
    assert confidence(heard) == 0.75 and confidence(WORDS) is None and confidence([]) is None
    assert '"probability"' not in save_words(tmp_path / "said.json", WORDS, stage="test").read_text()
    (tmp_path / "odd.json").write_text('{"words": [{"word": "a", "start_s": 0, "end_s": 1, "probability": 2}]}')
    with pytest.raises(InputError, match="probability 2; expected 0 to 1"):
        load_words(tmp_path / "odd.json")


def test_long_sentences_part_at_a_comma_and_no_line_is_too_long():
    text = "Second, your credit score may fall below what any bank of this country likes, which can make loans harder to get."
    shown = cues([Word(word, i / 4, i / 4 + 0.2) for i, word in enumerate(text.split())])
    assert " ".join(cue.text for cue in shown).replace("\n", " ") == text
    assert all(len(line) <= LINE_CHARS for cue in shown for line in cue.text.splitlines())
    assert all(len(cue.text.splitlines()) <= 2 for cue in shown) and len(shown) > 1
    assert shown[0].text.endswith(("likes,", "Second,"))
    assert all(a.end_s <= b.start_s for a, b in zip(shown, shown[1:]))


@pytest.mark.parametrize("size", [(240, 320), (64, 64), (360, 202)])
def test_captions_are_drawn_while_the_words_sound(size):
    grey = np.full((*size, 3), 128, np.uint8)
    shown = list(burnt([grey] * 80, WORDS, 25))
    drawn = [not np.array_equal(frame, grey) for frame in shown]
    assert drawn == [0.1 <= (k + 0.5) / 25 < 1.6 or (k + 0.5) / 25 >= 2.5 for k in range(80)]
    assert (grey == 128).all(), "frames given are not written to"
    frame = shown[10]
    assert frame.max() == 255 and frame.min() == 0
    changed = np.flatnonzero((frame != 128).any((1, 2)))
    assert changed.min() > size[0] / 2, "at the foot"
    columns = np.flatnonzero((frame != 128).any((0, 2)))
    assert abs(columns.min() + columns.max() - size[1]) <= 6, "in the middle"
    box = frame[changed.min():changed.max(), columns.min():columns.max()]
    assert 20 < np.median(box) < 90, "what is behind shows through"


def test_letters_the_font_lacks_are_refused():
    check_drawable([Word("Привет", 0, 1)])
    with pytest.raises(InputError, match="Devanagari.*mux"):
        check_drawable([Word("नमस्ते", 0, 1)])


def test_a_track_of_subtitles(tmp_path):
    from imageio_ffmpeg import get_ffmpeg_exe
    path = write_video(tmp_path / "v.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 100)
    add_track(path, WORDS)
    assert probe(path).seconds == pytest.approx(4, abs=0.1)
    back = subprocess.run([get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:s:0", "-f", "srt", "-"], check=True,
                          capture_output=True, text=True).stdout
    assert "Mama bought a boat." in back and "00:00:02,500 --> 00:00:03,400" in back


def test_measures_of_words(tmp_path, spoken):
    """The engine's own times as the truth: small errors; all of them a second late: large ones."""
    sound, made = spoken
    clips = {"good": 0.0, "late": 1.0}
    for name, late_s in clips.items():
        folder = tmp_path / name
        (folder / "words").mkdir(parents=True)
        rows = [("sil", 0, 0.01)]
        rows += [(w.word.strip(",!").lower(), w.start_s + late_s, w.end_s + late_s) for w in made.words[:3]]
        (folder / "words" / "a.align").write_text("".join(f"{round(s * 25000)} {round(e * 25000)} {w}\n" for w, s, e in rows))
        soundfile.write(folder / "a.wav", sound[:round((made.words[2].end_s + 0.1) * SAMPLE_RATE)], SAMPLE_RATE)
        done = command(evaluate_words.main, folder, "--engine", "sphinx", "--out", tmp_path / f"{name}.json")
        assert done.exit_code == 0, done.stderr
    good, late = (json.loads((tmp_path / f"{name}.json").read_text()) for name in clips)
    assert (good["clips"], good["words"], good["clips_not_aligned"]) == (1, 3, 0)
    assert good["start"]["median_ms"] < 60
    assert late["start"]["bias_ms"] == pytest.approx(good["start"]["bias_ms"] - 1000, abs=2)
    assert set(good["word_error_rate"]) == {"sphinx"}
    none = command(evaluate_words.main, tmp_path, "--out", tmp_path / "x.json")
    assert none.exit_code == 1 and "words/NAME.align" in none.stderr


def test_words_that_were_heard_rightly_are_timed():
    said = [Word("bin", 0, 1), Word("c", 1, 2), Word("five", 2, 3), Word("now", 3, 4)]
    heard = [Word("Then", 0, 1), Word("C", 1.5, 2), Word("5,", 2.25, 3), Word("now.", 3, 4)]
    assert evaluate_words.start_errors(said, heard) == [0.5, 0.25, 0]


def test_errors_are_counted_as_an_edit_distance():
    assert [evaluate_words.n_errors(a.split(), b.split()) for a, b in
            (("a b c", "a b c"), ("a b c", "a c"), ("a b c", "a x b c"), ("a b c", "c b a"), ("a b c", ""))] == [0, 1, 1, 2, 3]


def test_no_module_is_needed_to_ask_for_help():
    heavy = ("pocketsphinx", "speech_recognition", "faster_whisper", "ctranslate2", "onnxruntime", "av")
    script = f"import speech.transcribe, sys\nprint([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
