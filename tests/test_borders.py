"""`render.sampling.borders`: a head that moves brings no mirror image into the picture where a border cuts it."""

import numpy as np
import pytest

from core.face.head import HeadField
from render.sampling.borders import Borders
from render.sampling.grid import Grid
from render.warp import areas

UNIT, SIZE = 80.0, (330, 250)  # px an eye distance; rows and columns of a picture that cuts the head on all sides
HEADS = [(0.14, 0, 0.1, 0.15, -0.1), (-0.14, 0.05, -0.1, -0.15, 0.12), (0, 0.1, 0.12, 0, 0.1), (0, 0, 0, -0.1, -0.1)]


def grid(tilt=0.0, cell=0.1, low=(-3, -3), high=(3, 3)):
    return Grid(np.array(low), np.array(high), np.array([UNIT, tilt, 120.0, 120.0]), (0, 0, SIZE[1], SIZE[0]), cell)


def held(nodes, head, person=None, pulling=None):
    """Offsets of a moved head at the nodes of a grid, before and after; pulled as far as in the grid `pulling`."""
    picture, pulling = np.zeros((*SIZE, 3), np.uint8), pulling or nodes
    before = HeadField(nodes.nodes).offsets(head)
    pulls = Borders(pulling, picture, person).pulls(HeadField(pulling.nodes).offsets(head))
    return before, Borders(nodes, picture, person).hold(before.copy(), pulls)


@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("head", HEADS)
def test_nothing_comes_from_beyond_and_nothing_folds(head, tilt):
    nodes = grid(tilt)
    before, after = held(nodes, head)
    inside = ((nodes.nodes_px >= 0) & (nodes.nodes_px <= np.array(SIZE[::-1]) - 1)).all(-1)
    beyond = [np.maximum(-at, at - np.array(SIZE[::-1]) + 1)[inside].max() for at in map(nodes.source, (before, after))]
    assert beyond[0] > 2 and beyond[1] < 0.01
    assert areas((nodes.source(after) - nodes.nodes_px) / nodes.step).min() > 0.2


@pytest.mark.parametrize("head", HEADS)
def test_away_from_the_border_all_moves_as_before(head):
    nodes = grid()
    before, after = held(nodes, head)
    middle = (np.abs(nodes.nodes_px - np.array(SIZE[::-1]) / 2) < 30).all(-1).ravel()
    assert middle.any() and np.allclose(before[middle], after[middle], atol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_a_border_that_cuts_nobody_changes_nothing(head):
    person = np.zeros(SIZE, np.float32)
    person[40:290, 40:210] = 1
    before, after = held(grid(), head, person)
    assert np.array_equal(before, after)


def test_only_where_the_person_is_cut():
    """Shoulders at the left border do not hold an ear above them."""
    person = np.zeros(SIZE, np.float32)
    person[260:, :] = 1
    nodes = grid()
    before, after = held(nodes, (0, 0, 0, 0.15, 0), person)
    near = nodes.nodes_px[..., 0].ravel() < 15
    high, low = nodes.nodes_px[..., 1].ravel() < 160, nodes.nodes_px[..., 1].ravel() > 250
    assert np.array_equal(before[near & high], after[near & high])
    assert np.abs(after[near & low, 0]).max() < 0.4 * np.abs(before[near & low, 0]).max()


@pytest.mark.parametrize("head", HEADS)
def test_two_grids_agree(head):
    """The face's grid lies within the head's, and moves as it does: no seam."""
    wide, fine = grid(), grid(cell=0.05, low=(-1.5, -1), high=(1.5, 1.8))
    large, small = held(wide, head)[1], held(fine, head, pulling=wide)[1]
    shown = wide.interpolate(large.reshape(wide.nodes_px.shape), fine.box)
    assert np.abs(shown - fine.interpolate(small.reshape(fine.nodes_px.shape))).max() < 0.012
