"""Every video people have, through every command that reads one: containers, codecs, and what is odd about their sound.

Inputs are made by the ffmpeg that comes with imageio-ffmpeg, seconds long.
"""

from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import command, portrait, speak
from test_sound_inputs import ffmpeg, is_tone, onset_s, sound_of, tone, video_of, wav

from core import artifacts
from core.clock import FPS, SAMPLE_RATE, n_frames_of
from core.media import video
from core.media.audio import level_dbfs, read_speech
from core.media.avi import late_s
from landmarks.predict import predict_file

PICTURES = {"h264": "libx264", "vp9": "libvpx-vp9", "av1": "libsvtav1", "mpeg4": "mpeg4", "theora": "libtheora"}
SOUNDS = {"aac": "aac", "opus": "libopus", "mp3": "libmp3lame", "pcm": "pcm_s16le", "ac3": "ac3", "vorbis": "libvorbis"}
HOLDS = {"mp4": ("h264 vp9 av1 mpeg4", "aac opus mp3 pcm ac3"), "mov": ("h264 mpeg4", "aac mp3 pcm ac3"),
         "mkv": ("h264 vp9 av1 mpeg4", "aac opus mp3 pcm ac3 vorbis"), "webm": ("vp9 av1", "opus vorbis"),
         "avi": ("h264 vp9 av1 mpeg4", "aac mp3 pcm ac3"), "ogg": ("theora", "opus vorbis")}


def _pairs():
    """Each codec of each container, once at least."""
    for ending, (pictures, sounds) in HOLDS.items():
        pictures, sounds = pictures.split(), sounds.split()
        for i, (picture, sound) in enumerate(zip(cycle(pictures), cycle(sounds))):
            if i >= max(len(pictures), len(sounds)):
                break
            yield ending, picture, sound


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A second of moving picture in each codec: codec -> path."""
    folder = tmp_path_factory.mktemp("pictures")
    made = {}

    def in_codec(codec):
        if codec not in made:
            made[codec] = ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=1", "-c:v", PICTURES[codec],
                                 folder / f"{codec}.mkv")
        return made[codec]

    return in_codec


@pytest.mark.parametrize("ending, picture, sound", list(_pairs()))
def test_every_container_and_codec(tmp_path, pictures, ending, picture, sound):
    path = ffmpeg("-i", pictures(picture), "-i", wav(tmp_path / "a.wav", tone(channels=2)), "-map", "0:v", "-map", "1:a",
                  "-c:v", PICTURES["h264"] if (ending, picture) == ("avi", "h264") else "copy", "-c:a", SOUNDS[sound],
                  "-strict", "-2", tmp_path / f"a.{ending}")
    frames = list(video.read_frames(path))
    assert abs(len(frames) - FPS) <= 2 and np.abs(frames[0].astype(int) - frames[-1]).mean() > 1
    assert len(sound_of(path)) / SAMPLE_RATE == pytest.approx(1, abs=0.1)
    is_tone(read_speech(path))
    heard, rate = video_of(path, tmp_path)
    assert (rate, heard.shape[1]) == (48000, 2)
    is_tone(heard[:, 0], rate)


SPEECH_S, LATE_S = 2, 0.6


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Speech of two seconds in stereo at 48 kHz, and a still picture of three."""
    folder = tmp_path_factory.mktemp("spoken")
    ffmpeg("-i", wav(folder / "mono.wav", speak("Mama bought a boat.", seconds=SPEECH_S), SAMPLE_RATE), "-ar", 48000, "-ac", 2,
           folder / "speech.wav")
    video.write_video(folder / "picture.mp4", [portrait()] * 3 * FPS)
    return folder


def _odd(kind, spoken, folder):
    """A recording of `spoken` with something odd about it, and when its speech begins in it, in seconds."""
    speech, picture = spoken / "speech.wav", spoken / "picture.mp4"
    if kind == "late":
        return ffmpeg("-i", picture, "-itsoffset", LATE_S, "-i", speech, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a",
                      "aac", folder / "late.mkv"), LATE_S
    if kind == "second track":
        return ffmpeg("-i", picture, "-f", "lavfi", "-i", "anullsrc=r=48000:d=2", "-i", speech, "-map", "0:v", "-map", "1:a",
                      "-map", "2:a", "-c:v", "copy", "-c:a", "aac", folder / "tracks.mp4"), 0
    sound, rate = soundfile.read(speech)
    if kind == "no length":
        path = wav(folder / "length.wav", sound, rate)
        content = path.read_bytes()
        at = content.index(b"data") + 4
        path.write_bytes(content[:at] + b"\xff\xff\xff\xff" + content[at + 4:])
        return path, 0
    sound[:, 1] *= -1
    return wav(folder / "inverted.wav", sound, rate), 0


@pytest.mark.parametrize("kind", ["late", "second track", "no length", "inverted"])
def test_odd_sound_through_every_command(tmp_path, monkeypatch, spoken, predicted, kind):
    import predict
    from landmarks.sync.judge import sound_of as judged
    from main import main as make
    from preprocess.extract_fft import extract_clip
    from render.render import main as render
    monkeypatch.chdir(tmp_path)
    path, late_s = _odd(kind, spoken, tmp_path)
    wanted = read_speech(spoken / "speech.wav")
    voice = read_speech(path)
    start = round(late_s * SAMPLE_RATE)
    assert not late_s or np.abs(voice[:start - 800]).max() < 0.01
    assert level_dbfs(voice[start:start + len(wanted)]) == pytest.approx(level_dbfs(wanted), abs=1)

    assert len(judged(path)) == pytest.approx(len(voice), abs=SAMPLE_RATE // FPS)
    found = {}
    monkeypatch.setattr(predict, "predict_file", lambda speech, out, *_, **__: found.update(path=predict_file(speech, out)))
    assert command(predict.main, path).exit_code == 0
    assert len(artifacts.load(found["path"]).array) == n_frames_of(len(voice))
    row = extract_clip({"clip": "a", "sound": str(path)}, tmp_path / "fft", {})
    assert row["sound_frames"] == pytest.approx(n_frames_of(len(voice)), abs=1)

    image = tmp_path / "photo.png"
    ffmpeg("-i", spoken / "picture.mp4", "-frames:v", 1, image)
    moves = found["path"]
    for main, *words in ((make, "--image", image, "--audio", path, "--output", "predicted.mp4"),
                         (make, "--image", image, "--audio", path, "--motion", moves, "--output", "moved.mp4"),
                         (render, moves, "--renderer", "sketch", "--speech", path, "--out", "drawn.mp4")):
        done = command(main, *words, "--size", 128)
        assert done.exit_code == 0, done.stderr
        heard, rate = soundfile.read(ffmpeg("-i", words[-1], tmp_path / f"{Path(words[-1]).stem}.wav"), always_2d=True)
        assert (rate, heard.shape[1]) == (48000, 2)
        assert len(heard) / rate == pytest.approx(len(voice) / SAMPLE_RATE, abs=0.1)
        begun = heard[round(late_s * rate):round((late_s + SPEECH_S) * rate)]
        assert level_dbfs(begun.mean(1)) == pytest.approx(level_dbfs(wanted), abs=1.5), "both loudspeakers of one"
        assert not late_s or np.abs(heard[:round((late_s - 0.1) * rate)]).max() < 0.02


@pytest.mark.parametrize("ending, codec", [("ogv", "libvorbis"), ("ogv", "libopus"), ("avi", "libmp3lame"), ("avi", "aac"),
                                           ("avi", "pcm_s16le"), ("avi", "ac3")])
@pytest.mark.parametrize("late", [0.4, 1.2])
def test_sound_that_begins_late_in_containers_without_time_stamps(tmp_path, spoken, ending, codec, late):
    source = wav(tmp_path / "a.wav", tone(2.5))
    path = ffmpeg("-i", spoken / "picture.mp4", "-itsoffset", late, "-i", source, "-map", "0:v", "-map", "1:a", "-c:v",
                  "libtheora" if ending == "ogv" else "mpeg4", "-c:a", codec, "-t", 6, tmp_path / f"a.{ending}")
    assert onset_s(sound_of(path)) == pytest.approx(late, abs=0.06)
    heard, rate = video_of(path, tmp_path)
    assert onset_s(heard[:, 0], rate) == pytest.approx(late, abs=0.06)


@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame", "ac3"])
@pytest.mark.parametrize("picture_late", [0, 0.5])
def test_sound_of_an_avi_that_is_not_late_begins_at_once(tmp_path, spoken, codec, picture_late):
    source = wav(tmp_path / "a.wav", tone(2.5))
    path = ffmpeg("-itsoffset", picture_late, "-i", spoken / "picture.mp4", "-i", source, "-map", "0:v", "-map", "1:a", "-c:v",
                  "mpeg4", "-c:a", codec, tmp_path / "a.avi")
    assert onset_s(sound_of(path)) < 0.06


@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame"])
def test_an_avi_whose_header_says_when_its_sound_begins(tmp_path, spoken, codec):
    source = wav(tmp_path / "a.wav", tone(2.5))
    path = ffmpeg("-i", spoken / "picture.mp4", "-itsoffset", 0.6, "-i", source, "-map", "0:v", "-map", "1:a", "-c:v", "mpeg4",
                  "-c:a", codec, tmp_path / "a.avi")
    content = path.read_bytes()
    at = content.index(b"auds")
    scale, rate = (int.from_bytes(content[at + i:at + i + 4], "little") for i in (20, 24))
    path.write_bytes(content[:at + 28] + round(0.6 * rate / scale).to_bytes(4, "little") + content[at + 32:])
    assert onset_s(sound_of(path)) == pytest.approx(0.6, abs=0.06), "once, not twice"


def test_an_avi_with_a_second_of_sound_at_a_time_is_not_late(tmp_path):
    """Frames of a second, then their sound, as some cameras write: the order of pieces says nothing of time."""
    def chunk(name, content):
        return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)

    def stream(kind, scale, rate, block):
        return chunk(b"strh", kind + bytes(16) + scale.to_bytes(4, "little") + rate.to_bytes(4, "little") + bytes(16)
                     + block.to_bytes(4, "little"))

    header = chunk(b"LIST", b"hdrl" + stream(b"vids", 1, 25, 0) + stream(b"auds", 1, 16000, 2))
    second = b"".join(chunk(b"00dc", b"frame") for _ in range(25)) + chunk(b"01wb", bytes(32000))
    content = b"AVI " + header + chunk(b"LIST", b"movi" + second * 12)
    (tmp_path / "a.avi").write_bytes(b"RIFF" + len(content).to_bytes(4, "little") + content)
    assert late_s(tmp_path / "a.avi") == 0


@pytest.mark.parametrize("gap_s", [12, 40])
def test_a_long_gap_in_a_transport_stream_is_silence(tmp_path, gap_s):
    source = wav(tmp_path / "a.wav", np.concatenate([tone(), tone(1 + gap_s, hz=880)]))
    path = ffmpeg("-i", source, "-f", "lavfi", "-i", f"testsrc=s=32x32:r=25:d={gap_s + 2}", "-filter_complex",
                  f"[0:a]aselect='not(between(t,1,{0.98 + gap_s}))'[a]", "-map", "1:v", "-map", "[a]", "-c:a", "aac",
                  tmp_path / "a.ts")
    sound = sound_of(path)
    assert len(sound) / SAMPLE_RATE == pytest.approx(2 + gap_s, abs=0.1)
    is_tone(sound[round((1.05 + gap_s) * SAMPLE_RATE):round((1.9 + gap_s) * SAMPLE_RATE)], hz=880)


def test_two_transport_streams_one_behind_the_other_are_both_heard(tmp_path):
    one = ffmpeg("-i", wav(tmp_path / "a.wav", tone()), "-c:a", "aac", tmp_path / "one.ts")
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() * 2)
    assert 1.9 < len(sound_of(both)) / SAMPLE_RATE < 2.4


