"""Which blocks of a picture can hold anything that moves: small enough for a cache, and none where nothing comes from.

Reads, writes: nothing.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from render.sampling.grid import Grid
from render.sampling.planes import MARGIN_PX

CELL_PX = 64
MOST = 2, 6  # rows and columns of a block, of cells: its maps stay in a cache
SKIPPED, WHOLE, THIN = range(3)  # a cell: nothing moves there; all is the person's; something behind shows through
Box = tuple[int, int, int, int]  # left, top, right, bottom, px of the picture


def rest_of(box: Sequence[int], hole: Sequence[int]) -> list[Box]:
    """What of `box` lies around another, its hole: at most four boxes."""
    left, top, right, bottom = box
    x, y, x_end, y_end = np.clip(hole, (left, top) * 2, (right, bottom) * 2).tolist()
    sides = (left, top, right, y), (left, y, x, y_end), (x_end, y, right, y_end), (left, y_end, right, bottom)
    return [side for side in sides if side[0] < side[2] and side[1] < side[3]]


def away_from(marked: NDArray) -> NDArray:
    """How far each pixel is from what is `marked` (uint8 [row, column], not 0 there): float32 [row, column], px."""
    return cv2.distanceTransform((marked == 0).astype(np.uint8), cv2.DIST_L2, 3)


def merge(kinds: NDArray) -> list[tuple[int, int, int, int, int]]:
    """Cells, int [row, column], as blocks of one kind: left, top, right, bottom, kind. SKIPPED ones are left out."""
    blocks: list[tuple[int, int, int, int, int]] = []
    begun: dict[tuple[int, int, int], int] = {}  # left, right, kind: top
    for y, row in enumerate([*kinds.tolist(), [SKIPPED] * kinds.shape[1]]):
        runs, first = set(), 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[first] or x - first == MOST[1]:
                if row[first] != SKIPPED:
                    runs.add((first, x, row[first]))
                first = x
        for run in [run for run, top in begun.items() if run not in runs or y - top == MOST[0]]:
            blocks.append((run[0], begun.pop(run), run[1], y, run[2]))
        begun |= {run: y for run in runs if run not in begun}
    return blocks


class Blocks:
    """The blocks of a box.

    Parameters
    ----------
    box : what is covered, of a picture; its sides are even
    grid : `render.sampling.grid.Grid`, whose nodes move
    person, thin : how far each pixel of the picture is from a pixel of the person, and from one that something shows
        through, as `away_from` tells; None where all moves in one piece
    """

    def __init__(self, box: Sequence[int], grid: Grid, person: NDArray | None = None, thin: NDArray | None = None):
        self.box = left, top, right, bottom = box
        sides = np.arange(top, bottom, CELL_PX), np.arange(left, right, CELL_PX)
        own = zip(sides, (bottom, right), grid.box[1::-1])
        self.nodes = [self._nodes_of(side, end, first, grid.step) for side, end, first in own]
        self.away = [None if away is None else np.minimum.reduceat(np.minimum.reduceat(
            away[top:bottom, left:right], sides[0] - top, 0), sides[1] - left, 1) for away in (person, thin)]

    def _nodes_of(self, sides, end, own, step):
        """Of cells that begin at `sides`, the first node that counts there, and the first after it that does not, in turn."""
        ends = np.minimum(sides + CELL_PX, end)
        return np.stack([(sides - own) // step, -(-(ends - own) // step) + 2], 1).ravel()

    def __call__(self, moved_px: NDArray) -> Iterator[tuple[Box, bool]]:
        """Those with anything of the person near enough, and whether something behind may show through there.

        `moved_px`, float32 [row, column], says how far each node of the grid moves
        """
        rows, columns = self.nodes
        reach = np.maximum.reduceat(np.maximum.reduceat(np.pad(moved_px, (0, 1)), rows, 0)[::2], columns, 1)[:, ::2] + MARGIN_PX
        person, thin = self.away
        kinds = np.full(reach.shape, WHOLE) if person is None else np.where(
            person > reach, SKIPPED, np.where(thin > reach, WHOLE, THIN))
        left, top, right, bottom = self.box
        for *sides, kind in merge(kinds):
            x, y, x_end, y_end = (side * CELL_PX for side in sides)
            yield (left + x, top + y, min(left + x_end, right), min(top + y_end, bottom)), kind == THIN
