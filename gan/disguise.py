"""A face less its own: its points go part of the way to the mean face, and the picture goes with them.

Reads, writes: nothing.
What tells people apart in a drawing is above all where things are. The mouth keeps its shape, which is expression, and is only
carried along. For a video the way is measured once, so that what moves in it still moves.
"""

import cv2
import numpy as np

from core import face68
from gan.avatar_pairs import warp_of

_SIDE_PX = 256  # of the square the warp is solved in
_AROUND = 0.8  # eye distances around the points that are moved with them


def way_to(mean_face, points, share: float):
    """The way of each point towards the mean face, by `share` of it: float [68, 2], face space."""
    face, _ = face68.to_face_space(np.asarray(points, np.float32)[None])
    way = share * (np.asarray(mean_face) - face[0])
    way[face68.MOUTH] = way[face68.MOUTH].mean(0)
    return way


def disguised(picture, points, way):
    """A picture whose face goes along `way`, and its new points: uint8 [row, column, rgb], float32 [68, 2] px."""
    face, pose = face68.to_face_space(np.asarray(points, np.float32)[None])
    goal = face68.to_pixel_space(face + way, pose)[0]
    margin = _AROUND * float(pose[0, 0])
    low = np.floor(np.minimum(points, goal).min(0) - margin)
    side = float(np.ceil(max(np.maximum(points, goal).max(0) + margin - low)))
    scale = _SIDE_PX / side
    moved = warp_of((points - low) * scale, (goal - low) * scale, _SIDE_PX)
    offsets = (moved - np.stack(np.meshgrid(np.arange(_SIDE_PX), np.arange(_SIDE_PX)), -1)) / scale
    large = cv2.resize(offsets.astype(np.float32), (round(side),) * 2, interpolation=cv2.INTER_LINEAR)
    rows, columns = picture.shape[:2]
    field = np.zeros((rows, columns, 2), np.float32)
    left, top = low.astype(int)
    x, y, x_end, y_end = max(left, 0), max(top, 0), min(left + large.shape[1], columns), min(top + large.shape[0], rows)
    field[y:y_end, x:x_end] = large[y - top:y_end - top, x - left:x_end - left]
    field += np.stack(np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)), -1)
    return cv2.remap(picture, field, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), goal
