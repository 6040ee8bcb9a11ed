"""A path is a path, whatever characters are in it: never a URL, a protocol, a pattern or an option."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import numpy as np
import pytest
from conftest import command, portrait, speak
from PIL import Image

from core import artifacts
from core.clock import SAMPLE_RATE
from core.corpus import output_path
from core.errors import InputError, command_line
from core.events import Warned
from core.files import cut_name, fitting, named_after, sha256
from core.index import read_index
from core.media.audio import decode_any, read_speech, write_wav
from core.media.video import probe, read_frames, write_video
from core.stage import stage
from preprocess import convert_audio, list_recordings

NAMES = ["http:x", "data:a", "concat:x|y", "pipe:0", "a%03d", "-", "-i", "--force", "[a]*?", "it's 'q'", "two\nlines", " a ",
         "😀 日本", "$HOME `x`", "Video: h264, 9x9, 3 fps", "a;b&c#d", "x" * 240]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_a_path(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    wav, out, video = Path(f"{name}.wav"), Path(f"{name}.o.wav"), Path(f"{name}.mp4")
    write_wav(wav, np.sin(np.arange(3200) / 9).astype(np.float32) / 2)
    assert len(read_speech(wav)) == sum(map(len, decode_any(wav))) == 3200
    write_video(video, [np.full((48, 64, 3), 90, np.uint8)] * 5, speech=wav)
    assert probe(video).size == (64, 48) and len(list(read_frames(video))) == 5
    done = command(convert_audio.main, "--", video, out)
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {str(p) for p in (wav, video, out)} | {f"{out}.json"}


def _taken(*words):
    """What a command with two arguments and some options takes of a line."""
    given = {}

    @stage(reads="-", writes="-")
    @click.argument("source", type=click.Path(path_type=Path))
    @click.argument("out", type=click.Path(path_type=Path), required=False)
    @click.option("--to-file", type=click.Path(path_type=Path))
    @click.option("--text")
    @click.option("--force", is_flag=True)
    def main(**options):
        """Take."""
        given.update(options)

    done = command(main, *words)
    return given if done.exit_code == 0 else done.exit_code


@pytest.mark.parametrize("name", ["-a.wav", "--force.wav", "-h.wav", "--to-file.mp4", "-1", "--other"])
def test_a_name_that_begins_with_a_dash_is_a_path(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    for words in ([name], [f"./{name}"], ["--", name]):
        assert _taken(*words)["source"] == Path(name)
    assert _taken(name, "-new.wav", "--force")["out"] == Path("-new.wav")
    assert _taken("a", "--to-file", name)["to_file"] == _taken("a", f"--to-file={name}")["to_file"] == Path(name)
    assert _taken("a", "--text", name)["text"] == name, "what is no path stays as it is"
    assert _taken("a", "--to_file", "b", name)["out"] == Path(name)


def test_options_stay_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("--force").touch()
    assert _taken("a", "--force")["force"] is True
    assert _taken("a", "--frce") == _taken("a", "-x") == _taken("a", "--frce=1.5") == 2
    assert _taken("-h") == 0 or not _taken("-h")


def _outputs(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """A folder with a recording, a photo, a clip and a text."""
    folder = tmp_path_factory.mktemp("talk")
    write_wav(folder / "a.wav", speak("Hello.", seconds=0.8))
    Image.fromarray(portrait()).save(folder / "a.png")
    write_video(folder / "a.mp4", [portrait()] * 20, speech=folder / "a.wav")
    (folder / "a.txt").write_text("Good.")
    return folder


ODD = ["-x", "a:b%03d", "it's \"q\"", "two\nlines", "😀 日本 [a]*?", "x" * 244, os.fsdecode(b"caf\xe9")]


@pytest.mark.parametrize("name", ODD)
def test_every_command_takes_every_name(tmp_path, monkeypatch, talk, predicted, name):
    import predict
    from landmarks.sync.__main__ import main as sync
    from main import main as make
    from render import face_check
    from render.render import main as render
    from speech import synthesize, transcribe
    from viewer.inspect import main as inspect
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        predict, "predict_file", lambda speech, out, *_, **__: out.mkdir(parents=True) or len(read_speech(speech)))
    wav, photo, clip, text = (shutil.copy(talk / f"a{end}", f"{name}{end}") for end in (".wav", ".png", ".mp4", ".txt"))
    video, spoken = Path(f"{name}.new.mp4"), Path(f"{name}.new.wav")

    def take(main, *words):
        done = command(main, *words)
        assert done.exit_code == 0 or "nothing to judge by" in done.stderr, done.stderr

    take(predict.main, wav)
    take(sync, clip, "--speech", wav)
    take(inspect, wav)
    take(inspect, photo, "--out", f"{name}.i.png")
    take(synthesize.main, spoken, "--script", text)
    take(face_check.main, photo, "--out", f"{name}.check")
    take(transcribe.main, wav, "--script", text, "--out", f"{name}.words")
    take(make, "--image", photo, "--audio", wav, "--output", video, "--preview", "--size", 128)
    take(make, "--image", photo, "--script", text, "--result-dir", f"{name}.results", "--size", 128, "--captions", "mux")
    landmarks = next(Path(f"{name}.results").rglob("landmarks.npy"))
    take(render, landmarks, "--renderer", "sketch", "--speech", landmarks.with_name("speech.wav"), "--out", f"{name}.r.mp4")
    assert artifacts.check(video, "talking-video") and artifacts.check(spoken, "speech")
    assert not [each for each in _outputs(tmp_path) if ".part" in each or each.endswith(".pending")]
    assert Path(wav).read_bytes() == (talk / "a.wav").read_bytes()


@pytest.mark.parametrize("n_bytes", [246, 250, 251, 255])
def test_an_output_may_have_the_longest_name(tmp_path, talk, n_bytes):
    from render.preview import check_preview, write_preview
    outs = [tmp_path / f"{'x' * (n_bytes - 5)}{last}.wav" for last in "ab"]
    for out in outs:
        assert command(convert_audio.main, talk / "a.mp4", out).exit_code == 0
        assert artifacts.check(out, "speech")["sha256"] == sha256(out)
        write_preview(out, [portrait()] * 2)
        check_preview(out)
    assert len(_outputs(tmp_path)) == 6, "two files have two descriptions"


@pytest.mark.parametrize("name", ["a" * 255, "日" * 85, "x" * 251 + ".mp4", os.fsdecode(b"\xe9" * 250)])
@pytest.mark.parametrize("ending", [".json", ".preview.png", ""])
def test_names_after_a_name_fit(name, ending):
    found = named_after(name, ending).name
    assert len(os.fsencode(found)) <= 255 and found.endswith(ending) and found[0] == name[0]
    assert cut_name("short", 255) == "short" and cut_name(name + "1", 240) != cut_name(name + "2", 240)


@pytest.mark.parametrize("name", ["x" * 251, "日" * 83, "two\nlines", os.fsdecode(b"caf\xe9"), " a, \"b\"", "-1"])
def test_clips_of_a_corpus_have_any_name(tmp_path, monkeypatch, talk, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    shutil.copy(talk / "a.mp4", f"recordings/{name}.mp4")
    assert command(list_recordings.main, "recordings").exit_code == 0
    [row] = read_index("data/recordings/index.csv")
    assert Path(row["sound"]).is_file() and not row["problem"] if "problem" in row else True
    out = output_path(tmp_path, row, ".face.npy")
    artifacts.save(out, np.zeros((2, 68, 2), np.float32), "landmarks-face", stage="test", inputs=[row["sound"]])
    assert artifacts.is_current(out, "landmarks-face", stage="test", inputs=[row["sound"]])


@pytest.mark.parametrize("name", ["two\nlines", "a\tb\x1b[31m", "it's\n'q' \\ $HOME", os.fsdecode(b"caf\xe9"), "a\u2028b"])
def test_a_message_is_one_line_and_its_cure_runs(tmp_path, name):
    path = tmp_path / f"{name}.wav"
    path.write_text("here")
    cure = command_line("cat", path)
    message = str(InputError(path, "wrong", "right", cure))
    assert message.splitlines() == [message] and "\x1b" not in message and "\n" not in str(Warned("odd", path))
    printed = message.partition("try: ")[2].encode(errors="backslashreplace").decode()
    assert subprocess.run(["bash", "-c", printed], capture_output=True, text=True).stdout == "here"


@pytest.mark.parametrize("name", ["-a.wav", "--force", "it's.wav", "a b"])
def test_a_cure_names_a_path(name):
    assert Path(shlex.split(command_line("cat", Path(name)))[1]) == Path(name)
    assert not shlex.split(command_line("cat", Path(name)))[1].startswith("-")


def test_the_cure_of_a_dashed_name_has_no_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = write_wav(tmp_path / "whole.wav", np.full(2 * SAMPLE_RATE, 0.1, np.float32)).read_bytes()
    Path("-a.wav").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(InputError) as told:
        read_speech("-a.wav")
    assert told.value.cure.endswith("convert_audio ./-a.wav ./-a-converted.wav")


@pytest.mark.parametrize("name", ["a" * 255, "日" * 85, "short"])
def test_names_made_of_names_fit(name):
    assert name.startswith(fitting(name)) and len(fitting(name).encode()) <= 100
