"""Which blocks of a picture have to be made anew in a frame, and of what: small enough for a cache.

Reads, writes: nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render.sampling.grid import Grid

CELL, LEAST_CELL_PX = 0.2, 48  # side of a cell: eye distances; px
MOST_PX = 216, 640  # rows and columns of a block, of cells: its maps stay in a cache
LOOK_PX = 8  # a mask is known by squares of this side
MARGIN_PX = 2  # around a place that is sampled
STILL_PX = 1 / 64  # what moves by less holds still
SKIPPED, WHOLE, THIN, BEHIND = range(4)  # a cell is as it was; all the person's; theirs, and what shows through; none of it
Box = tuple[int, int, int, int]  # left, top, right, bottom, px of the picture


class Masks:
    """Where this and that is in a picture, to be asked of any boxes at once.

    Parameters
    ----------
    marked : of each mask where it is, bool arrays [row, column] and how many times smaller than the picture they are
    size : columns and rows of the picture
    """

    def __init__(self, marked: Iterable[Sequence[tuple[NDArray, int]]], size: tuple[int, int]):
        self.last = np.array(size, np.float32) - 1
        squares = [np.logical_or.reduce([self._in_squares(*of_plane) for of_plane in planes]) for planes in marked]
        self.sums = np.stack([cv2.integral(mask.astype(np.uint8)) for mask in squares])

    @staticmethod
    def _in_squares(mask, shrink):
        side = LOOK_PX // shrink
        padded = np.pad(mask, ((0, -mask.shape[0] % side), (0, -mask.shape[1] % side)))
        across = np.logical_or.reduce(padded.reshape(padded.shape[0] // side, side, -1), 1)
        return np.logical_or.reduce(across.reshape(across.shape[0], -1, side), 2)

    def are_in(self, low: NDArray, high: NDArray) -> NDArray:
        """Whether any of each mask is in boxes with corners `low`, `high`, float32 [..., xy] px: bool [mask, ...].

        Beyond an edge lies the mirror image of what is within.
        """
        first = np.minimum(np.clip(low, 0, self.last), np.maximum(2 * self.last - high, 0))
        last = np.maximum(np.clip(high, 0, self.last), np.minimum(-low, self.last))
        (x, y), (x_end, y_end) = (np.moveaxis(corner.astype(int) // LOOK_PX, -1, 0) for corner in (first, last + LOOK_PX))
        sums = self.sums
        return sums[:, y_end, x_end] - sums[:, y, x_end] - sums[:, y_end, x] + sums[:, y, x] > 0


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
    masks : where anything is the person's, and where anything shows through; None where all moves in one piece
    """

    def __init__(self, grid: Grid, unit_px: float, masks: Masks | None = None):
        self.grid, self.masks = grid, masks
        self.cell = grid.step * max(1, round(max(LEAST_CELL_PX, CELL * unit_px) / grid.step))
        self.most = tuple(max(1, n // self.cell) for n in MOST_PX)
        self.sides = [self._sides(*ends) for ends in zip(grid.box, grid.box[2:])]
        self.low, self.high = (np.stack(np.meshgrid(*(side[ends] for side in self.sides)), -1).astype(np.float32)
                               for ends in (slice(-1), slice(1, None)))
        nodes = [grid.nodes_of(side[:-1], side[1:], axis) for axis, side in enumerate(self.sides)]
        self.nodes = np.ix_(nodes[1][0], nodes[0][0])
        self.around = np.ones([int((last - first).max()) for first, last in nodes[::-1]], np.uint8)
        self.is_shown: Any = None if masks is None else masks.are_in(self.low, self.high - 1)[0]

    def _sides(self, low, high):
        """Where cells begin along an axis, and the last one ends: at nodes, so that few count for two of them."""
        sides = np.arange(low + self.grid.step // 4 * 2, high - self.cell // 2, self.cell)
        return np.concatenate([[low], sides[1:], [high]]) if len(sides) > 1 else np.array([low, high])

    def kinds(self, source: NDArray) -> NDArray:
        """What each cell has to be made of, where nodes come from `source`, float32 [row, column, xy] px: int [row, column]."""
        moved = source - self.grid.nodes_px
        least, most = (each(moved, self.around, anchor=(0, 0))[self.nodes] for each in (cv2.erode, cv2.dilate))
        holds = (np.maximum(-least, most) < STILL_PX).all(-1)
        if self.masks is None:
            return np.where(holds, SKIPPED, WHOLE)
        owned, through = self.masks.are_in(self.low + least - MARGIN_PX, self.high + most + MARGIN_PX)
        kinds = np.where(owned, np.where(through, THIN, WHOLE), np.where(self.is_shown, BEHIND, SKIPPED))
        return np.where(holds, SKIPPED, kinds)

    def __call__(self, source: NDArray) -> Iterator[tuple[Box, int]]:
        """Those that are not as they were, and of which kind they are."""
        across, down = (side.tolist() for side in self.sides)
        for x, y, x_end, y_end, kind in merge(self.kinds(source), self.most):
            yield (across[x], down[y], across[x_end], down[y_end]), kind
