"""What is painted for a soft photo is as soft, and lies where the head is, however far that has gone."""

import cv2
import numpy as np
import pytest
from conftest import opening_motion, portrait_photo

from core.face import face68
from render.measure import inside, laplacian_energy
from render.motion import Move
from render.parts.painted import PaintedPart, mouth_of
from render.parts.softness import blur_of, soften
from render.photo import Photo
from render.portrait import Portrait

PART, ROUND = np.s_[30:70, 40:120], 2.5


@pytest.fixture(scope="module")
def sharp(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


def blurred(photo, sigma, rough=None):
    picture = cv2.GaussianBlur(photo.picture, (0, 0), sigma)
    if rough == "noise":
        picture = np.clip(picture + np.random.default_rng(0).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    if rough == "jpeg":
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)
    return Photo(photo.path, picture, photo.points)


@pytest.mark.parametrize("rough", [None, "noise", "jpeg"])
@pytest.mark.parametrize("sigma", [1.7, 2.0, 2.5, 3.0])
def test_a_blurred_face_tells_how_blurred_it_is(sharp, sigma, rough):
    assert abs(blur_of(blurred(sharp, sigma, rough)) - np.hypot(sigma, blur_of(sharp))) < 0.3 * sigma


def test_a_sharp_face_is_not_blurred(sharp):
    assert blur_of(sharp) < 0.8


@pytest.fixture(scope="module")
def opened():
    return opening_motion()[int(np.abs(opening_motion()).sum((1, 2)).argmax())]


@pytest.mark.parametrize("sigma", [2.0, 3.0])
def test_a_mouth_is_not_sharper_than_its_photo(sharp, opened, sigma):
    photo = blurred(sharp, sigma)
    face = photo.face + opened

    def frame_of(one):
        return Portrait(one, [PaintedPart(one, mouth_of(one))]).draw(Move(face, np.zeros(5, np.float32)))

    wanted = cv2.GaussianBlur(frame_of(sharp), (0, 0), sigma)
    detail, _ = inside([frame_of(photo)], [wanted], face68.to_pixel_space(face[None], photo.pose), float(photo.pose[0]))
    assert detail < 2.0


def a_change():
    view = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (96, 160, 4), np.uint8), (0, 0), 4)
    patch = view.copy()
    patch[..., 3] = 0
    patch[PART] = 250, 240, 10, 255
    return view, patch


def laid_over(view, patch):
    return view[..., :3] + (patch[..., :3] - view[..., :3].astype(float)) * patch[..., 3:] / 255


@pytest.mark.parametrize("blur_px", [1.2, 2.0, 3.0, 5.5, 8.0])
def test_a_softened_change_is_the_change_blurred(blur_px):
    view, patch = a_change()
    got = laid_over(view, soften(patch, view, blur_px))
    wanted = view[..., :3] + cv2.GaussianBlur(laid_over(view, patch) - view[..., :3], (0, 0), blur_px)
    assert np.abs(got - wanted)[8:-8, 8:-8].max() < 25 and np.abs(got - wanted).mean() < ROUND
    assert laplacian_energy(got.astype(np.uint8)) < 0.2 * laplacian_energy(laid_over(view, patch).astype(np.uint8))


def test_where_nothing_was_laid_nothing_is(sharp):
    view, patch = a_change()
    soft = soften(patch, view, 4.0)
    assert not soft[[0, -1], :, 3].any() and not soft[:, [0, -1], 3].any() and not soft[:, 150:, 3].any()
    patch[..., 3] = 0
    assert not soften(patch, view, 4.0)[..., 3].any()


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("right, down", [(0.2, 0), (0.5, 0), (-0.5, 0.2), (0, -0.6), (0.4, 0.4), (-0.8, 0)])
def test_a_mouth_goes_as_far_as_its_head(sharp, opened, right, down, encoded):
    portrait = Portrait(sharp, [PaintedPart(sharp, mouth_of(sharp))], encoded=encoded)
    face, rows = sharp.face + opened, sharp.picture.shape[0]

    def painted(head):
        move = Move(face, np.array(head, np.float32))
        [(solved, patches)] = portrait.paint([move])
        with_it, without = (portrait(face, move.head, solved, each)[:rows] for each in (patches, [None]))
        changed = np.abs(with_it.astype(int) - without).reshape(rows, sharp.picture.shape[1], -1).max(-1) > 8
        return np.argwhere(changed)

    at_rest, moved = painted((0, 0, 0, 0, 0)), painted((0, 0, 0, right, down))
    shift = np.array([down, right]) * sharp.pose[0]
    assert len(moved) == pytest.approx(len(at_rest), rel=0.1)
    for end in (np.min, np.max):
        assert np.abs(end(moved, 0) - end(at_rest, 0) - shift).max() < 6
