"""What is behind a head holds still, and what a head brings into the picture comes from around it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from conftest import opening_motion, portrait_photo

from core import pretrained
from core.errors import InputError
from core.face import face68
from core.media import nv12, person, video
from render import background, photo, portrait
from render.sampling import blocks

HEAD = np.array([0.05, 0.03, 0.05, 0.08, 0.06], np.float32)  # as far as heads move here
LINES_PX = 16


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


@pytest.fixture(scope="module")
def before_lines(face):
    """The portrait, cut out by an ellipse around the head and a neck, before straight lines; and that mask."""
    mask = np.zeros(face.picture.shape[:2], np.uint8)
    x, y = face68.to_pixel_space(np.array([[[0.0, 0.25]]], np.float32), face.pose)[0, 0]
    size = face.pose[0] * np.array([1.3, 1.9])
    cv2.ellipse(mask, (int(x), int(y)), tuple(size.astype(int).tolist()), 0, 0, 360, 255, -1)
    cv2.rectangle(mask, (int(x - size[0] / 2), int(y)), (int(x + size[0] / 2), len(mask)), 255, -1)
    share = cv2.GaussianBlur(mask, (0, 0), 2).astype(np.float32) / 255
    down, across = np.mgrid[:mask.shape[0], :mask.shape[1]]
    lines = (90 + 70 * ((down // LINES_PX + across // LINES_PX) % 2)).astype(np.float32)[..., None]
    picture = np.round(lines + (face.picture - lines) * share[..., None]).astype(np.uint8)
    return replace(face, picture=picture), share


def frame_of(face, offset=0, head=HEAD, **how):
    return next(portrait.frames(face, [(face.face + offset, head)], **how))


@pytest.mark.parametrize("encoded", [False, True])
def test_what_is_behind_does_not_move(before_lines, encoded):
    shown, share = before_lines
    frames = [frame_of(shown, opening_motion()[8], sign * HEAD, person=share, encoded=encoded) for sign in (-1, 1)]
    still = frame_of(shown, head=0 * HEAD, person=share, encoded=encoded)
    size = share.shape
    far = cv2.dilate(share, np.ones((2 * round(0.2 * float(shown.pose[0])) + 1,) * 2)) == 0
    assert 0.1 < far.mean() < 0.8
    for frame in frames:
        off = np.abs(frame[:size[0]].astype(int) - still[:size[0]]).reshape(*size, -1).max(-1)
        assert off[far].max() <= 1 < off.max()
    without = np.abs(frame_of(shown).astype(int) - shown.picture).max(-1)
    assert without[far].max() > 40  # else the lines would not bend anyway


@pytest.mark.parametrize("encoded", [False, True])
def test_at_rest_it_is_the_photo(before_lines, encoded):
    shown, share = before_lines
    share = np.clip(share + np.random.default_rng(0).normal(0, 0.2, share.shape), 0, 1).astype(np.float32)  # however wrong
    expected = nv12.join(*nv12.split(shown.picture)) if encoded else shown.picture
    assert np.array_equal(frame_of(shown, head=0 * HEAD, person=share, encoded=encoded), expected)


@pytest.mark.parametrize("encoded", [False, True])
def test_what_is_too_far_from_the_person_to_move_is_left_out_and_nothing_else(before_lines, encoded, monkeypatch):
    shown, share = before_lines
    chosen, shares = blocks.Blocks.__call__, []

    def counted(self, source):
        found, (left, top, right, bottom) = list(chosen(self, source)), self.grid.box
        of_all = (right - left) * (bottom - top)
        shares.append([sum((x_end - x) * (y_end - y) for (x, y, x_end, y_end), _ in some) / of_all
                       for some in (found, [each for each in found if each[1] == blocks.THIN])])
        return found

    monkeypatch.setattr(blocks.Blocks, "__call__", counted)
    frames = [frame_of(shown, opening_motion()[8], sign * HEAD, person=share, encoded=encoded) for sign in (-1, 1)]
    monkeypatch.setattr(blocks.Blocks, "__call__", lambda self, _: [(tuple(self.grid.box), blocks.THIN)])
    for sign, frame in zip((-1, 1), frames):
        assert np.array_equal(frame, frame_of(shown, opening_motion()[8], sign * HEAD, person=share, encoded=encoded))
    moved, thin = np.mean(shares, 0)
    assert 0 < thin < moved < 0.6


@pytest.mark.parametrize("seed", range(5))
def test_cells_of_one_kind_become_blocks_that_cover_them_once(seed):
    kinds = np.random.default_rng(seed).choice(3, (9, 11), p=(0.2, 0.6, 0.2))
    most = 2, 6
    covered = np.zeros_like(kinds)
    for left, top, right, bottom, kind in blocks.merge(kinds, most):
        assert (kinds[top:bottom, left:right] == kind).all() and kind != blocks.SKIPPED
        assert bottom - top <= most[0] and right - left <= most[1]
        covered[top:bottom, left:right] += 1
    assert np.array_equal(covered, kinds != blocks.SKIPPED)


def test_a_head_that_moves_leaves_what_was_around_it(before_lines):
    """Where the head was, lines or their mean are seen, nothing of the head."""
    shown, share = before_lines
    frame = frame_of(shown, head=np.array([0, 0, 0, 0.1, 0], np.float32), person=share)
    x, y = face68.to_pixel_space(np.array([[[-1.27, 0.25]]], np.float32), shown.pose)[0, 0].astype(int)
    assert share[y, x] > 0.85
    left = frame[y - 3:y + 4, x - 1:x + 2].astype(int)
    assert np.ptp(left, axis=-1).max() < 25 and (left > 60).all() and (left < 190).all()


def test_the_encoders_planes_hold_the_same_frame(face, tmp_path):
    moves = [(face.face + offset, HEAD) for offset in opening_motion()[4:9]]
    pictures, encoded = (list(portrait.frames(face, moves, encoded=kind)) for kind in (False, True))
    for picture, frame in zip(pictures, encoded):
        off = np.abs(nv12.join(*nv12.split(picture)).astype(int) - frame)
        assert off.mean() < 0.3 and off.max() <= 8
    videos = [video.write_video(tmp_path / f"{k}.mp4", kind, quality="high") for k, kind in enumerate((pictures, encoded))]
    for picture, plain, other in zip(pictures, *map(video.read_frames, videos)):
        assert np.abs(other.astype(int) - picture).mean() < 1.05 * np.abs(plain.astype(int) - picture).mean()


@pytest.mark.parametrize("person_known", [False, True])
def test_a_crop_shows_what_the_whole_photo_would(before_lines, person_known):
    """Nothing is smeared at its edges: the picture goes on around it."""
    shown, share = before_lines
    whole = replace(shown, picture=shown.picture[:500, 20:])  # lines that are not symmetric about any edge
    whole = photo.Photo(shown.path, np.ascontiguousarray(whole.picture), shown.points - np.float32([20, 0]))
    side = 2 * photo.CROP_HALF * float(whole.pose[0])
    cut = photo._cut(whole, (40, 60, 40 + 2 * int(side / 3), 60 + 2 * int(side / 3)), 1.0, 80)
    mask = np.ascontiguousarray(share[:500, 20:]) if person_known else None
    corner = np.round(whole.points[0] - cut.points[0]).astype(int)
    (x, y), (rows, columns) = corner, cut.picture.shape[:2]
    part = None if mask is None else mask[y:y + rows, x:x + columns]
    large, small = frame_of(whole, person=mask), frame_of(cut, person=part)
    left, top, right, bottom = np.array(cut.window) + [*corner, *corner]
    assert small.shape == (bottom - top, right - left, 3) == cut.shown.shape
    off = np.abs(small.astype(int) - large[top:bottom, left:right]).max(-1)
    assert np.percentile(off, 99) <= 8 and off[:6].mean() < 2 and off[:, :6].mean() < 2


def test_a_cropped_photo_keeps_a_margin(tmp_path):
    found = portrait_photo(tmp_path / "portrait.png", 512)
    wide = cv2.copyMakeBorder(found.picture, 300, 300, 300, 300, cv2.BORDER_REFLECT)
    cropped = photo.frame_photo(photo.Photo(found.path, wide, found.points + 300), "crop", 256)
    left, top, right, bottom = cropped.window
    assert (right - left, bottom - top) == (256, 256) and min(left, top) > 30 and left % 2 == top % 2 == 0
    assert cropped.picture.shape[0] - bottom > 30 and cropped.picture.shape[1] - right > 30
    middle = (cropped.points.min(0) + cropped.points.max(0)) / 2 - (left, top)
    assert np.abs(middle - 128).max() < 3


class TestPersonMask:
    def test_a_person_is_told_from_what_is_behind(self, face):
        if pretrained.find(pretrained.SELFIE) is None:
            pytest.skip(f"{pretrained.SELFIE.package} is not installed")
        share = background.person_of(face)
        inside = cv2.fillConvexPoly(np.zeros(share.shape, np.uint8), cv2.convexHull(face.points.astype(np.int32)), 1) > 0
        assert np.percentile(share[inside], 3) > 0.8 and share[:60, :40].max() < 0.1 and share[:60, -40:].max() < 0.1
        assert ((share > 0.1) & (share < 0.9)).mean() < 0.1

    def test_without_its_model_all_moves(self, face, monkeypatch):
        monkeypatch.setattr(person, "find", lambda model: None)
        assert person.person_mask(face.picture) is None and background.person_of(face) is None
        share = background.cut_out(face)  # by colours, then
        assert share[face.points[30, 1].astype(int), face.points[30, 0].astype(int)] > 0.9 and share[:20, :20].max() < 0.1

    def test_a_mask_that_misses_the_face_is_not_used(self, face, monkeypatch):
        monkeypatch.setattr(background, "person_mask", lambda picture: np.zeros(picture.shape[:2], np.float32))
        assert background.person_of(face) is None

    def test_another_file_is_refused(self, face, monkeypatch):
        other = replace(pretrained.SELFIE, module="cv2", folder=".", sha256=(("__init__.py", "0" * 64),))
        monkeypatch.setattr(person, "SELFIE", other)
        with pytest.raises(InputError, match="SHA-256"):
            person.person_mask(face.picture)


def hairy(face, behind, monkeypatch):
    """A head as a disc before `behind` (uint8 [row, column, rgb]), with five hairs a mask does not see: photo, hairs, mask."""
    (rows, columns), unit = behind.shape[:2], float(face.pose[0])
    middle, radius = face.points.mean(0), 1.3 * unit
    disc = cv2.circle(np.zeros((rows, columns), np.uint8), np.round(middle).astype(int).tolist(), round(radius), 1, -1) > 0
    hairs = np.zeros((rows, columns), np.uint8)
    for angle in np.radians((200, 190, 180, 350, 10)):
        way = np.array([np.cos(angle), -np.sin(angle)])
        ends = [np.round(middle + way * (radius + far * unit)).astype(int).tolist() for far in (0.03, 0.2)]
        cv2.line(hairs, *ends, 1, 2)
    picture = np.where(disc[..., None], face.picture, behind)
    picture[(hairs > 0) & ~disc] = 60
    monkeypatch.setattr(background, "person_mask", lambda seen: mask_of(seen))

    def mask_of(seen):
        at = cv2.matchTemplate(picture, np.ascontiguousarray(seen), cv2.TM_SQDIFF)
        x, y = cv2.minMaxLoc(at)[2]
        return disc[y:y + seen.shape[0], x:x + seen.shape[1]].astype(np.float32)

    return replace(face, picture=picture), (hairs > 0) & ~disc, disc


@pytest.mark.parametrize("light", [100, 170, 235])
def test_stray_hairs_before_something_plain_are_the_person_s(face, light, monkeypatch):
    noise = np.random.default_rng(0).normal(0, 1.5, face.picture.shape)
    shown, hairs, disc = hairy(face, np.clip(light + noise, 0, 255).astype(np.uint8), monkeypatch)
    share = background.person_of(shown)
    assert share[hairs].mean() > 0.4, "they move with the head"
    assert share[~disc & ~(cv2.dilate(hairs.astype(np.uint8), np.ones((15, 15))) > 0)].mean() < 0.01
    behind = background.fill_behind(shown.picture, share, float(shown.pose[0]))
    assert np.abs(behind[hairs] - float(light)).mean() < 0.3 * abs(60 - light) + 4, "and leave nothing behind"


@pytest.mark.parametrize("cell_px", [6, 40])
def test_what_is_behind_and_not_plain_has_no_hairs(face, cell_px, monkeypatch):
    rows, columns = face.picture.shape[:2]
    checks = ((np.mgrid[:rows, :columns] // cell_px).sum(0) % 2 * 60 + 120).astype(np.uint8)
    shown, _, disc = hairy(face, np.repeat(checks[..., None], 3, 2), monkeypatch)
    assert not background.person_of(shown)[~disc].any()


def test_what_is_behind_is_guessed_from_around(before_lines):
    shown, share = before_lines
    colour, of_person = np.float32([200, 40, 40]), share[..., None]
    picture = np.round(colour + (shown.picture - colour) * of_person).astype(np.uint8)
    behind = background.fill_behind(picture, share, float(shown.pose[0]))
    assert np.abs(behind - colour).max() < 20 and np.abs(behind - colour).mean() < 2
    assert np.array_equal(behind[share == 0][:50], picture[share == 0][:50])
