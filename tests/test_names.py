"""A path is a path, whatever characters are in it: never a URL, a protocol, a pattern or an option."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from conftest import command

from core.clock import SAMPLE_RATE
from core.errors import InputError, command_line
from core.files import fitting
from core.media.audio import decode_any, read_speech, write_wav
from core.media.video import probe, read_frames, write_video
from preprocess import convert_audio

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
