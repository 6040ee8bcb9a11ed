"""The emotion recogniser: it learns made-up emotions, stays neutral where nobody speaks, and says what it found in files."""

import json

import numpy as np
import pytest
from conftest import SENTENCES, command, speak

from core import artifacts, runs
from core.clock import SAMPLE_RATE, n_frames_of
from core.media.audio import read_speech, resample, spectrum_of, write_wav
from landmarks.ear.encoder import N_VALUES
from landmarks.ear.layers import LIPS, N_LAYERS
from landmarks.emotion import ear as emotion_ear
from landmarks.emotion import evaluate as emotion_evaluate
from landmarks.emotion import model as emotion_model
from landmarks.emotion import train as emotion_train
from landmarks.emotion.__main__ import main as emotion_main
from landmarks.emotion.copies import copies_of, hear, spoken
from landmarks.emotion.ear import LAYERS, NEAR, EarMoments, ear_of, ear_steps
from landmarks.emotion.measure import calibration_error, recall
from landmarks.emotion.model import (
    N_BANDS,
    N_FEATURES,
    Recogniser,
    as_far_as_acted,
    emotion_features,
    load_recogniser,
    sounds_of,
)
from landmarks.emotion.moments import pieces
from landmarks.emotion.recognise import (
    COLOURS,
    LEFT_PX,
    LINE_PX,
    PLOT_PX,
    SIX,
    Emotion,
    as_json,
    drawn,
    emotion_of,
    six_of,
    tick_step,
)
from landmarks.emotion.train import merged, weighed
from landmarks.emotion.trainer import weighed_acted
from landmarks.expression import EMOTIONS
from landmarks.head.prosody import PITCH_HZ, pitch_and_voicing
from landmarks.predict import predict_file
from landmarks.voice.wordless import wordless_samples
from preprocess import list_recordings

VOICES = "en-us", "en-us+f2", "en-gb-x-rp", "en-us+m3"
MADE_UP = {"angry": 1.45, "sad": 0.72}  # what a voice's pitch and speed are multiplied with


@pytest.mark.parametrize("hz", [80, 120, 240, 500])
def test_pitch(hz):
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 7)).astype(np.float32)
    octaves, voicing = pitch_and_voicing(tone)
    assert np.log2(hz / PITCH_HZ[0]) == pytest.approx(np.median(octaves), abs=0.05)
    assert np.median(voicing) > 0.9 and len(octaves) == len(voicing) == 4 * n_frames_of(len(tone))
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    assert np.median(pitch_and_voicing(noise)[1]) < 0.3


@pytest.mark.parametrize("first, last, n", [(0, 52, 1), (10, 40, 1), (0, 53, 2), (100, 300, 20)])
def test_pieces_cover_a_stretch_and_are_as_long_as_those_of_the_training(first, last, n):
    found = pieces(first, last, emotion_model.PIECE, emotion_model.PIECE_STRIDE)
    assert len(found) == n and found.min() == first and found.max() == last
    assert (np.diff(found, axis=1) == min(52, last - first)).all() and (np.diff(found[:, 0]) <= 8).all()


@pytest.fixture(scope="module")
def acted(tmp_path_factory):
    """index.csv of four voices, each with two made-up emotions: fast and high, slow and low."""
    folder = tmp_path_factory.mktemp("acted")
    for actor, voice in enumerate(VOICES, 1):
        for take, sentence in enumerate(SENTENCES, 1):
            for name, factor in MADE_UP.items():
                sound = resample(speak(sentence, voice, seconds=2), round(SAMPLE_RATE * factor), SAMPLE_RATE)
                number = EMOTIONS.index(name) + 1
                write_wav(folder / f"Actor_{actor:02d}" / f"03-01-{number:02d}-01-{(take + 1) // 2:02d}-{take % 2 + 1:02d}-"
                                                        f"{actor:02d}.wav", sound)
    assert command(list_recordings.main, folder, "--out", folder / "index").exit_code == 0
    return folder / "index" / "index.csv"


@pytest.fixture(scope="module")
def trained(acted, tmp_path_factory):
    """The model of a short training on two of the voices by two networks, the third and fourth apart."""
    record = tmp_path_factory.mktemp("record")
    done = command(emotion_train.main, "--index", acted, "--record", record, "--apart", "actor_03", "--apart", "actor_04",
                   "--folds", 2, "--epochs", 15, "--batch", 4, "--width", 16, "--channels", 12, "--units", 6)
    assert done.exit_code == 0, done.stderr
    return record / done.stdout.splitlines()[-1]


def test_training_learns_made_up_emotions(acted, trained):
    done = command(emotion_evaluate.main, "--index", acted, "--model", trained, "--apart", "actor_03", "--apart", "actor_04")
    assert done.exit_code == 0, done.stderr
    about = json.loads(trained.with_name("metrics.json").read_text())["acted"]
    assert about["eight"]["recall"] > 0.8 and about["eight"]["recordings"] == 16
    assert about["eight"]["by_chance"] == 0.5
    assert sum(sum(row.values()) for row in about["eight"]["confusion"].values()) == 16
    assert set(about["six"]["confusion"]) == set(SIX)
    held_out = artifacts.check(trained, "emotion-model")["held_out"]
    assert held_out["recordings"] == 16 and held_out["encoder alone"] > 0.8 and 0 <= held_out["ece"] <= 1
    assert load_recogniser(trained).takes_ear and about["without"]["recall"] > 0.8


def test_discriminants_are_fitted_to_networks_that_are_kept(acted, trained, tmp_path):
    given = ("--index", acted, "--record", tmp_path, "--apart", "actor_03", "--apart", "actor_04", "--networks", trained)
    done = command(emotion_train.main, *given, "--folds", 2)
    assert done.exit_code == 0, done.stderr
    again, before = (load_recogniser(path).arrays for path in (tmp_path / done.stdout.splitlines()[-1], trained))
    for name in emotion_model.NETWORK:
        np.testing.assert_allclose(again[name], before[name], atol=1e-3, err_msg=name)
    for name in ("ear", "ear_bias"):  # whether it is acted is learnt from synthesised voices too, which vary a little
        np.testing.assert_allclose(again[name][..., :8], before[name][..., :8], atol=1e-3, err_msg=name)
    other = command(emotion_train.main, *given, "--folds", 3)
    assert other.exit_code == 1 and "folds 2" in other.stderr


def test_a_finished_training_is_not_gone_on_with(trained):
    about = runs.read_run(trained.parent)
    same = {"stage": about["stage"], "options": about["options"], "data": about["data"]["file"]}
    assert runs.unfinished_run(trained.parent.parent, **same) is None
    (trained.parent / "done").unlink()
    assert runs.unfinished_run(trained.parent.parent, **same) == trained.parent, "only the mark tells it apart"
    (trained.parent / "done").touch()
    assert about["resume"] == about["command"], "the command has no --resume: the same one goes on"


def test_the_numpy_network_equals_keras():
    from landmarks.emotion.network import arrays_of, built
    rng = np.random.default_rng(0)
    networks = [built(width=7, channels=6, units=5, dropout=0.3) for _ in range(2)]
    for network in networks:
        for variable in network.weights:
            variable.assign(np.abs(rng.normal(0.3, 0.3, variable.shape)) if "variance" in variable.path
                            else rng.normal(0, 0.3, variable.shape))
    sounds = np.exp(rng.normal(0, 3, (60, N_BANDS)) + rng.normal(0, 9, (60, 1))), rng.uniform(0, 3, 60), rng.random(60)
    features, sounding = emotion_features(*sounds)
    assert features.shape == (60, N_FEATURES) and 0 < sounding.mean() < 1
    scores = np.mean([np.asarray(network([features[None], emotion_model.per_frame(sounding)[None]])[0])[0]
                      for network in networks], 0)
    bare = {"discriminant": np.zeros((200, 8)), "discriminant_bias": np.zeros(8), "acted": np.zeros(200),
            "acted_bias": np.zeros(())}
    recogniser = Recogniser(merged([arrays_of(network) for network in networks], bare))
    found = recogniser.scores(recogniser.listen(*sounds), np.array([0]), np.array([30]))[0][0]
    np.testing.assert_allclose(found, scores, atol=0.02)  # weights are kept in 16 bits


def test_level_does_not_matter():
    sound, filters = speak(SENTENCES[0]), load_recogniser().filters
    loud, soft = (emotion_features(*sounds_of(gain * sound, filters)[:3])[0] for gain in (1, 0.03))
    assert np.mean(np.abs(soft - loud) < 0.02) > 0.99  # a step at the border of silence may fall to either side
    assert loud.shape == (2 * n_frames_of(len(sound)), N_BANDS + 5)


@pytest.mark.parametrize("name", wordless_samples())
def test_without_words_it_is_neutral(name):
    found = emotion_of(wordless_samples()[name].astype(np.float32))
    assert found.over_time[:, 0].min() > 0.9 and found.whole[0] > 0.9


@pytest.mark.parametrize("flat", [0.0, 0.3])
def test_silence_and_a_flat_line_are_neutral(flat):
    found = emotion_of(np.full(3 * SAMPLE_RATE, flat, np.float32))
    assert found.over_time[:, 0].min() > 0.99 and found.whole[0] > 0.99 and not found.spoken


@pytest.fixture
def without_encoder(monkeypatch):
    monkeypatch.setattr(emotion_ear, "is_installed", lambda: False)
    emotion_ear.say_missing.cache_clear()


def test_the_speech_encoder_is_heard():
    sound = speak(SENTENCES[0])
    lips = ear_of(sound, spectrum_of(sound), (LIPS,))[0]
    found, given = emotion_of(sound), emotion_of(sound, ear={LIPS: lips})
    np.testing.assert_array_equal(found.over_time, given.over_time)
    other = emotion_of(sound, ear={LIPS: lips[::-1] + np.float16(0.5)})
    assert np.abs(other.whole - found.whole).max() > 0.02


def test_each_layer_is_heard():
    recogniser, sound = load_recogniser(), speak(SENTENCES[0])
    assert recogniser.layers == LAYERS and len(recogniser.arrays["ear"]) == 2 * N_VALUES * len(LAYERS)
    sounds, ear = sounds_of(sound, recogniser.filters)[:3], ear_of(sound, spectrum_of(sound), recogniser.layers)
    found = [recogniser.whole(recogniser.listen(*sounds, ear_steps(heard, 0, n_frames_of(len(sound)))))
             for heard in (ear, *([*ear[:i], ear[i] + np.float16(0.2), *ear[i + 1:]] for i in range(len(ear))))]
    assert all(np.abs(other - found[0]).max() > 1e-4 for other in found[1:])


@pytest.mark.parametrize(("first", "second", "weights"), [(3.0, 0.0, (0.0, 0.25)), (0.0, 3.0, (1.0, 2.0))])
def test_the_encoder_has_a_say_in_what_is_acted_where_it_helps(first, second, weights):
    rng = np.random.default_rng(0)
    acted, unacted = rng.normal(size=(400, 2)) + (first, second), rng.normal(size=(300, 2))
    least, found, both = weighed_acted(acted, unacted)
    assert found in weights
    assert (acted[:, 0] >= least).mean() == pytest.approx(0.98, abs=0.005)
    assert (acted @ (1, found) >= both).mean() == pytest.approx(0.995, abs=0.005)


@pytest.mark.parametrize("acted", [-30.0, 30.0])
def test_speech_that_the_encoder_takes_for_unacted_is_mild(acted):
    arrays, sound = load_recogniser().arrays, speak(SENTENCES[0])
    said = {**arrays, "ear": np.column_stack([arrays["ear"][:, :8], np.zeros(len(arrays["ear"]))]),
            "ear_bias": np.append(arrays["ear_bias"][:8] + 50 * np.eye(8)[EMOTIONS.index("angry")], acted)}
    recogniser = Recogniser(said)
    ear = ear_steps(ear_of(sound, spectrum_of(sound), recogniser.layers), 0, n_frames_of(len(sound)))
    whole = recogniser.whole(recogniser.listen(*sounds_of(sound, recogniser.filters)[:3], ear))
    assert (whole[EMOTIONS.index("angry")] > 0.5) == (acted > 0)
    before = Recogniser({**said, "ear": said["ear"][:, :8], "ear_bias": said["ear_bias"][:8]})  # files without that column
    assert before.whole(before.listen(*sounds_of(sound, before.filters)[:3], ear)).sum() == pytest.approx(1, abs=1e-4)


def test_a_model_that_names_no_layers_reads_the_last_alone():
    arrays = {name: values for name, values in load_recogniser().arrays.items() if name != "ear_layers"}
    assert Recogniser(arrays).layers == (N_LAYERS,)


def test_without_the_speech_encoder_one_line_says_so(speech, tmp_path, without_encoder, capsys):
    done = command(emotion_main, speech, "--out", tmp_path)
    assert done.exit_code == 0 and done.stderr.count("the speech encoder is not installed") == 1, done.stderr
    assert sum(json.loads((tmp_path / "emotion.json").read_text())["probabilities"].values()) == pytest.approx(1, abs=0.01)
    emotion_of(read_speech(speech))
    assert "not installed" not in capsys.readouterr().err, "it is said once"


def test_without_the_speech_encoder_the_model_is_the_one_of_before(speech, without_encoder):
    recogniser = load_recogniser()
    bare = Recogniser({name: values for name, values in recogniser.arrays.items() if not name.startswith("ear")})
    assert recogniser.takes_ear and not bare.takes_ear
    sounds = sounds_of(read_speech(speech), bare.filters)[:3]
    np.testing.assert_array_equal(bare.whole(bare.listen(*sounds)), recogniser.whole(recogniser.listen(*sounds)))


def test_statistics_of_the_encoder_are_those_of_a_stretch_where_there_is_sound():
    rng = np.random.default_rng(0)
    frames = rng.normal(3, 2, (100 + 8, 768)).astype(np.float16)
    steps, sounding = ear_steps([frames, 2 * frames], 0, 100), np.zeros(200, bool)
    assert steps.shape == (200, 768) and (steps[0] == [*frames[4, :384], *2 * frames[4, :384]]).all()
    sounding[60:100] = True
    mean, spread = np.split(EarMoments(steps, sounding)(np.array([50]), np.array([200]))[0], 2)
    near = steps[50:100 + NEAR].astype(np.float64)
    np.testing.assert_allclose(mean, near.mean(0), atol=2e-3)
    np.testing.assert_allclose(spread, near.std(0), atol=2e-3)


def test_copies_stand_where_they_are_said_to():
    quiet = np.zeros(SAMPLE_RATE, np.float32)
    sounds = [np.concatenate([quiet, speak(sentence), quiet]) for sentence in SENTENCES[:2]]
    assert len(spoken(sounds[0])) % 640 == 0 and 0.3 < len(spoken(sounds[0])) / len(sounds[0]) < 0.9
    *changed, (joined, first, n_frames) = copies_of(sounds[0], [spoken(sounds[1])], seed=0)
    np.testing.assert_array_equal(joined[640 * first:][:640 * n_frames], spoken(sounds[0]))
    assert len(joined) == 640 * (2 * first + n_frames)
    assert [first for _, first, _ in changed] == [0, 0, 0] and len({n for _, _, n in changed}) == 3
    steps, moments = hear(sounds[0], [(joined, first, n_frames)])
    assert len(steps) == 2 * n_frames_of(len(sounds[0])) and np.isfinite(moments).all()
    assert moments.shape == (2, 768 * len(LAYERS))


def test_a_pause_is_neutral():
    silence = np.zeros(4 * SAMPLE_RATE, np.float32)
    found = emotion_of(np.concatenate([speak(SENTENCES[0]), silence]))
    assert found.over_time[-1, 0] > 0.99 and found.over_time.sum(1) == pytest.approx(1, abs=1e-4)


def test_emotion_changes_slowly():
    sound = np.concatenate([speak(SENTENCES[0]), np.zeros(SAMPLE_RATE, np.float32), speak(SENTENCES[1], "en-us+f2")])
    assert np.abs(np.diff(emotion_of(sound).over_time, axis=0)).max() < 0.06


def test_a_long_recording_is_heard_in_blocks():
    said = speak(" ".join(SENTENCES), seconds=8)
    sound = np.concatenate([*[said] * 13, np.zeros(100, np.float32)])
    found, once = emotion_of(sound), emotion_of(said)
    assert len(found.over_time) == len(found.embedding) == n_frames_of(len(sound))
    np.testing.assert_allclose(found.whole, once.whole, atol=0.2)
    assert found.whole.sum() == pytest.approx(1, abs=1e-5)


def test_files_say_what_was_found(speech, tmp_path):
    done = command(emotion_main, speech, "--out", tmp_path)
    assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path / "emotion.json"), done.stderr
    artifacts.check(tmp_path / "emotion.json", "emotion")
    about, n_frames = json.loads((tmp_path / "emotion.json").read_text()), n_frames_of(len(read_speech(speech)))
    assert list(about["probabilities"]) == list(EMOTIONS) and sum(about["probabilities"].values()) == pytest.approx(1, abs=0.01)
    assert list(about["six"]) == list(SIX) and sum(about["six"].values()) == pytest.approx(1, abs=0.01)
    assert len(about["times_s"]) == n_frames // 5 == len(about["over_time"]["happy"]) == len(about["six_over_time"]["sad"])
    assert np.diff(about["times_s"]) == pytest.approx(0.2)
    embedding = artifacts.load(tmp_path / "speech_embedding.npy", "speech-embedding").array
    assert len(embedding) == n_frames and embedding.std(0).min() > 0
    assert (tmp_path / "emotion.png").stat().st_size > 1000


@pytest.mark.parametrize("seconds, step", [(0.04, 0.5), (5, 0.5), (5.1, 1), (11.8, 2), (180, 20), (3600, 500)])
def test_the_axis_of_time_has_few_ticks(seconds, step):
    assert tick_step(seconds) == step


def test_the_picture_has_axes_and_areas_in_their_colours():
    """Half the time all calm, half the time three quarters sad, one quarter neutral."""
    over_time = np.zeros((100, 8), np.float32)
    over_time[:50, EMOTIONS.index("calm")] = 1
    over_time[50:, [EMOTIONS.index("neutral"), EMOTIONS.index("sad")]] = 0.25, 0.75
    picture = np.asarray(drawn(Emotion(over_time.mean(0), over_time, np.zeros((100, 1)), 1.0)))
    (columns, rows), top = PLOT_PX, LINE_PX + 8
    for x, y, name in ((0.1, 0.1, "calm"), (0.1, 0.9, "calm"), (0.9, 0.1, "neutral"), (0.9, 0.3, "sad"), (0.9, 0.9, "sad")):
        at = picture[top + round(y * rows), LEFT_PX + round(x * columns)]
        assert tuple(at) == COLOURS[EMOTIONS.index(name)], name
    beside, below = picture[top - 8:top + rows + 8, :LEFT_PX - 8], picture[top + rows + 8:top + rows + LINE_PX]
    assert (beside < 99).any((1, 2)).sum() > 24, "0 %, 50 % and 100 % stand at the left"
    assert (below < 99).any((0, 2)).sum() > 20, "seconds stand below"


def test_the_shortest_sound():
    found = emotion_of(np.zeros(10, np.float32))
    assert drawn(found).width > 900
    assert found.over_time.shape == (1, 8) and len(as_json(found)["times_s"]) == 1


def test_what_is_not_acted_is_mild():
    chances = np.array([[0.1, 0.3, 0, 0, 0.6, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0]], np.float32)
    half = as_far_as_acted(chances, np.array([0.5, 0.0]))
    np.testing.assert_allclose(half.sum(1), 1, atol=1e-6)
    assert half[0, EMOTIONS.index("angry")] == pytest.approx(0.3) and half[0, 1] > half[0, 0] > 0.1
    assert half[1, 0] == 1


def test_six_of_eight():
    eight = np.eye(8, dtype=np.float32)
    assert list(SIX)[six_of(eight[EMOTIONS.index("calm")]).argmax()] == "neutral"
    assert list(SIX)[six_of(eight[EMOTIONS.index("disgust")]).argmax()] == "disgusted"
    surprised = 0.5 * eight[EMOTIONS.index("surprised")] + 0.4 * eight[EMOTIONS.index("happy")] + 0.1 * eight[3]
    assert six_of(surprised)[list(SIX).index("happy")] == pytest.approx(0.8)
    np.testing.assert_allclose(six_of(eight).sum(1), 1)


def test_auto_puts_the_voice_on_the_face(speech, tmp_path):
    from landmarks.expression import offsets
    path = predict_file(speech, tmp_path, emotion="auto:1.5")
    wanted = artifacts.load(predict_file(speech, tmp_path / "neutral")).array
    change = 1.5 * offsets(emotion_of(read_speech(speech)).over_time)
    assert np.abs(change).max() > 0.005
    np.testing.assert_allclose(artifacts.load(path).array, wanted + change, atol=1e-5)
    assert not (tmp_path / "neutral" / "emotion.json").exists()
    assert (tmp_path / "emotion.json").is_file() and (tmp_path / "speech_embedding.npy").is_file()


def test_a_missing_index_is_said_in_one_line(tmp_path):
    done = command(emotion_train.main, "--index", tmp_path / "index.csv", "--record", tmp_path / "record")
    assert done.exit_code == 1 and "index.csv: no such file" in done.stderr and not (tmp_path / "record").exists()


def test_a_damaged_model_is_said_in_one_line(speech, tmp_path):
    (tmp_path / "model.npz").write_bytes(b"nothing")
    done = command(emotion_main, speech, "--out", tmp_path / "out", "--model", tmp_path / "model.npz")
    assert done.exit_code == 1 and "not readable as emotion-model" in done.stderr and not (tmp_path / "out").exists()


def test_measures():
    wanted = np.array([0, 0, 0, 1])
    scores = np.log(np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]]))
    assert recall(wanted, scores) == pytest.approx((2 / 3 + 1) / 2)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 8, 2000)
    unsure = rng.normal(0, 1, (2000, 8)) + 2 * np.eye(8)[truth]  # whose likelihood is that of 2 times them
    nothing = np.zeros_like(unsure)
    assert weighed(truth, unsure, nothing)[1] == pytest.approx(0.5, abs=0.05)
    assert weighed(truth, 4 * unsure, nothing)[1] == pytest.approx(2, abs=0.2)
    share, temperature = weighed(truth, nothing, unsure)
    assert share / temperature == pytest.approx(2, abs=0.2)
    assert calibration_error(np.array([True, False]), np.array([0.75, 0.75])) == pytest.approx(0.25)
    right = rng.random(20000) < 0.7
    assert calibration_error(right, np.full(20000, 0.7)) < 0.02
    assert calibration_error(right, np.full(20000, 0.99)) > 0.25


def test_corners_follow_a_smile_that_comes_and_goes_in_the_voice():
    from landmarks.expression import offsets, smooth_emotion
    mood = np.zeros((200, len(EMOTIONS)), np.float32)
    mood[:, EMOTIONS.index("neutral")] = 1
    mood[80:140] = np.eye(len(EMOTIONS))[EMOTIONS.index("happy")]
    raised = -offsets(smooth_emotion(mood))[:, [48, 54], 1].mean(1)
    assert raised[110] > 0.9 * raised.max() > 0.05 and abs(raised[40]) < 0.005 and abs(raised[190]) < 0.005
    assert np.abs(np.diff(raised)).max() < 0.1 * raised.max()
