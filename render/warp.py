"""Warp a photo by its landmarks: a smooth displacement field on a coarse grid, sampled at full size.

Reads: a photo and its 68 points, in memory. Writes: nothing.
The field is solved backwards in each frame: at the moved points it says exactly where in the photo their pixels are.
A multiquadric (Hardy 1971) barely overshoots between points, so lips keep their thickness when the mouth opens. A ring
of fixed points and a soft window hold everything around the face: beyond the window nothing moves.
"""

from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68

FADE = 0.3  # eye distances beyond the ring over which the field falls to nothing
CELL = 0.05  # eye distances between grid nodes: a lip is about 0.15 thick
BROW, LID = 0.4, 0.3  # shares of the way from brow to lid, and back, that move with each: hair does not stretch
LEAST_GAP = 0.45  # of the way from brow to lid on the photo, that stays between them
CREASE = 0.5  # of the lid's way, when it leaves the brow, that the skin above it stays behind: else it pulls the brow down
LEAST_AREA, _ROUNDS = 0.02, 40  # a cell is never shown from less than this of its size; times a field is evened out
ROUNDNESS = 0.05  # eye distances; takes the kink out of the field at a point
SLACK = 2e-3  # eye distances a point may be missed by: keeps points that lie together solvable
LIPS_AT = np.array([-0.75, -0.25, 0.25, 0.75])  # along the inner lips, between the landmarks: lips are curves
RING_GAP = {"jaw": (0.25, 0.7), "brow": (0.5, 0.5)}  # eye distances from the outline to what never moves: ends, middle
_EYES = [list(face68.GROUPS[f"{side}_eye"]) for side in ("right", "left")]
_CURVES, _N_CURVE = face68.N_POINTS + 14, len(LIPS_AT)  # where those stand among all points, after the hair's edges
_OTHER_LIP = {"upper": [*range(55, 60), *range(65, 68), *range(_CURVES + _N_CURVE, _CURVES + 2 * _N_CURVE)],
              "lower": [*range(49, 54), *range(61, 64), *range(_CURVES, _CURVES + _N_CURVE)]}
_OUTLINES = {"jaw": list(face68.GROUPS["jaw"]), "brow": [*face68.GROUPS["right_brow"], *face68.GROUPS["left_brow"]]}


def fixed_ring(face: NDArray) -> NDArray:
    """Points around `face` [68, 2] that never move, float [27, 2]: background and hair; the neck has room to follow."""
    centre, ring = (face.min(0) + face.max(0)) / 2, []
    for name, outline in _OUTLINES.items():
        ends, middle = RING_GAP[name]
        gap = ends + (middle - ends) * np.sin(np.linspace(0, np.pi, len(outline))) ** 3
        outward = face[outline] - centre
        ring.append(face[outline] + outward / np.linalg.norm(outward, axis=1, keepdims=True) * gap[:, None])
    return np.concatenate(ring)


class HairEdges:
    """Points for what no landmark marks, the brows' lower edges and the lashes: they move with brow or lid in one piece.

    Where brow and lid come closer than on `face` [68, 2], the points between close up with them and never cross; where a lid
    leaves its brow, the skin above it unfolds.
    """

    def __init__(self, face):
        self.owners, self.across, self.share, self.behind = [], [], [], []
        for side in ("right", "left"):
            brow, eye = (list(face68.GROUPS[f"{side}_{part}"]) for part in ("brow", "eye"))
            lid = eye[1:len(eye) // 2]
            self.owners += [*brow, *lid]
            self.across += [lid] * len(brow) + [[brow[1], brow[-2]]] * len(lid)
            self.share += [BROW] * len(brow) + [LID] * len(lid)
            self.behind += [0] * len(brow) + [CREASE] * len(lid)
        self.gap = self._gap(face)

    def _gap(self, face):
        return face[np.array(self.across), 1].mean(1) - face[self.owners, 1]

    def __call__(self, face):
        """Where they are on `face` [68, 2] -> float [14, 2]."""
        now = self._gap(face)
        points = face[self.owners].copy()
        apart = np.abs(now) >= np.abs(self.gap)
        points[:, 1] += np.where(apart, self.share * self.gap + self.behind * (now - self.gap), self.share * now)
        return points

    def apart(self, face):
        """`face` [68, 2] with brows that are no nearer to the lids than LEAST_GAP; changed in place."""
        brows = np.flatnonzero(np.array(self.share) == BROW)
        owners = np.array(self.owners)[brows]
        lids = face[np.array(self.owners)[brows], 1] + self._gap(face)[brows]
        face[owners, 1] = np.minimum(face[owners, 1], lids - LEAST_GAP * self.gap[brows])
        return face


def moving_share() -> NDArray:
    """How far each point may follow its landmark: float [68, 1].

    The jaw's ends and the rigid points stay: what moves them is measuring noise, and it would make hair and
    background swim.
    """
    share = np.ones(face68.N_POINTS)
    jaw = list(face68.GROUPS["jaw"])
    share[jaw] = np.sin(np.linspace(0, np.pi, len(jaw))) ** 1.5
    share[face68.RIGID] = 0
    return share[:, None]


def _lift(a):
    """Points `a` [n, 2] as one side of a product that gives squared distances, rounded -> [n, 4]."""
    return np.concatenate([a, (a * a).sum(1, keepdims=True) + ROUNDNESS**2, np.ones_like(a[:, :1])], 1)


def _distances(lifted, b):
    """Rounded distances of points, `_lift` [n, 4], to points `b` [m, 2] -> [n, m]; one matrix product and a root."""
    square = lifted @ np.concatenate([-2 * b, np.ones_like(b[:, :1]), (b * b).sum(1, keepdims=True)], 1).T
    return np.sqrt(square, out=square)


def areas(offsets: NDArray) -> NDArray:
    """How large the cells between nodes are where a field sends them, at their least corner; of their own size, < 0: folded.

    `offsets` float [row, column, xy], cells -> [row - 1, column - 1]
    """
    x, y = cv2.split(offsets)
    (along_x, down_x), (along_y, down_y) = ((one[:, 1:] - one[:, :-1], one[1:] - one[:-1]) for one in (x, y))
    along_x, down_y = along_x + 1, down_y + 1
    n, m = len(down_x), along_x.shape[1]
    return reduce(np.minimum, (along_x[i:i + n] * down_y[:, j:j + m] - along_y[i:i + n] * down_x[:, j:j + m]
                               for i in (0, 1) for j in (0, 1)))


def unfold(offsets: NDArray, but: NDArray) -> NDArray:
    """A field that folds nowhere: its nodes are evened out where it does, until it does no more.

    `offsets` float32 [row, column, xy], cells; `but` bool [row - 1, column - 1], cells that may
    """
    for _ in range(_ROUNDS):
        folded = ((areas(offsets) < LEAST_AREA) & ~but).astype(np.uint8)
        if not folded.any():
            break
        nodes = cv2.dilate(np.pad(folded, ((0, 1), (0, 1))), np.ones((4, 4), np.uint8), anchor=(2, 2))
        share = cv2.blur(nodes.astype(np.float32), (3, 3))[..., None]
        offsets = offsets + (cv2.blur(offsets, (3, 3)) - offsets) * share
    return offsets


def _field(lifted, solved):
    """The field that `FaceWarp.solve` found, at points by `_lift` -> float32 [n, 2]."""
    at, weights = solved
    return _distances(lifted, at) @ weights[:-1] + weights[-1]


class FaceWarp:
    """One photo's face, ready to be moved by landmarks: where in the photo a moved face finds its pixels.

    Parameters
    ----------
    face : float [68, 2], the photo's own points in face space
    """

    def __init__(self, face):
        self.face = face.astype(np.float64)
        self.share, self.ring, self.edges = moving_share(), fixed_ring(face), HairEdges(face)
        self.edges_of_photo, self.points = self.edges(self.face), self._all_points(self.face)
        self.window = self._window()
        self.inside = self.window > 0
        rows, columns = np.nonzero(self.inside)
        self.weight = self.window[self.inside][:, None]
        self.at = np.ravel_multi_index((rows, columns), self.window.shape)
        self.lifted = _lift(self.corner + np.stack([columns, rows], 1).astype(np.float32) * np.float32(CELL))

    def _window(self):
        """1 inside the ring, 0 from FADE outside it: float32 [row, column], a node every CELL from `corner` on."""
        self.corner = (self.ring.min(0) - 1.5 * FADE).astype(np.float32)
        rows, columns = np.ceil((self.ring.max(0) + 1.5 * FADE - self.corner)[::-1] / CELL).astype(int) + 1
        outside = np.ones((rows, columns), np.uint8)
        ring = (self.ring - self.corner) / CELL
        cv2.fillPoly(outside, [cv2.convexHull(np.round(ring).astype(np.int32))], 0)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) * CELL / FADE
        t = np.clip(1.1 - away, 0, 1)  # whole inside, nothing a little before the edge of the region
        return (t * t * (3 - 2 * t)).astype(np.float32)

    def _all_points(self, face):
        return np.concatenate([face, self.edges(face), *face68.inner_lip_curves(face, LIPS_AT), self.ring])

    def move(self, face):
        """Where the photo's points go for landmarks `face` [68, 2]: the jaw's ends and the rigid points hold still."""
        return self.edges.apart(self.face + (face - self.face) * self.share)

    def solve(self, face, lip=None):
        """Points and weights that say the field of `offsets` for landmarks `face` [68, 2].

        With `lip`, "upper" or "lower", what the other lip does counts for nothing: between the lips the field goes on.
        """
        at, goals = self._all_points(self.move(face)), self.points
        if lip:
            at, goals = (np.delete(points, _OTHER_LIP[lip], 0) for points in (at, goals))
        n = len(at)
        system, wanted = np.ones((n + 1, n + 1)), np.zeros((n + 1, 2))
        system[:n, :n] = _distances(_lift(at), at) - SLACK * np.eye(n)  # distances are conditionally negative: hence minus
        system[n, n], wanted[:n] = 0, goals - at  # weights that sum to zero: the field does not grow outwards
        return at.astype(np.float32), np.linalg.solve(system, wanted).astype(np.float32)

    def offsets(self, solved, nodes):
        """From `nodes` (float32 [n, 2], face space) to where their pixels are in the photo -> float32 [n, 2]."""
        window = cv2.remap(self.window, *self._cells(nodes).T[..., None], cv2.INTER_LINEAR)
        inside = np.flatnonzero(window)
        offsets = np.zeros((len(nodes), 2), np.float32)
        offsets[inside] = _field(_lift(nodes[inside]), solved) * window[inside]
        return offsets

    def field(self, solved, folds=False):
        """The same from a node every CELL of the window, float32 [row, column, xy], with nothing that folds, unless it may.

        But where a part is painted over it: between the lips, and at the lids.
        """
        offsets = np.zeros((*self.window.shape, 2), np.float32)
        offsets.reshape(-1, 2)[self.at] = _field(self.lifted, solved) * self.weight
        if folds or areas(offsets * np.float32(1 / CELL)).min() >= LEAST_AREA:
            return offsets
        return unfold(offsets / CELL, self.painted(solved)) * CELL

    def of_field(self, field, nodes):
        """A `field` at `nodes` (float32 [n, 2], face space) -> float32 [n, 2]."""
        return cv2.remap(field, self._cells(nodes)[:, None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)[:, 0]

    def _cells(self, nodes):
        return ((nodes - self.corner) / CELL).astype(np.float32)

    def painted(self, solved):
        """Which cells of a `field` lie between the moved lips, or at the lids: bool [row - 1, column - 1]."""
        face = solved[0][:face68.N_POINTS]
        cells = np.zeros((self.window.shape[0] - 1, self.window.shape[1] - 1), np.uint8)
        upper, lower = face68.inner_lip_curves(face, np.linspace(-1, 1, 9))
        outlines = [np.concatenate([upper, lower[::-1]])]
        hairs = np.concatenate([self.edges_of_photo, self.edges(face)])
        for eye, of_eye in zip(_EYES, np.array_split(hairs.reshape(2, 2, -1, 2)[:, :, -2:], 2, axis=1)):
            around = np.concatenate([self.face[eye], face[eye], of_eye.reshape(-1, 2)]).astype(np.float32)
            outlines.append(cv2.convexHull(around)[:, 0])
        for outline in outlines:
            cv2.fillPoly(cells, [np.round(((outline - self.corner) / CELL - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        return cells > 0
