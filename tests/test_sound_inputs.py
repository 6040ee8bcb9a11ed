"""What people have as sound: encodings and containers, late tracks, gaps, channels that cancel, tracks, headers that lie.

docs/inputs.md is the list in words. Inputs are made by the ffmpeg that comes with imageio-ffmpeg, a second long.
"""

import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
from conftest import ROOT, command
from imageio_ffmpeg import get_ffmpeg_exe

from core.clock import FPS, SAMPLE_RATE
from core.errors import InputError
from core.events import Warned
from core.media import riff, video
from core.media.audio import decode_any, level_dbfs, read_speech
from core.media.tracks import choose_track, mix_of
from core.models import Runner
from core.paths import LANDMARK_MODEL
from core.stage import listen, say, stage

HZ, LEVEL = 440, 0.5


def ffmpeg(*arguments):
    """Run ffmpeg; skip the test where it lacks an encoder."""
    done = subprocess.run([get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)], capture_output=True, text=True)
    if "Unknown encoder" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[0])
    assert done.returncode == 0, done.stderr
    return arguments[-1]


def tone(seconds=1.0, rate=48000, hz=HZ, channels=1, level=LEVEL):
    one = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(one[:, None], channels, 1).astype(np.float32)


def wav(path, sound, rate=48000, subtype="PCM_16", **how):
    soundfile.write(path, sound, rate, subtype, **how)
    return path


def sound_of(path):
    return np.concatenate([np.zeros(0, np.float32), *decode_any(path)])


def video_of(path, folder):
    """The sound of a video that is made with the recording `path`: samples [sample, channel] and their rate."""
    n_frames = max(1, round(len(read_speech(path)) / SAMPLE_RATE * FPS))
    made = video.write_video(folder / "made.mp4", [np.zeros((32, 32, 3), np.uint8)] * n_frames, speech=path)
    return soundfile.read(ffmpeg("-i", made, folder / "made.wav"), always_2d=True)


def onset_s(sound, rate=SAMPLE_RATE):
    """When the tone begins."""
    return np.flatnonzero(np.abs(sound) > LEVEL / 3)[0] / rate


def is_tone(sound, rate=SAMPLE_RATE, hz=HZ, level=LEVEL):
    middle = sound[len(sound) // 4:3 * len(sound) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * rate / len(middle) == pytest.approx(hz, abs=6)
    assert level_dbfs(middle) == pytest.approx(20 * np.log10(level / 2**0.5), abs=1.5)


@pytest.fixture
def said():
    """What is said as a warning, in a list."""
    lines = []
    listen(lambda event: lines.append(str(event)) if isinstance(event, Warned) else None)
    yield lines
    listen(None)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Two seconds of moving picture without sound, at 25 a second."""
    return ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast",
                  tmp_path_factory.mktemp("picture") / "picture.mp4")


WAVS = [(kind, subtype) for kind in ("WAV", "WAVEX", "RF64", "W64") for subtype in soundfile.available_subtypes(kind)
        if subtype != "MPEG_LAYER_III"]


@pytest.mark.parametrize("kind, subtype", WAVS)
def test_every_encoding_of_wav(tmp_path, kind, subtype):
    rate = 8000 if subtype == "GSM610" else 16000
    path = wav(tmp_path / "a.wav", tone(1, rate), rate, subtype, format=kind)
    is_tone(read_speech(path)[:SAMPLE_RATE])
    heard, heard_rate = video_of(path, tmp_path)
    assert heard_rate == rate
    is_tone(heard[:, 0], rate)


def test_a_big_endian_wav(tmp_path):
    path = wav(tmp_path / "a.wav", tone(), endian="BIG")
    is_tone(read_speech(path))
    heard, rate = video_of(path, tmp_path)
    is_tone(heard[:, 0], rate)


SOUNDS = [("m4a", "aac"), ("m4a", "alac"), ("mp3", "libmp3lame"), ("ogg", "libvorbis"), ("opus", "libopus"), ("flac", "flac"),
          ("mka", "ac3"), ("aiff", "pcm_s16be"), ("au", "pcm_s16be"), ("wma", "wmav2"), ("caf", "pcm_s16le"), ("aac", "aac"),
          ("ac3", "ac3"), ("wv", "wavpack"), ("mp2", "mp2"), ("eac3", "eac3"), ("amr", "libopencore_amrnb"), ("tta", "tta")]


@pytest.mark.parametrize("ending, codec", SOUNDS)
def test_a_video_keeps_rate_channels_and_level(tmp_path, ending, codec):
    rate, channels = (8000, 1) if ending == "amr" else (48000, 2)
    source = wav(tmp_path / "source.wav", tone(1, rate, channels=channels), rate)
    path = ffmpeg("-i", source, "-c:a", codec, tmp_path / f"a.{ending}")
    heard, heard_rate = video_of(path, tmp_path)
    assert (heard_rate, heard.shape[1]) == (rate, channels)
    is_tone(heard[:, 0], rate)
    is_tone(read_speech(path))


VIDEOS = [("mp4", "libx264", "aac"), ("mp4", "mpeg4", "ac3"), ("mp4", "libx264", "libmp3lame"), ("mov", "libx264", "pcm_s16le"),
          ("mkv", "libx264", "libopus"), ("mkv", "mpeg4", "pcm_s16le"), ("webm", "libvpx-vp9", "libopus"),
          ("mp4", "libsvtav1", "libopus"), ("avi", "mpeg4", "libmp3lame"), ("avi", "libx264", "pcm_s16le"),
          ("ogv", "libtheora", "libvorbis"), ("ts", "libx264", "aac"), ("flv", "libx264", "aac"), ("3gp", "mpeg4", "aac"),
          ("mpg", "mpeg2video", "mp2"), ("wmv", "wmv2", "wmav2"), ("mkv", "ffv1", "flac")]


@pytest.mark.parametrize("ending, picture_codec, sound_codec", VIDEOS)
def test_every_kind_of_video(tmp_path, ending, picture_codec, sound_codec):
    source = wav(tmp_path / "source.wav", tone(channels=2))
    path = ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=1", "-i", source, "-c:v", picture_codec, "-c:a", sound_codec,
                  "-strict", "-2", tmp_path / f"a.{ending}")
    assert abs(len(list(video.read_frames(path))) - FPS) <= 2
    assert len(sound_of(path)) / SAMPLE_RATE == pytest.approx(1, abs=0.12)
    heard, rate = video_of(path, tmp_path)
    assert (rate, heard.shape[1]) == (48000, 2)
    is_tone(heard[:, 0], rate)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov", "ts", "flv", "webm"])
@pytest.mark.parametrize("late", [0.4, 0.12])
def test_sound_that_begins_late_begins_late(tmp_path, picture, ending, late):
    codecs = ("-c:v", "libvpx-vp9", "-c:a", "libopus") if ending == "webm" else ("-c:v", "copy", "-c:a", "aac")
    path = ffmpeg("-i", picture, "-itsoffset", late, "-i", wav(tmp_path / "a.wav", tone()), "-map", "0:v", "-map", "1:a",
                  *codecs, tmp_path / f"late.{ending}")
    assert onset_s(sound_of(path)) == pytest.approx(late, abs=0.03)
    heard, rate = video_of(path, tmp_path)
    assert onset_s(heard[:, 0], rate) == pytest.approx(late, abs=0.03)
    assert abs(len(list(video.read_frames(path))) - 2 * FPS) <= 1


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts", "flv"])
def test_a_picture_that_begins_late_stands_still_until_then(tmp_path, picture, ending):
    path = ffmpeg("-itsoffset", "0.4", "-i", picture, "-i", wav(tmp_path / "a.wav", tone()), "-map", "0:v", "-map", "1:a",
                  "-c:v", "libx264", "-c:a", "aac", tmp_path / f"a.{ending}")
    frames = list(video.read_frames(path))
    assert abs(len(frames) - 2.4 * FPS) <= 2
    assert onset_s(sound_of(path)) < 0.06
    changes = [t for t in range(1, len(frames)) if np.abs(frames[t].astype(int) - frames[0]).mean() > 4]
    assert changes[0] / FPS >= 0.36


@pytest.mark.parametrize("gap_s", [0.1, 0.6, 1.4])
@pytest.mark.parametrize("ending, codec", [("mkv", "libopus"), ("mkv", "pcm_s16le"), ("mp4", "aac"), ("ts", "aac")])
def test_a_gap_is_silence(tmp_path, picture, gap_s, ending, codec):
    source = wav(tmp_path / "a.wav", np.concatenate([tone(), tone(1 + gap_s, hz=880)]))
    path = ffmpeg("-i", source, "-i", picture, "-filter_complex", f"[0:a]aselect='not(between(t,1,{0.98 + gap_s}))'[a]", "-map",
                  "1:v", "-map", "[a]", "-c:v", "copy", "-c:a", codec, tmp_path / f"a.{ending}")
    heard, rate = video_of(path, tmp_path)
    for sound, hz in ((sound_of(path), SAMPLE_RATE), (heard[:, 0], rate)):
        assert len(sound) / hz == pytest.approx(2 + gap_s, abs=0.1)
        is_tone(sound[:hz], hz)
        is_tone(sound[round((1.05 + gap_s) * hz):round((1.9 + gap_s) * hz)], hz, 880)


def test_frames_follow_their_time_stamps(tmp_path):
    path = ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=50:d=2", "-vf", "select='lt(t,1)+not(mod(n,5))'", "-fps_mode", "vfr",
                  "-c:v", "libx264", tmp_path / "vfr.mkv")  # 50 a second, then 10
    steady = ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2", tmp_path / "steady.mkv")
    found, wanted = (list(video.read_frames(p)) for p in (path, steady))
    assert abs(len(found) - len(wanted)) <= 2
    for t in (5, 20, 30, 40):
        assert np.argmin([np.abs(frame.astype(int) - found[t]).mean() for frame in wanted]) == pytest.approx(t, abs=3)


def test_an_edit_list_is_followed(tmp_path, picture):
    whole = ffmpeg("-i", picture, "-i", wav(tmp_path / "a.wav", np.concatenate([0 * tone(), tone()])), "-c:v", "copy", "-c:a",
                   "aac", tmp_path / "whole.mp4")
    cut = ffmpeg("-ss", "0.5", "-i", whole, "-c", "copy", tmp_path / "cut.mp4")  # the picture from its key frame on, not shown
    n_frames = len(list(video.read_frames(cut)))
    assert n_frames / FPS - len(sound_of(cut)) / SAMPLE_RATE == pytest.approx(0, abs=0.1)
    assert onset_s(sound_of(cut)) == pytest.approx(0.5, abs=0.05)


def _stereo(left, right, path):
    return wav(path, np.stack([left[:, 0], right[:, 0]], 1))


@pytest.mark.parametrize("right, level", [
    (-1.0, LEVEL), (-0.8, 0.9 * LEVEL), (0.0, LEVEL), (0.001, LEVEL), (1.0, LEVEL)],
    ids=["inverted", "mid-side", "silent", "nearly silent", "alike"])
@pytest.mark.parametrize("ending", ["wav", "m4a", "ogg"])
def test_two_channels_never_cancel(tmp_path, right, level, ending):
    path = _stereo(tone(), right * tone(), tmp_path / "source.wav")
    if ending != "wav":
        path = ffmpeg("-i", path, "-b:a", "192k", tmp_path / f"a.{ending}")
    is_tone(read_speech(path), level=level)
    heard, rate = video_of(path, tmp_path)
    assert (rate, heard.shape[1]) == (48000, 2)
    is_tone(heard[:, 0], rate)
    assert np.abs(heard.mean(1)).max() > LEVEL / 3  # also through the one loudspeaker of a phone


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("ending", ["wav", "m4a"])
def test_a_channel_that_is_inverted_for_a_while_does_not_cancel(tmp_path, share, ending):
    one = tone(10)
    other = one * np.where(np.arange(len(one)) < share * len(one), 1, -1)[:, None]
    path = _stereo(one, other, tmp_path / "source.wav")
    path = path if ending == "wav" else ffmpeg("-i", path, "-b:a", "192k", tmp_path / "a.m4a")
    sound = read_speech(path)
    is_tone(sound[:SAMPLE_RATE])
    is_tone(sound[-2 * SAMPLE_RATE:])


@pytest.mark.parametrize("signs", [(1, -1, 1, -1), (1, -1, 0, 0, 0, 0, 0, 0), (1, 1, -1, -1)])
def test_many_channels_that_cancel_sound(tmp_path, signs):
    path = wav(tmp_path / "a.wav", tone() * np.array(signs))
    is_tone(read_speech(path))
    heard, rate = video_of(path, tmp_path)
    is_tone(heard.mean(1), rate)


def test_an_inverted_channel_is_said_and_other_stereo_is_left_alone(tmp_path, said):
    read_speech(_stereo(tone(), -tone(), tmp_path / "inverted.wav"))
    assert len(said) == 1 and "inverted.wav" in said[0] and "cancel" in said[0]
    two = _stereo(tone(), tone(hz=300), tmp_path / "two people.wav")
    read_speech(two)
    heard, rate = video_of(two, tmp_path)
    is_tone(heard[:, 0], rate)
    is_tone(heard[:, 1], rate, 300)
    assert len(said) == 1


@pytest.mark.parametrize("layout, n, at", [("5.1", 6, 2), ("7.1", 8, 2), ("3.0", 3, 2), ("5.1", 6, 0), ("quad", 4, 3)])
@pytest.mark.parametrize("ending", ["wav", "m4a", "flac"])
def test_the_voice_in_one_of_many_channels_is_found(tmp_path, layout, n, at, ending):
    sound = np.zeros((48000, n), np.float32)
    sound[:, at] = tone()[:, 0]
    path = wav(tmp_path / "source.wav", sound)
    path = ffmpeg("-channel_layout", layout, "-i", path, "-b:a", "400k", tmp_path / f"a.{ending}")
    is_tone(read_speech(path))
    heard, rate = video_of(path, tmp_path)
    assert rate == 48000 and heard.shape[1] >= min(n, 4)
    assert np.abs(heard).max() == pytest.approx(LEVEL, abs=0.1)


def test_the_centre_speaks_where_music_surrounds_it():
    music, voice = 1.0, 0.1
    power = np.diag([music, music, voice, music, music, music])
    assert mix_of(power) == (0, 0, 1, 0, 0, 0)
    assert sum(mix_of(np.ones((2, 2)))) == pytest.approx(1)
    assert mix_of(np.zeros((2, 2))) == (0.5, 0.5)
    one_off = np.ones((4, 4))
    one_off[3, :3] = one_off[:3, 3] = -1
    assert mix_of(one_off) == (0.25, 0.25, 0.25, -0.25)


def test_sixteen_channels_sound(tmp_path):
    path = wav(tmp_path / "a.wav", tone(channels=16))
    is_tone(read_speech(path))
    heard, rate = video_of(path, tmp_path)
    is_tone(heard[:, 0], rate)


def _tracks(path, *sounds, codec="aac"):
    files = [wav(path.with_name(f"{i}.wav"), sound) for i, sound in enumerate(sounds)]
    inputs = [word for file in files for word in ("-i", file)]
    maps = [word for i in range(len(files)) for word in ("-map", f"{i}:a")]
    return ffmpeg(*inputs, *maps, "-c:a", codec, path)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("first", [0.0, 0.002])
def test_the_track_with_sound_is_taken_and_that_is_said(tmp_path, said, ending, first):
    path = _tracks(tmp_path / f"a.{ending}", first * tone(channels=2), tone())
    is_tone(read_speech(path))
    heard, rate = video_of(path, tmp_path)
    is_tone(heard[:, 0], rate)
    assert len(said) == 1 and "track 1 is silent" in said[0] and "track 2 of 2" in said[0]


def test_the_first_of_two_tracks_with_sound_is_taken(tmp_path, said):
    path = _tracks(tmp_path / "a.mkv", tone(), tone(hz=880))
    is_tone(read_speech(path))
    assert choose_track(path).number == 0 and not said


def test_a_third_track_and_silence_in_all(tmp_path, said):
    is_tone(read_speech(_tracks(tmp_path / "third.mkv", 0 * tone(), 0 * tone(), tone())))
    assert "tracks 1 to 2 are silent" in said.pop()
    assert not read_speech(_tracks(tmp_path / "none.mkv", 0 * tone(), 0 * tone())).any()
    assert "all 2 sound tracks are silent" in said[0]


def test_a_track_that_nobody_can_decode_is_passed_over(tmp_path):
    path = _tracks(tmp_path / "a.mov", tone(hz=880), tone(), codec="pcm_s16le")
    content = path.read_bytes()
    at = content.index(b"sowt", content.index(b"stsd"))
    path.write_bytes(content[:at] + b"apac" + content[at + 4:])
    is_tone(read_speech(path))


@pytest.mark.parametrize("ending", ["wav", "m4a", "mp3"])
@pytest.mark.parametrize("offset", [0.0, 0.1], ids=["zero", "a constant"])
def test_a_silent_recording_is_said_in_one_line(tmp_path, said, ending, offset):
    if offset and ending != "wav":
        pytest.skip("codecs take a constant away, with a click")
    path = wav(tmp_path / "source.wav", 0 * tone() + offset)
    path = path if ending == "wav" else ffmpeg("-i", path, tmp_path / f"a.{ending}")
    read_speech(path)
    assert len(said) == 1 and "silent" in said[0] and path.name in said[0]


def _chunk(name, content, length=None, fill=b"\0"):
    length = len(content) if length is None else length
    return name + struct.pack("<I", length) + content + (fill if len(content) % 2 else b"")


LIST = _chunk(b"LIST", b"INFOISFTabcd")


def _with_length(path, of_data, of_riff=None, sound=None, extra=b"", before=b""):
    """A .wav of 16 bits whose header gives the length `of_data`, with chunks `before` the sound and bytes after it."""
    data = (32767 * (tone(rate=16000) if sound is None else sound)[:, 0]).astype("<i2").tobytes()
    of_data = len(data) + of_data if abs(of_data) < 9999 and of_data else of_data
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + before + b"data" + struct.pack("<I", of_data)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(data) if of_riff is None else of_riff) + head + data + extra)
    return path


@pytest.mark.parametrize("of_data, of_riff", [
    (0, None), (0, 0), (0x7FFFF000, 0x7FFFF024), (0x7FFFFFFF, None), (0x80000000, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFD8, 0),
    (-2, None), (-44, 0), (-2048, None), (2, None), (44, 0), (2048, 0xFFFFFFFF), (2_000_000_000, None), (16000, None)])
@pytest.mark.parametrize("behind", [b"", "LIST"])
def test_a_length_that_lies_hides_no_sound(tmp_path, of_data, of_riff, behind):
    path = _with_length(tmp_path / "a.wav", of_data, of_riff, extra=behind and LIST)
    sound = read_speech(path)
    assert len(sound) == len(sound_of(path)) == SAMPLE_RATE, "the chunk behind it is no sound"
    is_tone(sound)
    heard, rate = video_of(path, tmp_path)
    assert len(heard) / rate == pytest.approx(1, abs=0.07)
    is_tone(heard[:rate, 0], rate)



@pytest.mark.parametrize("extra, before", [
    (LIST, b""), (b"", LIST), (b"", b"JUNK" + struct.pack("<I", 28) + bytes(28)), (b"TAG" + b"song" * 31, b""),
    (b"id3 " + struct.pack("<I", 6) + b"ID3abc", b""), (b"", b"odd " + struct.pack("<I", 3) + b"abc\0"),
    (b"", b"bext" + struct.pack("<I", 602) + bytes(602)), (bytes(512), b"")],
    ids=["LIST after", "LIST before", "JUNK", "ID3v1", "id3 chunk", "odd chunk", "bext", "padding"])
def test_chunks_are_no_sound(tmp_path, extra, before):
    sound = read_speech(_with_length(tmp_path / "a.wav", 32000, extra=extra, before=before))
    assert len(sound) == SAMPLE_RATE
    is_tone(sound)


SECOND = (32767 * tone(rate=16000)[:, 0]).astype("<i2").tobytes()
PLAIN = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
FMT, DATA, TEXT = _chunk(b"fmt ", PLAIN), _chunk(b"data", SECOND), b"INFOICMT\x0c\0\0\0metadata hey"


def _ds64(n_bytes):
    return _chunk(b"ds64", struct.pack("<QQQI", n_bytes, n_bytes, 0, 0))


IN_DS64 = _chunk(b"data", SECOND, 0xFFFFFFFF)


@pytest.mark.parametrize("chunks", {
    "odd, not filled": [FMT, _chunk(b"odd ", b"abc", fill=b""), DATA],
    "odd, not filled, and long": [FMT, _chunk(b"id3 ", b"ID3" + bytes(200_000), fill=b""), DATA],
    "odd before the format": [_chunk(b"JUNK", bytes(27), fill=b""), FMT, DATA],
    "three odd, and no length": [_chunk(b"JUNK", bytes(27), fill=b""), FMT, _chunk(b"bext", bytes(603), fill=b""),
                                 _chunk(b"data", SECOND, 0)],
    "a length of 0": [FMT, _chunk(b"LIST", TEXT, 0), DATA],
    "too short": [FMT, _chunk(b"LIST", TEXT, 7), DATA],
    "too long": [FMT, _chunk(b"LIST", TEXT, len(TEXT) + 4), DATA],
    "beyond the file": [FMT, _chunk(b"LIST", TEXT, 0xFFFFFFFF), DATA],
    "beyond the file, first": [_chunk(b"LIST", TEXT, 0xFFFFFFF0), FMT, DATA],
    "format of 18 said 16": [_chunk(b"fmt ", PLAIN + b"\0\0", 16), DATA],
    "format of 16 said 18": [_chunk(b"fmt ", PLAIN, 18), DATA],
    "format said 0": [_chunk(b"fmt ", PLAIN, 0), DATA],
    "no bytes a second": [_chunk(b"fmt ", PLAIN[:8] + bytes(6) + PLAIN[14:]), DATA],
    "an empty one first": [FMT, _chunk(b"data", b""), DATA],
    "RF64": [b"RF64", _ds64(32000), FMT, IN_DS64],
    "RF64 of 0": [b"RF64", _ds64(0), FMT, IN_DS64],
    "RF64 without end": [b"RF64", _ds64(2**64 - 1), FMT, IN_DS64],
    "RF64 without its chunk": [b"RF64", FMT, IN_DS64],
    "RF64 with a plain length": [b"RF64", _ds64(0), FMT, DATA],
    "BW64": [b"BW64", _ds64(32000), FMT, IN_DS64],
    "behind a tag": [b"ID3\4\0\0\0\0\0\x0a" + bytes(10), b"RIFF", FMT, DATA],
}.items(), ids=lambda named: named[0])
def test_chunks_that_lie_hide_no_sound(tmp_path, chunks):
    before = [chunk for chunk in chunks[1] if len(chunk) == 4 or chunk.startswith(b"ID3")] or [b"RIFF"]
    content = b"WAVE" + b"".join(chunk for chunk in chunks[1] if chunk not in before)
    path = tmp_path / "a.wav"
    path.write_bytes(b"".join(before) + struct.pack("<I", len(content)) + content)
    for sound in (read_speech(path), sound_of(path)):
        assert len(sound) == SAMPLE_RATE
        is_tone(sound)
    heard, rate = video_of(path, tmp_path)
    assert len(heard) / rate == pytest.approx(1, abs=0.07)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT", "ULAW", "IMA_ADPCM", "MS_ADPCM"])
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_length_that_lies_in_other_encodings(tmp_path, subtype, length):
    path = wav(tmp_path / "a.wav", tone(rate=16000), 16000, subtype)
    content = path.read_bytes()
    at = content.index(b"data") + 4
    path.write_bytes(content[:at] + struct.pack("<I", length) + content[at + 4:])
    assert len(read_speech(path)) == pytest.approx(SAMPLE_RATE, abs=300)  # the last block of ADPCM is filled
    is_tone(read_speech(path)[:SAMPLE_RATE])


def test_a_copy_with_a_true_header_is_made_only_where_it_lies(tmp_path):
    true = wav(tmp_path / "true.wav", tone())
    with riff.with_true_header(true) as plain:
        assert plain == true
    with riff.with_true_header(_with_length(tmp_path / "a.wav", 0)) as plain:
        assert soundfile.info(plain).frames == 16000
    assert not plain.exists()


@pytest.mark.parametrize("kind", ["wav", "w64", "aiff", "au", "caf", "flac", "ogg", "mp3", "adts", "matroska", "webm", "mpegts",
                                  "flv", "voc", "avi"])
def test_what_was_written_to_a_pipe_is_read_whole(tmp_path, kind):
    source = wav(tmp_path / "source.wav", tone(2))
    rate = ["-ar", "44100"] if kind == "flv" else []
    piped = subprocess.run([get_ffmpeg_exe(), "-v", "error", "-i", str(source), *rate, "-f", kind, "-"], capture_output=True)
    path = tmp_path / f"a.{kind}"
    path.write_bytes(piped.stdout)
    if kind == "au":
        path.write_bytes(piped.stdout[:8] + bytes(4) + piped.stdout[12:])
    sound = read_speech(path)
    assert len(sound) / SAMPLE_RATE == pytest.approx(2, abs=0.08)
    is_tone(sound)


def test_what_is_cut_off_is_said(tmp_path, said):
    read_speech(_with_length(tmp_path / "little.wav", 3200))
    assert len(said) == 1 and "last 100 ms" in said[0] and "little.wav" in said[0]
    with pytest.raises(InputError, match="truncated: 32000 of 64000"):
        read_speech(_with_length(tmp_path / "half.wav", 64000))


def test_a_wrong_ending_is_no_obstacle(tmp_path):
    song = ffmpeg("-i", wav(tmp_path / "a.wav", tone()), tmp_path / "a.mp3")
    for name in ("song.wav", "song", "song.m4a"):
        is_tone(read_speech(song.rename(song.with_name(name))))
        song = song.with_name(name)


def test_a_cover_is_no_video(tmp_path):
    cover = ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:d=0.04", "-frames:v", "1", tmp_path / "cover.png")
    path = ffmpeg("-i", wav(tmp_path / "a.wav", tone()), "-i", cover, "-map", "0", "-map", "1", "-c:v", "mjpeg",
                  "-disposition:v", "attached_pic", tmp_path / "a.m4a")
    is_tone(sound_of(path))
    with pytest.raises(InputError, match=r"a\.m4a"):
        list(video.read_frames(path))


def test_libraries_say_nothing(tmp_path, capfd, picture):
    turned = ffmpeg("-display_rotation", "90", "-i", picture, "-c", "copy", tmp_path / "turned.mp4")
    assert next(video.read_frames(turned)).shape == (64, 48, 3)
    mel = Runner("mel", model_path=str(LANDMARK_MODEL))
    mel(spectrum=np.zeros((2, 4, 257), np.float32))
    print("ours", file=sys.stderr)
    assert capfd.readouterr().err == "ours\n"


@pytest.mark.parametrize("line", [
    "from learn.tensorflow import keras, tf; keras.layers.Dense(2)(tf.zeros([1, 3]))",
    "import os; from core.models import without_noise\nwith without_noise(): os.write(2, b'INFO: a\\nI0000 0 b\\nE0000 0 c')"],
    ids=["TensorFlow", "others"])
def test_trainings_say_nothing_of_libraries(line):
    done = subprocess.run([sys.executable, "-c", f"import core.stage; {line}"], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_library_that_warns_is_not_heard_in_a_command():
    @stage(reads="-", writes="-")
    def main():
        """Warn."""
        import warnings
        warnings.warn("of a library", RuntimeWarning, 1)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert command(main).exit_code == 0
    assert not heard


def test_quiet_leaves_warnings_and_errors(tmp_path):
    @stage(reads="-", writes="-")
    def main():
        """Talk."""
        say("progress")
        from core.stage import tell
        tell(Warned("look here"))
        raise InputError("a", "wrong")

    assert command(main).stderr == "progress\nwarning: look here\nerror: a: wrong\n"
    assert command(main, "--quiet").stderr == "warning: look here\nerror: a: wrong\n"


def test_no_bar_and_no_bare_label_where_nobody_watches(capsys):
    from core.stage import progress
    with progress([1, 2], "voice") as bar:
        assert list(bar) == [1, 2]
    assert capsys.readouterr().err == ""
