"""Face space removes head pose and nothing else."""

import numpy as np
import pytest
from conftest import portrait

from core.face import face68


@pytest.fixture(scope="module")
def measured():
    """Forty frames of a face that opens its mouth three times: float [frame, 68, 2] px."""
    from core.face.face_detector import landmarks_of_picture
    points, _ = landmarks_of_picture(portrait())
    opening = 6 * (1 - np.cos(np.arange(40) / 40 * 6 * np.pi)) / 2
    frames = np.repeat(points[None].astype(np.float64), 40, 0)
    frames[:, face68.GROUPS["inner_lips"][5:], 1] += 2 + opening[:, None]
    return frames


def moved(points, scale, angle, shift):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + shift


@pytest.mark.parametrize("scale, angle, shift", [(1, 0, (50, -20)), (3.7, 0, (0, 0)), (1, 0.6, (0, 0)), (0.4, -1.2, (900, 7))])
def test_pose_does_not_change_the_face(measured, scale, angle, shift):
    face, _ = face68.to_face_space(measured)
    again, _ = face68.to_face_space(moved(measured, scale, angle, shift))
    np.testing.assert_allclose(again, face, atol=1e-4)


def test_a_moving_head_is_held_still(measured):
    face, _ = face68.to_face_space(measured)
    swaying = np.stack([moved(frame, 1 + t / 80, np.sin(t / 5) / 3, (t, -t)) for t, frame in enumerate(measured)])
    still, pose = face68.to_face_space(swaying)
    np.testing.assert_allclose(still, face, atol=1e-3)
    assert np.ptp(pose[:, 1]) == pytest.approx(np.ptp(np.sin(np.arange(40) / 5) / 3), abs=1e-3)


def test_pixel_space_comes_back(measured):
    face, pose = face68.to_face_space(measured)
    np.testing.assert_allclose(face68.to_pixel_space(face, pose), measured, atol=1e-3)


def test_units_of_face_space(measured):
    face, pose = face68.to_face_space(measured)
    assert face68.eye_distance(face) == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(pose[:, 0], face68.eye_distance(measured), rtol=0.01)
    corners = face[:, [36, 39, 42, 45]].mean(1)
    np.testing.assert_allclose(corners, 0, atol=0.01)
    assert (face[:, 8, 1] > face[:, 27, 1]).all(), "y goes down: the chin is below the nose"


def test_jaw_drop_survives(measured):
    face, _ = face68.to_face_space(measured)
    expected = np.ptp(face68.mouth_opening(measured)) / face68.eye_distance(measured)[0]
    assert np.ptp(face68.mouth_opening(face)) == pytest.approx(expected, rel=0.02) and expected > 0.05


def test_a_frame_without_a_face_stays_missing(measured):
    gappy = measured.copy()
    gappy[[0, 7]] = np.nan
    face, pose = face68.to_face_space(gappy)
    missing = ~np.isfinite(face).all((1, 2))
    assert np.flatnonzero(missing).tolist() == [0, 7] and np.isnan(pose[[0, 7]]).all()
    filled = face68.fill_missing(face)
    np.testing.assert_array_equal(filled[0], face[1])
    np.testing.assert_allclose(filled[7], (face[6] + face[8]) / 2, atol=1e-5)
    nothing, _ = face68.to_face_space(np.full((3, 68, 2), np.nan))
    assert np.isnan(nothing).all() and np.isnan(face68.rest_face(nothing)).all()


def test_mirror_is_an_involution():
    points = np.random.default_rng(0).normal(size=(5, 68, 2))
    np.testing.assert_array_equal(face68.mirror(face68.mirror(points)), points)
    np.testing.assert_array_equal(np.sort(face68.MIRROR), np.arange(68))


def test_mirror_maps_left_to_right():
    for here, there in (("right_eye", "left_eye"), ("right_brow", "left_brow"), ("jaw", "jaw"), ("nose_bridge", "nose_bridge"),
                        ("nose_base", "nose_base"), ("outer_lips", "outer_lips"), ("inner_lips", "inner_lips")):
        assert set(face68.MIRROR[list(face68.GROUPS[here])]) == set(face68.GROUPS[there])
    edges = {frozenset(edge) for edge in face68.EDGES}
    assert {frozenset(face68.MIRROR[list(edge)].tolist()) for edge in edges} == edges


def test_a_mirrored_face_is_still_a_face(measured):
    face, _ = face68.to_face_space(measured)
    assert np.linalg.norm(face68.mirror(face) - face, axis=-1).mean() < 0.15, "faces are nearly symmetric"
    np.testing.assert_allclose(face68.mouth_opening(face68.mirror(face)), face68.mouth_opening(face), rtol=1e-5)


def test_the_rest_face_is_closed(measured):
    face, _ = face68.to_face_space(measured)
    opening = face68.mouth_opening(face)
    rest = face68.mouth_opening(face68.rest_face(face))
    assert rest <= np.quantile(opening, 0.16) < opening.mean()


def test_a_closed_mouth_is_closed_and_the_rest_stays():
    face = face68.mirror(np.zeros((68, 2), np.float32))
    face[[61, 62, 63, 60, 64]] = [[-0.2, 1.0], [0, 1.0], [0.2, 1.0], [-0.4, 1.05], [0.4, 1.05]]
    face[[67, 66, 65]] = [[-0.2, 1.3], [0, 1.3], [0.2, 1.3]]
    closed = face68.closed_mouth(face)
    assert face68.mouth_opening(closed) == pytest.approx(0.02, abs=0.002)
    assert (closed[61:64, 1] <= closed[[67, 66, 65], 1]).all() and np.array_equal(closed[:6], face[:6])
    assert face68.mouth_width(closed) == face68.mouth_width(face)
    assert np.allclose(face68.closed_mouth(closed), closed, atol=0.002), "what is closed stays as it is"
