"""Close the eyes of a photo: its lids slide over the eyeballs, the photo's own pixels.

Reads, writes: nothing.
A lid is a sheet that unrolls from below the brow. Its edge with the lashes keeps its shape and moves towards the lower lid;
what lies above is stretched between it and the brow, whose skin holds still. The eyeball stays where it is, and is covered:
a warp by landmarks would squeeze it into a slit. Where irises are found, so are the lids' edges; else landmarks tell them.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render.life.iris import find_irises
from render.liveliness import UPPER_SHARE
from render.parts.part import LIDS_FROM, of_photo
from render.parts.view import PartView
from render.photo import Photo
from render.sampling.planes import lay
from render.warp import FaceWarp

SHUT = 0.85  # closed by this share of its opening an eye is shut: landmarks of lids that touch lie on their lashes
ROWS, COLUMNS, EYES_AT = 0.9, 2.2, 0.62  # of the view, eye distances; where the eyes are in it, from the top
STILL = 0.5  # of the way from lid to brow that holds still
LASHES, LINE = 0.035, 0.012  # eye distances above the upper lid's edge that keep their shape, and below it that go along
WET = 0.015  # eye distances: what of the white may shine below the line that is found for the lower lid
MEET, CHEEK = 0.85, 0.2  # of the opening, down from the upper lid, where both meet; eye distances below that go along
BESIDE, SOFT = 0.06, 0.02  # eye distances: how softly skin beside the eye goes along; over which an edge is blended


def _curve(points, x):
    """Heights at `x` of a smooth line through `points` [n, 2]; as at its ends beyond them."""
    line = np.polynomial.Polynomial.fit(points[:, 0], points[:, 1], min(4, len(points) - 1))
    return line(np.clip(x, points[:, 0].min(), points[:, 0].max())).astype(np.float32)


class Lids:
    """The lids of one eye in a view; `box` says where they are in it.

    Parameters
    ----------
    upper, lower : the opening's edges from corner to corner, float [n, 2] px
    brow : the brow above, float [5, 2] px
    unit_px : px an eye distance
    shape : rows and columns of the view
    """

    def __init__(self, upper: NDArray, lower: NDArray, brow: NDArray, unit_px: float, shape: tuple[int, int]):
        self.unit, ends = unit_px, np.concatenate([upper, lower])[:, 0]
        left, right = ends.min() - 3 * BESIDE * unit_px, ends.max() + 3 * BESIDE * unit_px
        columns = np.arange(max(0, int(left)), min(shape[1], int(np.ceil(right)) + 1))
        upper, lower = _curve(upper, columns), _curve(lower, columns) + WET * unit_px
        self.upper, self.opening = upper, np.maximum(lower - upper, 0)
        brow_y = np.minimum(np.interp(columns, brow[:, 0], brow[:, 1]).astype(np.float32), upper - 0.2 * unit_px)
        self.top = upper + (brow_y - upper) * (1 - STILL)
        bottom = (upper + self.opening).max() + (CHEEK + SOFT) * unit_px
        rows = np.arange(max(0, int(self.top.min())), min(shape[0], int(bottom) + 2))
        self.box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        self.x, self.y = (axis.astype(np.float32) for axis in np.meshgrid(columns, rows))
        along = np.clip(np.minimum(columns - columns[0], columns[-1] - columns) / (SOFT * unit_px), 0, 1)
        self.along = (255 * along).astype(np.float32)

    def _with_skin(self, way):
        """What an edge moves by in each column, and softly the skin beside the eye."""
        return np.maximum(way, cv2.GaussianBlur(way[None], (0, 0), BESIDE * self.unit, borderType=cv2.BORDER_REPLICATE)[0])

    def close(self, share: np.float32, warped: np.float32) -> list:
        """The lower lid, then the upper, closed by `share` of what is left open where landmarks have closed `warped` already.

        Returns of each the rows its pixels come from, px of the view, float32 [row, column] of `box`, and how much of a
        pixel is its own, uint8.
        """
        unit, soft = self.unit, SOFT * self.unit
        upper, left = self.upper + warped * UPPER_SHARE * self.opening, share * (1 - warped) * self.opening
        lower = self.upper + self.opening * (1 - warped * (1 - UPPER_SHARE))
        down, up = self._with_skin(MEET * left), self._with_skin((1 - MEET) * left)
        cheek = np.clip(1 - (self.y - (lower - up)) / (CHEEK * unit), 0, 1)
        below = np.clip((self.y - (lower - up)) / soft + 0.5, 0, 1) * (cheek > 0)
        edge = upper + down
        t = np.clip((self.y - self.top) / np.maximum(edge - LASHES * unit - self.top, 1), 0, 1)
        unrolled = t + 0.3 * t * (1 - t) * (2 * t - 1)  # softly at both ends
        above = np.clip((edge + np.minimum(LINE * unit, down) - self.y) / soft + 0.5, 0, 1) * (self.y > self.top)
        return [(self.y + up * cheek * cheek * (3 - 2 * cheek), (below * self.along).astype(np.uint8)),
                (self.y - down * unrolled, (above * self.along).astype(np.uint8))]


class LidPart:
    """Both eyes' lids of a photo, painted where they close; a part as `painted.PaintedPart` is.

    Parameters
    ----------
    photo : `photo.Photo`
    warp : the photo's `FaceWarp`, when there is one already
    """

    def __init__(self, photo: Photo, warp: FaceWarp | None = None):
        part = of_photo("lids", photo.pose[0], ROWS, COLUMNS, (0.5, EYES_AT))
        self.view, self.face = PartView(part, photo.picture, photo.face, photo.pose, warp), photo.face
        self.openings = self._openings(photo.face)
        irises, unit, self.lids = find_irises(photo), part.unit_px, []
        for k, side in enumerate(("right", "left")):
            eye, brow = (photo.face[list(face68.GROUPS[f"{side}_{name}"])] for name in ("eye", "brow"))
            upper, lower = (irises[k].upper, irises[k].lower) if irises else (eye[:4], eye[[0, 5, 4, 3]])
            upper, lower, brow = ((points - self.view.corner) * unit for points in (upper, lower, brow))
            self.lids.append(Lids(upper, lower, brow, unit, part.size))

    @staticmethod
    def _openings(face):
        return np.array([(face[lower, 1] - face[upper, 1]).mean() for upper, lower in face68.EYE_LIDS], np.float32)

    def closed(self, face: NDArray) -> tuple[NDArray, NDArray]:
        """How far `face` [68, 2] closes each eye: of what is left open after the warp, and by the warp, of the photo's opening.

        Both float [2], 0..1.
        """
        closed = np.maximum(1 - self._openings(face) / np.maximum(self.openings, 1e-3), 0)
        return np.clip((closed - LIDS_FROM) / (SHUT - LIDS_FROM), 0, 1), np.minimum(closed, LIDS_FROM)

    def spare(self, face: NDArray) -> NDArray:
        """`face` [68, 2] as it is warped: its lids no further closed than what is not painted."""
        face, shares = face.copy(), self.closed(face)[0]
        for upper, lower in (lids for lids, share in zip(face68.EYE_LIDS, shares) if share > 0):
            lacks = (self.face[lower] - self.face[upper]) * np.float32(1 - LIDS_FROM) - (face[lower] - face[upper])
            face[upper] -= lacks * np.float32(UPPER_SHARE)
            face[lower] += lacks * np.float32(1 - UPPER_SHARE)
        return face

    def paint(self, faces: Sequence[NDArray], solved: Sequence) -> list:
        """Paint the lids of some frames; as `painted.PaintedPart.paint`, `solved` being of the spared faces."""
        return [self._patch(weights, *closed) if closed[0].any() else None
                for weights, closed in zip(solved, map(self.closed, faces))]

    def _patch(self, solved, shares, warped):
        seen = self.view.warp_photo(solved)
        painted, mask = seen.copy(), np.zeros(seen.shape[:2], np.uint8)
        for lids, *closed in zip(self.lids, shares, warped):
            for rows, shown in lids.close(*closed):
                lay(painted[lids.box], cv2.remap(seen, lids.x, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), shown)
                mask[lids.box] = np.maximum(mask[lids.box], shown)
        return cv2.merge([painted, mask])
