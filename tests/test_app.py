"""What is behind the page, without a browser: limits, states, errors that name no folder, and the guard around it."""

import inspect
import threading
import zipfile

import numpy as np
import pytest
from conftest import portrait
from PIL import Image

import animator
from core import events
from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import read_speech, write_wav
from core.media.video import probe
from render.options import RenderOptions
from web import job, limits, status

SMALL = {"size_px": 128}


@pytest.fixture
def photo_path(tmp_path):
    path = tmp_path / "me.png"
    Image.fromarray(portrait()).save(path)
    return path


def last(states):
    *_, state = states
    return state


def test_a_text_becomes_a_video_and_every_file_in_between(photo_path):
    seen = []
    for state in job.states(photo_path, text="Mama bought a boat.", **SMALL):
        seen.append((tuple(state.stages), state.video is not None, status.status(state)))
        if state.ended:
            assert not state.error
            assert probe(state.video).has_sound and probe(state.video).size == (128, 128)
            assert state.transcript == "Mama bought a boat."
            assert set(state.pictures) == {"landmarks.gif", "photo_check.png", "speech.wav.png", "emotion.png"}
            held = set(zipfile.ZipFile(state.files[0]).namelist())
            assert {"talking.mp4", "talking/index.html", "talking/landmarks.npy", "talking/words.srt"} <= held
            assert all(path.is_file() for path in state.files)
            folder = state.video.parent
    assert seen[-1][0] == ("photo", "speech", "landmarks", "render", "page")
    assert any(stages[-1:] == ("page",) and shown for stages, shown, _ in seen[:-1]), "the video is shown before the pictures"
    assert any("s left" in html and "<progress" in html for _, _, html in seen) and "Done in" in seen[-1][2]
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon and thread.name.startswith("Thread"):
            thread.join(5)
    assert not folder.exists(), "nothing is left when nobody asks any more"


def test_who_stops_asking_stops_the_work(photo_path, monkeypatch):
    ended = threading.Event()
    animate = animator.Animator.animate

    def watched(*arguments, **options):
        try:
            return animate(*arguments, **options)
        except job.Stopped:
            ended.set()
            raise

    monkeypatch.setattr(animator.Animator, "animate", watched)
    asked = job.states(photo_path, text="Mama bought a boat. " * 20, **SMALL)
    while not (state := next(asked)).stages or state.stages[-1] != "render":
        pass
    asked.close()
    assert ended.wait(30)


def _zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "hello")
    return path


def test_bad_input_is_one_line_without_folders(photo_path, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_SPEECH_S", 2)
    Image.new("1", (30_000, 30_000)).save(bomb := tmp_path / "bomb.png")
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("RGB", (300, 300), "grey").save(wall := tmp_path / "wall.png")
    write_wav(long := tmp_path / "long.wav", np.zeros(3 * SAMPLE_RATE, np.float32))
    for photo, given, said in (
            (None, {"text": "hi"}, "The photo: none chosen. Needed: a picture of a face."),
            (photo_path, {"text": " "}, "What is said: nothing. Needed: a text or a recording."),
            (photo_path, {}, "What is said: nothing. Needed: a text or a recording."),
            (photo_path, {"text": "a " * 100_000}, "The text: 200000 characters. Needed: at most 3000"),
            (photo_path, {"text": "ᚠᚢᚦᚨᚱᚲ"}, "The text: Runic letters"),
            (photo_path, {"speech": _zip(tmp_path / "zip.wav")}, "zip.wav: sound not readable"),
            (photo_path, {"speech": long}, "long.wav: more than 2 s of sound"),
            (bomb, {"text": "hi"}, "bomb.png: far too many pixels"),
            (tmp_path / "text.jpg", {"text": "hi"}, "text.jpg: not a picture"),
            (wall, {"text": "hi"}, "wall.png: no face found"),
            (photo_path, {"text": "hi", "which": "9"}, "Face: 9, and me.png has 1 face"),
            (photo_path, {"text": "hi", "voice": "nobody"}, "Voice nobody: no such voice")):
        state = last(job.states(photo, **given))
        assert said in state.error, state.error
        assert str(tmp_path) not in state.error and "python" not in state.error and "\n" not in state.error
        assert 'role="alert"' in status.status(state) and state.video is None


def test_the_page_speaks_of_no_options():
    error = InputError("--face", "9, and a.png has 1 face", "1 to 1", "another photo; or --face 1")
    assert limits.plain_message(error) == "Face: 9, and a.png has 1 face. Needed: 1 to 1. What helps: another photo."
    assert limits.plain_message(InputError("/a/b.wav", "broken", cure="make it again")) == "b.wav: broken."
    state = job.State()
    state.update(events.Warned("2 faces; the largest speaks; --face chooses", "me.png"))
    assert state.warnings == ["2 faces; the largest speaks"]


def test_what_nobody_foresaw_is_said_and_the_next_video_works(photo_path, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        patch.setattr(animator.Animator, "animate", lambda *_, **__: 1 / 0)
        assert "something went wrong" in last(job.states(photo_path, text="hi")).error
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert not last(job.states(photo_path, text="Hi.", **SMALL)).error


def test_other_sound_is_decoded_no_further_than_the_limit(tmp_path, monkeypatch):
    import soundfile
    sound = np.sin(np.arange(3 * SAMPLE_RATE) / 20).astype(np.float32)
    soundfile.write(tmp_path / "three.flac", sound, SAMPLE_RATE)
    assert len(read_speech(limits.short_speech(tmp_path / "three.flac"))) == len(sound)
    monkeypatch.setattr(limits, "MOST_SPEECH_S", 2)
    with pytest.raises(InputError, match="more than 2 s"):
        limits.short_speech(tmp_path / "three.flac")


def test_texts_on_the_page_cannot_be_code():
    state = job.State(error='<script>alert("x")</script>')
    assert "<script" not in status.status(state)
    state = job.State(stages=["<b>"], n_stages=1, warnings=["<i>"])
    assert "<b>" not in status.status(state) and "<i>" not in status.status(state)


def test_a_voice_says_the_beginning_of_the_text():
    pytest.importorskip("gradio")
    from web import voice_sample
    assert voice_sample.beginning("One two three four", 12) == "One two" and voice_sample.beginning(" Hi. ") == "Hi."
    assert voice_sample.beginning("  ") == voice_sample.GREETING and voice_sample.beginning("x" * 999) == "x" * 120
    rate, short = voice_sample.say_beginning("Good morning.", "espeak:en-in", 160)
    assert short.dtype == np.int16 and 0.5 < len(short) / rate < 2 and np.abs(short).max() > 3000
    assert len(voice_sample.say_beginning("Good morning. " * 200, "espeak:en-in", 160)[1]) < 15 * rate
    for wrong in (("Hi", "nobody", 160), ("Hi", "espeak:en-in", 9e9), ("ᚠᚢᚦᚨᚱᚲ", "en-in", 160)):
        with pytest.raises(InputError):
            voice_sample.say_beginning(*wrong)


def test_controls_are_options_of_a_video():
    gradio = pytest.importorskip("gradio")
    from web import controls
    with gradio.Blocks(analytics_enabled=False):
        spoken, heard, shown = controls.text_controls(), controls.recording_controls(), controls.video_controls()
    known = {*inspect.signature(animator.Animator.animate).parameters, *inspect.signature(RenderOptions).parameters}
    assert {*spoken, *heard, *shown} <= known
    assert controls.to_options({"size_px": "", "still": False, "which": "", "rate": 160}) == \
        {"rate": 160, "options": RenderOptions(still=False)}
    assert controls.to_options({"voice": "espeak:hi"}) == {"voice": "hi", "engine": "espeak", "options": RenderOptions()}
    assert spoken["voice"].value in [voice for _, voice in spoken["voice"].choices] and ":en-in" in spoken["voice"].value
    with pytest.raises(InputError, match="voice"):
        controls.to_options({"voice": "gtts:en-in"})


def test_a_state_follows_events_not_prose(tmp_path):
    state = job.State()
    for event in (events.StageStarted("render", 4, 5), events.Progress("render", 0.5, 1.5), events.Transcribed("Mama: hi."),
                  events.Warned("small: 9 px", "me.png"), events.Message("warning: transcript: not one"),
                  events.FileWritten("landmarks: x", tmp_path / "l.npy", "landmarks-face"),
                  events.FileWritten("1 frame", tmp_path / "v.mp4", "talking-video")):
        state.update(event)
    assert (state.stages, state.n_stages, state.done, state.seconds_left) == (["render"], 5, 0.5, 1.5)
    assert (state.transcript, state.warnings, state.video) == ("Mama: hi.", ["small: 9 px"], tmp_path / "v.mp4")
    assert state.ended is None
    state.update(events.Done("done in 1.0 s"))
    assert state.ended and not state.error


def test_events_are_lines_and_json():
    assert str(events.Warned("small", "me.png")) == "warning: me.png: small"
    assert events.Warned("small", "me.png").as_json() == {"message": "warning: me.png: small"}
    assert events.Transcribed("hi").as_json() == {"message": "transcript: hi"}
    assert (str(events.Failed("no")), events.Failed("no").as_json()) == ("error: no", {"error": "no"})
    assert str(events.StageStarted("photo", 1, 4)) == "[1/4] photo"
    assert events.StageStarted("photo", 1, 4).as_json() == {"stage": "photo", "number": 1, "of": 4}
    assert events.Progress("render", 1.0, 0.0).as_json() == {"stage": "render", "done": 1.0, "seconds_left": 0.0}
