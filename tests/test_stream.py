"""Landmarks while somebody speaks: pieces, look-ahead, standard input, drift."""

import os
import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from conftest import ROOT, SENTENCES, command, speak

from core import artifacts
from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.face import face68
from core.media.audio import spectrum_of, write_wav
from landmarks import stream
from landmarks.emphasis.style import STYLES
from landmarks.hearing import Whole
from landmarks.lite import FFT_MODEL
from landmarks.predict import load_model, predict
from landmarks.streaming import Stream
from landmarks.voice.gate import WholeVoice

LONG_S, PIECE_S = 300, 3
LOOK_AHEAD_S = 0.2  # what is promised


@cache
def model():
    return load_model()


@cache
def voice(seconds=2.0):
    return speak(SENTENCES[0], seconds=seconds)


def streamed(sound, n_piece, by=None, **options):
    live = Stream(by or model(), **options)
    pieces = [live.push(sound[start:start + n_piece]) for start in range(0, len(sound), n_piece)]
    return np.concatenate([*pieces, live.finish()])


@pytest.mark.parametrize("n_piece, seconds", [(SAMPLES_PER_FRAME, 2.0), (997, 1.99), (7, 0.3), (1, 0.03)])
def test_pieces_of_any_size_give_the_same_frames(n_piece, seconds):
    sound = voice()[:int(seconds * SAMPLE_RATE)]
    whole = streamed(sound, len(sound))
    assert whole.shape == (n_frames_of(len(sound)), face68.N_POINTS, 2) and whole.dtype == np.float32
    np.testing.assert_allclose(streamed(sound, n_piece), whole, atol=1e-4)


def test_a_stream_that_knows_the_recording_equals_the_file():
    sound, simple = voice(), load_model(FFT_MODEL)
    power = simple.power(spectrum_of(sound))
    informed = streamed(sound, SAMPLES_PER_FRAME, simple, hearing=Whole(power), voice=WholeVoice(power))
    np.testing.assert_allclose(informed, predict(simple, sound), atol=1e-4)


def test_a_stream_moves_the_mouth_as_the_file_does():
    sound = voice(4.0)
    stream, file = (face68.mouth_opening(face)[FPS:] for face in (streamed(sound, SAMPLES_PER_FRAME), predict(model(), sound)))
    assert np.corrcoef(stream, file)[0, 1] > 0.85


def test_frames_come_within_the_look_ahead_and_not_before_all_of_it_was_heard():
    live, sound, n_out = Stream(model()), voice(), 0
    assert live.look_ahead_s <= LOOK_AHEAD_S
    for end in range(0, len(sound) - 99, 100):
        n_out += len(live.push(sound[end:end + 100]))
        assert n_out == max(0, int(((end + 100) / SAMPLE_RATE - live.look_ahead_s) * FPS + 1e-6))
    known = round((30 / FPS + live.look_ahead_s) * SAMPLE_RATE)  # samples that the first 30 frames need
    later, sooner = sound.copy(), sound.copy()
    later[known:] = sooner[known - SAMPLES_PER_FRAME:] = 0
    np.testing.assert_array_equal(streamed(later, 640)[:30], streamed(sound, 640)[:30])
    assert np.abs(streamed(sooner, 640)[29] - streamed(sound, 640)[29]).max() > 1e-5


def held_bytes(thing, seen=()):
    """Memory of the arrays in an object of ours, and in those it holds."""
    if isinstance(thing, np.ndarray):
        return thing.nbytes if thing.base is None else max(thing.nbytes, thing.base.nbytes)
    inside = vars(thing).values() if type(thing).__module__.startswith(("core.media.audio", "landmarks.")) else ()
    return sum(held_bytes(part) for part in inside)


def test_memory_does_not_grow():
    live, sizes = Stream(model()), []
    for _ in range(8):
        for start in range(0, len(voice(3.0)), SAMPLES_PER_FRAME):  # longer than what the encoder hears again at each frame
            live.push(voice(3.0)[start:start + SAMPLES_PER_FRAME])
        sizes.append(held_bytes(live))
    assert sizes[0] == sizes[-1] > 10_000


def test_level_is_found_within_seconds():
    sound = speak(" ".join(SENTENCES), seconds=8)
    for by, least in ((load_model(FFT_MODEL), 0.9), (model(), 0.85)):  # the encoder hears 2.5 s of a stream at a time
        loud, soft = (face68.mouth_opening(streamed(gain * sound, 640, by))[2 * FPS:] for gain in (1, 0.03))
        whole = face68.mouth_opening(predict(by, sound))[2 * FPS:]
        assert np.corrcoef(loud, soft)[0, 1] > 0.95 and np.corrcoef(loud, whole)[0, 1] > least


def test_five_minutes_end_with_the_sound():
    piece = speak(SENTENCES[3], seconds=PIECE_S)
    face = predict(model(), np.tile(piece, LONG_S // PIECE_S))
    assert len(face) == LONG_S * FPS
    alone, last = face68.mouth_opening(predict(model(), piece)), face68.mouth_opening(face[-PIECE_S * FPS:])
    fits = {lag: np.corrcoef(np.roll(last, -lag)[10:-10], alone[10:-10])[0, 1] for lag in range(-8, 9)}
    assert abs(max(fits, key=fits.get)) <= 1 and max(fits.values()) > 0.9


def test_the_command_says_how_late_it_is(tmp_path):
    speech = write_wav(tmp_path / "speech.wav", voice())
    done = command(stream.main, speech, "--fast")
    assert done.exit_code == 0 and re.search(r"look-ahead +(\d+) ms", done.stdout)[1] == "171"
    assert "99th percentile" in done.stdout and re.search(r"frames +50\n", done.stdout)
    waited = float(re.search(r"after the end of their frame, median\n +(\d+) ms", command(stream.main, speech).stdout)[1])
    assert waited >= 171
    assert "no such file" in command(stream.main, tmp_path / "no.wav").stderr


def raw(sound):
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


def predict_stdin(sound, out, **options):
    return subprocess.run([sys.executable, ROOT / "predict.py", "-", "--out", out], input=sound, capture_output=True, cwd=ROOT,
                          **options)


def talk(done):
    """What a command said, but for what LiteRT says when it is loaded."""
    return [line for line in done.stderr.decode().splitlines() if not line.startswith("INFO: Created TensorFlow Lite")]


def test_standard_input_gives_a_line_a_frame_and_the_files(tmp_path):
    sound = np.frombuffer(raw(voice()), "<i2").astype(np.float32) / 32768
    done = predict_stdin(raw(voice()), tmp_path)
    assert done.returncode == 0 and str(tmp_path / "stdin" / "landmarks.npy") in done.stderr.decode()
    lines = np.array([line.split() for line in done.stdout.decode().splitlines()], float)
    np.testing.assert_allclose(lines[:, 0], np.arange(2 * FPS) / FPS)
    face = artifacts.load(tmp_path / "stdin" / "landmarks.npy", "landmarks-face").array
    np.testing.assert_allclose(lines[:, 1:], face.reshape(len(face), -1), atol=1e-4)
    np.testing.assert_allclose(face, streamed(sound, 640, style=STYLES["natural"]), atol=1e-4)
    assert (tmp_path / "stdin" / "landmarks.gif").is_file() and (tmp_path / "stdin" / "rest_face.npy").is_file()


def test_lines_come_while_the_sound_does(tmp_path):
    with subprocess.Popen([sys.executable, ROOT / "predict.py", "-", "--out", tmp_path], cwd=ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(raw(voice(1.0)))
        process.stdin.flush()
        for t in range(FPS - 5):
            assert process.stdout.readline().startswith(f"{t / FPS:.2f} ".encode())
        process.stdin.close()
        assert len(process.stdout.readlines()) == 5


@pytest.mark.parametrize("sound, said", [(b"", "0 bytes"), (b"\0" * 6401, "half a sample"), (b"RIFF" + b"\0" * 4000, "header")])
def test_bad_standard_input_gets_one_line_and_leaves_nothing(tmp_path, sound, said):
    done = predict_stdin(sound, tmp_path / "out")
    assert done.returncode == 1 and len(talk(done)) == 1
    assert said in talk(done)[0] and "s16le" in talk(done)[0]
    assert not (tmp_path / "out").exists()


def test_a_terminal_is_no_sound(tmp_path):
    ours, theirs = os.openpty()
    done = subprocess.run([sys.executable, ROOT / "predict.py", "-", "--out", tmp_path / "out"], stdin=theirs,
                          capture_output=True, cwd=ROOT)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1 and b"a terminal" in done.stderr and not (tmp_path / "out").exists()


def test_a_reader_that_leaves_is_no_error_to_talk_about(tmp_path):
    (tmp_path / "sound").write_bytes(raw(np.tile(voice(), 20)))
    script = f'"{sys.executable}" predict.py - --out "{tmp_path}/out" < "{tmp_path}/sound" | head -n 1'
    done = subprocess.run(script, shell=True, capture_output=True, cwd=ROOT)
    assert done.stdout.startswith(b"0.00 ") and not talk(done)
