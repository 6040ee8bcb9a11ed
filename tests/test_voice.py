"""The mouth rests while nobody speaks, and nothing of speech is cut."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import SENTENCES, VOICES, command, speak

from core import artifacts
from core.clock import FPS, SAMPLE_RATE, n_frames_of
from core.face import face68
from core.media.audio import level_dbfs, spectrum_of, write_wav
from landmarks.distort import shift_pitch
from landmarks.hearing import Loudness
from landmarks.lite import load_model
from landmarks.predict import predict, predict_as_stream, predict_file
from landmarks.voice import evaluate, gate
from landmarks.voice.evaluate import FREE, SETTLED_S, loud_frames, said
from landmarks.voice.gate import BREATH, LAG, PAUSE, Features, Voice, WholeVoice, through_pauses
from landmarks.voice.revoice import shrink, sing, whisper
from landmarks.voice.wordless import wordless, wordless_samples

AT_REST = 0.02  # of the motion in speech


@cache
def model():
    return load_model()


def power_of(sound):
    return model().power(spectrum_of(sound.astype(np.float32)))


def opening(sound, running=False, gated=True):
    by = predict_as_stream if running else predict
    return face68.mouth_opening(by(model(), sound.astype(np.float32), gated=gated))


def freedom(sound, whole=False):
    """How free the face is at each frame of `sound`."""
    power = power_of(sound)
    voice = WholeVoice(power) if whole else Voice()
    return np.concatenate([voice.push(power), voice.finish(power.shape[1:])])


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("name", wordless_samples())
def test_the_mouth_rests_without_words(name, running):
    moves = opening(wordless_samples()[name], running=running).std() / opening(speak(SENTENCES[0])).std()
    assert moves < AT_REST


def test_most_wordless_sounds_pass_nothing():
    kept = [freedom(0.1 * wordless(np.random.default_rng([7, i]), 4 * SAMPLE_RATE)).mean() for i in range(30)]
    assert np.mean(kept) < 0.07


@pytest.mark.parametrize("voice", sorted(set(VOICES)))
@pytest.mark.parametrize("gain_db, noise_db", [(0, None), (-35, None), (0, -15)])
def test_speech_is_free(voice, gain_db, noise_db):
    sound = speak(" ".join(SENTENCES[:2]), voice, seconds=4.5) * 10 ** (gain_db / 20)
    if noise_db is not None:
        sound = sound + np.random.default_rng(0).normal(0, 10 ** ((level_dbfs(sound) + noise_db) / 20), len(sound))
    assert (freedom(sound, whole=True) == 1).mean() > 0.96
    assert (freedom(sound)[FPS:] == 1).mean() > 0.97  # the level of soft speech has to be found first


def share_free(sound, counts, whole):
    """The share of the frames `counts`, bool [frame], that are free; `sound` may last longer than they."""
    return (freedom(sound, whole)[:len(counts)][counts] > FREE).mean()


@pytest.mark.parametrize("length, stays", [(1, True), (PAUSE - 1, True), (PAUSE, False), (3 * PAUSE, False)])
def test_short_pauses_of_a_recording_are_free(length, stays):
    free = np.repeat([0, 1, 0.1, 0.7, 0], [9, 2 * PAUSE, length, 2 * PAUSE, 9]).astype(np.float32)
    found = through_pauses(free)
    pause = slice(9 + 2 * PAUSE, 9 + 2 * PAUSE + length)
    np.testing.assert_allclose(found[pause], 0.7 if stays else 0.1)
    np.testing.assert_array_equal(np.delete(found, pause), np.delete(free, pause), "the rest at both ends is no pause")


@pytest.mark.parametrize("length, rests", [(30, False), (60, True)])
def test_a_recording_knows_that_the_voice_goes_on(length, rests, monkeypatch):
    free = np.repeat([1, 0, 1], [40, length, 40]).astype(np.float32)
    heard = SimpleNamespace(push=lambda power: free, finish=lambda shape: np.empty(0, np.float32))
    monkeypatch.setattr(gate, "Voice", lambda loudness: heard)
    assert (WholeVoice(np.ones((len(free), 4, 64), np.float32)).free.min() == 0) == rests


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("voice, pitch", [("en-us+f5", 99), ("en-us+f5", 90), ("de+f5", 99), ("hi+f5", 99), ("fr+f5", 95)])
def test_children_and_cartoons_are_free(voice, pitch, whole):
    sound = said(voice, pitch)
    assert share_free(sound, loud_frames(sound), whole) > 0.95


@pytest.mark.parametrize("semitones, whole", [(6, True), (9, True), (12, True), (6, False), (9, False)])
def test_high_voices_are_free(semitones, whole):
    sound = shift_pitch(speak(" ".join(SENTENCES[:2]), VOICES[2], seconds=4.5), semitones)
    assert share_free(sound, loud_frames(sound), whole) > (0.9 if whole else 0.75)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("mains_hz", [50, 60])
@pytest.mark.parametrize("hiss, below_db", [(0.1, 20), (0.3, 5), (0.3, 30), (1, 10)])
def test_hum_and_hiss_after_speech_move_nothing(mains_hz, hiss, below_db, whole):
    speech, t = speak(" ".join(SENTENCES[:2]), seconds=4.5), np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    hum = sum(np.sin(2 * np.pi * mains_hz * k * t) / k for k in range(1, 9))
    noise = hum / hum.std() + hiss * np.random.default_rng(0).normal(0, 1, len(t))
    sound = np.concatenate([speech, noise * speech.std() / noise.std() * 10 ** (-below_db / 20)])
    assert share_free(sound, loud_frames(speech), whole) > 0.95
    after = np.arange(n_frames_of(len(sound))) > (len(speech) / SAMPLE_RATE + SETTLED_S) * FPS
    assert share_free(sound, after, whole) < 0.2  # of 26 frames; eSpeak NG does not say a sentence twice alike


@pytest.mark.parametrize("running", [False, True])
def test_onset_and_closure_after_silence_are_not_cut(running):
    sound = np.concatenate([np.zeros(2 * SAMPLE_RATE), speak("Papa made a map.", seconds=1.5), np.zeros(2 * SAMPLE_RATE)])
    gated, free = (opening(sound, running=running, gated=gated) for gated in (True, False))
    spoken = slice(2 * FPS, int(3.5 * FPS))
    assert np.abs(gated - free)[spoken].max() < (0.3 if running else 0.1) * np.ptp(free)  # a stream lags a frame
    softness = 1.5 if running else 1.1  # of the fastest movement that was there before: no jumps
    assert np.abs(np.diff(gated)).max() <= softness * np.abs(np.diff(free)).max()
    rest = face68.mouth_opening(model().rest_face)
    np.testing.assert_allclose(gated[[0, FPS, -1, -FPS // 2]], rest, atol=1e-5)


def test_a_file_lets_the_mouth_open_before_the_voice():
    sound = np.concatenate([np.zeros(2 * SAMPLE_RATE), speak(SENTENCES[1], seconds=1)])
    first, first_of_stream = (int(np.argmax(freedom(sound, whole) == 1)) for whole in (True, False))
    assert first_of_stream - BREATH - 2 <= first <= first_of_stream - BREATH + 2


@pytest.mark.parametrize("seconds, says", [(4, "a voice in 0 % of 4 s: the face rests"), (0.4, "a voice in 0 % of 0.4 s: ")])
def test_a_recording_without_a_voice_says_so(seconds, says, tmp_path, capsys):
    silent = write_wav(tmp_path / "silent.wav", np.zeros(round(seconds * SAMPLE_RATE), np.float32))
    predict_file(silent, tmp_path / "out")
    assert says in capsys.readouterr().err


def test_speech_is_not_called_silent(speech, tmp_path, capsys):
    predict_file(speech, tmp_path / "out")
    assert "a voice in" not in capsys.readouterr().err


def test_it_looks_ahead_as_far_as_it_says():
    sound = np.concatenate([np.zeros(SAMPLE_RATE), speak(SENTENCES[1], seconds=1)])
    later = sound.copy()
    later[(30 + LAG) * 640 + 200:] = 0
    np.testing.assert_array_equal(freedom(later)[:30], freedom(sound)[:30])


def test_the_numpy_network_equals_keras():
    from landmarks.voice.train import network, weights
    net, rng = network(6, 5), np.random.default_rng(0)
    for variable in net.weights:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    power = rng.exponential(1, (40, 4, 64)).astype(np.float32)
    x = Features(Loudness()).push(power)
    voice = Voice(weights(net))
    np.testing.assert_allclose([voice._step(values) for values in x], np.asarray(net(x[None]))[0, :, 0], atol=1e-5)


def test_other_voices_keep_what_is_said():
    sound, rng = speak(SENTENCES[0]), np.random.default_rng(0)
    loud = loud_frames(sound)
    assert len(whisper(sound, rng)) == len(sound) and len(sing(sound, rng, 200, 1.5)) == round(1.5 * len(sound))
    assert abs(len(shrink(sound, 1.6)) - len(sound) / 1.6) < 2
    for changed in (whisper(sound, rng), sing(sound, rng, 200, 1.0)):
        assert (loud_frames(changed) == loud).mean() > 0.8


def test_the_measure_tells_a_good_detector_from_a_bad_one(tmp_path):
    sounds = [evaluate.voice("voices", speak(SENTENCES[0])),
              evaluate.Sound("noise", wordless(np.random.default_rng(1), SAMPLE_RATE), np.ones(FPS, bool), False)]
    judges = {"ours": evaluate.by_model(gate.voice_model(), True)}
    for name, probability in (("always", 1.0), ("never", 0.0)):
        judges[name] = evaluate.by_probability(lambda sound, p=probability: np.full(n_frames_of(len(sound)), p))
    found = evaluate.evaluate(judges, sounds)
    assert found["voices"]["free"]["ours"] > 0.95 and found["noise"]["free"]["ours"] < 0.3
    assert found["voices"]["free"]["never"] == found["noise"]["free"]["never"] == 0
    assert min(found["voices"]["free"]["always"], found["noise"]["free"]["always"]) > 0.9
    assert evaluate.as_markdown(found).count("\n") == 3


def test_training_makes_a_model(tmp_path):
    from landmarks.voice import train as train_voice
    from preprocess import list_recordings
    for i, sentence in enumerate(SENTENCES):
        (tmp_path / "speech" / f"{i % 2}").mkdir(parents=True, exist_ok=True)
        write_wav(tmp_path / "speech" / f"{i % 2}" / f"{i}.wav", speak(sentence))
    assert command(list_recordings.main, tmp_path / "speech", "--out", tmp_path).exit_code == 0
    out, trained = tmp_path / "record" / "00001" / "model.npz", tmp_path / "record" / "trained-voice"
    done = command(train_voice.main, "--index", tmp_path / "index.csv", "--record", out.parent.parent, "--trained", trained,
                   "--pieces", 8, "--epochs", 1)
    assert trained.read_text().strip() == str(out) and (out.parent / "done").is_file()
    assert done.exit_code == 0 and done.stdout.splitlines()[-1] == str(out), done.stderr
    assert artifacts.check(out, "voice-model")["options"]["pieces"] == 8
    with np.load(out, allow_pickle=False) as made:
        assert np.isfinite([made[name].sum() for name in made.files]).all()
    missing = command(train_voice.main, "--index", tmp_path / "none.csv", "--record", tmp_path / "b")
    assert missing.exit_code == 1 and "none.csv: no such file" in missing.stderr and not (tmp_path / "b").exists()
