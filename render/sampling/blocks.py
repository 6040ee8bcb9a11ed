"""Which blocks of a picture have to be made anew in a frame, and of what: small enough for a cache.

Reads, writes: nothing.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from render.sampling.grid import Grid

CELL, LEAST_CELL_PX = 0.14, 32  # side of a cell: eye distances; px
MOST_PX = 128, 384  # rows and columns of a block, of cells: its maps stay in a cache
LOOK_PX = 8  # a mask is known by squares of this side
MARGIN_PX = 2  # around a place that is sampled
SKIPPED, WHOLE, THIN, BEHIND = range(4)  # a cell is as it was; all the person's; theirs, and what shows through; none of it
Box = tuple[int, int, int, int]  # left, top, right, bottom, px of the picture


class Mask:
    """Where something is in a picture, to be asked of any boxes at once.

    Parameters
    ----------
    marked : bool [row, column]
    """

    def __init__(self, marked: NDArray):
        rows, columns = marked.shape
        self.last = np.array([columns, rows], np.float32) - 1
        padded = np.pad(marked, ((0, -rows % LOOK_PX), (0, -columns % LOOK_PX)))
        squares = padded.reshape(padded.shape[0] // LOOK_PX, LOOK_PX, -1, LOOK_PX).any((1, 3))
        self.sums = cv2.integral(squares.astype(np.uint8))

    def is_in(self, low: NDArray, high: NDArray) -> NDArray:
        """Whether any is in boxes with corners `low`, `high`, float [..., xy] px: bool [...].

        Beyond an edge lies the mirror image of what is within.
        """
        first = np.minimum(np.clip(low, 0, self.last), 2 * self.last - high)
        last = np.maximum(np.clip(high, 0, self.last), -low)
        (x, y), (x_end, y_end) = (np.moveaxis((np.clip(corner, 0, self.last) // LOOK_PX).astype(int), -1, 0)
                                  for corner in (first, last))
        sums = self.sums
        return sums[y_end + 1, x_end + 1] - sums[y, x_end + 1] - sums[y_end + 1, x] + sums[y, x] > 0


def merge(kinds: NDArray, most: tuple[int, int]) -> list[tuple[int, int, int, int, int]]:
    """Cells, int [row, column], as blocks of one kind, at most so many rows and columns: left, top, right, bottom, kind.

    SKIPPED ones are left out.
    """
    blocks: list[tuple[int, int, int, int, int]] = []
    begun: dict[tuple[int, int, int], int] = {}  # left, right, kind: top
    for y, row in enumerate([*kinds.tolist(), [SKIPPED] * kinds.shape[1]]):
        runs, first = set(), 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[first] or x - first == most[1]:
                if row[first] != SKIPPED:
                    runs.add((first, x, row[first]))
                first = x
        for run in [run for run, top in begun.items() if run not in runs or y - top == most[0]]:
            blocks.append((run[0], begun.pop(run), run[1], y, run[2]))
        begun |= {run: y for run in runs if run not in begun}
    return blocks


class Blocks:
    """The blocks of a grid's box.

    Parameters
    ----------
    grid : `render.sampling.grid.Grid`, whose nodes move
    unit_px : px an eye distance
    owned, through : bool [row, column] of the picture: where anything is the person's, and where anything shows through; None
        where all moves in one piece
    """

    def __init__(self, grid: Grid, unit_px: float, owned: NDArray | None = None, through: NDArray | None = None):
        self.grid = grid
        self.cell = max(LEAST_CELL_PX, 2 * round(CELL * unit_px / 2))
        self.most = tuple(max(1, n // self.cell) for n in MOST_PX)
        left, top, right, bottom = self.box = grid.box
        sides = np.arange(left, right, self.cell), np.arange(top, bottom, self.cell)
        self.low = np.stack(np.meshgrid(*sides), -1).astype(np.float32)
        self.high = np.minimum(self.low + self.cell, (right, bottom))
        self.nodes = [self._nodes_of(side, end, own) for side, end, own in zip(sides, (right, bottom), self.box)]
        self.masks = None if owned is None or through is None else (Mask(owned), Mask(through))
        self.shown = None if self.masks is None else self.masks[0].is_in(self.low, self.high - 1)

    def _nodes_of(self, sides, end, own):
        """Of cells that begin at `sides`, the first node that counts there, and the first after it that does not, in turn."""
        ends = np.minimum(sides + self.cell, end)
        return np.stack([(sides - own) // self.grid.step, -(-(ends - own) // self.grid.step) + 2], 1).ravel()

    def _over_cells(self, least, values):
        """The least of `values` [row, column, xy] of the nodes of each cell, or with np.maximum the most."""
        columns, rows = self.nodes
        values = np.concatenate([values, values[-1:]])  # an index after the last
        values = np.concatenate([values, values[:, -1:]], 1)
        return least.reduceat(least.reduceat(values, rows, 0)[::2], columns, 1)[:, ::2]

    def kinds(self, source: NDArray) -> NDArray:
        """What each cell has to be made of, where its nodes come from `source`, float32 [row, column, xy] px: int [row, column]."""
        moved = source - self.grid.nodes_px
        least, most = (self._over_cells(ufunc, moved) for ufunc in (np.minimum, np.maximum))
        holds = (np.maximum(-least, most) < 1 / 64).all(-1)
        if self.masks is None:
            return np.where(holds, SKIPPED, WHOLE)
        owned, through = (mask.is_in(self.low + least - MARGIN_PX, self.high + most + MARGIN_PX) for mask in self.masks)
        kinds = np.where(owned, np.where(through, THIN, WHOLE), np.where(self.shown, BEHIND, SKIPPED))
        return np.where(holds, SKIPPED, kinds)

    def __call__(self, source: NDArray) -> Iterator[tuple[Box, int]]:
        """Those that are not as they were, and of which kind they are."""
        left, top, right, bottom = self.box
        for *sides, kind in merge(self.kinds(source), self.most):
            x, y, x_end, y_end = (side * self.cell for side in sides)
            yield (left + x, top + y, min(left + x_end, right), min(top + y_end, bottom)), kind
