"""What is painted has the colours of the photo: one for each lightness in a monochrome one, its own in one in colour."""

import io

import cv2
import numpy as np
import pytest
from conftest import opening_motion, portrait_photo
from PIL import Image

from render import photo
from render import portrait as animated
from render.liveliness import close_lids
from render.parts.painted import painted_parts
from render.parts.palette import Palette

GREY, SEPIA = ((0, 0, 0), (128, 128, 128), (255, 255, 255)), ((20, 10, 5), (150, 120, 90), (255, 240, 215))
CYANOTYPE, DUOTONE = ((10, 30, 80), (70, 120, 170), (240, 250, 250)), ((30, 0, 60), (200, 60, 80), (255, 230, 120))
FADED = (70, 60, 60), (140, 132, 125), (205, 200, 190)
INKS = {"grey": GREY, "sepia": SEPIA, "cyanotype": CYANOTYPE, "duotone": DUOTONE, "faded": FADED}
REACH = 6  # of 255


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("face") / "photo.png", 512)


def curve_of(stops):
    return np.stack([np.interp(np.arange(256), (0, 128, 255), channel) for channel in zip(*stops)], 1)


def printed(picture, stops):
    """`picture` printed in inks: a colour for each lightness."""
    return np.round(curve_of(stops)).astype(np.uint8)[cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)]


def saved_as_jpeg(picture, quality, noise=0):
    picture = (picture + np.random.default_rng(0).normal(0, noise, picture.shape)).clip(0, 255).astype(np.uint8)
    Image.fromarray(picture).save(stream := io.BytesIO(), "JPEG", quality=quality)
    return np.array(Image.open(stream).convert("RGB"))


def off_inks(picture, stops):
    """How far each pixel is from the nearest colour of the inks: float [n], of 255."""
    colours, inverse = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True)
    return np.abs(colours[:, None] - curve_of(stops)).max(-1).min(1)[inverse]


def talking(face):
    """A frame with an open mouth and half-shut eyes, painted."""
    moved = close_lids(face.face + opening_motion()[8], 0.7)
    (frame,) = animated.frames(face, [(moved, np.zeros(5, np.float32))], painted_parts(face))
    return frame


@pytest.mark.parametrize("inks", INKS)
def test_a_monochrome_photo_speaks_in_its_inks(face, inks):
    own = photo.Photo(face.path, printed(face.picture, INKS[inks]), face.points)
    frame = talking(own)
    assert np.abs(frame.astype(int) - own.picture).max() > 60, "something was painted"
    left, top, right, bottom = (*face.points.min(0).astype(int), *face.points.max(0).astype(int))
    off = off_inks(frame[top:bottom, left:right], INKS[inks])
    assert np.percentile(off, 98) <= REACH  # at edges, of teeth too, pixels are mixed: they may lie off a bent curve


@pytest.mark.parametrize("quality, noise", [(90, 0), (40, 0), (70, 8)])
def test_a_grey_photo_with_noise_stays_grey(face, quality, noise):
    own = photo.Photo(face.path, saved_as_jpeg(printed(face.picture, GREY), quality, noise), face.points)
    red = np.full((16, 16, 4), (180, 60, 70, 255), np.uint8)
    assert np.ptp(Palette(own.picture, own.points)(red)[..., :3].astype(int), -1).max() <= REACH


def test_a_photo_in_colour_is_painted_as_it_was(face):
    patch = np.random.default_rng(0).integers(0, 256, (32, 48, 4), dtype=np.uint8)
    for picture in (face.picture, saved_as_jpeg(face.picture, 50), face.picture // 2):
        assert Palette(picture, face.points)(patch) is patch


def test_pale_colours_are_bounded_and_not_lost(face):
    """Between grey and colour the paint may leave the curve the further, the more the photo does."""
    grey, patch = printed(face.picture, GREY).astype(float), np.full((4, 4, 4), (220, 40, 40, 255), np.uint8)
    spread = [int(np.ptp(Palette((grey + share * (face.picture - grey)).astype(np.uint8), face.points)(patch)[0, 0, :3]))
              for share in (0, 0.1, 0.3, 1)]
    assert spread[0] <= 1 and spread == sorted(spread) and spread[-1] == 180


def test_masks_and_tones_are_kept(face):
    own = Palette(printed(face.picture, FADED), face.points)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 4, 2)
    laid = own(ramp)
    assert np.array_equal(laid[..., 3], ramp[..., 3])
    assert laid[..., :3].min() >= 55 and laid[..., :3].max() <= 215, "no darker, no lighter than the print"
    assert (np.diff(laid[0, :, :3].astype(int), axis=0) >= 0).all()


def test_the_face_decides_and_not_what_is_around_it(face):
    around = face.picture.copy()
    left, top, right, bottom = (*face.points.min(0).astype(int) - 4, *face.points.max(0).astype(int) + 4)
    around[top:bottom, left:right] = printed(face.picture, SEPIA)[top:bottom, left:right]
    assert not Palette(around, face.points).is_coloured
    assert Palette(face.picture, face.points).is_coloured


