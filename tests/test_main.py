"""The one command: photo and speech or a text in, video out, every file in between kept."""

import json
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from conftest import command, opening_motion
from PIL import Image

import animator
import main
from core import artifacts
from core.cache import cached
from core.face import face68
from core.media.video import probe, read_frames
from core.media.words import load_words, transcript

SMALL = ("--size", 128)


def test_photo_and_speech_become_a_video(tmp_path, photo_path, short_speech, predicted):
    out = tmp_path / "out put.mp4"
    done = command(main.main, "--image", photo_path, "--audio", short_speech, "--output", out, "--result_dir", tmp_path / "r")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(out)
    assert abs(probe(out).seconds - 1) <= 1 / 25
    assert probe(out).has_sound
    cached = {path.name for path in next((tmp_path / "r").iterdir()).iterdir()}
    assert {"photo_check.png", "face.json", "landmarks.npy", "rest_face.npy", "landmarks.gif"} <= cached
    assert photo_path.name in artifacts.read_sidecar(out)["inputs"]


@pytest.mark.parametrize("more, left", [
    ((), ["v.mp4", "v.mp4.json"]), (("--keep",), ["results", "v.mp4", "v.mp4.json"]),
    (("--result-dir", "r"), ["r", "v.mp4", "v.mp4.json"]), (None, ["results"])])
def test_what_is_left_behind(tmp_path, monkeypatch, photo_path, short_speech, predicted, more, left):
    """With --output the video and its sidecar; a folder with --keep or --result-dir, or without --output; a line names it."""
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    given = () if more is None else ("--output", "v.mp4", *more)
    done = command(main.main, "--image", photo_path, "--audio", short_speech, *given, *SMALL)
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in here.iterdir()) == left
    for folder in [path for path in here.glob("r*/*") if path.is_dir()]:
        assert f": {folder.relative_to(here)}" in done.stderr and (folder / "landmarks.npy").is_file()
    assert "talking-face-" not in done.stderr, "a folder that is gone is not named"


def test_the_other_spelling(tmp_path, photo_path, short_speech, predicted):
    folder = tmp_path / "results"
    done = command(main.main, "--source_image", photo_path, "--driven_audio", short_speech, "--result_dir", folder,
                   "--expression_scale", 1.5, "--preprocess", "crop", "--size", 128, "--fps", 30, "--gpu", "false",
                   "--quality", "high")
    assert done.exit_code == 0, done.stderr
    [video] = folder.glob("*.mp4")
    assert done.stdout.splitlines()[-1] == str(video)
    assert video.stem.startswith("my phöto_a hum_")
    assert probe(video).size == (128, 128)
    assert probe(video).fps == 30


def test_a_motion_replaces_the_prediction(tmp_path, photo_path, short_speech, predicted):
    """Landmarks of a video, head and all; the sound stays, and says how long it lasts. Both spellings of options."""
    rest = np.zeros((face68.N_POINTS, 2), np.float32)
    rest[list(face68.GROUPS["left_eye"]), 0], rest[list(face68.GROUPS["right_eye"]), 0] = 0.5, -0.5
    for name, n_frames in (("clip", 25), ("long", 90)):
        artifacts.save(tmp_path / f"{name}.face.npy", rest + opening_motion(n_frames), "landmarks-face", stage="test")
        artifacts.save(tmp_path / f"{name}.pose.npy", np.full((n_frames, 4), 50, np.float32), "head-pose", stage="test")
    ours = ("--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", "--result-dir", tmp_path / "r")
    done = command(main.main, *ours, "--motion", tmp_path / "clip.face.npy", "--head-scale", 1, "--blink_rate", 0, "--preview")
    assert done.exit_code == 0, done.stderr
    assert predicted == []
    assert probe(tmp_path / "v.mp4").has_sound
    assert (tmp_path / "v.preview.png").is_file()
    assert "clip.face.npy" in artifacts.read_sidecar(tmp_path / "v.mp4")["inputs"]
    done = command(main.main, *ours, "--motion", tmp_path / "long.face.npy")
    assert done.exit_code == 1 and "90 frames of landmarks, 25 frames of speech" in done.stderr
    done = command(main.main, *ours, "--motion", tmp_path / "none.npy")
    assert done.exit_code == 1 and "none.npy: no such file" in done.stderr


def test_gpu(tmp_path, monkeypatch, photo_path, short_speech, predicted):
    devices = []
    monkeypatch.setattr(animator, "render_video", lambda *_, device, **__: devices.append(device))
    for gpu in ("true", "false"):
        ours = ("--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", "--result_dir", tmp_path / gpu)
        assert command(main.main, *ours, "--gpu", gpu).exit_code == 0
    assert devices == ["auto", "cpu"]


def test_other_sound_is_converted_first(tmp_path, photo_path, short_speech, predicted):
    sound, rate = soundfile.read(short_speech)
    soundfile.write(tmp_path / "hum.mp3", sound, rate)
    done = command(main.main, "--image", photo_path, "--audio", tmp_path / "hum.mp3", "--result_dir", tmp_path / "r")
    assert done.exit_code == 0, done.stderr
    assert predicted[0].name == "speech.wav"
    assert "converted" in done.stderr


def test_the_photo_is_checked_before_anything_slow(tmp_path, short_speech, predicted):
    Image.new("RGB", (300, 300), "grey").save(tmp_path / "wall.png")
    done = command(main.main, "--image", tmp_path / "wall.png", "--audio", short_speech, "--result_dir", tmp_path / "r")
    assert done.exit_code == 1
    assert "no face found" in done.stderr
    assert predicted == []


@pytest.mark.parametrize("image, audio", [("none.png", "a hum.wav"), ("my phöto.png", "none.wav"),
                                          ("my phöto.png", "none.mp3"), ("a hum.wav", "a hum.wav")])
def test_mistakes_are_one_line(tmp_path, photo_path, short_speech, predicted, image, audio):
    done = command(main.main, "--image", tmp_path / image, "--audio", tmp_path / audio, "--result_dir", tmp_path / "r")
    assert done.exit_code == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert done.stderr.splitlines()[-1] == errors[0]
    assert not (tmp_path / "r").exists(), "a mistake leaves nothing behind"


@pytest.mark.parametrize("option, value", [("--face", "9"), ("--landmarks", "none.json")])
def test_a_wrong_face_is_said_before_anything_slow(tmp_path, photo_path, short_speech, predicted, option, value):
    done = command(main.main, "--image", photo_path, "--audio", short_speech, option, value, "--result_dir", tmp_path / "r")
    assert done.exit_code == 1
    assert value in done.stderr.splitlines()[-1]
    assert predicted == []
    assert not (tmp_path / "r").exists()


def test_a_text_becomes_a_video(tmp_path, photo_path, predicted):
    """Spoken at 44.1 kHz; the transcript is shown; the captions are a track."""
    done = command(main.main, "--image", photo_path, "--text", "Pay INR 20, Bob.", "--captions", "mux", "--result_dir",
                   tmp_path / "r", *SMALL)
    assert done.exit_code == 0, done.stderr
    [video], [folder] = (tmp_path / "r").glob("*.mp4"), [p for p in (tmp_path / "r").iterdir() if p.is_dir()]
    assert done.stdout.splitlines() == [str(video)]
    assert "transcript: Pay INR 20, Bob." in done.stderr.splitlines()
    info = soundfile.info(folder / "speech.wav")
    assert (info.samplerate, info.channels, info.subtype) == (44100, 1, "PCM_16")
    assert abs(probe(video).seconds - info.duration) < 1.5 / 25
    assert [word.word for word in load_words(folder / "words.json")] == ["Pay", "INR 20,", "Bob."]
    assert "INR 20" in (folder / "words.srt").read_text()
    assert b"tx3g" in video.read_bytes(), "the mark of a track of text in an .mp4"
    assert artifacts.read_sidecar(video)["options"]["captions"] == "mux"


def test_a_script_is_found_in_a_recording_and_drawn(tmp_path, photo_path, predicted):
    from conftest import speak

    from core.media.audio import write_wav
    speech, script = write_wav(tmp_path / "said.wav", speak("Mama bought a boat.", "en-us+f2")), tmp_path / "said.txt"
    script.write_text("Mama bought a boat.")
    frames = {}
    for captions in ("burn", "none"):
        out = tmp_path / f"{captions}.mp4"
        done = command(main.main, "--image", photo_path, "--audio", speech, "--script", script, "--captions", captions,
                       "--output", out, "--result-dir", tmp_path / captions, "--still", *SMALL)
        assert done.exit_code == 0, done.stderr
        frames[captions] = list(read_frames(out))
    [words_path] = (tmp_path / "burn").glob("*/words.json")
    assert transcript(words := load_words(words_path)) == "Mama bought a boat."
    middle = round(25 * words[1].end_s)
    changed = np.abs(frames["burn"][middle].astype(int) - frames["none"][middle]).mean((1, 2))
    assert changed[96:].mean() > 5 * changed[:64].mean() + 5


def test_keep_leaves_a_page_of_all_files(tmp_path, photo_path, predicted):
    done = command(main.main, "--image", photo_path, "--text", "Mama.", "--keep", "--output", tmp_path / "out put.mp4",
                   "--result-dir", tmp_path / "r", *SMALL)
    assert done.exit_code == 0, done.stderr
    [folder] = (tmp_path / "r").iterdir()
    page = (folder / "index.html").read_text(encoding="utf-8")
    links = {unquote(link) for link in re.findall(r'(?:src|href)="([^"]+)"', page)}
    assert {"speech.wav", "pictures/speech.wav.png", "words.json", "words.srt", "landmarks.npy", "pictures/landmarks.npy.png",
            "landmarks.gif", "photo_check.png", "face.json", "../../out put.mp4", "pictures/out put.mp4.png"} <= links
    assert all((folder / link).is_file() for link in links if link[0] != "#")
    assert "http" not in page, "it needs no network"


def test_keep_writes_down_what_a_recording_says(tmp_path, monkeypatch, photo_path, short_speech, predicted):
    """A recording that is a .wav already lies beside the page too; --transcriber none listens to nobody."""
    from speech import transcribe
    heard = []
    monkeypatch.setattr(transcribe, "recognise", lambda sound, engine, grammar, model: heard.append(engine) or [])
    ours = ("--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", *SMALL)
    done = command(main.main, *ours, "--keep", "--result-dir", tmp_path / "a")
    assert done.exit_code == 0 and heard == [None], done.stderr
    [folder] = (tmp_path / "a").iterdir()
    assert (folder / "speech.wav").read_bytes() == short_speech.read_bytes()
    assert "(no words understood)" in done.stderr and load_words(folder / "words.json") == []
    assert command(main.main, *ours, "--result-dir", tmp_path / "b").exit_code == 0
    assert command(main.main, *ours, "--keep", "--transcriber", "none", "--result-dir", tmp_path / "c").exit_code == 0
    assert heard == [None]
    assert command(main.main, *ours, "--transcriber", "vosk", "--result-dir", tmp_path / "d").exit_code == 0
    assert heard == [None, "vosk"]


def test_captions_of_unsure_words_are_refused_before_anything_slow(tmp_path, monkeypatch, photo_path, short_speech, predicted):
    from core.media.words import Word
    from speech import transcribe
    monkeypatch.setattr(transcribe, "recognise", lambda *_: [Word("wreck", 0.1, 0.4, 0.2)])
    ours = ("--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", *SMALL)
    refused = command(main.main, *ours, "--captions", "burn", "--result-dir", tmp_path / "a")
    assert refused.exit_code == 1 and predicted == [] and not (tmp_path / "v.mp4").exists()
    assert "confidence of 0.20; expected at least" in refused.stderr and "--force-captions" in refused.stderr
    cached = command(main.main, *ours, "--keep", "--result-dir", tmp_path / "b")
    assert cached.exit_code == 0 and "warning: no captions" in cached.stderr
    assert [path.name for path in (tmp_path / "b").glob("*/words.*") if path.suffix != ".json"] == []
    forced = command(main.main, *ours, "--captions", "burn", "--force-captions", "--result-dir", tmp_path / "c", "--force")
    assert forced.exit_code == 0, forced.stderr
    assert {path.name for path in (tmp_path / "c").glob("*/words.???")} == {"words.srt", "words.vtt"}


def test_progress_for_programs(tmp_path, photo_path, short_speech, predicted):
    """Every line of standard error is JSON: stages in order, the last one to its end; standard output stays the path."""
    done = command(main.main, "--image", photo_path, "--audio", short_speech, "--output", tmp_path / "v.mp4", "--result-dir",
                   tmp_path / "r", "--json-progress", *SMALL)
    assert done.exit_code == 0 and done.stdout.splitlines() == [str(tmp_path / "v.mp4")]
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(e["stage"], e["number"], e["of"]) for e in events if "number" in e] == \
        [("photo", 1, 4), ("speech", 2, 4), ("landmarks", 3, 4), ("render", 4, 4)]
    shares = [(e["done"], e["seconds_left"]) for e in events if e.get("stage") == "render" and "done" in e]
    assert shares == sorted(shares) and shares[-1] == (1.0, 0.0)
    assert any("done in" in e.get("message", "") for e in events)
    failed = command(main.main, "--image", tmp_path / "none.png", "--audio", short_speech, "--json-progress")
    assert failed.exit_code == 1 and "none.png: no such file" in json.loads(failed.stderr.splitlines()[-1])["error"]
    plain = command(main.main, "--image", tmp_path / "none.png", "--audio", short_speech)
    assert plain.stderr.splitlines()[-1].startswith("error: "), "the next command talks to a person again"


def test_a_model_is_read_once_and_again_when_its_file_changes(tmp_path):
    from landmarks.lite import kept_model
    from render.parts.painted import MODELS, MOUTH, _painter
    read, path = [], tmp_path / "model"
    load = cached(lambda path, device="cpu": read.append(device) or path.read_text())
    path.write_text("one")
    assert [load(path), load(path), load(path, "cuda"), load(path)] == ["one"] * 4 and read == ["cpu", "cuda"]
    path.write_text("two, longer")
    assert load(path) == "two, longer" and len(read) == 3
    assert kept_model() is kept_model()
    assert _painter(MODELS[MOUTH], MOUTH, "cpu") is _painter(MODELS[MOUTH], MOUTH, "cpu")


@pytest.fixture
def work_on_sound(monkeypatch):
    """Counts, while a test runs, how often a .wav is decoded and how many frames of spectrum are computed."""
    from core.media import audio, wav
    counts, mono_blocks, magnitudes = {"decodes": 0, "frames": 0}, wav._mono_blocks, audio._magnitudes

    def counted_blocks(file, path, weights):
        counts["decodes"] += 1
        return mono_blocks(file, path, weights)

    def counted_magnitudes(sound, n_frames):
        counts["frames"] += n_frames
        return magnitudes(sound, n_frames)

    monkeypatch.setattr(wav, "_mono_blocks", counted_blocks)
    monkeypatch.setattr(audio, "_magnitudes", counted_magnitudes)
    return counts


@pytest.mark.parametrize("options", [("--audio",), ("--audio", "--text", "Mama.", "--captions", "burn", "--keep"),
                                     ("--text", "Mama.", "--captions", "mux", "--keep")], ids=["plain", "words", "spoken"])
def test_speech_is_decoded_and_analysed_once(tmp_path, photo_path, work_on_sound, options):
    """The prediction, the emotion, the words, the length of the video and the page share one array and one spectrum."""
    from conftest import speak

    from core.media.audio import write_wav
    if options[0] == "--audio":
        speech = write_wav(tmp_path / "said.wav", speak("Mama.", "en-us+f2"))
        options = ("--audio", speech, *options[1:])
    done = command(main.main, "--image", photo_path, *options, "--output", tmp_path / "v.mp4", "--result-dir", tmp_path / "r",
                   *SMALL)
    assert done.exit_code == 0, done.stderr
    [landmarks] = (tmp_path / "r").glob("*/landmarks.npy")
    assert work_on_sound == {"decodes": 1, "frames": len(np.load(landmarks))}


def test_two_threads_at_once_make_what_one_makes(tmp_path, photo_path, short_speech):
    """The shipped models, shared: the same landmarks and pictures as alone."""
    ours = animator.Animator(device="cpu")

    def animate(name):
        ours.animate(photo_path, short_speech, tmp_path / f"{name}.mp4", size_px=128)

    animate("alone")
    threads = [threading.Thread(target=animate, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = np.load(tmp_path / "alone" / "landmarks.npy")
    for name in ("one", "two"):
        np.testing.assert_array_equal(np.load(tmp_path / name / "landmarks.npy"), alone)
        for frame, truth in zip(read_frames(tmp_path / f"{name}.mp4"), read_frames(tmp_path / "alone.mp4"), strict=True):
            assert np.abs(frame.astype(int) - truth).mean() < 1


@pytest.mark.parametrize("ending", ["flac", "ogg", "m4a", "mp4", "mp3 in a.wav"])
def test_any_sound_is_taken(tmp_path, photo_path, short_speech, predicted, ending):
    from imageio_ffmpeg import get_ffmpeg_exe
    path = tmp_path / f"hum.{ending}"
    of_mp3 = ["-f", "mp3"] if ending.startswith("mp3") else []
    subprocess.run([get_ffmpeg_exe(), "-v", "error", "-i", str(short_speech), *of_mp3, str(path)], check=True)
    done = command(main.main, "--image", photo_path, "--audio", path, "--result_dir", tmp_path / "r", *SMALL)
    assert done.exit_code == 0, done.stderr
    [video] = (tmp_path / "r").glob("*.mp4")
    assert abs(probe(video).seconds - 1) < 0.1


@pytest.mark.parametrize("ending", ["webp", "jpg", "gif", "bmp"])
def test_any_picture_is_taken(tmp_path, photo_path, short_speech, predicted, ending):
    path = tmp_path / f"me.{ending}"
    Image.open(photo_path).save(path)
    done = command(main.main, "--image", path, "--audio", short_speech, "--result_dir", tmp_path / "r", *SMALL)
    assert done.exit_code == 0, done.stderr


def _zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "hello")


def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, photo_path, short_speech, predicted):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    _zip(tmp_path / "zip.wav")
    (tmp_path / "me.heic").write_bytes(b"\0\0\0\x18ftypheic")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "runes.txt").write_text("ᚠᚢᚦᚨᚱᚲ", encoding="utf-8")
    (tmp_path / "long.txt").write_text("a " * 100_000)
    photo, speech = ("--image", photo_path), ("--audio", short_speech)
    for arguments, said in (
            ((*photo, "--audio", tmp_path / "zip.wav"), "zip.wav: sound not readable"),
            (("--image", tmp_path / "bomb.png", *speech), "far too many pixels"),
            (("--image", tmp_path / "me.heic", *speech), "pip install pillow-heif"),
            ((*photo, "--script", tmp_path / "empty.txt"), "empty.txt: nothing to say"),
            ((*photo, "--script", tmp_path / "runes.txt"), "runes.txt: Runic letters"),
            ((*photo, "--script", tmp_path / "long.txt"), "long.txt: 100000 words"),
            ((*photo, *speech, "--script", tmp_path / "long.txt"), "long.txt: 100000 words"),
            ((*photo, "--script", tmp_path / "none.txt"), "none.txt: no such file"),
            ((*photo, "--text", "hi", "--voice", "nobody"), "--voice nobody: no such voice"),
            ((*photo, "--text", "hi", "--script", tmp_path / "long.txt"), "both given"),
            (photo, "neither a recording nor a text"),
            ((*photo, *speech, "--text", "much more than anybody says in one second of a hum, or in two"), "are not found in")):
        done = command(main.main, *arguments, "--result_dir", tmp_path / "r")
        assert done.exit_code == 1, (arguments, done.stderr)
        lines = done.stderr.splitlines()
        assert said in lines[-1] and [line for line in lines if line.startswith("error: ")] == lines[-1:]
        assert not (tmp_path / "r").exists(), arguments
    assert predicted == []


def test_work_aside_comes_home():
    said = """
import os, threading
from core.processes.child import start_in_child
from core.errors import InputError

def refuse():
    raise InputError("photo.jpg", "no face", "a face")

print(start_in_child(os.getpid)() != os.getpid())
try:
    start_in_child(refuse)()
except InputError as error:
    print(error)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(start_in_child(os.getpid)() == os.getpid())
"""
    done = subprocess.run([sys.executable, "-c", said], cwd=Path(main.__file__).parent, capture_output=True, text=True,
                          timeout=60)
    assert done.stdout.splitlines() == ["True", "photo.jpg: no face; expected a face", "True"], done.stderr
