"""A photo that moves: where its landmarks and its head move, and nowhere else."""

import cv2
import numpy as np
import pytest
from conftest import opening_motion, portrait_photo

from core.face import face68
from core.face.head import HeadField
from render import liveliness, motion, photo, portrait
from render import warp as warp_module
from render.portrait import Portrait
from render.sampling.grid import Grid
from render.warp import CELL, LEAST_AREA, FaceWarp, areas, unfold

STILL = np.zeros(5, np.float32)


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


def shown(face, offset, head=STILL):
    return next(portrait.frames(face, [(face.face + offset, np.asarray(head, np.float32))]))


def middle_of(picture, channel=1):
    """Where a green (channel 1) dot is: x, y."""
    others = np.delete(picture.astype(int), channel, -1).max(-1)
    y, x = np.nonzero(picture[..., channel] - others > 100)
    return np.array([x.mean(), y.mean()])


def dotted(face, at):
    """The same photo with a green dot at `at` (face space)."""
    picture, xy = face.picture.copy(), face68.to_pixel_space(np.array([[at]], np.float32), face.pose)[0, 0]
    cv2.circle(picture, np.round(xy).astype(int).tolist(), 4, (0, 255, 0), -1)
    return photo.Photo(face.path, picture, face.points), xy


def test_rest_gives_the_photo_back(face):
    assert np.array_equal(shown(face, 0), face.picture)


def test_a_hair_of_motion_changes_almost_nothing(face):
    assert np.abs(shown(face, 1e-4).astype(int) - face.picture).mean() < 0.1


def test_opening_leaves_the_rest(face):
    widest = opening_motion()[int(opening_motion().sum((1, 2)).argmax())]
    frame = shown(face, widest)
    left, top, right, bottom = Portrait(face).grid.box
    outside = np.ones(frame.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert outside.any() and np.array_equal(frame[outside], face.picture[outside])
    eyes = slice(*(face68.to_pixel_space(face.face[None], face.pose)[0][face68.RIGID][:, 1].astype(int)[[0, 3]]))
    assert np.abs(frame[eyes].astype(int) - face.picture[eyes]).mean() < 1.5


def test_points_land_where_the_landmarks_say(face):
    """A dot painted on the lower lip of the photo is found on the lower lip of the frame."""
    move, lip = opening_motion()[8], list(face68.GROUPS["outer_lips"])[9]
    before, after = (face68.to_pixel_space(f[None], face.pose)[0][lip] for f in (face.face, face.face + move))
    found = middle_of(shown(dotted(face, face.face[lip])[0], move))
    assert np.linalg.norm(after - before) > 15
    assert np.linalg.norm(found - after) < 2.5


@pytest.mark.parametrize("head, expected", [((0.1, 0, 0, 0, 0), (1, 0)), ((0, 0.1, 0, 0, 0), (0, 1)),
                                            ((0, 0, 0, 0.1, 0), (1, 0)), ((0, 0, 0, 0, 0.1), (0, 1))])
def test_the_nose_goes_where_the_head_turns(face, head, expected):
    dot, before = dotted(face, (0, 0.6))
    moved = (middle_of(shown(dot, 0, head)) - before) / face.pose[0]
    assert moved @ expected > 0.06
    assert abs(moved @ expected[::-1]) < 0.02


def test_a_leaning_head_turns_clockwise(face):
    for y, expected in ((-0.5, 0.05), (0.6, -0.06)):
        dot, before = dotted(face, (0, y))
        moved = (middle_of(shown(dot, 0, (0, 0, 0.1, 0, 0))) - before) / face.pose[0]
        assert moved[0] == pytest.approx(expected, abs=0.015)


def test_a_turning_head_keeps_its_outline_and_all_around_it(face):
    frame = shown(face, 0, (0.1, 0.05, 0, 0, 0)).astype(int)
    box = Portrait(face).grid.nodes
    outside = np.linalg.norm((box - portrait.CENTRE) / portrait.HALF, axis=1) > 1
    assert np.abs(HeadField(box).offsets((0.1, 0.05, 0, 0, 0)))[outside].max() < 1e-6
    corner = slice(0, 40), slice(-40, None)
    assert np.array_equal(frame[corner], face.picture[corner])


def test_the_field_never_folds(face):
    """Neighbours stay in order for heads that turn as far as heads do here."""
    grid = Portrait(face).grid
    field = HeadField(grid.nodes)
    for head in ((0.2, 0.1, 0.1, 0.1, 0.05), (-0.2, -0.1, -0.1, -0.1, -0.05)):
        at = (grid.nodes + field.offsets(head)).reshape(grid.nodes_px.shape)
        assert (np.diff(at[..., 0], axis=1) > 0).all() and (np.diff(at[..., 1], axis=0) > 0).all()


def motions(face, n, seed):
    """Moved landmarks of `face` [68, 2]: mouths open, brows and lids anywhere, points that tremble."""
    rng, widest = np.random.default_rng(seed), opening_motion()[int(opening_motion().sum((1, 2)).argmax())]
    for _ in range(n):
        moved = face68.closed_mouth(face) + widest * rng.uniform(0, 1.3) + rng.normal(0, 0.015, (68, 2)).astype(np.float32)
        for side in ("right_brow", "left_brow"):
            moved[list(face68.GROUPS[side]), 1] += rng.uniform(-0.15, 0.2)
        yield liveliness.close_lids(motion.uncross(moved), rng.uniform(0, 1))


def folded(warp, moved):
    """Whether the field folds anywhere but where a part is painted."""
    solved = warp.solve(moved)
    return bool((areas(warp.field(solved) / CELL)[~warp.painted(solved)] <= 0).any())


def test_no_face_folds_over_itself(face, monkeypatch):
    """Whatever the shape of the face; without its being unfolded, it does."""
    shapes = [face.face * np.float32([1, y]) for y in (0.9, 1, 1.15)]
    shapes += [face68.closed_mouth(shape, 0) for shape in shapes]
    warps = [FaceWarp(shape) for shape in shapes]
    assert not any(folded(warp, moved) for k, warp in enumerate(warps) for moved in motions(warp.face, 12, k))
    monkeypatch.setattr(warp_module, "_ROUNDS", 0)
    assert any(folded(warp, moved) for k, warp in enumerate(warps) for moved in motions(warp.face, 12, k))


def test_unfolding_leaves_what_does_not_fold(face):
    warp = FaceWarp(face.face)
    field = warp.field(warp.solve(face.face + opening_motion()[3])) / CELL
    assert np.array_equal(unfold(field, np.zeros(areas(field).shape, bool) | (areas(field) <= LEAST_AREA)), field)
    crossed = np.zeros((9, 9, 2), np.float32)
    crossed[4, 4] = 3, 0
    assert areas(crossed).min() < 0 < areas(unfold(crossed, np.zeros((8, 8), bool))).min()


def test_a_brow_never_passes_the_lid(face):
    warp, moved, brow = FaceWarp(face.face), face.face.copy(), list(face68.GROUPS["left_brow"])
    moved[brow, 1] += 1
    lid = face.face[list(face68.GROUPS["left_eye"])[1:3], 1].mean()
    gap = lid - face.face[brow, 1].mean()
    assert 0.3 * gap < lid - warp.move(moved)[brow, 1].mean() < 0.6 * gap


def test_wild_motion_still_gives_a_picture(face):
    rng = np.random.default_rng(0)
    moves = [(face.face + rng.normal(0, 1, (68, 2)).astype(np.float32), rng.normal(0, 1, 5)) for _ in range(3)]
    assert all(frame.shape == face.picture.shape for frame in portrait.frames(face, moves))


def test_frames_are_made_one_by_one(face):
    taken = []
    moves = (taken.append(t) or (face.face, STILL) for t in range(10**9))
    pictures = portrait.frames(face, moves)
    next(pictures), next(pictures)
    assert taken == [0, 1]


def test_a_face_cut_by_the_picture_edge(face):
    points = face.points[face68.MOUTH]
    right, bottom = ((points.min(0) + points.max(0)) / 2 + (20, 40)).astype(int)
    cut = photo.Photo(face.path, np.ascontiguousarray(face.picture[:bottom, :right]), face.points)
    for head in (STILL, np.full(5, 0.05, np.float32)):
        assert shown(cut, opening_motion()[10], head).shape == cut.picture.shape


def test_a_grid_enlarges_straight_lines_exactly(face):
    grid = Grid((-1, -1), (1, 2), face.pose, (0, 0, *face.picture.shape[1::-1]), 0.07)
    left, top, right, bottom = grid.box
    whole = grid.interpolate(grid.nodes_px)
    assert whole.shape == (bottom - top, right - left, 2)
    assert np.allclose(whole[0, 0], (left, top), atol=1e-2) and np.allclose(whole[-1, -1], (right - 1, bottom - 1), atol=1e-2)
    part = grid.interpolate(grid.nodes_px, (left + 13, top + 7, right - 9, bottom - 21))
    assert np.allclose(part, whole[7:-21, 13:-9], atol=1e-2)
