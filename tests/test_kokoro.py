"""Kokoro: symbols of sounds, speakers, how something is said, and the times of its words."""

import re
import sys
import types

import numpy as np
import pytest
import soundfile
from conftest import command

from core import artifacts
from core.errors import InputError
from core.media.audio import level_dbfs
from core.media.words import load_words
from preprocess.ravdess import EMOTIONS
from speech import espeak, indian_english
from speech import synthesize as synthesize_speech
from speech.engines import default_engine, paragraphs, speak
from speech.speakable import Piece, pieces
from speech.voices import graph, kokoro, speaking, styles
from speech.voices.evaluate import likeness
from speech.voices.kokoro import SAMPLE_RATE, SAMPLES_PER_STEP, load_kokoro
from speech.voices.manner import MANNERS, PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S, Manner, manner_of, sentences, shape
from speech.voices.sounds import ACCENTS, sounds_of
from speech.voices.table import listed_voices

HERE = kokoro.is_installed()
needs_kokoro = pytest.mark.skipif(not HERE, reason=f"Kokoro is not installed: {kokoro.CURE}")
ALL = "".join(map(chr, range(32, 0xFFFF)))
EVERY_SOUND = ("Thank you, Bob: the third girl's weather vane whirred, choosing a huge measure of oil. Young Paul heard judges "
               "vow to share our cure near the poor fire, eight hours ago, with an eerie little button and a bottle of water")


def symbols(text, accent, known=ALL):
    return sounds_of(pieces(text), accent, known).symbols


@pytest.fixture(scope="module")
def model():
    return load_kokoro()


@pytest.fixture
def made_up(monkeypatch):
    """A model that hums 50 ms a symbol; notes what it was asked."""
    asked = []

    class Model:
        symbols = dict.fromkeys(ALL, 1)

        def say(self, said, style, speed, stretch, pitch, middle_hz, range):
            asked.append({"symbols": said, "style": style, "speed": speed, "stretch": stretch, "pitch": pitch, "range": range})
            steps = np.array([10, *np.full(len(said), 2), 10])
            t = np.arange(steps.sum() * SAMPLES_PER_STEP) / SAMPLE_RATE
            sound = 0.3 * np.sin(700 * t).astype(np.float32)
            sound[:10 * SAMPLES_PER_STEP] = sound[-10 * SAMPLES_PER_STEP:] = 0
            ends_s = np.cumsum(steps) * SAMPLES_PER_STEP / SAMPLE_RATE
            return kokoro.Utterance(sound, ends_s[:-2], ends_s[1:-1], np.zeros(1))

    monkeypatch.setattr(speaking, "load_kokoro", Model)
    monkeypatch.setattr(speaking, "is_installed", lambda: True)
    monkeypatch.setattr(kokoro, "is_installed", lambda: True)
    monkeypatch.setattr(styles, "_packaged", lambda: dict.fromkeys(
        ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"), np.ones((510, 256), np.float32)))
    monkeypatch.setattr(styles, "more_voices", lambda: None)
    return asked


# Of the same words, what is said in one accent and not in the other
ACCENT_TABLE = [("today", "ɖ", "d"), ("ten", "ʈ", "t"), ("three", "tʰɾ", "θɹ"), ("they", "d", "ð"), ("vest", "ʋ", "v"),
                ("west", "ʋ", "w"), ("red", "ɾ", "ɹ"), ("go", "oː", "Q"), ("day", "eː", "A"), ("bird", "əɾɖ", "ɜːd"),
                ("water", "ʈ", "t")]


@pytest.mark.parametrize("word, indian, british", ACCENT_TABLE)
def test_indian_english_has_sounds_of_its_own(word, indian, british):
    ours, theirs = symbols(word, "en-in"), symbols(word, "en-gb")
    assert indian in ours and british in theirs and not (british in ours and len(british) > 1)
    assert not set(ours) & set("tdθðvwɹAOQ") - set(indian), "a sound of the other accent is left"


def test_vest_and_west_are_one_in_india_alone():
    assert symbols("vest", "en-in") == symbols("west", "en-in")
    assert all(symbols("vest", accent) != symbols("west", accent) for accent in ("en-gb", "en-us"))


def test_american_english_has_flaps_and_r():
    assert "T" in symbols("water", "en-us") and symbols("card", "en-us") == "kˈɑɹd" and symbols("card", "en-gb") == "kˈɑːd"


def test_names_are_said_as_they_are_in_india():
    assert symbols("Priya", "en-in") == "pɾˈiːja" and symbols("Sanjay,", "en-in") == "sˈanʤeː,"
    assert set(indian_english.WORDS) >= {"namaste", "ji"}


@needs_kokoro
@pytest.mark.parametrize("accent", ACCENTS)
def test_the_model_knows_every_sound(accent, model):
    assert symbols(EVERY_SOUND, accent) == symbols(EVERY_SOUND, accent, "".join(model.symbols))


def test_words_that_run_into_one_are_parted():
    """eSpeak NG says "from the" as one word."""
    said = pieces("It came from the shop.")
    sounds = sounds_of(said, "en-us", ALL)
    own = ["".join(sounds.symbols[i] for i in np.flatnonzero(sounds.owner == number)) for number in range(len(said))]
    assert len(espeak.phonemes("from the", "en-us").split()) == 1
    assert own == ["ɪt", "kˈAm", "fɹʌm", "ðə", "ʃˈɑp"] and sounds.symbols == "ɪt kˈAm fɹʌm ðə ʃˈɑp."


def test_punctuation_goes_on():
    assert re.sub(r"[^,.;:!?—]", "", symbols("Yes, no; so: oh! Why? “Well” – done…", "en-us")) == ",;:!?—"
    assert symbols("by U.P.I, now", "en-us").count(".") == 0


def test_a_paragraph_is_parted_where_sentences_end():
    said = pieces("Mr. J. Rao paid. Did he? Yes, [pause 1s] he did")
    assert [[piece.written for piece in part] for part in sentences(said)] == [
        ["Mr.", "J.", "Rao", "paid."], ["Did", "he?"], ["Yes,"], ["he", "did"]]


def test_what_is_stressed_is_longer_and_higher():
    said = [Piece("You", "You"), Piece("must", "must", emphasis=True), Piece("go", "go", speed=0.5)]
    sounds = sounds_of(said, "en-us", ALL)
    stretch, pitch = shape(sounds, said, "en-us")
    plain, stressed, slow = (sounds.owner == number for number in range(3))
    assert (stretch[stressed] > stretch[plain][0]).all() and (pitch[stressed] > pitch[plain][0]).all()
    assert stretch[slow] == pytest.approx(2) and pitch[slow] == pytest.approx(1)


def test_indian_english_keeps_time_by_the_syllable_and_rises():
    said = pieces("banana")
    sounds = sounds_of(said, "en-in", ALL)
    stretch, pitch = shape(sounds, said, "en-in")
    weak, strong = sounds.symbols.index("ə"), sounds.symbols.index("ɑ")
    assert stretch[weak] > 1 > stretch[strong] and pitch[0] < 1 < pitch[-1]
    assert shape(sounds_of(said, "en-us", ALL), said, "en-us")[0] == pytest.approx(1)


def test_every_emotion_has_a_manner():
    assert set(MANNERS) == set(EMOTIONS) and manner_of("neutral") == manner_of("auto") == manner_of("angry:0") == Manner()
    happy, more = manner_of("happy"), manner_of("happy:2")
    assert 1 < happy.pitch < more.pitch and 0 < happy.gain_db < more.gain_db


@pytest.mark.parametrize("wrong", ["glad", "happy:3", "happy:x", "sad:-1", ""])
def test_an_emotion_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="happy"):
        manner_of(wrong)


def test_pauses_are_those_of_sentences_paragraphs_and_the_script(made_up):
    said = paragraphs("Mama. Papa.\n\nBob. [pause 2s] Ann.", "en-us")
    words = [word for _, part in speaking.spoken_parts(said, "en-us", 170, Manner()) for word in part]
    gaps = [after.start_s - before.end_s for before, after in zip(words, words[1:])]
    # 30 ms on either side, and what the full stop lasts
    assert np.array(gaps) == pytest.approx(np.array([SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S, 2]) + 0.11, abs=0.02)


def test_a_pause_at_the_end_of_a_paragraph_counts():
    assert [part[0].pause_s for part in paragraphs("One. [pause 3s]\n\nTwo.", "en-us")] == [None, 3]


def test_the_first_sentence_is_ready_before_others_are_said_two_at_once(made_up):
    parts = speaking.spoken_parts(paragraphs("One. Two. Three.", "en-us"), "en-us", 170, Manner())
    assert next(parts)[1][0].word == "One." and len(made_up) == 1
    assert next(parts)[1][0].word == "Two." and len(made_up) >= 2
    assert next(parts)[1][0].word == "Three." and next(parts)[1] == []


def test_a_sentence_that_the_model_cannot_hold_is_said_in_parts(made_up):
    text = "very " * 200 + "long."
    spoken = speak(text, "en-us", engine="kokoro")
    assert len(made_up) > 1 and all(len(one["symbols"]) <= kokoro.MOST_SYMBOLS for one in made_up)
    starts = [word.start_s for word in spoken.words]
    assert len(starts) == 201 and starts == sorted(starts) and len(set(starts)) == 201
    assert len(speak("x" * 3000, "en-us", engine="kokoro").words) > 1


def test_rate_pitch_and_emotion_reach_the_model(made_up):
    speak("Hello there.", "en-us", 170, "kokoro")
    speak("Hello there.", "en-us", 340, "kokoro", "happy", pitch=1.2)
    plain, changed = made_up
    assert changed["speed"] == pytest.approx(2 * MANNERS["happy"].speed * plain["speed"])
    assert changed["pitch"] == pytest.approx(1.2 * MANNERS["happy"].pitch * plain["pitch"])
    assert (plain["range"], changed["range"]) == (1, MANNERS["happy"].range)


def test_loudness_goes_with_the_emotion(made_up):
    calm, angry = (speak("Hello.", "en-us", engine="kokoro", emotion=name).sound for name in ("calm", "angry"))
    assert level_dbfs(angry) - level_dbfs(calm) == pytest.approx(MANNERS["angry"].gain_db - MANNERS["calm"].gain_db, abs=0.1)
    assert np.abs(speak("Hello.", "en-us", engine="kokoro", emotion="angry:2").sound).max() <= 0.98


def test_two_women_and_a_man_speak_each_english():
    for language in ACCENTS:
        sexes = [speaker.sex for speaker in styles.PACKAGED if speaker.language == language]
        assert (sexes.count(styles.FEMALE), sexes.count(styles.MALE)) == (2, 1)
    assert all(sum(speaker.styles.values()) == pytest.approx(1) for speaker in (*styles.PACKAGED, *styles.MORE))
    assert {name for speaker in styles.MORE for name in speaker.styles} == set(styles.SHA256)


def test_speakers_of_a_folder(made_up, tmp_path):
    style = np.random.default_rng(0).normal(size=(510, 256)).astype(np.float32)
    style.tofile(tmp_path / "af_mine.bin")
    speaker = styles.find_speaker("en-us+af_mine", tmp_path)
    assert speaker.sex == styles.FEMALE and np.array_equal(styles.style_of(speaker, tmp_path), style)
    np.savez(tmp_path / "voices.npz", am_his=style[:, None])
    speaker = styles.find_speaker("en-in+am_his", tmp_path / "voices.npz")
    assert speaker.sex == styles.MALE and np.array_equal(styles.style_of(speaker, tmp_path / "voices.npz"), style)
    assert styles.find_speaker("en-us+nobody", tmp_path) is None and styles.find_speaker("hi", tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"x" * 1000, np.full(510 * 256, np.nan, np.float32).tobytes()])
def test_a_damaged_speaker_is_refused(made_up, tmp_path, content):
    (tmp_path / "af_bad.bin").write_bytes(content)
    out = tmp_path / "out.wav"
    done = command(synthesize_speech.main, "--text", "hi", "--voice", "en-us+af_bad", "--voice-model", tmp_path, out)
    assert done.exit_code == 1 and "af_bad" in done.stderr and done.stderr.count("\n") == 1 and not out.exists()


def test_a_speaker_who_is_not_the_tested_one_is_refused(made_up, tmp_path, monkeypatch):
    for name in styles.SHA256:
        np.ones(510 * 256, np.float32).tofile(tmp_path / f"{name}.bin")
    monkeypatch.setattr(styles, "MORE_VOICES", tmp_path)
    monkeypatch.setattr(styles, "more_voices", lambda: tmp_path)
    assert [speaker.voice for speaker in styles.speakers()] == [speaker.voice for speaker in styles.MORE]
    with pytest.raises(InputError, match="SHA-256"):
        styles.style_of(styles.find_speaker("en-in"))


def test_without_the_packages_espeak_speaks_and_says_the_cure(tmp_path, monkeypatch):
    monkeypatch.setattr(kokoro, "find_spec", lambda name: None)
    done = command(synthesize_speech.main, "--text", "Hello, Bob.", tmp_path / "a.wav")
    assert done.exit_code == 0 and artifacts.check(tmp_path / "a.wav", "speech")["options"]["engine"] == "espeak"
    assert [line for line in done.stderr.splitlines() if line.startswith("warning: Kokoro is not installed")
            and line.endswith(kokoro.CURE)]
    asked = command(synthesize_speech.main, "--text", "Hello.", "--engine", "kokoro", tmp_path / "b.wav")
    assert asked.exit_code == 1 and kokoro.CURE in asked.stderr and not (tmp_path / "b.wav").exists()
    assert {row.engine for row in listed_voices()} == {"espeak"}


def test_other_languages_are_spoken_by_espeak(made_up):
    assert [default_engine(voice) for voice in ("hi", "es", "fr", "it", "pt", "ja", "en-us+f3", "en-gb-x-rp")] == ["espeak"] * 8
    assert [default_engine(voice) for voice in ("en-in", "en-us+m1", "en-gb+f2", "en")] == ["kokoro"] * 4


def test_a_voice_that_kokoro_has_not_is_refused_by_name(made_up, tmp_path):
    done = command(synthesize_speech.main, "--text", "hi", "--engine", "kokoro", "--voice", "hi", tmp_path / "a.wav")
    assert done.exit_code == 1 and "en-in+f1" in done.stderr and "--engine espeak" in done.stderr


def test_the_table_tells_language_sex_and_engine(made_up):
    done = command(synthesize_speech.main, "--list-voices")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert done.exit_code == 0 and ["en-in+f1", "English,", "Indian", "female", "kokoro", "jf_gongitsune"] in rows
    assert any(row[0] == "hi" and "espeak" in row for row in rows)


def test_another_file_is_no_model():
    with pytest.raises(ValueError, match="Div"):
        graph.with_handles(b"\x08\x09" * 99)


def test_speakers_are_told_apart_by_their_mean_spectra():
    rng = np.random.default_rng(0)
    apart = {name: rng.normal(middle, 0.1, (6, 20)) for name, middle in (("anna", 0.0), ("ben", 1.0))}
    assert likeness(apart) == {"anna": 1, "ben": 1}
    alike = {name: rng.normal(0, 0.1, (40, 20)) for name in ("anna", "ben")}
    assert max(likeness(alike).values()) < 0.9


def test_piper_speaks_when_it_is_installed(tmp_path, monkeypatch):
    class Voice:
        config = types.SimpleNamespace(length_scale=1.5, sample_rate=16000)

        @classmethod
        def load(cls, path):
            assert path.name == "voice.onnx"
            return cls()

        def synthesize(self, text, change):
            assert text == "Pay twenty rupees, Bob." and change.length_scale == pytest.approx(1.5 * 160 / 200)
            yield types.SimpleNamespace(audio_float_array=speak(text, "en-us").sound)

    module = types.ModuleType("piper")
    vars(module).update(PiperVoice=Voice, SynthesisConfig=types.SimpleNamespace)
    monkeypatch.setitem(sys.modules, "piper", module)
    (tmp_path / "voice.onnx").touch()
    asked = ("--text", "Pay INR 20, Bob.", "--rate", 200, "--voice-model", tmp_path / "voice.onnx")
    done = command(synthesize_speech.main, *asked, "--engine", "piper", tmp_path / "a.wav")
    assert done.exit_code == 0, done.stderr
    lost = command(synthesize_speech.main, "--text", "hi", "--engine", "piper", tmp_path / "b.wav")
    assert lost.exit_code == 1 and "voice.onnx" in lost.stderr
    monkeypatch.setitem(sys.modules, "piper", None)
    lost = command(synthesize_speech.main, *asked, "--engine", "piper", tmp_path / "b.wav")
    assert lost.exit_code == 1 and "pip install piper-tts" in lost.stderr and not (tmp_path / "b.wav").exists()


@needs_kokoro
def test_the_model_obeys(model):
    """Half of the symbols twice as long; higher by a quarter; a wider range."""
    said = symbols("Good morning, Bob.", "en-us", "".join(model.symbols))
    style, ones = styles.style_of(styles.PACKAGED[0]), np.ones(len(said))
    half = np.where(np.arange(len(said)) < len(said) // 2, 2.0, 1.0)

    def say(stretch=ones, pitch=ones, range=1.0):
        return model.say(said, style, 1.0, stretch, pitch, 238, range)

    plain, longer, higher, wider = say(), say(half), say(pitch=1.25 * ones), say(range=1.5)
    lasts = plain.ends_s - plain.starts_s
    assert len(plain.sound) > plain.ends_s[-1] * SAMPLE_RATE and np.abs(plain.sound).max() > 0.1
    assert (longer.ends_s - longer.starts_s)[half == 2].sum() == pytest.approx(2 * lasts[half == 2].sum(), rel=0.15)
    assert (longer.ends_s - longer.starts_s)[half == 1].sum() == pytest.approx(lasts[half == 1].sum(), abs=0.1)
    heights = [_height(one.sound) for one in (plain, higher, wider)]
    assert heights[1] / heights[0] == pytest.approx(1.25, rel=0.08) and np.array_equal(plain.sound, say().sound)
    assert not np.array_equal(plain.sound, wider.sound)


def _height(sound):
    """Median fundamental frequency of loud frames, in Hz, by the peak of their autocorrelation."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, 1200)[::600]
    power = np.square(frames).mean(1)
    found = []
    for frame in frames[power > 0.1 * power.max()]:
        similar = np.correlate(frame, frame, "full")[len(frame) - 1:]
        first, last = SAMPLE_RATE // 450, SAMPLE_RATE // 120
        found.append(SAMPLE_RATE / (first + int(np.argmax(similar[first:last]))))
    return float(np.median(found))


@needs_kokoro
def test_it_speaks_by_default_and_its_words_are_timed_where_they_sound(tmp_path):
    out = tmp_path / "hello.wav"
    done = command(synthesize_speech.main, "--text", "Good morning, Bob.\n\nMama.", "--voice", "en-in", out)
    assert done.exit_code == 0 and not done.stderr, done.stderr
    info, (sound, rate) = soundfile.info(out), soundfile.read(out)
    assert (info.samplerate, info.channels, info.subtype) == (44100, 1, "PCM_16") and -35 < level_dbfs(sound) < -10
    assert artifacts.check(out, "speech")["options"]["engine"] == "kokoro"
    words = load_words(tmp_path / "hello.words.json")
    assert [word.word for word in words] == ["Good", "morning,", "Bob.", "Mama."]
    for word in words:
        assert level_dbfs(sound[round(word.start_s * rate):round(word.end_s * rate)]) > -32
    bob, mama = words[2:]
    assert mama.start_s - bob.end_s == pytest.approx(PARAGRAPH_PAUSE_S, abs=0.35)
    middle = round((bob.end_s + mama.start_s) / 2 * rate)
    assert level_dbfs(sound[middle - 2000:middle + 2000]) < -60


@needs_kokoro
def test_word_times_are_those_of_forced_alignment():
    from core.media.audio import resample
    from speech.align import align
    spoken = speak("Please bring a map and a pen to the big market.", "en-us", engine="kokoro")
    found = align(resample(spoken.sound, spoken.rate), spoken.said)
    starts = np.array([ours.start_s - theirs.start_s for ours, theirs in zip(spoken.words, found)])
    assert abs(np.median(starts)) < 0.05 and np.abs(starts).max() < 0.3


def test_the_whine_of_the_decoder_is_taken_out_and_speech_stays():
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    voice = sum(np.sin(2 * np.pi * 190 * k * t) / k for k in range(1, 40)).astype(np.float32)
    whine = 0.05 * np.sin(2 * np.pi * 4800 * t) + 0.05 * np.sin(2 * np.pi * 9600 * t)
    middle = slice(SAMPLE_RATE // 4, -SAMPLE_RATE // 4)
    assert speaking._without_whine(voice + whine)[middle] == pytest.approx(voice[middle], abs=0.01)
    assert len(speaking._without_whine(voice[:50])) == 50


def test_what_was_said_a_moment_ago_is_not_said_anew(model, monkeypatch):
    spoken, speak_now = [], model._speak
    monkeypatch.setattr(model, "_speak", lambda given: spoken.append(1) or speak_now(given))
    speaker = styles.find_speaker("en-in", None)
    style, plain = styles.style_of(speaker, None), np.ones(6, np.float32)

    def say(text, stretch=1.0):
        return model.say(text, style, 1.0, stretch * plain[:len(text)], plain[:len(text)], 200.0, 1.0)

    assert say("mˈɑmə") is say("mˈɑmə") and len(spoken) == 1
    assert len(say("mˈɑmə", 1.5).sound) > len(say("mˈɑmə").sound) and len(spoken) == 2, "slower is another way to say it"
