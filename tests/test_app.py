"""What is behind the page, without a browser: limits, states, errors that name no folder, and the guard around it."""

import inspect
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from conftest import portrait
from PIL import Image

import animator
from core import events
from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import read_speech, write_wav
from core.media.video import probe, write_video
from render.options import RenderOptions
from scenes.dialogue import read_dialogue
from web import controls, job, limits, orders, status
from web.orders import faces_talk, photo_speaks, video_speaks

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
    for state in job.states(photo_speaks(photo_path, text="Mama bought a boat.", **SMALL)):
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
    asked = job.states(photo_speaks(photo_path, text="Mama bought a boat. " * 20, **SMALL))
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
        state = last(job.states(photo_speaks(photo, **given)))
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
        assert "something went wrong" in last(job.states(photo_speaks(photo_path, text="hi"))).error
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert not last(job.states(photo_speaks(photo_path, text="Hi.", **SMALL))).error


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
    with gradio.Blocks(analytics_enabled=False):
        all_controls = {**controls.voice_control(), **controls.other_controls()}
    functions = {controls.PHOTO: animator.Animator.animate, controls.VIDEO: animator.Animator.dub}
    for picture, source in controls.MODES:
        known = {*inspect.signature(functions[picture]).parameters, *inspect.signature(RenderOptions).parameters}
        assert {name for name in all_controls if controls.has_meaning(name, picture, source)} <= known
    assert not controls.has_meaning("size_px", controls.VIDEO, controls.WRITTEN), "a video has its own size"
    assert not controls.has_meaning("loop", controls.PHOTO, controls.WRITTEN)
    assert not controls.has_meaning("avatar", controls.PHOTO, controls.DIALOGUE)
    assert controls.to_options({"size_px": "", "still": False, "which": "", "rate": 160}) == \
        {"rate": 160, "options": RenderOptions(still=False)}
    assert controls.to_options({"voice": "espeak:hi"}) == {"voice": "hi", "engine": "espeak", "options": RenderOptions()}
    assert ":en-in" in all_controls["voice"].value in [voice for _, voice in all_controls["voice"].choices]
    with pytest.raises(InputError, match="voice"):
        controls.to_options({"voice": "gtts:en-in"})


TALK = "Anna: Hello, Ben.\nBen: Hello."
VOICES = ["espeak:en-us", "espeak:en-gb"]


@pytest.fixture
def pair_path(tmp_path):
    Image.fromarray(np.concatenate([portrait(), portrait()[:, ::-1]], 1)).save(path := tmp_path / "us.png")
    return path


def test_faces_of_a_photo_talk(pair_path):
    from web import cast
    options = RenderOptions(size_px=256)
    for state in job.states(faces_talk(pair_path, TALK, cast.by_rows(["Ben", "anna"], VOICES), options=options)):
        if state.ended:
            assert not state.error and state.stages == ["photo", "speech", "landmarks", "render", "page"]
            assert state.n_stages == len(state.stages)
            assert probe(state.video).size == (256, 128) and state.transcript == "Hello, Ben. Hello."
            held = zipfile.ZipFile(state.files[0]).namelist()
            assert {"talking/Anna/face.json", "talking/Ben/landmarks.npy", "talking/index.html"} <= set(held)
            assert set(state.pictures) == {"landmarks.gif", "photo_check.png", "speech.wav.png", "emotion.png"}


def test_the_page_shows_the_faces_of_a_photo(pair_path, photo_path, tmp_path):
    from web import cast
    faces = cast.faces_in(str(pair_path))
    assert len(faces) == 2 and len(set(faces)) == 2 and all(face.startswith("data:image/jpeg") for face in faces)
    assert len(cast.faces_in(str(photo_path))) == 1 and cast.faces_in(None) == () and cast.faces_in(str(tmp_path / "no")) == ()
    assert len(set(cast.default_voices())) > 1


def test_roles_as_the_page_and_as_a_program_has_them():
    from web import cast
    lines = read_dialogue(TALK, "x")
    by_rows = cast.by_rows(["Ben ", "anna", "", None], [*VOICES, "espeak:hi", 5])(lines, 4)
    assert {name: (role.face, role.voice) for name, role in by_rows.items()} == {"Anna": (2, "en-gb"), "Ben": (1, "en-us")}
    by_words = cast.by_words("anna=2", "Ben=espeak:hi")(lines, 2)
    assert (by_words["Anna"].face, by_words["Ben"].face) == (2, 1)
    assert (by_words["Ben"].voice, by_words["Ben"].engine) == ("hi", "espeak") and by_words["Anna"].voice.startswith("en-in")
    for names, voices, said in ((["Ben", "Eve"], VOICES, "no face has the name Anna"),
                                (["Ben", "ben"], VOICES, "for two faces"),
                                (["Ben", "Anna"], ["espeak:en-us", "nobody"], "what the page offers"),
                                (["Ben", "Anna"], ["espeak:en-us", ""], "voice"), (["Ben"] * 9, VOICES, "for two faces")):
        with pytest.raises(InputError, match=said):
            cast.by_rows(names, voices)(lines, 2)
    for given in (("Anna=3", ""), ("Anna=1, Ben=1", ""), ("Eve=1", ""), ("", "Anna=nobody"), (5, ""), ("", "Anna")):
        with pytest.raises(InputError):
            cast.by_words(*given)(lines, 2)


def test_a_video_gets_a_new_voice(tmp_path):
    write_video(clip := tmp_path / "clip.mp4", [portrait()] * 30)
    for state in job.states(video_speaks(clip, text="Mama.", voice="en-us", engine="espeak")):
        if state.ended:
            assert not state.error and state.stages == ["speech", "landmarks", "video", "dub", "page"]
            assert probe(state.video).size == probe(clip).size and probe(state.video).has_sound
            assert "talking/video.pixel.npy" in zipfile.ZipFile(state.files[0]).namelist()


def test_what_cannot_be_dubbed_or_said_is_one_line(tmp_path, photo_path, pair_path, monkeypatch):
    from web import cast
    monkeypatch.setattr(orders, "MOST_VIDEO_S", 1)
    write_video(long := tmp_path / "long.mp4", [portrait()] * 40)
    write_video(wide := tmp_path / "wide.mp4", [np.zeros((64, 2000, 3), np.uint8)] * 3)
    two, options = cast.by_rows(["Anna", "Ben"], VOICES), RenderOptions()
    for order, said in (
            (video_speaks(None, text="Hi."), "The video: none chosen. Needed: a video of a face."),
            (video_speaks(long, text="Hi."), "long.mp4: more than 1 s of video"),
            (video_speaks(wide, text="Hi."), "wide.mp4: 2000x64 px"),
            (video_speaks(wide.with_name("clip.mp4"), text=""), "clip.mp4: no such file"),
            (faces_talk(None, TALK, two, options=options), "The photo: none chosen"),
            (faces_talk(pair_path, " ", two, options=options), "What is said: nothing"),
            (faces_talk(pair_path, "Hi.", two, options=options), "The dialogue: no name before 'Hi.'"),
            (faces_talk(pair_path, "Anna: " + "a" * 3000, two, options=options), "3006 characters"),
            (faces_talk(photo_path, TALK, two, options=options), "no face has the name Ben"),
            (faces_talk(pair_path, TALK, two, options=RenderOptions(avatar="comic")), "Avatar: comic")):
        state = last(job.states(order))
        assert said in state.error and str(tmp_path) not in state.error, state.error


def test_a_length_that_no_header_says_is_counted(tmp_path, monkeypatch):
    write_video(path := tmp_path / "long.mp4", [portrait()] * 40)
    footage = orders.open_footage(path)
    monkeypatch.setattr(orders, "open_footage", lambda _path: replace(footage, seconds=0.0))
    assert orders.short_video(path) == path
    monkeypatch.setattr(orders, "MOST_VIDEO_S", 1)
    with pytest.raises(InputError, match="more than 1 s"):
        orders.short_video(path)


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
