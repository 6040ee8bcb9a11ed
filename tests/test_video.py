"""The gate for pictures: what is written can be read, lasts as long as its sound, and lies where it was asked to."""

import struct
import subprocess

import numpy as np
import pytest
from PIL import Image

from core.clock import FPS, SAMPLES_PER_FRAME
from core.errors import InputError
from core.face import draw
from core.media import ffmpeg, nv12, video
from core.media.audio import decode_any, read_speech


def flat_frames(n_frames, size=(64, 48)):
    """Frames whose grey says their number: width x height."""
    for t in range(n_frames):
        yield np.full((size[1], size[0], 3), 20 + 4 * t, np.uint8)


def seen(path, size):
    """The first picture's colour, by BT.709 from what is stored: uint8 [3]."""
    with ffmpeg.running(["-i", ffmpeg.url(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
                        stdout=subprocess.PIPE) as decoder:
        stored = np.frombuffer(decoder.stdout.read(), np.uint8).astype(float)
    n = size[0] * size[1]
    y, cb, cr = (np.median(part) for part in (stored[:n], stored[n:n + n // 4], stored[n + n // 4:]))
    y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    rgb = y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb
    return np.clip(np.round(255 * np.array(rgb)), 0, 255)


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("colour", [(0x00, 0xB1, 0x40), (255, 0, 0), (30, 60, 200), (224, 172, 105), (255,) * 3, (0, 0, 0)])
def test_colours_come_back(tmp_path, colour, size, encoded):
    frame = np.full((*size[::-1], 3), colour, np.uint8)
    path = video.write_video(tmp_path / "a.mp4", [nv12.join(*nv12.split(frame)) if encoded else frame] * 2)
    assert np.abs(seen(path, size) - colour).max() <= 3
    assert np.abs(next(video.read_frames(path)).astype(float) - colour).max() <= 3
    tags = b"colrnclx" + struct.pack(">HHHB", 1, 1, 1, 0)  # BT.709 primaries, curve and matrix; limited range
    stored = path.read_bytes()
    assert tags in stored and stored.find(b"moov") < stored.find(b"mdat")


def numbers(path, fps=FPS):
    return [round((float(frame.mean()) - 20) / 4) for frame in video.read_frames(path, fps)]


def test_frames_come_back_in_order(tmp_path):
    path = video.write_video(tmp_path / "a.mp4", flat_frames(40), quality="high")
    assert numbers(path) == list(range(40))
    about = video.probe(path)
    assert about.size == (64, 48) and about.fps == FPS and not about.has_sound
    assert about.seconds == pytest.approx(40 / FPS, abs=0.02)


@pytest.mark.parametrize("name", ["with space.mp4", "dots.in.the.name.mp4", "Größe 东西 é.mp4", "-dash.mp4", "quote'd %d.mp4"])
def test_odd_paths(tmp_path, speech, name):
    path = video.write_video(tmp_path / "odd dir.d" / name, flat_frames(5), speech=speech)
    assert len(numbers(path)) >= 5
    assert [p.name for p in path.parent.iterdir()] == [name]


def test_a_clip_lasts_as_long_as_its_speech(clip, speech):
    n_sound = sum(len(block) for block in decode_any(clip))
    assert abs(n_sound - len(read_speech(speech))) <= 2048  # AAC comes in blocks of 1024 samples
    assert len(list(video.read_frames(clip))) == round(len(read_speech(speech)) / SAMPLES_PER_FRAME)
    about = video.probe(clip)
    assert about.has_sound and about.seconds == pytest.approx(len(read_speech(speech)) / 16000, abs=1 / FPS)


def test_sound_and_picture_start_together(tmp_path, clip, speech):
    sound = np.concatenate(list(decode_any(clip)))[:30000]
    lag = np.correlate(sound, read_speech(speech)[:30000], "full").argmax() - 29999
    assert abs(lag) < SAMPLES_PER_FRAME / 4


@pytest.mark.parametrize("fps, n_expected", [(50, 80), (12.5, 20), (30, 48)])
def test_other_rates_are_resampled_in_time(tmp_path, fps, n_expected):
    path = video.write_video(tmp_path / "a.mp4", flat_frames(40), fps=FPS)
    assert abs(len(numbers(path, fps)) - n_expected) <= 1
    other = video.write_video(tmp_path / "b.mp4", flat_frames(40), fps=fps)
    assert abs(len(numbers(other)) - 40 * FPS / fps) <= 2


@pytest.mark.parametrize("palette", [None, draw.PALETTE])
def test_a_gif_is_25_frames_a_second(tmp_path, palette):
    path = tmp_path / "a.gif"
    video.write_gif(path, (np.full((32, 32), 3 * t, np.uint8) for t in range(50)), palette=palette)
    durations = []
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0
        for t in range(gif.n_frames):
            gif.seek(t)
            durations.append(gif.info["duration"])
    assert durations == [1000 // FPS] * 50


def test_a_gif_of_a_still_face_lasts_as_long(tmp_path):
    path = tmp_path / "a.gif"
    video.write_gif(path, (np.full((32, 32), 7, np.uint8) for _ in range(50)))
    with Image.open(path) as gif:
        total_ms = 0
        for t in range(gif.n_frames):
            gif.seek(t)
            total_ms += gif.info["duration"]
    assert total_ms == 50 * 1000 // FPS


@pytest.mark.parametrize("name, content", [("missing.mp4", None), ("empty.mp4", b""), ("text.mp4", b"not a video " * 99)])
def test_what_is_no_video_is_refused(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for read in (video.probe, lambda path: list(video.read_frames(path))):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)


def test_sound_is_no_video(speech):
    with pytest.raises(InputError, match="speech.wav"):
        list(video.read_frames(speech))


def test_a_stopped_writer_leaves_nothing(tmp_path):
    def broken():
        yield from flat_frames(3)
        raise RuntimeError("stopped in the middle")

    with pytest.raises(RuntimeError):
        video.write_video(tmp_path / "a.mp4", broken())
    with pytest.raises(RuntimeError):
        video.write_gif(tmp_path / "a.gif", (frame[..., 0] for frame in broken()))
    assert not list(tmp_path.iterdir())


def test_odd_sizes_are_a_programmers_mistake(tmp_path):
    with pytest.raises(ValueError, match="even"):
        video.write_video(tmp_path / "a.mp4", flat_frames(2, (63, 48)))


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        video.write_video(tmp_path / "file" / "a.mp4", flat_frames(2))
