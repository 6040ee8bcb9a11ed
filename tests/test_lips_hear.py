"""Lips and the speech encoder: learning from its features, what of a sound they follow, and life without its package."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import SENTENCES, command, describe, speak
from test_landmarks import SMALL, pack  # noqa: F401

from core.clock import FPS, SAMPLES_PER_FRAME
from core.face import face68
from core.media.audio import write_wav
from landmarks import lite
from landmarks.dataset import Clip
from landmarks.ear.encoder import N_VALUES, say_missing
from landmarks.ear.layers import LIPS, N_LAYERS
from landmarks.emotion import ear as emotion_ear
from landmarks.features import CONTEXT, LOOK_AHEAD
from landmarks.lite import EAR_MODEL, FFT_MODEL, load_model, sum_of
from landmarks.predict import predict, predict_file
from landmarks.streaming import Stream

pytest.importorskip("ctranslate2")
AHEAD = LOOK_AHEAD + 2  # frames: what a stream may hear beyond a frame


@pytest.fixture
def ear_pack(pack, tmp_path):  # noqa: F811
    """An ear-pack of the clips of `pack`, two versions of each, made up."""
    rng = np.random.default_rng(0)
    with h5py.File(pack) as clips, h5py.File(tmp_path / "ear.h5", "w") as file:
        n = clips["n_frames"][:] + CONTEXT
        file["name"], file["start"] = clips["name"][:], np.cumsum(n) - n
        for name, frames in (("", n.sum()), ("quiet_", 30)):
            shape = (2, frames) if not name else (3, frames)
            file[f"{name}ear"] = rng.normal(size=(*shape, 768)).astype(np.float16)
    return describe(tmp_path / "ear.h5", "ear-pack")


def test_a_network_learns_from_the_ear_and_is_used_like_any(pack, ear_pack, tmp_path):  # noqa: F811
    from landmarks import join, train
    small = [f"--{name}={value}" for name, value in SMALL.items() if name not in ("rnn", "ear", "ear_dropout")]
    of_ear, of_mel = (Path(command(train.main, "--pack", pack, *ear, "--record", tmp_path, *small).stdout.strip())
                      for ear in (("--ear", ear_pack), ()))
    sound = speak(SENTENCES[0], seconds=1.0)
    for path, reads in ((of_ear, "ear"), (of_mel, "features")):
        model = load_model(path)
        assert model.reads == (reads,)
        assert predict(model, sound).shape == (FPS, face68.N_POINTS, 2)
    mixed = command(join.main, of_ear, of_mel, "--record", tmp_path)
    assert mixed.exit_code == 1 and "other features" in mixed.stderr
    joined = command(join.main, of_ear, of_ear, "--record", tmp_path)
    np.testing.assert_allclose(predict(load_model(joined.stdout.strip()), sound), predict(load_model(of_ear), sound), atol=1e-5)


@pytest.mark.parametrize(("options", "n_layers"), [({}, N_LAYERS), ({"layers": LIPS}, LIPS), ({"layers": 1}, 1)])
def test_a_model_reads_the_layers_it_learnt_from(pack, ear_pack, tmp_path, options, n_layers):  # noqa: F811
    from landmarks import join, train
    ear_pack = describe(ear_pack, "ear-pack", options=options)
    small = [f"--{name}={value}" for name, value in SMALL.items() if name not in ("rnn", "ear", "ear_dropout")]
    one = Path(command(train.main, "--pack", pack, "--ear", ear_pack, "--record", tmp_path, *small).stdout.strip())
    joined = command(join.main, one, one, "--record", tmp_path).stdout.strip()
    assert [load_model(path).encoder.n_layers for path in (one, joined)] == [n_layers, n_layers]


def test_a_pack_of_other_layers_is_refused(pack, ear_pack):  # noqa: F811
    from landmarks import evaluate
    done = command(evaluate.main, "--pack", pack, "--ear", describe(ear_pack, "ear-pack", options={"layers": 3}))
    assert done.exit_code == 1 and f"landmarks.ear.pack --layers {LIPS}" in done.stderr and "after 3 layers" in done.stderr


def test_the_shipped_model_reads_half_of_the_encoder():
    assert load_model(EAR_MODEL).encoder.n_layers == LIPS


def test_components_are_uncorrelated_and_of_one_size():
    from landmarks.train import principal_axes
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(4000, N_VALUES)) @ rng.normal(size=(N_VALUES, N_VALUES)) + 5
    ear = np.repeat(mixed.reshape(-1, 2 * N_VALUES).astype(np.float16), 5, 0)
    mean, axes = principal_axes([Clip("a/b", "a", None, None, None, versions=(ear,))], 20)
    found = (ear.reshape(-1, N_VALUES).astype(float) - mean) @ axes
    np.testing.assert_allclose(found.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(np.cov(found, rowvar=False), np.eye(20), atol=0.02)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_network_begins_near_rest(seed):
    """Far from rest the first steps put out units for good: of one architecture no network learnt at all."""
    from landmarks.model import untrained
    from learn.tensorflow import keras
    keras.utils.set_random_seed(seed)
    network = untrained(np.zeros((face68.N_POINTS, 2)), {**SMALL, "ear": True, "width": 160, "hidden": 160, "rank": 32})
    sound = {"ear": np.random.default_rng(seed).normal(size=(1, 20 + CONTEXT, 2 * N_VALUES)).astype(np.float32)}
    assert 0 < np.abs(network(sound)).mean() < 0.05


def test_an_ear_pack_of_other_clips_is_refused(pack, ear_pack, tmp_path):  # noqa: F811
    from landmarks import train
    with h5py.File(ear_pack, "a") as file:
        file["name"][0] = b"folder/other"
    done = command(train.main, "--pack", pack, "--ear", describe(ear_pack, "ear-pack"), "--record", tmp_path / "runs")
    assert done.exit_code == 1 and "of other clips" in done.stderr and "landmarks.ear.pack" in done.stderr


@pytest.mark.parametrize("at", [20, 33])
def test_a_stream_follows_the_past_and_no_future(at):
    sound, model = speak(SENTENCES[0], seconds=2.0), load_model(EAR_MODEL)

    def first_frames(sound):
        stream = Stream(model)
        return stream.push(sound[:(at + AHEAD) * SAMPLES_PER_FRAME])[:at]

    later, earlier = sound.copy(), sound.copy()
    later[(at + AHEAD) * SAMPLES_PER_FRAME:] = 0.1
    earlier[:10 * SAMPLES_PER_FRAME] *= np.linspace(0, 1, 10 * SAMPLES_PER_FRAME)[::-1]
    as_it_is = first_frames(sound)
    assert len(as_it_is) == at
    np.testing.assert_array_equal(as_it_is, first_frames(later))
    assert np.abs(as_it_is - first_frames(earlier))[12:].max() > 1e-3


def test_two_models_side_by_side_are_their_weighed_sum():
    one, other, sound = load_model(EAR_MODEL), load_model(FFT_MODEL), speak(SENTENCES[1], seconds=1.5)
    both = predict(sum_of(one, other, (0.7, 0.5)), sound, gated=False)
    offsets = [predict(model, sound, gated=False) - model.rest_face for model in (one, other)]
    rest = (one.rest_face + other.rest_face) / 2
    np.testing.assert_allclose(both, face68.uncross_lips(rest + 0.7 * offsets[0] + 0.5 * offsets[1]), atol=2e-2)


def test_without_the_package_the_simpler_model_moves_the_lips_and_a_line_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(lite, "is_installed", lambda: False)
    monkeypatch.setattr(emotion_ear, "is_installed", lambda: False)
    say_missing.cache_clear()
    sound = speak(SENTENCES[0], seconds=1.0)
    np.testing.assert_array_equal(predict(load_model(), sound), predict(load_model(FFT_MODEL), sound))
    said = capsys.readouterr().err
    assert said.count("the speech encoder is not installed") == 1 and "pip install ctranslate2" in said
    say_missing.cache_clear()
    predict_file(write_wav(tmp_path / "a.wav", sound), tmp_path / "out", emotion="auto")
    assert capsys.readouterr().err.count("the simpler model is used") == 1, "lips and emotion say it together"
