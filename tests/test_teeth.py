"""Large mouths: the painter's beginning, pairs of pictures, teeth that stay where they are, lips that are shut once."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from conftest import command, portrait_photo

from core import paths
from core.errors import InputError
from core.face import face68
from render.measure import inside
from render.parts import rest, stills
from render.parts.data import load_pairs
from render.parts.dentition import ENAMEL, EYES_MM, LOWER, UPPER, row_of_teeth
from render.parts.lip_edges import FARTHEST, OpenMouth
from render.parts.network import Painter, blend, enlarge
from render.parts.painted import LARGE_PX, PaintedPart, mouth_of
from render.parts.part import LARGE_MOUTH, MOUTH, lip_outline
from render.parts.teeth import Teeth, shows_teeth, upper_edge
from render.parts.view import PartView
from render.photo import frame_photo


@pytest.fixture(scope="module")
def smile(tmp_path_factory):
    """The portrait, which smiles with its teeth: eyes of 131 px."""
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 768)


@pytest.fixture(scope="module")
def shut(smile):
    return rest.shut_lips(smile)


def view_of(photo, part=LARGE_MOUTH):
    return PartView(part, photo.picture, photo.face, photo.pose)


def laid(teeth, face):
    """A grey patch with teeth in it, uint8 [row, column, rgb and mask]."""
    patch = np.full((*teeth.view.part.size, 4), 90, np.uint8)
    patch[..., 3] = 0
    teeth.lay(patch, face)
    return patch


def opened(photo, amount):
    face = photo.face.copy()
    face[[*range(65, 68), *range(55, 60), *range(6, 11)], 1] += amount
    return face


@pytest.mark.parametrize("upper, teeth", [(True, UPPER), (False, LOWER)])
@pytest.mark.parametrize("unit_px", [144, 288, 410])
def test_a_row_of_teeth_has_the_size_of_people_s(upper, teeth, unit_px):
    row, (x, y) = row_of_teeth(upper, unit_px)
    px = unit_px / EYES_MM
    assert row.shape[1] == pytest.approx(2 * px * (sum(tooth.width for tooth in teeth) + 1), abs=2)
    middle = row[round(y - 4 * px) if upper else round(y + 4 * px), :, :3].mean(1)
    first = round(teeth[0].width * px)
    assert middle[round(x)] < middle[round(x + first / 2)] and middle[round(x + first)] < middle[round(x + first / 2)], "gaps"
    assert np.abs(row[..., 3] - row[:, ::-1, 3]).mean() < 0.03 and row.min() >= 0 and 0.9 < row[..., 3].max() < 1.001


def test_the_painter_of_large_mouths_begins_as_the_small_one_enlarged():
    torch.manual_seed(0)
    small = Painter(widths=(8, 8, 8)).eval()
    with torch.no_grad():
        for weights in small.parameters():
            weights.add_(0.05 * torch.randn_like(weights))
        large = enlarge(small, LARGE_MOUTH).eval()
        picture, masks = torch.rand(1, 3, *MOUTH.size) * 2 - 1, torch.rand(1, 2, *MOUTH.size)
        twice = [part.repeat_interleave(2, 2).repeat_interleave(2, 3) for part in (picture, masks)]
        drawn, larger = (blend(p, *painter(p, m, painter.look_at(p, m)))
                         for painter, (p, m) in ((small, (picture, masks)), (large, twice)))
    expected = drawn.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert (expected - larger).abs().max() < 0.02 and expected.std() > 0.1


@pytest.mark.parametrize("size_px, part", [(512, MOUTH), (1024, LARGE_MOUTH)])
def test_the_size_of_the_photo_chooses_the_painter(smile, size_px, part):
    photo = frame_photo(smile, size_px=size_px, at_once=True)
    assert mouth_of(photo) is part and (photo.pose[0] >= LARGE_PX) == (part is LARGE_MOUTH)


def test_a_smile_is_shut_once(smile, shut):
    assert shut.opened.picture is smile.picture and rest.shut_lips(shut) is shut
    assert face68.mouth_opening(shut.face[None])[0] < 0.01
    assert shows_teeth(view_of(smile)) and not shows_teeth(view_of(shut))
    outline = face68.to_pixel_space(lip_outline(smile.face)[None], smile.pose)[0]
    mask = np.zeros(smile.picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    assert np.percentile(smile.picture[mask > 0].min(1), 90) > 40 + np.percentile(shut.picture[mask > 0].min(1), 90), "no teeth"
    assert np.array_equal(smile.picture[:60], shut.picture[:60])


@pytest.mark.parametrize("preprocess, size_px", [("crop", 300), ("full", 400)])
def test_the_open_photo_is_framed_as_the_shut_one(shut, preprocess, size_px):
    framed = frame_photo(shut, preprocess, size_px)
    assert framed.opened.picture.shape == framed.picture.shape
    assert np.abs(framed.opened.points[face68.RIGID] - framed.points[face68.RIGID]).max() < 1


def with_lips(photo, upper, lower):
    """`photo` with the points of its inner lips moved down by these shares of an eye distance."""
    face = photo.face.copy()
    face[61:64, 1] += upper
    face[65:68, 1] += lower
    return replace(photo, points=face68.to_pixel_space(face[None], photo.pose)[0])


@pytest.mark.parametrize("upper, lower", [(0.03, 0), (0, -0.04), (0.03, -0.04)])
def test_points_that_lie_on_the_teeth_are_moved_out_to_the_lips(smile, upper, lower):
    found, off = OpenMouth(smile).face(), with_lips(smile, upper, lower)
    again = OpenMouth(off).face()
    middle = [61, 62, 63, 65, 66, 67]
    assert np.abs(again - found)[middle, 1].mean() < 0.75 * np.abs(off.face - found)[middle, 1].mean()
    moved = again[middle, 1] - off.face[middle, 1]
    assert (moved[:3] <= 1e-6).all() and (moved[3:] >= -1e-6).all() and np.abs(moved).max() < FARTHEST[0] + 1e-6


def test_the_photo_s_lower_teeth_and_lip_do_not_move_with_the_upper_teeth(smile):
    view = view_of(smile)
    lips = view.masks(view.face)[..., 0]
    inside = lips > 240
    top, bottom = inside.argmax(0), len(inside) - inside[::-1].argmax(0)
    y, middle = np.arange(len(inside))[:, None], (top + bottom) // 2
    drawn = np.where((inside & (np.abs(y - middle) > 1))[..., None], 220, (150, 80, 80)).astype(np.uint8)  # teeth, and lips
    drawn[inside & (np.abs(y - middle) <= 1)] = 30
    view.around[view.margin:-view.margin, view.margin:-view.margin] = drawn
    wide = inside.any(0) & (bottom - top > 0.1 * LARGE_MOUTH.unit_px)
    assert np.abs(upper_edge(view)[wide] - middle[wide]).mean() < 4


@pytest.mark.parametrize("touching", [[(0.3, 0.42)], [(0.55, 0.75)], [(0.35, 0.42), (0.5, 0.56)], [(0.4, 0.62)]])
def test_lower_teeth_that_touch_do_not_hang_from_the_upper_ones(smile, touching):
    """Where no dark parts both rows, in these shares of the width, the end of the upper ones is that of their neighbours."""
    view = view_of(smile)
    inside = view.masks(view.face)[..., 0] > 240
    top, bottom, columns = inside.argmax(0), len(inside) - inside[::-1].argmax(0), np.flatnonzero(inside.any(0))
    y, end = np.arange(len(inside))[:, None], (0.55 * bottom + 0.45 * top).astype(int)
    share = (np.arange(inside.shape[1]) - columns[0]) / len(columns)
    parted = inside & (np.abs(y - end) <= 2) & ~np.any([(share > a) & (share < b) for a, b in touching], 0)
    drawn = np.where(inside[..., None], 220, (150, 80, 80)).astype(np.uint8)
    drawn[parted] = 30
    view.around[view.margin:-view.margin, view.margin:-view.margin] = drawn
    wide = inside.any(0) & (bottom - top > 0.1 * LARGE_MOUTH.unit_px)
    assert (upper_edge(view) - end)[wide].max() < 0.03 * LARGE_MOUTH.unit_px


@pytest.mark.parametrize("part", [MOUTH, LARGE_MOUTH])
def test_own_teeth_end_in_a_line_without_steps(smile, part):
    """A lip that slopes by a pixel in three must not show in their edge."""
    view = view_of(smile, part)
    columns = np.flatnonzero((view.masks(view.face)[..., 0] > 240).any(0))[2:-2]
    assert np.abs(np.diff(upper_edge(view)[columns], 2)).max() < 0.4


@pytest.mark.parametrize("grey", [False, True])
def test_own_teeth_are_seen_with_and_without_colours(smile, grey):
    picture = np.repeat(cv2.cvtColor(smile.picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) if grey else smile.picture
    closed = rest.shut_lips(replace(smile, picture=picture))
    assert shows_teeth(view_of(closed.opened)) and not shows_teeth(view_of(closed)) and Teeth(view_of(closed), closed).own


def test_own_teeth_stay_where_they_are(smile, shut):
    teeth = Teeth(view_of(shut), shut)
    assert teeth.own
    wide = laid(teeth, smile.face)
    truth = view_of(smile).picture
    whole = wide[..., 3] > 250
    assert whole.sum() > 2000 and np.abs(wide[whole][:, :3].astype(int) - truth[whole]).mean() < 12


def test_drawn_teeth_stay_where_they_are_and_the_lower_ones_follow_the_jaw(shut):
    drawn = replace(shut, opened=None)  # as a photo of shut lips
    teeth = Teeth(view_of(drawn), drawn)
    assert not teeth.own
    some, more = (laid(teeth, opened(drawn, amount)) for amount in (0.2, 0.26))
    both = (some[..., 3] > 250) & (more[..., 3] > 250) & (teeth.upper[..., 3] > 0.95)
    light = some[..., 1].astype(float), more[..., 1].astype(float)
    assert both.sum() > 500
    assert np.corrcoef(light[0][both], light[1][both])[0, 1] > 0.9
    moved = np.roll(teeth.lower[..., 3], round(0.06 * LARGE_MOUTH.unit_px), 0)
    assert teeth.lower[..., 3].max() > 0.9 and not np.allclose(moved, teeth.lower[..., 3])


@pytest.mark.parametrize("eyes_px, share", [(42, 0), (68, 0.5), (96, 1)])
def test_small_photos_leave_drawn_teeth_to_the_painter(smile, eyes_px, share):
    small = replace(frame_photo(smile, size_px=round(768 * eyes_px / float(smile.pose[0]))), opened=None)
    closed = replace(rest.shut_lips(small), opened=None)
    laid_alone = laid(Teeth(view_of(closed, MOUTH), closed), opened(closed, 0.25))[..., 3].max() / 255
    assert laid_alone == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("lips", [(255, 90, 180), (250, 60, 90), (190, 80, 90), (120, 40, 50)])
@pytest.mark.parametrize("teeth", [(230, 220, 205), (190, 170, 150), (140, 130, 115)])
def test_the_light_of_teeth_is_known_beside_lips_of_any_light(smile, lips, teeth):
    """Lips that are lighter than every tooth once left nothing to take the light from: a black hole for a mouth."""
    view = view_of(smile)
    mask = view.masks(view.face)[..., 0]
    drawn = np.where((mask > 240)[..., None], teeth, lips).astype(np.uint8)
    view.around[view.margin:-view.margin, view.margin:-view.margin] = drawn
    light = Teeth.__new__(Teeth)._light_of_teeth(view) if shows_teeth(view) else np.array(teeth) / ENAMEL
    assert light == pytest.approx(np.array(teeth) / ENAMEL, rel=0.02)


def test_shut_lips_show_no_teeth(shut):
    patch = laid(Teeth(view_of(shut), shut), shut.face)
    assert not patch[..., 3].any()


def test_teeth_make_a_mouth_sharper(shut):
    grain = np.random.default_rng(0).normal(0, 6, shut.picture.shape)  # a photo as sharp as its pixels are
    sharp = np.clip(shut.picture + grain, 0, 255).astype(np.uint8)
    painter = PaintedPart(replace(shut, opened=None, picture=sharp), LARGE_MOUTH, paths.MODELS["large_mouth"])
    face = opened(shut, 0.2)
    with_teeth = painter.paint([face], [painter.view.warp.solve(face)])[0]
    painter.teeth = None
    without = painter.paint([face], [painter.view.warp.solve(face)])[0]
    points = (face - painter.view.corner) * LARGE_MOUTH.unit_px
    pictures = [[np.ascontiguousarray(patch[..., :3])] for patch in (with_teeth, without)]
    assert inside(*pictures, [points], LARGE_MOUTH.unit_px)[0] > 1.8


def test_pictures_of_open_mouths_make_pairs(smile, tmp_path):
    folder, out = tmp_path / "pictures", tmp_path / "pairs" / "stills"
    folder.mkdir()
    for name in ("anna.png", "ben.png"):
        cv2.imwrite(str(folder / name), smile.picture[..., ::-1])
    (folder / "stills.csv").write_text("name,split,licence\nanna.png,train,CC0\nben.png,val,CC0\n")
    result = command(stills.main, folder, "--out", out, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    shutil.copy(out / "index.csv", out.parent / "index.csv")
    for path in out.glob("*.h5*"):
        shutil.copy(path, out.parent / path.name)
    pairs = load_pairs(out.parent, "train", LARGE_MOUTH)
    assert len(pairs) == 2 * len(stills.OPEN), "those of the folder and those of its stills"
    batch = pairs.batch(np.arange(len(stills.OPEN)))
    near = batch["masks"][..., 1] > 127
    apart = {name: np.abs(batch[name].astype(int) - batch["truth"])[near].mean() for name in ("warped", "photo")}
    assert batch["truth"].shape[1:3] == LARGE_MOUTH.size and 2 < apart["warped"] < apart["photo"]


def test_a_folder_without_pictures_is_told(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        stills.list_stills(tmp_path)


def test_a_stills_face_that_is_none_is_listed_with_its_reason(tmp_path):
    for name, light in (("wall.png", 128), ("also.png", 90)):
        cv2.imwrite(str(tmp_path / name), np.full((100, 100, 3), light, np.uint8))
    result = command(stills.main, tmp_path, "--out", tmp_path / "out", "--jobs", 1)
    assert "no face found" in (result.stderr + result.output + (tmp_path / "out" / "index.csv").read_text())


def test_lower_teeth_have_the_colour_of_the_photos_own(smile):
    yellow = replace(smile, picture=np.round(smile.picture * [1, 1, 0.85]).astype(np.uint8))
    before, after = (PaintedPart(photo, LARGE_MOUTH).teeth for photo in (smile, yellow))
    assert before.own and after.own
    change = after.lower[..., :3].sum((0, 1)) / before.lower[..., :3].sum((0, 1))
    np.testing.assert_allclose(change, [1, 1, 0.85], atol=0.03)
