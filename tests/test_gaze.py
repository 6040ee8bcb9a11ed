"""Eyes look somewhere: as often and as far as people do, in the photo's own pixels, and not where no iris is found."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import portrait_photo

from core.clock import FPS
from core.face import face68
from render import portrait as portrait_module
from render.life import gaze, iris
from render.life.eyeballs import Eye, Eyeball
from render.life.gaze import DEGREE, MOST, gaze_of, lids_follow, on_somebody, saccades
from render.life.gaze_part import GazePart, attend, gaze_part
from render.life.iris import find_irises
from render.photo import Photo

MINUTES = 20
SIZE_PX = 384
installed = pytest.mark.skipif(not iris.is_installed(), reason="the iris model is not installed")


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", SIZE_PX)


@pytest.fixture(scope="module")
def eyes(photo):
    return find_irises(photo)


def painted_eye(middle=(60.0, 40.0), radius=14.0, light=None):
    """A picture of an eye, and where it is: a dark disc between two arcs, white beside it, skin around."""
    picture, x = np.full((80, 120, 3), (200, 150, 130), np.uint8), np.linspace(20, 100, 41)
    arc = 16 * (1 - np.square((x - 60) / 40))
    upper, lower = np.stack([x, 40 - arc], 1), np.stack([x, 40 + 0.8 * arc], 1)
    inside = np.zeros((80, 120), np.uint8)
    cv2.fillPoly(inside, [np.round(np.concatenate([upper, lower[::-1]])).astype(np.int32)], 1)
    disc = cv2.circle(np.zeros((80, 120), np.uint8), tuple(int(v) for v in middle), int(radius), 1, -1)
    picture[inside > 0] = 215
    picture[(inside & disc) > 0] = (60, 40, 30)
    if light:
        cv2.circle(picture, light, 2, (255, 255, 255), -1)
    return picture, Eye(upper, lower, np.array(middle), radius)


def dark_middle(picture):
    """x of the middle of the dark pixels."""
    return np.flatnonzero((picture < 100).all(2).any(0)).mean()


@pytest.mark.parametrize("way", [-4, 4])
def test_an_iris_moves_and_the_skin_stays(way):
    picture, eye = painted_eye()
    ball = Eyeball(picture, eye)
    moved = ball.look(np.array([way, 0.0]))
    assert dark_middle(moved) - dark_middle(picture[ball.box]) == pytest.approx(way, abs=0.8)
    skin = ball.shown == 0
    assert skin.any() and ball.shown.max() == 255
    inside = ball.shown == 255
    lids = (np.abs(moved[inside].astype(int) - (200, 150, 130)).max(1) < 25).mean()
    assert lids < 0.05, "nothing of a lid comes into the eye"


def test_an_eye_that_looks_nowhere_else_is_the_photos():
    picture, eye = painted_eye(light=(64, 34))
    ball = Eyeball(picture, eye)
    assert np.abs(ball.look(np.zeros(2)).astype(int) - picture[ball.box]).max() <= 2


def test_a_catch_light_stays_behind():
    def way_of(light):
        picture, eye = painted_eye(light=light)
        ball = Eyeball(picture, eye)
        before, after = picture[ball.box], ball.look(np.array([5.0, 0]))
        lit = [np.flatnonzero((part[34 - ball.box[0].start] > 240).all(1)).mean() for part in (before, after)]
        return lit[1] - lit[0], dark_middle(after) - dark_middle(before)

    light, iris_way = way_of((60, 34))
    assert light < 0.75 * iris_way


def test_an_iris_at_the_corner_goes_no_further_than_there_is_white():
    picture, eye = painted_eye(middle=(84.0, 40.0), radius=10.0)
    ball = Eyeball(picture, eye)
    far = ball.look(np.array([30.0, 0]))
    assert dark_middle(far) - dark_middle(picture[ball.box]) < 0.6 * (100 - 94) + 1


def test_people_look_at_the_camera_most_of_the_time():
    away = np.linalg.norm(gaze_of(MINUTES * 60 * FPS), axis=1) / DEGREE
    assert 0.15 < (away > 2.3).mean() < 0.4 and away.max() < 10
    camera = np.linalg.norm(gaze_of(MINUTES * 60 * FPS, gaze="camera"), axis=1) / DEGREE
    assert 0 < camera.mean() < 1.5 and camera.max() < 4
    assert not gaze_of(100, gaze="still").any()


def test_looks_last_as_long_as_they_were_measured_to():
    found = saccades(MINUTES * 60)
    far = [np.linalg.norm(to) > 2.3 for _, to in found]
    begun = [when for (when, _), now, before in zip(found, far, [False, *far]) if now and not before]
    assert 60 / np.median(np.diff(begun)) == pytest.approx(60 / 3.2, rel=0.4)
    assert all(a <= b for (a, _), (b, _) in zip(found, found[1:]))


def test_saccades_are_fast_and_rest_between():
    where = gaze_of(60 * FPS) / DEGREE
    speed = np.linalg.norm(np.diff(where, axis=0), axis=1)
    assert (speed < 1e-6).mean() > 0.8  # eyes hold still between
    assert speed.max() > 3  # and jump


def test_looks_away_begin_in_blinks():
    def share(blinks_s):
        found = [when for when, to in saccades(600, 0, "natural", blinks_s) if np.linalg.norm(to) > 2.3]
        return np.mean([np.abs(every - when).min() < 0.1 for when in found])

    every = np.arange(2.0, 600, 4)
    assert share(every) > 0.3 > share([])


@pytest.mark.parametrize("seed", [0, 5])
def test_the_same_seed_looks_the_same_way(seed):
    np.testing.assert_array_equal(gaze_of(200, seed=seed), gaze_of(200, seed=seed))
    np.testing.assert_array_equal(gaze_of(400, seed=seed)[:200], gaze_of(200, seed=seed))
    assert not np.array_equal(gaze_of(200, seed=seed), gaze_of(200, seed=seed + 1))
    np.testing.assert_allclose(gaze_of(400, fps=2 * FPS, seed=seed)[1:-1:2], gaze_of(200, seed=seed)[:199], atol=0.03)


def test_eyes_stay_on_somebody_while_the_head_turns():
    right = on_somebody(np.zeros(2), np.array([0.1, 0, 0, 0, 0]))
    down = on_somebody(np.zeros(2), np.array([0, 0.1, 0, 0, 0]))
    assert right[0] < -0.01 and right[1] == 0 and down[1] < -0.01 and down[0] == 0
    assert (np.abs(on_somebody(np.array([1.0, 1.0]), np.zeros(5))) <= MOST).all()


def test_lids_follow_the_eyes_down(photo):
    opening = {way: float(face68.eye_opening(lids_follow(photo.face, np.array([0, way])))) for way in (-0.015, 0, 0.015, 1.0)}
    assert opening[-0.015] > opening[0] > opening[0.015] > opening[1.0] > 0


@installed
def test_irises_are_found(photo, eyes):
    distance = eyes[1].middle[0] - eyes[0].middle[0]
    assert distance == pytest.approx(1, abs=0.1) and all(0.07 < eye.radius < 0.11 for eye in eyes)
    grey = cv2.cvtColor(photo.picture, cv2.COLOR_RGB2GRAY)
    for eye in eyes:
        x, y = face68.to_pixel_space(eye.middle[None, None].astype(np.float32), photo.pose[None])[0, 0]
        x += 0.4 * eye.radius * photo.pose[0]  # beside the catch-light
        assert grey[round(y), round(x)] < 110


@installed
@pytest.mark.parametrize("spoilt", ["skin", "white", "sunglasses"])
def test_no_iris_is_found_where_there_is_none(photo, spoilt):
    picture = photo.picture.copy()
    for side in ("right_eye", "left_eye"):
        x, y = photo.points[list(face68.GROUPS[side])].mean(0).round().astype(int)
        reach = int(0.3 * photo.pose[0])
        box = picture[y - reach // 2:y + reach // 2, x - reach:x + reach]
        box[:] = {"skin": picture[y + reach, x], "white": 250, "sunglasses": 15}[spoilt]
    assert find_irises(Photo(Path("spoilt"), picture, photo.points)) is None


@installed
def test_without_the_model_eyes_hold_still_and_it_is_said(photo, monkeypatch, capsys):
    monkeypatch.setattr(iris, "_model", lambda: None)
    assert gaze_part(photo) is None
    assert "the irises were not found" in capsys.readouterr().err


@installed
def test_a_video_looks_where_it_was_told_to(photo, eyes):
    part = GazePart(photo, eyes)
    moves = [(photo.face, np.zeros(5, np.float32))] * 3
    left, ahead, right = portrait_module.frames(photo, attend(moves, np.array([[-0.03, 0], [0, 0], [0.03, 0]])), [part])
    plain = next(iter(portrait_module.frames(photo, moves[:1])))
    around = np.linalg.norm(np.mgrid[:plain.shape[0], :plain.shape[1]].transpose(1, 2, 0)
                            - photo.pose[[3, 2]], axis=2) > photo.pose[0]
    for frame in (left, ahead, right):
        np.testing.assert_array_equal(frame[around], plain[around])
    assert np.abs(ahead.astype(int) - plain).max() < 60 and np.abs(ahead.astype(int) - plain).mean() < 0.5

    def darkness(frame, eye):
        x, y = face68.to_pixel_space(eye.middle[None, None].astype(np.float32), photo.pose[None])[0, 0].round().astype(int)
        reach = round(1.4 * eye.radius * photo.pose[0])
        dark = 255.0 - cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[y - 3:y + 4, x - reach:x + reach + 1]
        return (dark.mean(0) * np.arange(dark.shape[1])).sum() / dark.mean(0).sum()

    for eye in eyes:
        assert darkness(left, eye) < darkness(ahead, eye) < darkness(right, eye)


def test_every_gaze_has_a_name():
    assert gaze.GAZES == ("natural", "camera", "still")
