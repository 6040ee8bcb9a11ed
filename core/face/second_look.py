"""Faces where dlib finds none: dark, small, turned, tilted ones, by MediaPipe's detector and mesh.

Reads: the model files, whose package is installed for this alone. Writes: nothing.
Source: Bazarevsky et al. 2019, BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs (the model for full range).
"""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.face.face_detector import grey, landmarks_in
from core.face.mesh import FAR, PRESENT, apart, landmarks_by_mesh
from core.models import Network
from core.pretrained import FACE_DETECTOR, FACE_MESH, find

_SIDE_PX, _STRIDE_PX, _N_KEYS = 192, 4, 6  # of what the detector looks at; from anchor to anchor; points of a face
LEAST_SCORE = 0.6  # dogs and rooms have under 0.25, faces mostly over 0.8
TURNS_DEG = (0, 35, -35, 60, -60)  # a picture is looked at upright, then turned
MOST_ROLL_DEG = 60  # of a face; the picture of one that lies is to be turned
TILED_PX = 384  # longer side from which on a picture is also looked at in parts, TILE of its sides each
TILE, TILES = 0.5, (0.0, 0.25, 0.5)
DARK, LIFTED, MOST_LIFT = 70, 110, 0.25  # median of the light that is dark, and what it is lifted to; least exponent
_UPRIGHT_PX = 100.0  # of an eye distance, where dlib looks at a face that was turned upright
_BOX = (-1.0, -0.35, 1.0, 1.65)  # eye distances from the eyes: where dlib's detector puts its box


@dataclass(frozen=True)
class Found:
    """A face: its box float64 [4] (left, top, right, bottom) and points float32 [68, 2], px."""

    box: np.ndarray
    points: np.ndarray
    score: float


@cache
def _load_detector() -> Network:
    folder = find(FACE_DETECTOR)
    assert folder is not None
    return Network(folder / FACE_DETECTOR.sha256[0][0])


def best_face(picture: NDArray) -> tuple[float, NDArray]:
    """The face that the detector is surest of in uint8 [row, column, rgb].

    Returns
    -------
    score : 0..1
    eyes : float [2, 2], the one on the left of an upright face first, px
    """
    detector, (rows, columns) = _load_detector(), picture.shape[:2]
    factor = _SIDE_PX / max(rows, columns)
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    corner = np.array([(_SIDE_PX - side) // 2 for side in size])
    seen = np.zeros((_SIDE_PX, _SIDE_PX, 3), np.float32)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    seen[corner[1]:corner[1] + size[1], corner[0]:corner[0] + size[0]] = small / 127.5 - 1
    by_width = {output.shape[-1]: output[0] for output in detector(seen[None])}
    scores, faces = by_width[1][:, 0], by_width[4 + 2 * _N_KEYS]
    number = int(scores.argmax())
    down, across = divmod(number, _SIDE_PX // _STRIDE_PX)
    anchor = (np.array([across, down]) + 0.5) * _STRIDE_PX
    keys = anchor + faces[number, 4:].reshape(_N_KEYS, 2)
    return 1 / (1 + math.exp(-float(np.clip(scores[number], -50, 50)))), (keys[:2] - corner) / factor


def lift(picture: NDArray) -> NDArray:
    """`picture` (uint8 [row, column, rgb]) as it would be in better light, where it is dark; else itself."""
    middle = float(np.median(grey(picture)))
    if middle >= DARK:
        return picture
    exponent = max(MOST_LIFT, math.log(LIFTED / 255) / math.log(max(middle, 2) / 255))
    return cv2.LUT(picture, np.round(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8))


def _views(picture):
    """The picture as it is looked at, one after the other, each with its map back: picture, float [2, 3]."""
    rows, columns = picture.shape[:2]
    for turn_deg in TURNS_DEG:
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), turn_deg, 1)
        yield cv2.warpAffine(picture, turn, (columns, rows)) if turn_deg else picture, cv2.invertAffineTransform(turn)
    if max(rows, columns) >= TILED_PX:
        for y in TILES:
            for x in TILES:
                left, top = round(x * columns), round(y * rows)
                part = picture[top:top + round(TILE * rows), left:left + round(TILE * columns)]
                yield np.ascontiguousarray(part), np.array([[1.0, 0, left], [0, 1.0, top]])


def _points(picture, eyes):
    """68 points of the face with these eyes [2, 2] px, and presence: of dlib upright, or of the mesh where they differ."""
    along = eyes[1] - eyes[0]
    pose = np.array([np.hypot(*along), math.atan2(along[1], along[0]), *eyes.mean(0)])
    points, presence = landmarks_by_mesh(picture, pose)
    pose = face68.to_face_space(points[None])[1][0].astype(np.float64)  # the detector's eyes are rough
    if presence > PRESENT:
        points, presence = landmarks_by_mesh(picture, pose)
    side = round(6 * _UPRIGHT_PX)
    view = np.array([_UPRIGHT_PX, 0, side / 2, side / 2])
    corners = np.array([[[0.0, 0], [1, 0], [0, 1]]])
    there = cv2.getAffineTransform(*(face68.to_pixel_space(corners, p)[0].astype(np.float32) for p in (pose, view)))
    upright = cv2.warpAffine(grey(picture), there, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    by_dlib = landmarks_in(upright, np.array(_BOX) * _UPRIGHT_PX + side / 2)
    back = cv2.invertAffineTransform(there)
    by_dlib = (by_dlib @ back[:, :2].T + back[:, 2]).astype(np.float32)
    return (by_dlib if apart(by_dlib, points) < FAR else points), presence


def look_again(picture: NDArray) -> Found | None:
    """A face in uint8 [row, column, rgb] that dlib's detector did not find; None without one, or without the models."""
    if find(FACE_DETECTOR) is None or find(FACE_MESH) is None or min(picture.shape[:2]) < 2:
        return None
    picture = lift(picture)
    for seen, back in _views(picture):
        score, eyes = best_face(seen)
        if score < LEAST_SCORE:
            continue
        points, presence = _points(picture, eyes @ back[:, :2].T + back[:, 2])
        roll = face68.to_face_space(points[None])[1][0, 1]
        if presence > PRESENT and abs(math.degrees(roll)) < MOST_ROLL_DEG:
            return Found(np.concatenate([points.min(0), points.max(0)]).astype(np.float64), points, score)
    return None


def checked(picture: NDArray, points: NDArray) -> NDArray:
    """`points` [68, 2] px that dlib gave a face in `picture`; where they are far off, those of the mesh or of `look_again`.

    Themselves where the models are not installed, or see no face there.
    """
    pose = face68.to_face_space(points[None])[1][0]
    if find(FACE_DETECTOR) is None or not np.isfinite(pose).all() or pose[0] <= 1:
        return points
    others, presence = landmarks_by_mesh(picture, pose)
    if presence > PRESENT:
        if apart(points, others) < FAR:
            return points
        return landmarks_by_mesh(picture, face68.to_face_space(others[None])[1][0])[0]  # from where it saw the face
    low, high = points.min(0), points.max(0)
    around = (high - low).max()
    corner, end = np.maximum(low - around, 0).astype(int), (high + around).astype(int)
    again = look_again(np.ascontiguousarray(picture[corner[1]:end[1], corner[0]:end[0]]))
    if again is None:
        return points
    found = again.points + corner.astype(np.float32)
    return found if (low < found.mean(0)).all() and (found.mean(0) < high).all() else points
