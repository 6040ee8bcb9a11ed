"""The photo check looks: covered and open mouths, glasses, faces that the border cuts; and it is silent over a good photo."""

import cv2
import numpy as np
import pytest
from conftest import portrait
from made_up import save

from core.errors import InputError
from core.face import face68
from render import photo, photo_check
from render.life import iris
from render.liveliness import _BEHIND_GLASSES, hold_rims
from render.parts import signs

SIZE_PX = 600


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    picture = cv2.resize(np.ascontiguousarray(portrait()[:200, 24:224]), (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    return photo_check.find_face(save(tmp_path_factory.mktemp("face") / "x.png", picture))


def changed(face, draw):
    """`face` with something drawn over it: `draw(picture, points, px of an eye distance)`."""
    picture = face.picture.copy()
    draw(picture, face.points, float(face.pose[0]))
    return photo.Photo(face.path, picture, face.points)


def over_mouth(colour, wide=0.8, high=0.5, grain=0.0):
    def draw(picture, points, unit):
        mask = np.zeros(picture.shape[:2], np.float32)
        middle = points[face68.MOUTH].mean(0)
        cv2.ellipse(mask, tuple(int(v) for v in middle), (int(wide * unit), int(high * unit)), 0, 0, 360, 1, -1)
        noise = np.random.default_rng(0).normal(0, grain, (20, 20, 1)).astype(np.float32)
        cover = np.array(colour) + cv2.resize(noise, picture.shape[1::-1])[..., None]
        picture[:] = picture * (1 - mask[..., None]) + cover.clip(0, 255) * mask[..., None]
    return draw


def rims(thick):
    def draw(picture, points, unit):
        for side in ("right", "left"):
            middle = points[list(face68.GROUPS[f"{side}_eye"])].mean(0)
            low, high = (tuple(int(v) for v in middle + np.array(corner) * unit) for corner in ((-0.38, -0.26), (0.38, 0.3)))
            cv2.rectangle(picture, low, high, (20, 20, 20), max(2, int(thick * unit)), cv2.LINE_AA)
    return draw


def test_a_good_photo_has_no_signs(face):
    assert not any(sign(face) for sign in (signs.is_cut, signs.is_mouth_open, signs.is_mouth_covered,
                                           signs.wears_glasses))


@pytest.mark.parametrize("cover", [((120, 180, 215), 1.0, 0.6), ((240, 240, 240), 1.0, 0.6), ((25, 25, 28), 0.45, 0.4, 12),
                                   ((205, 160, 135), 0.8, 0.5, 6), ((60, 90, 60), 1.1, 0.55, 25)],
                         ids=["mask", "white mask", "microphone", "palm", "scarf"])
def test_a_covered_mouth(face, cover):
    hidden = changed(face, over_mouth(*cover))
    assert signs.is_mouth_covered(hidden)
    assert not signs.wears_glasses(hidden)


def test_a_monochrome_photo_cannot_tell_what_covers_a_mouth(face):
    grey = np.repeat(cv2.cvtColor(face.picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    assert not signs.is_mouth_covered(photo.Photo(face.path, grey, face.points))


@pytest.mark.parametrize("thick", [0.03, 0.045, 0.07])
def test_glasses(face, thick):
    assert signs.wears_glasses(changed(face, rims(thick)))


def test_glasses_hold_brows_and_lids_and_let_the_mouth_speak(face):
    moved = face.face + np.random.default_rng(0).normal(0, 0.1, face.face.shape).astype(np.float32)
    ((held, head),) = hold_rims([(moved, 7)], face.face)
    assert np.array_equal(held[_BEHIND_GLASSES], face.face[_BEHIND_GLASSES]) and head == 7
    assert np.array_equal(np.delete(held, _BEHIND_GLASSES, 0), np.delete(moved, _BEHIND_GLASSES, 0))


@pytest.mark.parametrize("opening, is_open", [(0.02, False), (0.1, False), (0.45, True), (0.7, True)])
def test_an_open_mouth(face, opening, is_open):
    """Opening in widths of the mouth."""
    points = face.points.copy()
    low = [*face68.GROUPS["inner_lips"]][5:]
    points[low, 1] += opening * float(face68.mouth_width(face.face)) * face.pose[0]
    assert signs.is_mouth_open(photo.Photo(face.path, face.picture, points)) == is_open


@pytest.mark.parametrize("side", ["left", "right", "bottom"])
def test_a_face_that_the_border_cuts(face, side):
    (left, _), (right, bottom) = face.points.min(0).astype(int), face.points.max(0).astype(int)
    tenth = (right - left) // 10
    window = {"left": (left + tenth, SIZE_PX, SIZE_PX), "right": (0, right - tenth, SIZE_PX),
              "bottom": (0, SIZE_PX, bottom - tenth)}[side]
    cut = face.picture[:window[2], window[0]:window[1]]
    assert signs.is_cut(photo.Photo(face.path, np.ascontiguousarray(cut), face.points - (window[0], 0)))


@pytest.mark.parametrize("draw, word", [(over_mouth((25, 25, 28), 0.45, 0.4), "covered"), (rims(0.045), "glasses")])
def test_a_sign_is_one_line_of_the_check(face, tmp_path, capsys, draw, word):
    photo_check.check_photo(save(tmp_path / "x.png", changed(face, draw).picture))
    assert [word in line for line in capsys.readouterr().err.splitlines()] == [True]


def test_no_turn_upside_down_for_something_like_a_face(face, monkeypatch):
    from core.face import face_detector
    asked = []
    monkeypatch.setattr(face_detector, "detect", lambda grey, side_px, least=0.0: asked.append(least) or np.empty((0, 4)))
    assert face_detector.find_rotation_deg(np.zeros((300, 300), np.uint8)) == 0
    assert min(asked[-2:]) >= 1 > max(asked[:-2]) > 0


def test_a_mouth_out_of_the_picture_is_refused(face, tmp_path):
    mouth_px = int(face.points[face68.MOUTH][:, 1].min())
    with pytest.raises(InputError):
        photo_check.check_photo(save(tmp_path / "x.png", face.picture[:mouth_px]))


def lids_shut(picture, points, unit):
    for side in ("right", "left"):
        points[list(face68.GROUPS[f"{side}_eye"]), 1] = points[list(face68.GROUPS[f"{side}_eye"]), 1].mean()


def over_eye(colour, side):
    def draw(picture, points, unit):
        middle = points[list(face68.GROUPS[f"{side}_eye"])].mean(0)
        cv2.ellipse(picture, tuple(int(v) for v in middle), (int(0.42 * unit), int(0.35 * unit)), 0, 0, 360, colour, -1)
    return draw


def test_shut_eyes_are_said(face):
    assert not signs.are_eyes_shut(face)
    points = face.points.copy()
    lids_shut(None, points, 1)
    shut = photo.Photo(face.path, face.picture, points)
    assert signs.are_eyes_shut(shut) and signs.hidden_eye(shut) is None
    check = photo_check.FaceCheck(shut, np.zeros((1, 4)), 0, 0.0, 0.0, 300.0, 50.0)
    assert any("eyes are shut" in text for text in photo_check.warnings_of(check))


@pytest.mark.skipif(not iris.is_installed(), reason="MediaPipe's models are not installed")
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("colour", [(20, 20, 20), (205, 160, 135)], ids=["patch", "hand"])
def test_one_eye_hidden_is_said(face, side, colour):
    hidden = changed(face, over_eye(colour, side))
    assert signs.hidden_eye(face) is None and signs.hidden_eye(hidden) == side
    check = photo_check.FaceCheck(hidden, np.zeros((1, 4)), 0, 0.0, 0.0, 300.0, 50.0)
    assert any(f"the {side} eye seems to be hidden" in text for text in photo_check.warnings_of(check))
