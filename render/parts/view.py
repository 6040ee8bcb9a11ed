"""The view of a face part that a network paints: its place, the warped pixels, its masks.

Reads: a picture and its landmarks, in memory. Writes: nothing.
The view is upright and of one size for every photo; the model always sees its part in the same place.
"""

import cv2
import numpy as np

from core.face.crop import align_face
from render.parts.part import PARTS
from render.sampling.grid import Grid
from render.warp import CELL, FaceWarp

MARGIN = 5 / 9  # eye distances of the photo around the view: lips and lids come from there
_STEP = 1 / 18  # eye distances between nodes of the field
assert _STEP <= 1.2 * CELL and all(side % (4 * part.square) == 0 for part in PARTS.values() for side in part.size)


def _fill_outlines(outlines, size):
    """Closed lines (float [n, 2] each, px of the view) filled: uint8 [*size], 0..255."""
    mask = np.zeros(size, np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)  # in 1/16 px
    return mask


def _widen(mask, near_px):
    """A mask with what is up to `near_px` away from it, softly: uint8 [row, column], 0..255."""
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = near_px // 8
    wide = cv2.blur(cv2.dilate(small, np.ones((2 * reach + 1,) * 2, np.uint8)), (2 * reach + 1,) * 2)
    return cv2.resize(wide, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)


class PartView:
    """A part of one photo's face.

    Parameters
    ----------
    part : `parts.Part`
    picture : uint8 [row, column, rgb]
    face, pose : its points in face space, float [68, 2], and their pose, float [4]
    warp : the photo's `FaceWarp`, when there is one already
    middle : float [2], face space, what the view is laid by; by default the part's own in `face`
    """

    def __init__(self, part, picture, face, pose, warp=None, middle=None):
        self.part, self.face, self.warp = part, face, warp or FaceWarp(face)
        rows, columns = part.size
        middle = part.middle(face) if middle is None else middle
        self.corner = (middle - np.array(part.at) * (columns, rows) / part.unit_px).astype(np.float32)
        self.view = np.array([part.unit_px, 0, *(-self.corner * part.unit_px)])
        self.margin = round(MARGIN * part.unit_px)
        around = self.view + (0, 0, self.margin, self.margin)
        self.around = align_face(picture, pose, around, (rows + 2 * self.margin, columns + 2 * self.margin))
        extent = np.array([columns, rows]) / part.unit_px
        self.grid = Grid(self.corner, self.corner + extent, self.view, (0, 0, columns, rows), _STEP)

    @property
    def picture(self):
        """The photo as it is: uint8 [row, column, rgb]."""
        return self.around[self.margin:-self.margin, self.margin:-self.margin]

    def warp_photo(self, solved, pixels=None):
        """The photo's pixels, moved; `solved` from `FaceWarp.solve` -> uint8 [row, column, rgb].

        `pixels`, other ones in place of `around`
        """
        source = self.grid.interpolate(self.grid.source(self.warp.offsets(solved, self.grid.nodes)) + np.float32(self.margin))
        return cv2.remap(self.around if pixels is None else pixels, source, None, cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REPLICATE)

    def masks(self, face):
        """Of landmarks `face` [68, 2]: half on what the part's outlines hold, whole on the inner ones; and what lies near.

        uint8 [row, column, 2]; the latter falls softly to 0
        """
        half, whole = (_fill_outlines([(line - self.corner) * self.part.unit_px for line in lines], self.part.size)
                       for lines in self.part.outlines(face, self.face))
        return cv2.merge([cv2.addWeighted(half, 0.5, whole, 0.5, 0), _widen(half, self.part.near_px)])
