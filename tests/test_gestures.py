"""What a face does beside speaking: with stress, questions and breath, and with nothing; the same seed, the same."""

import numpy as np
import pytest

from core.clock import FPS
from core.face import face68
from landmarks.emphasis.accents import Accents, accents_of, phrases_of
from landmarks.emphasis.gestures import (
    LID_SD,
    LIFT_S,
    PARTED,
    bump,
    gestures_of,
    lid_steps,
    with_lids,
    with_parted_lips,
)
from landmarks.emphasis.style import STYLES, Style
from landmarks.lite import FFT_MODEL, load_model

PLAIN, N_FRAMES = Style("plain"), 12 * FPS
NOBODY = Accents(np.zeros(0, int), np.zeros(0), [], np.zeros(0, bool))
FREE = np.ones(N_FRAMES, np.float32)


def syllables(at, n_frames=N_FRAMES, rises=()):
    """Mel power [frame, hop, mel] and pitch [frame, hop] of a hum with stressed frames; `rises`: from here on it is higher."""
    time = np.arange(n_frames)
    stress = sum(np.exp(-np.square((time - t) / 2) / 2) for t in at) if len(at) else np.zeros(n_frames)
    power = np.full((n_frames, 4, 64), 1.0) * (1 + 9 * stress)[:, None, None]
    height = 7 + 0.3 * stress
    for start in rises:
        height[start:] += 0.3
    return power, np.repeat(height[:, None], 4, 1).astype(np.float32)


def test_stress_is_found():
    accents = accents_of(*syllables([50, 120, 200]), FREE)
    assert len(accents.stressed) == 3 and np.abs(accents.stressed - [50, 120, 200]).max() <= 2
    assert not len(accents_of(*syllables([]), FREE).stressed)
    assert not len(accents_of(*syllables([50]), np.zeros(N_FRAMES)).stressed)  # nobody speaks


def test_a_rise_at_the_end_is_a_question():
    assert accents_of(*syllables([], rises=[N_FRAMES - 10]), FREE).asks.tolist() == [True]
    assert accents_of(*syllables([]), FREE).asks.tolist() == [False]


def test_phrases_lie_between_pauses():
    free = np.zeros(N_FRAMES)
    free[20:60] = free[63:100] = free[150:155] = free[200:250] = 1
    assert phrases_of(free) == [(20, 100), (200, 250)]  # a gap of three frames is no pause, five frames are no phrase


def test_brows_and_head_go_with_stress_and_not_without():
    stressed = Accents(np.array([60, 120, 180, 240]), np.ones(4), [], np.zeros(0, bool))
    course = np.sum([gestures_of(stressed, FREE, PLAIN, seed).brows.mean(1) for seed in range(20)], 0)
    nods = np.sum([gestures_of(stressed, FREE, PLAIN, seed).nod for seed in range(20)], 0)
    near = np.abs(np.arange(N_FRAMES)[:, None] - stressed.stressed).min(1)
    for values in (course, nods):
        assert values[near <= 2].min() > 5 * values[near > 20].max()
    nothing = gestures_of(NOBODY, FREE, PLAIN)
    assert not nothing.brows.any() and not nothing.nod.any() and not nothing.parted.any()


def test_a_question_raises_the_brows_at_its_end():
    asked, told = (gestures_of(Accents(np.zeros(0, int), np.zeros(0), [(20, 150)], np.array([asks])), FREE, PLAIN) for asks in (
        True, False))
    assert asked.brows[149].max() > 0.03 and not asked.brows[:120].any() and not told.brows.any()


def test_a_breath_comes_before_the_voice():
    breath = gestures_of(Accents(np.zeros(0, int), np.zeros(0), [(100, 200)], np.array([False])), FREE, PLAIN)
    assert breath.parted.argmax() == 99 and breath.parted.max() == pytest.approx(PARTED)
    assert not breath.parted[:90].any() and not breath.parted[105:].any()
    assert breath.nod[98] < 0 and not breath.nod[:98 - round(LIFT_S * FPS)].any()  # the head rises


def test_now_and_then_one_brow_alone():
    stressed = Accents(np.arange(30, 30 * 200, 30), np.ones(199), [], np.zeros(0, bool))
    brows = gestures_of(stressed, np.ones(30 * 201), PLAIN, 1).brows
    peaks = brows[stressed.stressed - 1]
    peaks = peaks[peaks.max(1) > 0.01]
    uneven = np.abs(peaks[:, 0] - peaks[:, 1]) > 0.3 * peaks.max(1)
    assert 40 < len(peaks) < 110 and 0.08 < uneven.mean() < 0.35


def test_lids_move_as_far_as_they_were_measured_to():
    lids = np.concatenate([lid_steps(60 * FPS, seed) for seed in range(10)])
    assert lids.std() == pytest.approx(LID_SD, rel=0.2) and np.abs(lids).max() < 0.035
    assert np.abs(np.diff(lids)).max() < 0.02  # no jump


@pytest.mark.parametrize("seed", [0, 3])
def test_the_same_seed_and_any_length_give_the_same(seed):
    accents = Accents(np.array([40, 90]), np.ones(2), [(10, 130)], np.array([False]))
    one, two, longer = (gestures_of(accents, np.ones(n), PLAIN, seed) for n in (200, 200, 400))
    other = gestures_of(accents, np.ones(200), PLAIN, seed + 1)
    for name in ("brows", "lids", "nod", "parted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        np.testing.assert_allclose(getattr(longer, name)[:150], getattr(one, name)[:150], atol=1e-6)
    assert not np.array_equal(one.lids, other.lids)


def test_styles_scale_them():
    accents = Accents(np.array([60, 120, 180]), np.ones(3), [], np.zeros(0, bool))
    calm, vivid = (gestures_of(accents, FREE, STYLES[name], 2) for name in ("calm", "vivid"))
    assert vivid.lids.std() > 1.5 * calm.lids.std() and vivid.nod.max() > 1.5 * calm.nod.max()


def test_bump():
    course = bump(50, 20, 0.2, 0.4)
    assert course.argmax() == 20 and course[20] == 1 and not course[:15].any() and not course[31:].any()


def test_lids_and_lips_of_a_face():
    face = np.repeat(load_model(FFT_MODEL).rest_face[None], 3, 0)
    wider = np.array([-0.02, 0, 0.02], np.float32)
    np.testing.assert_allclose(face68.eye_opening(with_lids(face, wider)) - face68.eye_opening(face), wider, atol=2e-3)
    parted = with_parted_lips(face, np.array([0, 0.05, 0.1]))
    np.testing.assert_array_equal(parted[0], face[0])
    np.testing.assert_allclose(face68.mouth_opening(parted)[1:], [0.05, 0.1], atol=5e-3)
    np.testing.assert_allclose(face68.mirror(parted) - face68.mirror(face), parted - face, atol=1e-6)
