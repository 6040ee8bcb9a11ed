"""Face crops: whatever the head does, face space lies the same way in every crop."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from core import artifacts
from core.face import face68
from core.index import read_index, write_index
from core.media.video import write_video
from preprocess import crop_faces


def _dots(face, pose, side_px=400):
    """A frame with a white dot at each of some face-space points under `pose`."""
    frame = np.zeros((side_px, side_px, 3), np.uint8)
    for x, y in face68.to_pixel_space(face[None], pose)[0]:
        cv2.circle(frame, (round(float(x) * 16), round(float(y) * 16)), 48, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return frame


@pytest.mark.parametrize("pose", [(60, 0, 200, 150), (60, 0.3, 180, 160), (30, -0.2, 210, 190), (110, 0.1, 190, 130)])
def test_points_land_on_the_same_crop_pixels_under_any_pose(pose):
    face = np.array([[-0.5, 0], [0.5, 0], [0, 1.2]])
    crop = crop_faces.crop_face(_dots(face, np.array(pose)), np.array(pose), 256)
    _, _, _, centres = cv2.connectedComponentsWithStats((crop[..., 0] > 60).astype(np.uint8))
    expected = face68.to_pixel_space(face[None], crop_faces.crop_pose(256))[0]
    assert np.allclose(sorted(centres[1:].tolist()), sorted(expected.tolist()), atol=1.0)


def test_an_open_mouthed_chin_lies_inside_the_crop():
    lowest_chin = np.array([[[0.0, 2.2]]])  # eye distances below the eyes; the corpus reaches 2.2 when speaking
    assert face68.to_pixel_space(lowest_chin, crop_faces.crop_pose(256))[0, 0, 1] < 256


def test_a_missing_face_is_black():
    frame = np.full((64, 64, 3), 200, np.uint8)
    assert not crop_faces.crop_face(frame, np.full(4, np.nan), 32).any()


@pytest.fixture
def corpus(tmp_path):
    """Two clips of ten frames, one of them of another speaker, with the third frame's face missing."""
    rows, landmarks = [], tmp_path / "landmarks"
    rng = np.random.default_rng(0)
    for clip, speaker in (("a", "ann"), ("b", "bob")):
        write_video(tmp_path / f"{clip}.mp4", rng.integers(0, 255, (10, 64, 64, 3)).astype(np.uint8))
        pose = np.tile(np.float32([18, 0, 32, 24]), (10, 1))
        pose[2] = np.nan
        artifacts.save(landmarks / f"{clip}.pose.npy", pose, "head-pose", stage="test")
        rows.append({"clip": clip, "speaker": speaker, "split": "train", "picture": str(tmp_path / f"{clip}.mp4"), "sound": ""})
    write_index(landmarks / "index.csv", rows, stage="test")
    return tmp_path


def test_command_takes_every_nth_frame_of_one_speaker_and_counts_the_missing(corpus):
    out = corpus / "crops"
    arguments = ["--landmarks", str(corpus / "landmarks"), "--out", str(out), "--speaker", "ann", "--every", "2",
                 "--size", "32", "--jobs", "1"]
    result = CliRunner().invoke(crop_faces.main, arguments)
    assert result.exit_code == 0, result.output
    (row,) = read_index(out / "index.csv")
    assert (row["clip"], row["crops"], row["missing_crops"]) == ("a", "5", "1")
    crops = artifacts.load(out / "a.npy", "face-crops")
    assert crops.array.shape == (5, 32, 32, 3)
    assert crops.sidecar["every"] == 2
    assert not crops.array[1].any()
    assert crops.array[[0, 2, 3, 4]].any((1, 2, 3)).all()
