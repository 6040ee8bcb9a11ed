"""The beat of a head and the judge of heads: what follows the voice is learnt, told from another's, and ends with it."""

import numpy as np
import pytest

from core.clock import FPS
from landmarks.head import beat, train_beat
from landmarks.head.data import HeadClip
from landmarks.head.knots import CHANNELS, N_CHANNELS
from landmarks.head_judge import judge as judge_module
from landmarks.head_judge.accuracy import shares_of, told_apart, with_spread
from landmarks.head_judge.data import JudgeBatches
from landmarks.head_judge.judge import N_FRAMES, N_MOTION, HeadJudge, motion_features, similarity, windows_of

PITCH = CHANNELS.index("pitch")


def clip_of(seed, n_frames=300, follows=1.0):
    """A voice whose loudness wanders, and a head that nods with it, 80 ms later, by `follows`; the rest is noise."""
    rng = np.random.default_rng(seed)
    loud = beat.gaussian_filter(rng.normal(0, 1, n_frames), 3) * 3
    power = 10 ** (4 + loud)[:, None, None] * rng.uniform(0.5, 1.5, (n_frames, 4, 64))
    motion = 0.01 * beat.gaussian_filter(rng.normal(0, 1, (n_frames, N_CHANNELS)), 3)
    motion[:, PITCH] += 0.02 * follows * np.roll(loud, 2)
    return HeadClip(f"clips/x/{seed}", f"person {seed}", power.astype(np.float32), np.full((n_frames, 4), np.nan, np.float32),
                    motion.astype(np.float32))


@pytest.fixture(scope="module")
def clips():
    return [clip_of(seed) for seed in range(8)]


def test_what_follows_the_voice_is_learnt_and_nothing_else(clips):
    told = train_beat.held_out(clips, 3.0, 4)
    assert told[PITCH] > 0.5 and np.abs(np.delete(told, PITCH)).max() < 0.3
    assert train_beat.held_out([clip_of(seed, follows=0) for seed in range(8)], 3.0, 4)[PITCH] < 0.3


def test_the_beat_of_a_stranger_goes_with_their_head(clips):
    weights, stranger = train_beat.fit(clips, 3.0), clip_of(99)
    free = np.ones(len(stranger.face))
    moved = beat.beat_of(stranger.power, stranger.height, free, weights)
    assert np.corrcoef(moved[:, PITCH], stranger.face[:, PITCH])[0, 1] > 0.5
    free[150:] = 0
    assert np.abs(beat.beat_of(stranger.power, stranger.height, free, weights)[180:]).max() < 1e-6


def test_the_shipped_beat_moves_what_the_voice_tells_and_no_more(clips):
    moved = beat.beat_of(clips[0].power, clips[0].height, np.ones(300))
    assert not moved[:, [CHANNELS.index(name) for name in ("yaw", "roll", "right")]].any()
    assert 0 < np.abs(moved[:, PITCH]).max() < 0.1 and np.isfinite(moved).all()


def test_lips_are_taken_out_of_a_head_and_nods_stay():
    from made_up import resting_face
    rng = np.random.default_rng(1)
    opening, nod = (beat.gaussian_filter(rng.normal(0, 1, 300), 2) for _ in range(2))
    face = np.repeat(resting_face()[None], 300, 0)
    face[:, 65:68, 1] += 0.1 * (opening - opening.min())[:, None]
    motion = np.zeros((300, N_CHANNELS))
    motion[:, PITCH] = 0.05 * opening + 0.05 * nod
    left = beat.without_lips(motion, face)[:, PITCH]
    assert abs(np.corrcoef(left, beat.gestures_in(opening))[0, 1]) < 0.2
    assert np.corrcoef(left, beat.gestures_in(nod))[0, 1] > 0.9


def test_shares_compare_with_the_same_person_and_with_others():
    scores = np.array([[3, 1, 9], [1, 2, 1], [5, 5, 5.]])
    found = shares_of(scores, np.array(["a", "a", "b"]), np.array(["1", "1", "2"]), np.array([0, N_FRAMES, 0]))
    assert found["the same person"] == {"a": 1.0} and found["others"] == {"a": 0.5, "b": 0.5}
    near = shares_of(scores, np.array(["a", "a", "b"]), np.array(["1", "1", "2"]), np.array([0, N_FRAMES // 2, 0]))
    assert not near["the same person"]  # windows that overlap are no two answers


def test_the_spread_is_of_people():
    found = with_spread({"a": 1.0, "b": 0.5, "c": 0.6})
    assert found["people"] == 3 and found["mean"] == pytest.approx(0.7) and found["low"] < 0.7 < found["high"]
    assert with_spread({})["people"] == 0


def test_a_judge_that_knows_is_right_and_one_that_guesses_is_not(clips):
    right = HeadJudge(lambda sound: sound[:, :16].mean(1, keepdims=True), lambda motion: motion[:, PITCH:PITCH + 1],
                      "all", True)
    moved = [(clip, clip.face) for clip in clips]
    assert min(row["mean"] for row in told_apart(right, moved).values()) > 0.9
    still = told_apart(HeadJudge(right.embed_sound, lambda motion: 0 * motion[:, :1], "all", True), moved)
    assert all(row["mean"] == pytest.approx(0.5, abs=0.02) for row in still.values())


def test_features_hold_what_is_asked_for(clips):
    nods = motion_features(clips[0].face, "nod")
    assert nods.shape == (300, N_MOTION) and nods[:, PITCH].any() and not np.delete(nods[:, :7], PITCH, 1).any()
    lifted = clips[0].face + np.float32(0.3)  # a posture says nothing
    np.testing.assert_allclose(motion_features(lifted), motion_features(clips[0].face), atol=1e-3)
    assert windows_of(N_FRAMES) == [0] and windows_of(N_FRAMES - 1) == []
    assert judge_module.WINDOW_S * FPS == N_FRAMES


def test_batches_follow_from_seed_and_step(clips):
    one, two = (JudgeBatches(clips, n_items=6, seed=3) for _ in range(2))
    for a, b in zip(one.batch(5), two.batch(5)):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.batch(5)[0], one.batch(6)[0]) and one.batch(5)[1].shape == (6, N_FRAMES, N_MOTION)


def test_the_network_learns_and_its_file_answers_alike(clips, tmp_path):
    network_module = pytest.importorskip("landmarks.head_judge.network")
    from learn.tensorflow import keras
    keras.utils.set_random_seed(1)
    network = network_module.built(width=8, size=4)
    batches, optimizer = JudgeBatches(clips, n_items=8, seed=1), keras.optimizers.Adam(1e-2)
    before = float(network_module.loss_of(network, *batches.batch(0)))
    from learn.tensorflow import tf
    for step in range(30):
        with tf.GradientTape() as tape:
            loss = network_module.loss_of(network, *batches.batch(step % 3), training=True)
        optimizer.apply_gradients(zip(tape.gradient(loss, network.trainable_variables), network.trainable_variables))
    sound, motion = batches.batch(0)
    assert float(network_module.loss_of(network, sound, motion)) < 0.8 * before
    path = network_module.export(network, tmp_path / "model.tflite", stage="test", options={"of": "nod", "keep_lips": True})
    loaded = judge_module.load_head_judge(path)
    assert loaded.of == "nod" and loaded.keeps_lips
    np.testing.assert_allclose(loaded.embed_sound(sound[0]), network.ear(sound[:1])[0].numpy(), atol=1e-3)
    assert similarity(sound[:2], sound[:2]).diagonal() == pytest.approx(1, abs=1e-3)
