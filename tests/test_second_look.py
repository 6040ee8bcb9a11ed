"""Faces that dlib does not find, and points of dlib's that are far off: what MediaPipe's models make of them."""

import json

import cv2
import numpy as np
import pytest
from conftest import command, portrait_photo
from PIL import Image

from core import pretrained
from core.artifacts import save
from core.errors import InputError
from core.face import face68, face_detector, mesh, second_look
from core.index import write_index
from render import photo, photo_check
from render.parts import evaluate_stills
from render.parts.evaluate_stills import HARDER, faces_found, n_folds, offsets_of

installed = pytest.mark.skipif(pretrained.find(pretrained.FACE_DETECTOR) is None,
                               reason=f"{pretrained.FACE_DETECTOR.package} is not installed")


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return photo.frame_photo(portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512), "crop", 512)
TILT = cv2.getRotationMatrix2D((350, 350), 50, 0.7)


def very_dark(picture):
    noise = np.random.default_rng(0).normal(0, 2.5, picture.shape)
    return (picture * 0.04 + noise).clip(0, 255).astype(np.uint8)


@installed
def test_the_mesh_puts_the_points_where_dlib_does(face):
    points, presence = mesh.landmarks_by_mesh(face.picture, face.pose)
    assert presence > 0.9 and mesh.apart(points, face.points) < 0.09
    off = np.linalg.norm(points - face.points, axis=1) / face.pose[0]
    for name in ("right_eye", "left_eye", "outer_lips", "nose_base"):
        assert off[list(face68.GROUPS[name])].mean() < 0.08, name


@installed
def test_the_mesh_sees_no_face_where_there_is_none():
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    assert mesh.landmarks_by_mesh(noise, np.array([60, 0, 150, 120.0]))[1] < mesh.PRESENT


@installed
def test_points_that_are_far_off_are_those_of_the_mesh(face):
    assert second_look.checked(face.picture, face.points) is face.points
    off = face.points.copy()
    off[face68.MOUTH] += 0.9 * float(face.pose[0])
    mended = second_look.checked(face.picture, off)
    assert mesh.apart(mended, face.points) < 0.12 < mesh.apart(off, face.points)
    elsewhere = face.points + np.float32([0, 0.9 * face.pose[0]])  # no face for the mesh: it is looked for anew
    assert mesh.apart(second_look.checked(face.picture, elsewhere), face.points) < 0.12


def test_without_the_models_dlib_decides(face, monkeypatch):
    for module in (mesh, second_look):
        monkeypatch.setattr(module, "find", lambda model: None)
    off = face.points + 50
    assert second_look.checked(face.picture, off) is off and second_look.look_again(face.picture) is None


@installed
@pytest.mark.parametrize("harder", [very_dark, lambda picture: np.ascontiguousarray(
    cv2.warpAffine(picture, TILT, (512, 512)))], ids=["dark", "tilted"])
def test_a_face_that_dlib_misses_is_found(face, tmp_path, harder):
    shown = harder(face.picture)
    assert not len(face_detector.detect_all(face_detector.grey(shown)))
    Image.fromarray(shown).save(tmp_path / "hard.png")
    found = photo_check.find_face(tmp_path / "hard.png")
    turn = np.eye(2, 3) if harder is very_dark else TILT
    assert mesh.apart(found.points, face.points @ turn[:, :2].T + turn[:, 2]) < 0.2


@installed
def test_who_lies_on_the_side_is_to_be_turned(face, tmp_path):
    Image.fromarray(np.rot90(face.picture)).save(tmp_path / "lies.png")
    with pytest.raises(InputError, match="turned by 90 degrees"):
        photo_check.find_face(tmp_path / "lies.png")


@installed
@pytest.mark.parametrize("picture", ["noise", "grass", "flat"])
def test_no_face_is_made_up(picture):
    from skimage import data
    shown = {"noise": lambda: np.random.default_rng(1).integers(0, 255, (400, 400, 3), dtype=np.uint8),
             "grass": lambda: np.dstack([data.gravel()] * 3), "flat": lambda: np.full((100, 900, 3), 90, np.uint8)}[picture]()
    assert second_look.look_again(np.ascontiguousarray(shown)) is None


def test_only_dark_pictures_are_lifted(face):
    assert second_look.lift(face.picture) is face.picture
    lifted = second_look.lift(very_dark(face.picture))
    assert 60 < np.median(lifted) < 160


class TestStills:
    def test_hard_photos_are_counted(self, face):
        found = faces_found(face.picture, face.points, np.random.default_rng(0))
        assert set(found) == set(HARDER) and found["as it is"] == (True, True) and not found["light 0.04"][0]
        if pretrained.find(pretrained.FACE_DETECTOR):
            assert found["light 0.04"][1] and found["tilted by 50 degrees"][1]

    def test_the_command_measures_a_folder(self, face, tmp_path):
        (tmp_path / "photos").mkdir()
        Image.fromarray(face.picture).save(tmp_path / "photos" / "a.png")
        rest, offset = face.face, np.zeros((4, 68, 2), np.float32)
        offset[1:, face68.MOUTH[10:]] += np.random.default_rng(0).normal(0, 0.05, (3, 10, 2))
        save(tmp_path / "clip.face.npy", rest + offset, "landmarks-face", stage="test")
        save(tmp_path / "clip.rest.npy", rest, "rest-face", stage="test")
        write_index(tmp_path / "index.csv", [{"clip": "clip", "problem": ""}], stage="test")
        done = command(evaluate_stills.main, tmp_path / "photos", "--landmarks", tmp_path, "--motions", 8, "--out",
                       tmp_path / "stills.json")
        assert done.exit_code == 0, done.stderr
        measured = json.loads((tmp_path / "stills.json").read_text())
        assert measured["photos"] == 1 and measured["motions"] == 8 and measured["folded"][0] == 0
        assert "| as it is | 1 | 1 | 1 |" in done.stdout

    def test_folds_are_counted(self, face):
        def crossing():
            while True:
                offset = np.zeros((68, 2), np.float32)
                offset[list(face68.GROUPS["nose_base"]), 1] = np.float32(0.35)
                yield offset
        assert n_folds(face.face, crossing(), 3, np.random.default_rng(0)) == (0, 3)

    def test_a_folder_without_photos(self, tmp_path):
        done = command(evaluate_stills.main, tmp_path)
        assert done.exit_code == 1 and "no photos" in done.stderr

    def test_offsets_are_of_all_clips(self, tmp_path):
        for clip, size in (("a", 0.1), ("b", 0.2)):
            save(tmp_path / f"{clip}.face.npy", np.full((3, 68, 2), size, np.float32), "landmarks-face", stage="test")
            save(tmp_path / f"{clip}.rest.npy", np.zeros((68, 2), np.float32), "rest-face", stage="test")
        write_index(tmp_path / "index.csv", [{"clip": clip, "problem": ""} for clip in "ab"], stage="test")
        offsets = offsets_of(tmp_path, np.random.default_rng(0))
        assert {round(float(next(offsets)[0, 0]), 3) for _ in range(20)} == {0.1, 0.2}
