"""Each emotion moves the face its own way; lips that are shut stay shut."""

import numpy as np
import pytest
from conftest import SENTENCES, command, speak

from core import artifacts
from core.clock import FPS, SAMPLE_RATE
from core.face import face68
from core.media.audio import write_wav
from landmarks import expression
from landmarks.expression import EMOTIONS, emotion_vector, offsets, parse_emotion, smooth_emotion
from landmarks.predict import load_model, predict_file
from landmarks.streaming import Stream

SENTENCE = "Mama may buy Bob a map. Papa bumped my lamp."


def up(face, group):
    """How far the points of a group (the right half's, and its mirror) lie above where they were."""
    return -sum(share * face[point, 1] for point, share in face68.HALF_FACE[group].items()) / sum(
        face68.HALF_FACE[group].values())


def out(face, group):
    """The same, away from the middle."""
    return -sum(share * face[point, 0] for point, share in face68.HALF_FACE[group].items()) / sum(
        face68.HALF_FACE[group].values())


@pytest.fixture(scope="module")
def neutral(tmp_path_factory):
    """A folder with the speech, and what is predicted for it in neutral."""
    folder = tmp_path_factory.mktemp("neutral")
    silence = np.zeros(SAMPLE_RATE, np.float32)
    speech = write_wav(folder / "speech.wav", np.concatenate([silence, speak(SENTENCE, seconds=3.5), silence]))
    return speech, artifacts.load(predict_file(speech, folder / "neutral"), "landmarks-face").array


@pytest.fixture(scope="module")
def changes(neutral, tmp_path_factory):
    """Emotion -> what it changes in the landmarks that are written, float32 [frame, 68, 2]."""
    speech, face = neutral
    folder = tmp_path_factory.mktemp("emotions")
    return {name: artifacts.load(predict_file(speech, folder / name, emotion=name), "landmarks-face").array - face
            for name in EMOTIONS}


def test_directions(changes):
    face = {name: change.mean(0) for name, change in changes.items()}
    assert up(face["happy"], "lip_corner") > 0.03 and out(face["happy"], "lip_corner") > 0.03
    assert up(face["sad"], "inner_brow") > 0.04 > up(face["sad"], "outer_brow") and up(face["sad"], "lip_corner") < -0.02
    assert up(face["angry"], "inner_brow") < -0.04 and out(face["angry"], "inner_brow") < -0.01
    assert up(face["surprised"], "inner_brow") > 0.06 and up(face["surprised"], "outer_brow") > 0.06
    assert up(face["fearful"], "inner_brow") > 0.04 and out(face["fearful"], "lip_corner") > 0.02
    assert up(face["disgust"], "upper_edge") > 0.02 and up(face["disgust"], "inner_brow") < -0.02
    assert 0 < np.abs(face["calm"]).max() < 0.3 * np.abs(face["happy"]).max()


def test_lids(changes, neutral):
    opening = {name: (face68.eye_opening(neutral[1] + change) - face68.eye_opening(neutral[1])).mean()
               for name, change in changes.items()}
    assert opening["surprised"] > 0.02 and opening["fearful"] > 0.01
    assert max(opening[name] for name in ("angry", "disgust", "happy", "sad", "calm")) < -0.005


def test_neutral_changes_nothing(changes):
    assert not changes["neutral"].any()


def test_both_sides_move_alike(changes):
    for change in changes.values():
        np.testing.assert_allclose(face68.mirror(change), change, atol=1e-6)


@pytest.mark.parametrize("name", EMOTIONS)
def test_lips_that_speech_shuts_stay_shut(name, changes, neutral):
    before, after = (face68.mouth_opening(face) for face in (neutral[1], neutral[1] + changes[name]))
    np.testing.assert_allclose(after, before, atol=1e-5)  # the mouth opens as far, and in silence as little
    assert np.corrcoef(before, after)[0, 1] > 0.98
    assert np.ptp(before) > 0.05


def test_strength_scales_the_change(neutral, changes, tmp_path):
    for strength in (0, 0.5, 1.5):
        path = predict_file(neutral[0], tmp_path / f"{strength}", emotion=f"sad:{strength}")
        np.testing.assert_allclose(artifacts.load(path).array - neutral[1], strength * changes["sad"], atol=1e-5)


def test_the_rest_face_stays_neutral(neutral, tmp_path):
    path = predict_file(neutral[0], tmp_path, emotion="angry:2")
    assert artifacts.read_sidecar(path)["options"]["emotion"] == "angry:2"
    np.testing.assert_array_equal(artifacts.load(path.with_name("rest_face.npy")).array, load_model().rest_face)


def test_a_stream_wears_an_emotion():
    model, sound = load_model(), speak(SENTENCES[0], seconds=1.5)

    def streamed(**options):
        stream = Stream(model, **options)
        return np.concatenate([stream.push(sound), stream.finish()])

    worn = streamed(emotion=emotion_vector("happy", 0.5)) - streamed()
    np.testing.assert_allclose(worn, np.broadcast_to(0.5 * offsets(emotion_vector("happy")), worn.shape), atol=1e-6)


def test_doubt_is_neutral():
    doubt = np.abs(offsets(np.full(len(EMOTIONS), 1 / len(EMOTIONS)))).max()
    strong = [np.abs(offsets(emotion_vector(name))).max() for name in EMOTIONS if name not in ("neutral", "calm")]
    assert doubt < 0.35 * min(strong)


def test_emotions_come_slowly():
    jump = np.zeros((4 * FPS, len(EMOTIONS)), np.float32)
    jump[2 * FPS:, EMOTIONS.index("angry")] = 1
    smooth = smooth_emotion(jump)[:, EMOTIONS.index("angry")]
    assert smooth[[0, -1]] == pytest.approx([0, 1], abs=1e-3)
    assert np.searchsorted(smooth, 0.9) - np.searchsorted(smooth, 0.1) >= 0.5 * FPS


@pytest.mark.parametrize("text, wanted", [("auto", ("auto", 1)), ("Happy", ("happy", 1)), ("sad:0.5", ("sad", 0.5)),
                                          ("auto:1.5", ("auto", 1.5))])
def test_what_may_be_asked(text, wanted):
    assert parse_emotion(text) == wanted


@pytest.mark.parametrize("text, said", [("merry", "'merry'; expected auto or one of neutral, calm, happy"),
                                        ("happy:lots", "strength 'lots'; expected 0 to 2"), ("sad:9", "strength '9'"),
                                        ("sad:", "strength ''"), ("sad:nan", "strength 'nan'")])
def test_a_wrong_emotion_is_said_in_one_line(text, said, tmp_path):
    import predict
    done = command(predict.main, write_wav(tmp_path / "a.wav", speak("Hello.", seconds=1)), "--out", tmp_path / "out",
                   "--emotion", text)
    assert done.exit_code == 1 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_heads_lean_little():
    assert np.abs(expression.head_pose(np.eye(len(EMOTIONS)))).max() < 0.1
    assert not expression.head_pose(emotion_vector("neutral")).any()


def test_the_head_is_held_by_the_emotion(neutral, tmp_path):
    heads = [artifacts.load(predict_file(neutral[0], tmp_path / name, emotion=name).with_name("head.npy")).array
             for name in ("neutral", "sad")]
    assert (heads[1] - heads[0])[:, 1] == pytest.approx(expression.HEAD["sad"][1], abs=1e-6)
