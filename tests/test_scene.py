"""Several people in one photo: who says what, tracks on one clock, and frames in which each moves alone."""

import numpy as np
import pytest
import soundfile
from conftest import command, portrait
from PIL import Image

from core.clock import FPS
from core.errors import InputError
from core.media import nv12
from core.media.audio import write_wav
from core.media.video import probe, read_frames
from core.media.words import load_words
from render.photo import Photo
from render.photo_check import check_photo
from scene import main
from scenes import picture
from scenes.dialogue import faces_of, people_of, read_dialogue, voices_of
from scenes.tracks import PAUSE_S, RATE, Part, in_turn, write_track

TALK = "ANNA: Good morning, Ben.\nHow are you?\n\n**Ben:** Fine, see https://example.org: it is nice.\nAnna: Bye."


def lines(text):
    return [(line.name, line.text) for line in read_dialogue(text, "talk.txt")]


class TestScript:
    def test_a_line_belongs_to_the_name_before_it(self):
        assert lines(TALK) == [("ANNA", "Good morning, Ben.\nHow are you?"),
                               ("Ben", "Fine, see https://example.org: it is nice."), ("ANNA", "Bye.")]

    @pytest.mark.parametrize("name", ["ANNA", "Mary Ann", "Dr. O'Neil", "प्रिया", "Zoë", "R2-D2"])
    def test_names(self, name):
        assert lines(f"{name}: Hello.\nBEN: Hi.")[0] == (name, "Hello.")

    @pytest.mark.parametrize(("text", "found"), [
        ("Hello.\nANNA: Hi.\nBEN: Ho.", "no name before 'Hello.'"), ("ANNA: Hi.", "1 names with words: ANNA"), ("", "0 names"),
        ("ANNA: Hi.\nBEN:\n", "1 names"), ("\n".join(f"{name}: Hi." for name in "ABCDEFG"), "7 names"),
        ("ANNA: Hi.\nBEN: Ho.\n" * 101, "202 lines")])
    def test_what_is_no_dialogue(self, text, found):
        with pytest.raises(InputError, match=found) as error:
            read_dialogue(text, "talk.txt")
        assert error.value.where == "talk.txt"


class TestCast:
    people = people_of(read_dialogue(TALK, "talk.txt"))

    def test_faces_are_taken_from_the_left(self):
        assert faces_of(self.people, [], 3, "us.jpg") == {"ANNA": 1, "Ben": 2}
        assert faces_of(self.people, ["anna=2"], 3, "us.jpg") == {"ANNA": 2, "Ben": 1}
        assert faces_of(self.people, ["BEN=3"], 3, "us.jpg") == {"ANNA": 1, "Ben": 3}

    @pytest.mark.parametrize(("cast", "n_faces", "found"), [
        ([], 1, "1 face for 2 people"), (["ANNA=4"], 3, "ANNA=4, and us.jpg has 3"), (["ANNA=0"], 3, "ANNA=0"),
        (["ANNA=x"], 3, "ANNA=x"), (["EVE=1"], 3, "'EVE' says nothing"), (["ANNA"], 3, "'ANNA'"),
        (["ANNA=2", "Ben=2"], 3, "one face")])
    def test_casts_that_cannot_be(self, cast, n_faces, found):
        with pytest.raises(InputError, match=found):
            faces_of(self.people, cast, n_faces, "us.jpg")

    def test_everybody_has_a_voice_of_their_own(self):
        given = voices_of(["A", "B", "C"], [], "en-us", "kokoro")
        assert len(set(given.values())) == 3 and given["B"][-2] == "m", "women and men in turn"
        asked = voices_of(["A", "B"], [f"b={given['A']}"], "en-us", "kokoro")
        assert asked["B"] == given["A"] != asked["A"]
        assert set(voices_of(["A", "B"], [], "hi", "espeak").values()) == {"hi"}


@pytest.fixture
def recordings(tmp_path):
    """Two tones of 1 s and 2 s, and one with a tone in each channel."""
    t = np.arange(2 * RATE) / RATE
    low, high = (0.3 * np.sin(2 * np.pi * hz * t).astype(np.float32) for hz in (300, 2000))
    write_wav(tmp_path / "low.wav", low[:RATE], RATE)
    write_wav(tmp_path / "high.wav", high, RATE)
    soundfile.write(tmp_path / "both.wav", np.stack([low, high], 1), RATE)
    return tmp_path


def share_of(hz, sound):
    """Of the energy of a sound [sample], what lies near a frequency."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    at = np.fft.rfftfreq(len(sound), 1 / RATE)
    return power[np.abs(at - hz) < 20].sum() / power.sum()


class TestTracks:
    def test_recordings_follow_each_other(self, recordings):
        parts = in_turn([Part("1", recordings / "low.wav", 1.0), Part("2", recordings / "high.wav", 2.0)])
        sound, rate = soundfile.read(write_track(parts, recordings / "all.wav", 4.0, stage="test"))
        assert rate == RATE and sound.shape == (4 * RATE, 2)
        second = round((1 + PAUSE_S) * RATE)
        assert share_of(300, sound[:RATE, 0]) > 0.9 and share_of(2000, sound[second:second + 2 * RATE, 0]) > 0.9
        assert not sound[RATE:second].any() and not sound[second + 2 * RATE:].any()
        assert sound.max() == pytest.approx(0.3, abs=0.01), "as loud as it was"

    def test_a_channel_is_a_person(self, recordings):
        for channel, hz in enumerate((300, 2000)):
            part = Part(str(channel), recordings / "both.wav", 2.0, channel=channel)
            sound, _ = soundfile.read(write_track([part], recordings / f"{channel}.wav", 2.0, stage="test"))
            assert share_of(hz, sound[:, 0]) > 0.99

    def test_together_they_sum_up(self, recordings):
        parts = [Part("1", recordings / "low.wav", 1.0), Part("2", recordings / "high.wav", 2.0)]
        sound, _ = soundfile.read(write_track(parts, recordings / "all.wav", 2.0, stage="test"))
        assert share_of(300, sound[:RATE, 0]) == pytest.approx(0.5, abs=0.02)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The portrait, and its mirror image beside it."""
    path = tmp_path_factory.mktemp("scene") / "us.png"
    Image.fromarray(np.concatenate([portrait(), portrait()[:, ::-1]], 1)).save(path)
    return path


class TestPicture:
    def test_each_face_is_in_its_own_part(self, pair):
        photos = [check_photo(pair, which).photo for which in "12"]
        parts = picture.shares(photos)
        assert np.allclose(sum(parts), 1)
        for photo, own in zip(photos, parts):
            x, y = np.round(photo.points).astype(int).T
            assert (own[y, x] == 1).all()

    def test_three_part_a_picture(self, pair):
        points = check_photo(pair, "1").photo.points / 2
        wide = np.zeros((128, 400, 3), np.uint8)
        photos = [Photo(pair, wide, points + np.float32([x, 0])) for x in (0, 120, 240)]
        parts = picture.shares(photos)
        assert np.allclose(sum(parts), 1)
        assert [int(part.argmax(0).shape[0]) for part in parts] == [400] * 3
        assert [(part[60] > 0.5).sum() > 90 for part in parts] == [True] * 3

    @pytest.mark.parametrize("encoded", [False, True])
    def test_pixels_are_one_persons_to_the_bit(self, encoded):
        rng = np.random.default_rng(0)
        frames = [rng.integers(0, 256, (40, 60, 3)).astype(np.uint8) for _ in range(3)]
        parts = [np.zeros((40, 60), np.float32) for _ in range(3)]
        for i, part in enumerate(parts):
            part[:, 20 * i:20 * i + 20] = 1
        shown = [nv12.join(*nv12.split(frame)) if encoded else frame for frame in frames]
        whole, = picture.together(parts, [iter([one.copy()]) for one in shown])
        for plane, *others in zip(picture.planes.views(whole), *map(picture.planes.views, shown)):
            width = plane.shape[1] // 3
            for i, other in enumerate(others):
                assert (plane[:, width * i:width * (i + 1)] == other[:, width * i:width * (i + 1)]).all()


def movement(video, columns):
    """Mean change from frame to frame of the mouths' rows in some columns, for each frame."""
    frames = np.stack([frame[120:200, columns].astype(np.float32) for frame in read_frames(video)])
    return np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))


class TestCommand:
    def test_each_moves_when_they_speak(self, pair, speech, tmp_path):
        still = "--head-scale", 0, "--blink-rate", 0, "--gaze", "still", "--emotion", "neutral"
        done = command(main, pair, "--face", 2, "--audio", speech, "--face", 1, "--audio", speech, "--output",
                       tmp_path / "us.mp4", *still)
        assert done.exit_code == 0, done.stderr
        assert list(tmp_path.iterdir()) and not (tmp_path / "us").exists()
        length = soundfile.info(speech).duration
        about, half = probe(tmp_path / "us.mp4"), round(length * FPS)
        assert about.size == (512, 256) and about.seconds == pytest.approx(2 * length + PAUSE_S + 0.4, abs=0.05)
        left, right = (movement(tmp_path / "us.mp4", columns) for columns in (slice(0, 256), slice(256, 512)))
        assert right[:half].mean() > 3 * left[:half].mean()
        assert left[half + 8:].mean() > 3 * right[half + 8:].mean()

    def test_a_script_is_spoken_and_captioned(self, pair, tmp_path):
        done = command(main, pair, "--text", "ANNA: Hello, Ben.\nBEN: Hello.", "--engine", "espeak", "--language", "en-us",
                       "--result-dir", tmp_path, "--captions", "burn", "--size", 256)
        assert done.exit_code == 0, done.stderr
        folder, = (path for path in tmp_path.iterdir() if path.is_dir())
        words = load_words(folder / "words.json")
        assert [word.word for word in words] == ["Hello,", "Ben.", "Hello."]
        assert all(one.start_s < other.start_s for one, other in zip(words, words[1:]))
        assert {"ANNA", "BEN", "lines", "speech.wav"} <= {path.name for path in folder.iterdir()}
        assert probe(folder.with_suffix(".mp4")).size == (256, 128)

    def test_the_photo_is_searched_once(self, pair, monkeypatch):
        """And who is found with what was seen before is who is found without."""
        from core.face import face_detector
        looks, look = [], face_detector.detect_all
        monkeypatch.setattr(face_detector, "detect_all", lambda picture: looks.append(1) or look(picture))
        first = check_photo(pair, "1")
        second = check_photo(pair, "2", seen=first)
        assert len(looks) == 1
        again = check_photo(pair, "2")
        assert (second.photo.points == again.photo.points).all() and second.chosen == again.chosen == 1

    def test_so_does_the_command(self, pair, tmp_path, monkeypatch):
        import conversation
        import scene
        asked, check = [], scene.check_photo
        monkeypatch.setattr(scene, "check_photo", lambda *given, **more: asked.append(more) or check(*given, **more))
        monkeypatch.setattr(conversation, "write_scene", lambda people, *_, **__: [person.face for person in people])
        done = command(main, pair, "--text", "A: Hi.\nB: Ho.", "--engine", "espeak", "--language", "en-us", "--output",
                       tmp_path / "us.mp4")
        assert done.exit_code == 0, done.stderr
        assert [bool(more) for more in asked] == [False, True]

    @pytest.mark.parametrize(("given", "found"), [
        ((), "none or several given"), (("--text", "A: Hi.\nB: Ho.", "--audio", "a.wav"), "none or several"),
        (("--audio", "{speech}"), "1 recording"), (("--audio", "{speech}", "--audio", "gone.wav"), "gone.wav"),
        (("--face", 3, "--audio", "{speech}", "--face", 1, "--audio", "{speech}"), "3, and the photo has 2 faces"),
        (("--face", 1, "--face", 2, "--face", 1, "--audio", "{speech}", "--audio", "{speech}"), "3 faces for 2"),
        (("--face", 1, "--audio", "{speech}", "--face", 1, "--audio", "{speech}"), "one face for two"),
        (("--audio", "{speech}", "--audio", "{speech}", "--channels"), "2 recordings"),
        (("--audio", "{mono}", "--channels"), "1 channel"), (("--text", "A: Hi.\nB: Ho.\nC: Hm."), "2 faces for 3 people"),
        (("--text", "A: Hi.\nB: Ho.", "--preprocess", "crop"), "crop"),
        (("--text", "A: Hi.\nB: Ho.", "--avatar", "comic"), "comic"),
        (("--text", "A: Hi.\nB: Ho.", "--fps", "nan"), "--fps: nan"),
        (("--audio", "{speech}", "--audio", "{speech}", "--captions", "burn"), "without words"),
        (("--text", "A: Hi.\nB: Ho.", "--voice", "A=xx-none", "--engine", "espeak"), "xx-none")])
    def test_bad_input_is_one_line(self, pair, short_speech, tmp_path, given, found):
        mono = write_wav(tmp_path / "mono.wav", soundfile.read(short_speech)[0][:, 0], 44100)
        given = (str(one).replace("{speech}", str(short_speech)).replace("{mono}", str(mono)) for one in given)
        done = command(main, pair, *given, "--output", tmp_path / "new" / "us.mp4")
        assert done.exit_code == 1 and found in done.stderr and not (tmp_path / "new").exists()
        assert len([line for line in done.stderr.splitlines() if line.startswith("error")]) == 1
