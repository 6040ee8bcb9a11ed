"""`render.life.lids`: eyes of large photos are shut by their own lids, and eyeballs hold still below them."""

import numpy as np
import pytest
from conftest import portrait_photo

from core.face import face68
from render import portrait
from render.life import lids
from render.life.lids import LidPart
from render.liveliness import close_lids
from render.parts.painted import OWN_LIDS_PX, painted_parts
from render.parts.part import EYES, LIDS_FROM

STILL = np.zeros(5, np.float32)
EYE = {side: list(face68.GROUPS[f"{side}_eye"]) for side in ("right", "left")}


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 1024)


@pytest.fixture(scope="module", params=["by irises", "by landmarks"])
def part(request, face):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "by landmarks":
            patch.setattr(lids, "find_irises", lambda photo: None)
        return LidPart(face)


def frame_of(face, part, points):
    return next(portrait.frames(face, [(points, STILL)], [part])).astype(int)


def around(face, side, above=0.0, below=0.0):
    """Rows and columns of one eye, and of what is so many eye distances above and below."""
    eye, unit = face.points[EYE[side]], float(face.pose[0])
    (left, top), (right, bottom) = eye.min(0).astype(int), eye.max(0).astype(int) + 1
    return slice(top - round(above * unit), bottom + round(below * unit)), slice(left, right)


def white(pixels):
    return int(((pixels[..., 2] > 0.85 * pixels[..., 0]) & (pixels[..., 0] > 120)).sum())


def test_eyes_of_large_photos_are_shut_so(face, tmp_path):
    assert face.pose[0] >= OWN_LIDS_PX and isinstance(painted_parts(face)[1], LidPart)
    assert painted_parts(portrait_photo(tmp_path / "small.png", 256))[1].view.part == EYES


@pytest.mark.parametrize("side", EYE)
def test_a_shut_eye_shows_no_white_and_no_hole(face, part, side):
    shut, eye = frame_of(face, part, close_lids(face.face, 1)), around(face, side)
    assert white(shut[eye]) < 0.15 * white(face.picture[eye].astype(int))
    skin = face.picture[around(face, side, below=0.1)][-8:].mean()
    assert shut[eye].mean() > 0.55 * skin


@pytest.mark.parametrize("share", [0.35, 0.45])
def test_what_a_lid_has_not_reached_stays_where_it_is(face, part, share):
    """The iris is covered, not squeezed: what is left of it are the pixels of a lid that has hardly moved."""
    hardly = frame_of(face, part, close_lids(face.face, LIDS_FROM / 0.96))
    closing = frame_of(face, part, close_lids(face.face, share))
    for eye in face.points[EYE["right"]], face.points[EYE["left"]]:
        (left, _), (right, bottom) = eye.min(0).astype(int), eye.max(0).astype(int)
        opening = float(face68.eye_opening(face.points))
        low, third = slice(bottom - round(0.4 * opening), bottom - round(0.25 * opening)), (right - left) // 3
        low = low, slice(left + third, right - third)
        assert np.abs(closing[low] - hardly[low]).mean() < 2


@pytest.mark.parametrize("share", [0.4, 0.8, 1])
def test_brows_and_cheeks_hold_still(face, part, share):
    moved, half = np.abs(frame_of(face, part, close_lids(face.face, share)) - face.picture), face.pose[0] / 2
    assert moved[:int(face.points[17:27, 1].min())].max() <= 2
    assert moved[int(face.points[36:48, 1].max() + half):].mean() < 0.05


def test_it_closes_evenly(face, part):
    """More of the lid with each step, and none in a step that jumps."""
    shown = [part.paint([points], [part.view.warp.solve(part.spare(points))])[0]
             for points in (close_lids(face.face, share) for share in np.linspace(0.3, 1, 15))]
    covered = [int((patch[..., 3] > 127).sum()) for patch in shown]
    steps = np.diff(covered)
    assert (steps > -0.01 * covered[-1]).all() and steps.max() < 0.3 * (covered[-1] - covered[0])


def test_open_eyes_are_not_painted(face, part):
    for points in (face.face, close_lids(face.face, 0.1)):
        assert part.paint([points], [part.view.warp.solve(points)]) == [None]
        assert np.array_equal(part.spare(points), points)


@pytest.mark.parametrize("side, other", [("right", "left"), ("left", "right")])
def test_a_wink(face, part, side, other):
    wink = face.face.copy()
    wink[EYE[side]] = close_lids(face.face, 1)[EYE[side]]
    shown = frame_of(face, part, wink)
    own, others = around(face, side), around(face, other)
    assert white(shown[own]) < 0.15 * white(face.picture[own].astype(int))
    assert np.abs(shown[others] - face.picture[others]).max() <= 2


@pytest.mark.parametrize("share", [0, 0.15, 0.5, 0.9, 1])
def test_the_warp_closes_no_further_than_where_painting_begins(face, part, share):
    points = close_lids(face.face, share)
    spared = part.spare(points)
    left = face68.eye_opening(spared) / face68.eye_opening(face.face)
    assert left >= 1 - LIDS_FROM - 0.01 and left == pytest.approx(max(1 - share, left), abs=0.2)
    others = np.setdiff1d(np.arange(68), np.ravel(face68.EYE_LIDS))
    assert np.array_equal(spared[others], points[others])
