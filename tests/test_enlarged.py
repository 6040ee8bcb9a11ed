"""A photo much smaller than its video moves at its own size; what is seen lies where it would lie otherwise, and no softer."""

import cv2
import numpy as np
import pytest
from conftest import opening_motion, portrait_photo

from core.face import face68
from core.media import nv12
from render import photo as photo_module
from render import portrait
from render.photo import LATE, Photo, frame_photo
from render.sampling import planes
from render.sampling.blocks import LOOK_PX, Masks
from render.sampling.planes import Plane, is_fine

STILL, HEAD = np.zeros(5, np.float32), np.array([0.05, 0.03, 0.05, 0.08, 0.06], np.float32)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


@pytest.fixture(autouse=True)
def little_is_enough(monkeypatch):
    """The portrait's eyes are 86 px apart: let it move at its own size."""
    monkeypatch.setattr(photo_module, "LATE_EYES_PX", 80)


def wide(photo, rows, columns):
    """`photo` in the middle of its mirror images, of so many rows and columns."""
    down, across = rows - photo.picture.shape[0], columns - photo.picture.shape[1]
    sides = down // 2, down - down // 2, across // 2, across - across // 2
    return Photo(photo.path, cv2.copyMakeBorder(photo.picture, *sides, cv2.BORDER_REFLECT),
                 photo.points + np.float32([across // 2, down // 2]))


def to_rgb(frame, encoded):
    return (nv12.to_rgb(frame) if encoded else frame).astype(int)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("preprocess", ["full", "crop", "resize"])
@pytest.mark.parametrize("rows, columns, size_px", [(512, 512, 1080), (701, 533, 1920), (513, 521, 1279), (600, 598, 1400)])
def test_frames_are_of_the_size_that_was_asked_for(small, encoded, preprocess, rows, columns, size_px):
    photo = wide(small, rows, columns)
    late, at_once = (frame_photo(photo, preprocess, size_px, at_once=at_once) for at_once in (False, True))
    frames = [next(portrait.frames(one, [(one.face + opening_motion()[8], HEAD)], encoded=encoded)) for one in (late, at_once)]
    assert late.enlarged and not at_once.enlarged
    seen, wanted = (to_rgb(frame, encoded) for frame in frames)
    assert abs(max(seen.shape) - size_px) <= 1 and np.abs(np.subtract(seen.shape, wanted.shape)).max() <= 2
    assert all(side % 2 == 0 for side in seen.shape[:2])
    wanted = cv2.resize(wanted.astype(np.float32), seen.shape[1::-1])
    off = np.abs(cv2.blur(seen.astype(np.float32), (15, 15)) - cv2.blur(wanted, (15, 15))).max(-1)
    assert off.mean() < (5 if preprocess == "crop" else 2.5)  # a crop begins at a whole pixel of its photo


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("encoded", [False, True])
def test_colours_lie_where_they_would(small, channel, encoded):
    """A dot of colour on a lip is found at the same place, whichever way the photo is enlarged."""
    picture = small.picture.copy()
    x, y = np.round(small.points[8]).astype(int)
    picture[y - 30:y + 31, x - 30:x + 31] = 90
    colour = [60, 60, 60]
    colour[channel] = 250
    cv2.circle(picture, (int(x), int(y)), 8, colour, -1)
    dotted, found = Photo(small.path, picture, small.points), []
    for at_once in (False, True):
        photo = frame_photo(dotted, "full", 1024, at_once=at_once)
        frame = to_rgb(next(portrait.frames(photo, [(photo.face, HEAD)], encoded=encoded)), encoded)
        frame = frame[2 * y - 60:2 * y + 80, 2 * x - 60:2 * x + 80]
        others = np.delete(frame, channel, -1).max(-1)
        weights = np.maximum(frame[..., channel] - others - 60, 0)
        at = np.argwhere(weights > 0)
        found.append((weights[weights > 0][:, None] * at).sum(0) / weights.sum())
    assert np.abs(found[0] - found[1]).max() < 0.6, found


def test_enlarged_frames_are_as_sharp_as_an_enlarged_photo(small):
    late, at_once = (frame_photo(small, "full", 1024, at_once=at_once) for at_once in (False, True))
    moved = [next(portrait.frames(one, [(one.face, HEAD)])) for one in (late, at_once)]
    seen, wanted = (cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std() for frame in moved)
    assert 0.85 < seen / wanted < 1.25


@pytest.mark.parametrize("size_px, is_late", [(512, False), (700, False), (int(512 * LATE) + 2, True), (1920, True)])
def test_only_what_is_much_larger_is_enlarged_late(small, size_px, is_late):
    photo = frame_photo(small, "full", size_px)
    assert bool(photo.enlarged) == is_late
    assert not is_late or (max(photo.enlarged) == size_px and photo.picture.shape == small.picture.shape)


def test_small_faces_are_enlarged_before_they_move_as_far_as_a_mouth_needs(small):
    tiny = Photo(small.path, cv2.resize(small.picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), small.points / 4)
    photo = frame_photo(tiny, "crop", 1024)
    assert photo.enlarged == (1024, 1024)
    assert float(photo.pose[0]) == pytest.approx(photo_module.LATE_EYES_PX, rel=0.03)


# ----- what is sampled

def test_masks_tell_what_boxes_hold():
    rng = np.random.default_rng(0)
    mask = np.zeros((90, 130), bool)
    mask[40:43, 60:62] = mask[5, 128] = True
    half = np.zeros((45, 65), bool)
    masks = Masks([[(mask, 1), (half, 2)], [(~mask, 1)], [(half, 2)]], (130, 90))
    low = rng.uniform(-20, (125, 85), (400, 2)).astype(np.float32)
    high = np.maximum(low + rng.uniform(0, 30, low.shape), 1).astype(np.float32)
    are_in = masks.are_in(low, high)
    for (x, y), (x_end, y_end), found in zip(low, high, are_in.T):
        columns = np.pad(np.arange(130), 130, mode="reflect")[np.arange(int(x), int(x_end) + 1) + 130]
        rows = np.pad(np.arange(90), 80, mode="reflect")[np.arange(int(y), int(y_end) + 1) + 80]
        assert found[0] or not mask[np.ix_(rows, columns)].any()  # may say yes of what is near, never no
        near = [slice(max(0, one.min() - 2 * LOOK_PX), one.max() + 2 * LOOK_PX) for one in (rows, columns)]
        assert not found[0] or mask[near[0], near[1]].any()
        assert found[1] and not found[2]


@pytest.mark.parametrize("blur_px, fine", [(0, True), (0.7, True), (3, False), (8, False)])
def test_sharp_pictures_are_enlarged_to_be_sampled_and_soft_ones_are_not(small, blur_px, fine):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 1), np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), blur_px)[..., None] if blur_px else noise
    soft = cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX).reshape(noise.shape) if blur_px < 3 else soft
    assert is_fine(soft) == fine
    plane = Plane(soft, (0, 0, 200, 200))
    assert plane.enlarged == (planes.ENLARGED if fine else 1)
    at = np.stack(np.meshgrid(np.arange(20, 180) + 0.5, np.arange(20, 180) + 0.5), -1).astype(np.float32)
    out = np.empty((160, 160, 1), np.uint8)
    plane.sample(plane.places(at), (20, 20, 180, 180), out, False)
    wanted = cv2.remap(soft, at, None, cv2.INTER_LANCZOS4)
    assert np.abs(out[..., 0].astype(int) - wanted).max() <= (3 if fine else 12)


def test_landmarks_of_late_frames_stay_where_they_are_shown(small):
    """What is told of a frame (its captions, its face's box) is of the photo as it moves; sizes are those of the video."""
    photo = frame_photo(small, "full", 1024)
    assert photo.shown.shape == small.picture.shape and portrait.Portrait(photo).shape == (1024, 1024, 3)
    assert np.allclose(face68.to_pixel_space(photo.face[None], photo.pose)[0][48], small.points[48], atol=3)
