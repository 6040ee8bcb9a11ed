"""Find where the lips of an open mouth end in a photo: landmarks tell it to a lip's thickness, colours to a pixel.

Reads: a photo and its landmarks, in memory. Writes: nothing.
What shows between the lips (teeth, gums, the dark) is told from lips and skin by their colours (GrabCut; Rother, Kolmogorov
and Blake 2004), in an upright view of the mouth. The inner lips' points are then moved out to where it ends.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.face.crop import align_face
from render.parts.part import lip_outline
from render.photo import Photo

UNIT_PX = 128  # of an eye distance in the upright view: finer is not needed, and slower
HALF = np.array([0.75, 0.5])  # eye distances from the middle of the mouth to the sides of the view
CORNERS = 0.75  # of the way from the inner corners to the outer ones, that the lips of an open mouth are apart
AROUND = 0.06, 0.06, 0.03  # eye distances above, beside and below the inner lips: nothing farther out shows
RIM, CORE = 0.025, 0.035  # eye distances within the outer lips, where nothing does; within the inner ones, where all does
CLOSED, OPENED = 0.02, 0.01  # eye distances: gaps and spots of what shows that are noise
ROUNDS, MODEL = 5, (1, 65)  # of GrabCut; the size of its five Gaussians
BESIDE = 0.03  # eye distances to either side of a point that tell of its edge
FARTHEST, LIP = (0.05, 0.025), 0.03  # eye distances a point goes up or down; that it stays away from the outer lip
_INNER_CORNERS, _CORNERS = [60, 64], [48, 54]
_UPPER, _LOWER, _OUTER_UPPER, _OUTER_LOWER = (61, 62, 63), (67, 66, 65), (50, 51, 52), (58, 57, 56)


def _disc(distance):
    side = 2 * max(1, round(distance * UNIT_PX)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


class OpenMouth:
    """What shows between the lips of a photo.

    Parameters
    ----------
    photo : its mouth is open

    Attributes
    ----------
    shows : uint8 [row, column], 0 or 1, in an upright view of the mouth
    """

    def __init__(self, photo: Photo):
        self.photo, self.wide = photo, photo.face.copy()
        self.wide[_INNER_CORNERS] += CORNERS * (photo.face[_CORNERS] - photo.face[_INNER_CORNERS])
        self.corner = face68.mouth_middle(photo.face) - HALF
        self.view = np.array([UNIT_PX, 0, *(-self.corner * UNIT_PX)])
        columns, rows = np.round(2 * HALF * UNIT_PX).astype(int).tolist()
        self.picture = align_face(photo.picture, photo.pose, self.view, (rows, columns))
        self.shows = self._shows()

    def _filled(self, outline):
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        return cv2.fillPoly(mask, [np.round((outline - self.corner) * UNIT_PX).astype(np.int32)], 1)

    def _shows(self):
        inside = self._filled(lip_outline(self.wide))
        if not inside.any():
            return inside
        lips = cv2.erode(self._filled(self.photo.face[list(face68.GROUPS["outer_lips"])]), _disc(RIM))
        up, side, down = (round(distance * UNIT_PX) for distance in AROUND)
        oval = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * side + 1, up + down + 1))
        may = cv2.dilate(inside, oval, anchor=(side, down)) & lips
        mask = np.where(inside > 0, cv2.GC_PR_FGD, np.where(may > 0, cv2.GC_PR_BGD, cv2.GC_BGD)).astype(np.uint8)
        mask[cv2.erode(inside, _disc(CORE)) > 0] = cv2.GC_FGD
        cv2.setRNGSeed(0)  # GrabCut's k-means
        cv2.grabCut(cv2.cvtColor(self.picture, cv2.COLOR_RGB2LAB), mask, None, np.zeros(MODEL), np.zeros(MODEL), ROUNDS,
                    cv2.GC_INIT_WITH_MASK)
        shows = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
        shows = cv2.morphologyEx(cv2.morphologyEx(shows, cv2.MORPH_CLOSE, _disc(CLOSED)), cv2.MORPH_OPEN, _disc(OPENED))
        _, pieces = cv2.connectedComponents(shows)
        return np.isin(pieces, np.unique(pieces[(inside > 0) & (shows > 0)])).astype(np.uint8) & shows

    def in_photo(self) -> NDArray:
        """What shows, in the photo itself: uint8 [row, column], 0 or 255."""
        corners = np.array([[[0, 0], [1, 0], [0, 1]]])  # three points of face space fix the affine map
        there, here = (face68.to_pixel_space(corners, np.asarray(pose))[0] for pose in (self.photo.pose, self.view))
        moved = cv2.warpAffine(255 * self.shows, cv2.getAffineTransform(here, there), self.photo.picture.shape[1::-1])
        return np.where(moved > 127, 255, 0).astype(np.uint8)

    def face(self) -> NDArray:
        """The photo's points in face space, the inner lips at the edges of what shows: float32 [68, 2]."""
        face, near = self.wide.copy(), max(1, round(BESIDE * UNIT_PX))
        for upper, lower, above, below in zip(_UPPER, _LOWER, _OUTER_UPPER, _OUTER_LOWER):
            x = round((face[[upper, lower], 0].mean() - self.corner[0]) * UNIT_PX)
            columns = self.shows[:, max(0, x - near):x + near + 1]
            columns = columns[:, columns.any(0)]
            if not columns.size:
                continue
            edges = columns.argmax(0), len(columns) - columns[::-1].argmax(0)
            first, last = (np.median(edge) / UNIT_PX + self.corner[1] for edge in edges)
            face[upper, 1] -= np.clip(face[upper, 1] - max(first, face[above, 1] + LIP), 0, FARTHEST[0])
            face[lower, 1] += np.clip(min(last, face[below, 1] - LIP) - face[lower, 1], 0, FARTHEST[1])
        return face
