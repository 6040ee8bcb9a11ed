"""Emphasis and styles: the face moves further where a voice makes an effort, and lips that are shut stay shut."""

import numpy as np
import pytest
from conftest import SENTENCES, VOICES, command, speak

from core import artifacts, paths
from core.clock import FPS, SAMPLE_RATE, n_frames_of
from core.errors import InputError
from core.face import face68
from core.media.audio import spectrum_of, write_wav
from core.models import read_arrays, read_model
from landmarks.emphasis import train as emphasis_train
from landmarks.emphasis.data import Phrase, Windows, acted, measured, pairs_of, slopes_of
from landmarks.emphasis.effort import RunningEffort, WholeEffort, emphasis_model
from landmarks.emphasis.style import MOST, MOST_TURN, STYLES, Style, enlarge, move_more, style_of
from landmarks.features import mel_power
from landmarks.lite import load_model
from landmarks.predict import predict_as_stream, predict_file, predict_power
from preprocess import list_recordings

SENTENCE = "Mama may buy Bob a map. Papa bumped my lamp."
NATURAL, VIVID = STYLES["natural"], STYLES["vivid"]


def tilted(sound, decibels):
    """Sound whose upper bands are so much louder, dB an octave: what effort does to a voice."""
    spectrum = np.fft.rfft(sound)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE), 60) / 500)
    other = np.fft.irfft(spectrum * 10 ** (np.clip(octaves, -2, 4) * decibels / 20), len(sound)).astype(np.float32)
    return other * np.abs(sound).max() / np.abs(other).max()


def power_of(sound):
    return mel_power(spectrum_of(sound))


@pytest.fixture(scope="module")
def sound():
    return speak(SENTENCE, seconds=4)


@pytest.fixture(scope="module")
def face(sound):
    """What the network makes of it, and the face at rest."""
    model, power = load_model(), power_of(sound)
    return predict_power(model, power, model.ear(sound, power)), model.rest_face


def test_effort_is_in_the_spectrum_and_not_in_the_level(sound):
    usual, louder, strained, murmured = (WholeEffort(power_of(s)).effort.mean() for s in (
        sound, 3 * sound, tilted(sound, 3), tilted(sound, -3)))
    assert strained > usual + 0.3 and murmured < usual - 0.3
    assert louder == pytest.approx(usual, abs=0.02)


def test_effort_is_that_of_a_phrase():
    calm, strained = speak(SENTENCE, seconds=4), tilted(speak(SENTENCE, seconds=4), 4)
    effort = WholeEffort(power_of(np.concatenate([calm, strained]))).effort
    assert effort[-2 * FPS:].mean() > effort[:2 * FPS].mean() + 0.3
    assert np.abs(np.diff(effort)).max() < 0.1  # it changes slowly


def test_a_stream_hears_the_same_effort(sound):
    many = np.tile(sound, 4)
    power = power_of(many)
    loud = np.full(len(power), np.percentile(power.sum((1, 2)), 95))
    running = RunningEffort()
    pieces = [running.push(power[t:t + 7], loud[t:t + 7]) for t in range(0, len(power), 7)]
    effort = np.concatenate(pieces)
    assert effort[0] == pytest.approx(0, abs=0.2)
    assert effort[-4 * FPS:].mean() == pytest.approx(WholeEffort(power).effort.mean(), abs=0.15)


def test_silence_makes_no_effort():
    assert not WholeEffort(np.zeros((50, 4, 64), np.float32)).effort.any()
    assert not RunningEffort().push(np.zeros((50, 4, 64), np.float32), np.full(50, 0.02)).any()


def test_a_shout_opens_the_mouth_further_than_a_murmur(sound):
    model = load_model()
    spread = []
    for decibels in (-4, 4):
        other = tilted(sound, decibels)
        power = power_of(other)
        plain = predict_power(model, power, model.ear(other, power))
        styled = predict_power(model, power, model.ear(other, power), style=Style("plain"))
        spread.append(np.ptp(face68.mouth_opening(styled)) / np.ptp(face68.mouth_opening(plain)))
    assert spread[0] < 1 < spread[1] and spread[1] > 1.15 * spread[0]


def test_the_slopes_of_the_model_that_ships_are_sure():
    about = artifacts.read_sidecar(paths.EMPHASIS_MODEL)["held_out"]
    assert all(low > 0 for low, _ in about["slopes_5_to_95"]) and about["told_apart"] > 0.8


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.name)
def test_lips_that_are_shut_stay_shut(face, style):
    moved = enlarge(*face, style, np.full(len(face[0]), 2.0), np.array([0.2, 0.2]))
    before, after = face68.mouth_opening(face[0]), face68.mouth_opening(moved)
    shut, hardly_open = before < 0.025, before < 0.045
    assert shut.sum() > 10 and (after[shut] < before[shut] + 0.012).all()
    assert hardly_open.sum() > shut.sum() and (after[hardly_open] < before[hardly_open] + 0.024).all()
    assert np.ptp(before) > 0.1 and np.corrcoef(before, after)[0, 1] > 0.98


def test_styles_follow_each_other(face):
    sizes = [[np.ptp(face68.mouth_opening(moved)), face68.mouth_width(moved).std(), face68.mouth_middle(moved)[:, 1].std()]
             for moved in (enlarge(*face, style) for style in STYLES.values())]
    assert (np.diff(sizes, axis=0) > 0).all()


def test_a_factor_of_one_changes_nothing(face):
    np.testing.assert_allclose(enlarge(*face, Style("plain")), face[0], atol=1e-6)
    np.testing.assert_allclose(move_more(np.full((3, 5), 0.02, np.float32), Style("plain")), 0.02, rtol=0.01)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_no_head_turns_so_far_that_its_photo_shows_to_be_flat(style):
    turned = move_more(np.full((3, 5), 0.6, np.float32), style)
    assert (turned[:, :2] < MOST_TURN).all() and (turned[:, :2] > 0.15).all() and MOST_TURN[0] <= 0.3


def test_each_factor_has_its_part(face):
    def shape(moved):
        return np.stack([face68.mouth_opening(moved), face68.mouth_width(moved)])

    plain = shape(face[0])
    wide, high = shape(enlarge(*face, Style("a", width=1.5))), shape(enlarge(*face, Style("b", corners=2)))
    assert wide[1].std() > 1.3 * plain[1].std() and np.abs(wide[0] - plain[0]).max() < 0.02
    np.testing.assert_allclose(high[0], plain[0], atol=5e-3)  # inner lips move alike
    before, after = (face68.mouth_middle(moved)[:, 1] - face68.mouth_middle(face[1])[1] for moved in (
        face[0], enlarge(*face, Style("b", corners=2))))
    assert 1.6 * before.std() < after.std() < 2 * before.std() and np.abs(after - before).max() < MOST


def test_files_and_streams_wear_a_style(sound, tmp_path):
    speech = write_wav(tmp_path / "speech.wav", sound)
    found = {name: predict_file(speech, tmp_path / name, style=name) for name in STYLES}
    opening = {name: np.ptp(face68.mouth_opening(artifacts.load(path).array)) for name, path in found.items()}
    turns = {name: artifacts.load(path.with_name("head.npy")).array[:, 0].std() for name, path in found.items()}
    assert opening["calm"] < opening["natural"] < opening["vivid"] and turns["calm"] < turns["natural"] < turns["vivid"]
    assert artifacts.read_sidecar(found["vivid"])["options"]["style"] == "vivid"
    usual = artifacts.load(predict_file(speech, tmp_path / "usual")).array
    np.testing.assert_array_equal(usual, artifacts.load(found["natural"]).array)
    streamed = [np.ptp(face68.mouth_opening(predict_as_stream(load_model(), sound, style=style))) for style in (None, VIVID)]
    assert streamed[1] > 1.2 * streamed[0]


def test_landmarks_are_rendered_in_another_style(sound, tmp_path):
    from render import motion
    speech = write_wav(tmp_path / "speech.wav", sound)
    path, vivid = (predict_file(speech, tmp_path / name, style=name) for name in ("natural", "vivid"))
    moves, rest = motion.read_motion(path)
    assert motion.in_style(moves, rest, path, None) is moves and motion.in_style(moves, rest, path, "natural") is moves
    other, wanted = motion.in_style(moves, rest, path, "vivid"), motion.read_motion(vivid)[0]
    spread = [np.ptp(face68.mouth_opening(rest + part.face)) for part in (moves, other, wanted)]
    assert spread[1] > 1.2 * spread[0] and spread[1] == pytest.approx(spread[2], rel=0.15)
    back = motion.in_style(wanted, rest, vivid, "natural")
    assert np.ptp(face68.mouth_opening(rest + back.face)) == pytest.approx(spread[0], rel=0.15)


def test_a_style_that_is_none_is_said():
    with pytest.raises(InputError, match="'bold'; expected one of calm, natural, vivid"):
        style_of("bold")


def phrase(actor, number, strong, power):
    return Phrase("", actor, (actor, number), strong, power)


def test_the_direction_of_effort_is_found():
    rng, phrases = np.random.default_rng(0), []
    raised = np.where(np.arange(64) > 40, 2.0, 1.0)
    for actor in ("a", "b"):
        for number in range(20):
            power = rng.uniform(50, 150, (30, 4, 64))
            phrases += [phrase(actor, number, False, power), phrase(actor, number, True, power * raised)]
    weights = emphasis_train.direction(phrases, ridge=1.0)
    assert len(pairs_of(phrases)) == 40 and emphasis_train.told_apart(phrases, weights) == 1
    assert weights[50:].mean() > 0 > weights[:40].mean()
    assert (phrases[1].features - phrases[0].features) @ weights == pytest.approx(1, abs=0.1)


def test_slopes_are_those_of_people():
    rng = np.random.default_rng(0)
    person = np.repeat([f"{i}" for i in range(40)], 5)
    own = np.repeat(rng.normal(0, 1, 40), 5)
    effort = own + rng.normal(0, 0.1, 200)
    larger = np.stack([0.3 * own, -0.1 * own], 1) + rng.normal(0, 0.02, (200, 2))
    windows = Windows(np.zeros((200, 64)), larger, person)
    np.testing.assert_allclose(slopes_of(windows, effort), [0.3, -0.1], atol=0.03)
    assert not np.array_equal(slopes_of(windows, effort, rng), slopes_of(windows, effort, rng))


@pytest.fixture(scope="module")
def ravdess(tmp_path_factory):
    """index.csv of voices that say sentences normally and with effort."""
    folder = tmp_path_factory.mktemp("acted")
    for actor, voice in enumerate(VOICES[1:3] + ("en-us+m3",), 1):
        for take, sentence in enumerate(SENTENCES[:2], 1):
            for intensity, decibels in ((1, 0), (2, 4)):
                write_wav(folder / f"03-01-05-{intensity:02d}-{take:02d}-01-{actor:02d}.wav",
                          tilted(speak(sentence, voice, seconds=2), decibels))
    assert command(list_recordings.main, folder, "--out", folder / "index").exit_code == 0
    return folder / "index" / "index.csv"


def test_training_writes_a_model_that_predicts(ravdess, data, tmp_path):
    pack, ear = data / "train.h5", tmp_path / "ear.h5"
    from landmarks.ear import pack as ear_pack
    assert command(ear_pack.main, "--pack", pack, "--index", data / "recordings" / "index.csv", "--versions", 1, "--out", ear,
                   "--jobs", 1).exit_code == 0
    done = command(emphasis_train.main, "--index", ravdess, "--pack", pack, "--ear", ear, "--record", tmp_path / "record",
                   "--source", "anna", "--source", "ben", "--apart", "actor_03", "--folds", 2, "--ridge", 1)
    assert done.exit_code == 0, done.stderr
    path = done.stdout.strip()
    arrays = read_model(path, "emphasis-model", read_arrays)
    assert {name: value.shape for name, value in arrays.items()} == {
        name: np.shape(value) for name, value in emphasis_model().items()}
    assert (arrays["slopes"] >= 0).all()
    held_out = acted(ravdess, ["actor_03"])
    assert emphasis_train.told_apart(held_out, arrays["weights"]) == 1
    with pytest.raises(InputError, match="0 people of split 'train' from nobody"):
        measured(pack, ear, "train", ["nobody"])


def test_acted_speech_of_one_intensity_is_refused(tmp_path, sound):
    write_wav(tmp_path / "in" / "03-01-05-01-01-01-01.wav", sound)
    assert command(list_recordings.main, tmp_path / "in", "--out", tmp_path / "index").exit_code == 0
    with pytest.raises(InputError, match="no phrase with normal and with strong intensity"):
        acted(tmp_path / "index" / "index.csv")


def test_frames_are_as_many_as_ever(sound):
    assert len(predict_as_stream(load_model(), sound, style=NATURAL)) == n_frames_of(len(sound))
