"""The part of a face that the mouth model draws: where it lies, the photo's pixels moved there, and masks of the mouth.

Reads: a picture and its landmarks, in memory. Writes: nothing.
The view is upright and of one size for every photo; the model always sees a mouth in the same place.
"""

import cv2
import numpy as np

from core import face68
from core.crop import upright
from render.grid import Grid
from render.warp import CELL, FaceWarp

UNIT_PX = 144  # px per eye distance: a mouth is about 130 px wide
ROWS, COLUMNS = 160, 192
CORNERS_AT = 0.5, 0.37  # x, y of the middle of the mouth's corners, of the view's sides: the jaw drops far
MARGIN_PX = 80  # of the photo around the view: lips come from there
NEAR_PX = 32  # of the view, around the lips: only there is anything painted
_STEP_PX = 8  # between nodes of the field
_AT = np.linspace(-1, 1, 13)  # lips are curves, not corners
assert _STEP_PX <= 1.2 * CELL * UNIT_PX and ROWS % 16 == COLUMNS % 16 == 0


def lip_outline(points):
    """The inner lips of `points` [68, 2] as a smooth closed line, above and back below -> [26, 2], in their own unit."""
    upper, lower = face68.inner_lip_curves(points, _AT)
    return np.concatenate([upper, lower[::-1]])


def _filled(outline):
    """A closed line (float [n, 2], px of the view) filled: uint8 [ROWS, COLUMNS], 0..255."""
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)  # in 1/16 px
    return mask


def _around(mask):
    """A mask with what is up to NEAR_PX away from it, softly: uint8 [ROWS, COLUMNS], 0..255."""
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = NEAR_PX // 8
    wide = cv2.blur(cv2.dilate(small, np.ones((2 * reach + 1,) * 2, np.uint8)), (2 * reach + 1,) * 2)
    return cv2.resize(wide, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)


class MouthView:
    """The mouth of one photo.

    Parameters
    ----------
    picture : uint8 [row, column, rgb]
    face, pose : its points in face space, float [68, 2], and their pose, float [4]
    warp : the photo's `FaceWarp`, when there is one already
    middle : float [2], face space: where the mouth's corners are; by default those of `face`
    """

    def __init__(self, picture, face, pose, warp=None, middle=None):
        self.face, self.warp = face, warp or FaceWarp(face)
        middle = face68.mouth_middle(face) if middle is None else middle
        self.corner = (middle - np.array(CORNERS_AT) * (COLUMNS, ROWS) / UNIT_PX).astype(np.float32)
        self.view = np.array([UNIT_PX, 0, *(-self.corner * UNIT_PX)])
        around = self.view + (0, 0, MARGIN_PX, MARGIN_PX)
        self.around = upright(picture, pose, around, (ROWS + 2 * MARGIN_PX, COLUMNS + 2 * MARGIN_PX))
        extent = np.array([COLUMNS, ROWS]) / UNIT_PX
        self.grid = Grid(self.corner, self.corner + extent, self.view, (ROWS, COLUMNS), _STEP_PX / UNIT_PX)

    @property
    def picture(self):
        """The photo as it is: uint8 [ROWS, COLUMNS, rgb]."""
        return self.around[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]

    def warped(self, solved):
        """The photo's pixels, moved; `solved` from `FaceWarp.solve` -> uint8 [ROWS, COLUMNS, rgb]."""
        source = self.grid.enlarged(self.grid.source(self.warp.offsets(solved, self.grid.nodes))) + MARGIN_PX
        return cv2.remap(self.around, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def masks(self, face):
        """Of landmarks `face` [68, 2]: the mouth, half on its lips and whole between them; and what lies near it.

        uint8 [ROWS, COLUMNS, 2]; the latter falls softly to 0
        """
        points = (face - self.corner) * UNIT_PX
        lips, between = _filled(points[list(face68.GROUPS["outer_lips"])]), _filled(lip_outline(points))
        return cv2.merge([cv2.addWeighted(lips, 0.5, between, 0.5, 0), _around(lips)])
