"""De-identification of a comic: the inner face is replaced by a synthetic one, fitted to the person's 68 points.

Reads: GAN_record/avatar/faces.png (other-faces), made by avatar.other_faces. Writes: nothing.
The face that is least like the person's, by dlib's embedding, is fitted to the comic's 68 points, takes its light and paint,
and is laid over it. Landmarks stay, so the comic speaks as the person does.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar.alignment import SIZE_PX, warp_of
from core import artifacts, paths
from core.cache import cached
from core.errors import InputError
from core.face import face68, face_detector
from core.media.picture import read_photo

FACES = paths.OTHER_FACES
_ABOVE, _BELOW = 1.2, 0.5  # eye distances around the points that move along
_FOREHEAD = 0.4  # of the way from the mouth to the eyes, above the brows: how far the face is covered
FAR_ENOUGH, MOST_TRIED = 0.66, 3  # dlib's distance under a face that is tried on (0.6 is another person); faces
_TRIED_PX = 70  # of an eye distance, at most, where faces are tried on
_INSET, _EDGE = 0.1, 0.09  # eye distances: the jaw's line stays the comic's; and a standard deviation


@dataclass(frozen=True)
class Faces:
    """Faces to wear: pictures uint8 [face, SIZE_PX, SIZE_PX, rgb], their points [68, 2] px, embeddings [face, 128]."""

    pictures: np.ndarray
    points: np.ndarray
    embeddings: np.ndarray

    def farthest_from(self, embedding):
        """Numbers of the faces, the farthest from a person's dlib embedding [128] first."""
        return np.linalg.norm(self.embeddings - embedding, axis=1).argsort()[::-1]


def load_faces(path: str | Path) -> Faces:
    """Load other-faces. Raises InputError when they are missing or damaged."""
    about, picture = artifacts.check(path, "other-faces"), read_photo(path)
    points, embeddings = (np.array(about.get(name, ()), np.float32) for name in ("points", "embeddings"))
    if points.shape != (face68.N_POINTS, 2) or picture.shape[:2] != (SIZE_PX, SIZE_PX * len(embeddings)):
        raise InputError(path, "not faces side by side, or their sidecar is of others", "what avatar.other_faces writes",
                         "python -m avatar.other_faces")
    pictures = picture.reshape(SIZE_PX, -1, SIZE_PX, 3).swapaxes(0, 1)
    return Faces(np.ascontiguousarray(pictures), points, embeddings)


cached_faces = cached(load_faces)


def least_like(faces: Faces, picture: NDArray, points: NDArray) -> int:
    """Number of the face under which a person is least like themselves.

    Those that are farthest from the person's are tried on, until one is far enough; `points` [68, 2] px in `picture`, uint8
    [row, column, rgb].
    """
    factor = min(1.0, _TRIED_PX / float(face68.eye_distance(points)))
    picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    points = (points + 0.5) * factor - 0.5
    box = (*points.min(0), *points.max(0))
    own, tried = face_detector.embedding_in(picture, box), {}
    for number in faces.farthest_from(own)[:MOST_TRIED]:
        other, _ = disguise(picture, points, faces, number)
        tried[int(number)] = np.linalg.norm(face_detector.embedding_in(other, box) - own)
        if tried[int(number)] > FAR_ENOUGH:
            break
    return max(tried, key=tried.__getitem__)


def face_mask(points: NDArray, size: tuple[int, int]) -> NDArray:
    """Where a face is covered, 0..1: float32 [row, column, 1] of `size`, from within the jaw to the forehead."""
    unit, up = float(face68.eye_distance(points)), points[face68.RIGID].mean(0) - points[face68.MOUTH].mean(0)
    brows = points[[*face68.GROUPS["right_brow"], *face68.GROUPS["left_brow"]]]
    outline = np.concatenate([points, brows + _FOREHEAD * up]).astype(np.float32)
    mask = np.zeros(size, np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(outline).astype(np.int32)), 1.0)
    inset = 2 * max(1, round(_INSET * unit)) + 1
    mask = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (inset, inset)))
    return cv2.GaussianBlur(mask, (0, 0), max(0.5, _EDGE * unit))[..., None]


def _lab(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)


def fit_face(faces: Faces, number: int, points: NDArray, size: tuple[int, ...]) -> NDArray:
    """A face with its points at `points` [68, 2] px, in a picture of `size`: uint8 [row, column, rgb]."""
    unit = float(face68.eye_distance(points))
    low = points.min(0) - _ABOVE * unit
    scale = SIZE_PX / float((points.max(0) + _BELOW * unit - low).max())
    field = warp_of(faces.points, (points - low) * scale, SIZE_PX)
    part = cv2.remap(faces.pictures[number], field, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    place = np.array([[1 / scale, 0, low[0]], [0, 1 / scale, low[1]]])
    return cv2.warpAffine(part, place, size[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def disguise(drawn: NDArray, points: NDArray, faces: Faces, number: int, share: float = 1.0,
              paint: NDArray | None = None) -> tuple[NDArray, NDArray]:
    """A comic that wears another face.

    Parameters
    ----------
    drawn : uint8 [row, column, rgb]; `points` float [68, 2], px, of the face in it
    number : of the face that is put on
    share : 0..1 of it
    paint : what was added to its light and colour in the frame before, as returned; None for a photo

    Returns
    -------
    uint8 [row, column, rgb]; the paint, float32 [3]
    """
    size = drawn.shape[:2]
    mask, other = face_mask(points, size), _lab(fit_face(faces, number, points, size))
    if paint is None:
        inside = mask[..., 0] > 0.5
        paint = np.median(_lab(drawn)[inside], 0) - np.median(other[inside], 0) if inside.any() else np.zeros(3, np.float32)
    other = cv2.cvtColor((other + paint).clip(0, 255).round().astype(np.uint8), cv2.COLOR_LAB2RGB).astype(np.float32)
    return (drawn + share * mask * (other - drawn)).clip(0, 255).round().astype(np.uint8), paint
