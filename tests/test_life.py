"""How lively a face is: what is measured is what was made to move."""

import numpy as np
import pytest

from core import artifacts
from core.clock import FPS
from core.face import face68
from landmarks.lite import FFT_MODEL, load_model
from render.life.measure import QUANTITIES, as_shown, liveliness_of

LOWER_LIP = [*face68.GROUPS["inner_lips"]][5:]
FACE = load_model(FFT_MODEL).rest_face.copy()
FACE[LOWER_LIP, 1] += 0.2  # an open mouth
N_FRAMES = 8 * FPS
WAVE = np.sin(np.arange(N_FRAMES) * 2 * np.pi / FPS).astype(np.float32)  # a period a second


def moved(group=(), way=(0.0, 0.0), size=1.0):
    """FACE with points that swing by `way`, float32 [frame, 68, 2]."""
    face = np.repeat(FACE[None], N_FRAMES, 0).astype(np.float32)
    face[:, list(group)] += size * WAVE[:, None, None] * np.float32(way)
    return face


STILL = np.tile(np.float32([100, 0, 50, 50]), (N_FRAMES, 1))
BROWS = [*face68.GROUPS["right_brow"], *face68.GROUPS["left_brow"]]
LIDS = [point for upper, _ in face68.EYE_LIDS for point in upper]
CORNERS = [face68.GROUPS["outer_lips"][0], face68.GROUPS["outer_lips"][6]]


@pytest.mark.parametrize("group, way, names", [
    (LOWER_LIP, (0, 0.05), {"opening", "opening_speed"}), (BROWS, (0, 0.05), {"brows"}), (LIDS, (0, 0.03), {"lids"}),
    (CORNERS, (0, 0.05), {"corners"}), (CORNERS[1:], (0.05, 0), {"width"})])
def test_each_quantity_measures_its_own_part(group, way, names):
    one, two = (liveliness_of(moved(group, way, size), STILL) for size in (1, 2))
    assert {name for name in QUANTITIES if one[name] > 1e-3} == names
    for name in names:
        assert two[name] == pytest.approx(2 * one[name], rel=0.05)


def test_speed_is_a_second():
    pose = STILL.copy()
    pose[:, 2] += 200 * np.arange(N_FRAMES) / FPS  # two eye distances a second
    assert liveliness_of(moved(), pose)["head_speed"] == pytest.approx(2, rel=1e-3)


def test_a_frame_without_a_face_is_filled():
    face = moved(LOWER_LIP, (0, 0.05))
    whole = liveliness_of(face, STILL)
    face[10] = np.nan
    assert liveliness_of(face, STILL) == pytest.approx(whole, rel=0.05)


def test_predicted_landmarks_are_measured_as_a_video_shows_them(tmp_path):
    head = np.zeros((N_FRAMES, 5), np.float32)
    head[:, 2] = 0.1 * WAVE
    artifacts.save(tmp_path / "landmarks.npy", moved(), "landmarks-face", stage="test")
    artifacts.save(tmp_path / "rest_face.npy", FACE.astype(np.float32), "rest-face", stage="test")
    artifacts.save(tmp_path / "head.npy", head, "head-motion", stage="test")
    found = liveliness_of(*as_shown(tmp_path / "landmarks.npy", FACE))
    assert found["head_roll"] == pytest.approx(np.degrees(0.1 * WAVE.std()), rel=0.02)
    assert found["lids"] > 0.005  # it blinks
