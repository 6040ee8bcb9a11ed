"""Faces placed by hand: face.json is written by the check, corrected, and taken as it is; a bad one is refused in one line."""

import json

import numpy as np
import pytest
from conftest import command, describe, portrait
from made_up import save, write

from core import artifacts
from core.errors import InputError
from core.face import face68
from render import face_check, photo_check
from render import portrait as portrait_module


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return save(tmp_path_factory.mktemp("one") / "one face.png", portrait().repeat(2, 0).repeat(2, 1))


@pytest.fixture(scope="module")
def found(one):
    return photo_check.check_photo(one)


def test_points_come_out_as_they_were_placed(tmp_path, found):
    """On a drawn face that the detector does not find."""
    drawing = np.full((300, 300, 3), 255, np.uint8)
    drawing[60:240, 80:220] = (240, 200, 160)
    drawing = save(tmp_path / "drawing.png", drawing)
    with pytest.raises(InputError, match="no face found.*--landmarks"):
        photo_check.check_photo(drawing)
    points = (found.photo.points * 0.5).round(2)
    placed = write(tmp_path / "mine.json", points=points.tolist())
    assert np.array_equal(photo_check.find_face(drawing, None, placed).points, points)


def test_a_box_has_the_points_found_in_it(one, tmp_path, found):
    placed = write(tmp_path / "mine.json", box=found.boxes[0].tolist())
    assert np.array_equal(photo_check.find_face(one, None, placed).points, found.photo.points)
    moved = write(tmp_path / "mine.json", box=(found.boxes[0] + 60).tolist())
    assert not np.array_equal(photo_check.find_face(one, None, moved).points, found.photo.points)


def test_the_check_writes_what_can_be_corrected_and_given_back(tmp_path):
    two = save(tmp_path / "two.png", np.hstack([portrait(), portrait()]))
    done = command(face_check.main, two, "--face", 2, "--out", tmp_path / "a")
    assert done.exit_code == 0, done.stderr
    written, drawn = done.stdout.splitlines()[-3:-1]
    assert (written, drawn) == (str(tmp_path / "a" / "face.json"), str(tmp_path / "a" / "photo_check.png"))
    assert artifacts.check(written, "face-points")["options"] == {"face": 2}
    data = json.loads((tmp_path / "a" / "face.json").read_text())
    assert (data["picture"], data["face"], len(data["faces"])) == ([512, 256], 2, 2)
    assert data["faces"][1] == data["box"]
    assert {"yaw_deg", "roll_deg", "width_px", "sharpness"} <= data.keys()
    data["points"][8][1] += 3.25
    write(tmp_path / "a" / "face.json", **data)
    again = command(face_check.main, two, "--landmarks", written, "--out", tmp_path / "b")
    assert again.exit_code == 0, again.stderr
    assert json.loads((tmp_path / "b" / "face.json").read_text())["points"] == data["points"]


def test_corrected_points_are_not_overwritten(one, tmp_path):
    assert command(face_check.main, one, "--out", tmp_path).exit_code == 0
    assert command(face_check.main, one, "--out", tmp_path).exit_code == 0  # nobody changed it
    data = json.loads((tmp_path / "face.json").read_text())
    data["points"][0][0] += 1
    corrected = write(tmp_path / "face.json", **data).read_bytes()
    refused = command(face_check.main, one, "--out", tmp_path)
    assert refused.exit_code == 1 and "changed by hand" in refused.stderr
    assert command(face_check.main, one, "--out", tmp_path, "--landmarks", tmp_path / "face.json").exit_code == 0
    assert (tmp_path / "face.json").read_bytes() == corrected


def test_the_photo_is_not_overwritten(one, tmp_path):
    (mine := tmp_path / "photo_check.png").write_bytes(one.read_bytes())
    assert command(face_check.main, mine, "--out", tmp_path).exit_code == 1
    assert mine.read_bytes() == one.read_bytes()


@pytest.mark.parametrize("content, told", [
    ("hello", "not readable as JSON"), ("", "not readable as JSON"), ("[1, 2]", "neither points"), ("{}", "neither"),
    ('{"points": [[1, 2]]}', "1 entries"), ('{"points": "68"}', "not all numbers"), ('{"points": null}', "not all numbers"),
    ('{"box": [1, 2, 3]}', "3 entries"), ('{"box": ["a", 2, 3, 4]}', "not all numbers"),
    ('{"box": [1, 2, [3], 4]}', "not all numbers"), ('{"box": [100, 20, 50, 90]}', "flipped"),
    ('{"box": [10, 90, 50, 20]}', "flipped"), ('{"box": [10, 10, 12, 12]}', "too small"),
    ('{"box": [10, 10, NaN, 90]}', "not finite"), ('{"box": [10, 10, 1e999, 90]}', "not finite"),
    ('{"box": [10, 10, 5000, 90]}', "outside of the picture"), ('{"box": [10, 10, 90, 90], "picture": [9, 9]}', "[9, 9]"),
    ('{"box": [10, 10, 90, 90], "picture": 5}', "made for"), (None, "no such file")])
def test_bad_files_are_one_line(one, tmp_path, content, told):
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content)
    done = command(face_check.main, one, "--landmarks", path, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"error: {path}: ") and told in done.stderr
    assert not (tmp_path / "out").exists()


def test_points_that_are_no_face(one, tmp_path, found):
    points, far = found.photo.points, found.photo.points.copy()
    far[5, 0] = 3000
    for bad, told in ((far, r"points\[5\]: \(3000"), (points * 0 + 99, "0.0 px apart"), (points * np.nan, "not finite"),
                      (points[face68.MIRROR], "mouth lies above the eyes"), (points[:67], "67 entries")):
        with pytest.raises(InputError, match=told):
            photo_check.check_photo(one, None, write(tmp_path / "x.json", points=bad.tolist()))


def test_other_kinds_and_both_options_are_refused(one, tmp_path):
    path = write(tmp_path / "metrics.json", points=[])
    describe(path, "metrics")
    with pytest.raises(InputError, match="metrics"):
        photo_check.check_photo(one, None, path)
    with pytest.raises(InputError, match="one of the two"):
        photo_check.check_photo(one, "1", path)


def test_a_drawing_moves_by_its_points(tmp_path, found):
    """What the warp makes of points it did not find: the mouth moves, the corner of the picture does not."""
    picture = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    points = write(tmp_path / "mine.json", points=(found.photo.points * 0.75).tolist())
    face = photo_check.find_face(save(tmp_path / "x.png", picture), None, points)
    moved = face.face.copy()
    moved[face68.MOUTH, 1] += 0.1
    frame = next(portrait_module.frames(face, [(moved, np.zeros(5, np.float32))]))
    mouth = face.points[face68.MOUTH].mean(0).astype(int)
    assert np.array_equal(frame[:40, :40], picture[:40, :40])
    near = np.s_[mouth[1] - 5:mouth[1] + 5, mouth[0] - 5:mouth[0] + 5]
    assert not np.array_equal(frame[near], picture[near])
