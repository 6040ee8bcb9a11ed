"""What a face shows that spoils a talking photo: an open or covered mouth, shut or hidden eyes, glasses, a border that cuts.

Reads: a photo and its landmarks, in memory. Writes: nothing.
Measured in the upright face, by edges and by redness (a* of CIELAB): lips are redder than the skin above and below them and
than the line where they meet; a hand, a mask or a microphone is not. A rim is an edge across the bridge of the nose and
under the eyes, where skin is smooth. How often each is right: docs/experiments.md, "The photo check".
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.face.crop import align_face
from render.life.iris import seen_eyes
from render.parts.palette import off_curve
from render.photo import Photo

UNIT_PX = 64  # per eye distance
_ORIGIN, _SIZE_PX = (1.5, 1.1), (218, 192)  # of the upright face: x, y of its origin, eye distances; rows, columns
SHUT_EYES, OPEN_EYES = 0.15, 0.23  # opening of the wider eye, in its widths, of shut and of surely open ones
OPEN_MOUTH = 0.3  # opening, in widths of the mouth: the widest smiles have 0.28
LEAST_RED, LEAST_LIPS = 3.0, 0.2  # of a* that lips are redder than skin; how far the redness across a mouth is that of lips
MOSTLY_GREY = 2.5  # of `palette.off_curve`: a covered face shows fewer colours than a whole one, a grey one fewer still
BRIDGE, RIM, FAINT_BRIDGE, FAINT_RIM = 19.5, 18.0, 12.0, 7.5  # edges that are glasses, by one sign or by both, see `rims`
CUT = 0.02  # of the face's width that may lie beyond the border: points are so sure
_LINES, _ROWS = np.linspace(-0.6, 0.6, 9), np.linspace(-0.35, 0.35, 29)  # along and across the inner lips; eye distances


def _bell(middle, width):
    return np.exp(-np.square((_ROWS - middle) / width) / 2)


_LIPS = 0.8 * _bell(-0.11, 0.04) - 0.6 * _bell(-0.02, 0.03) + 1.2 * _bell(0.1, 0.05)  # redness: lip, line, lip; skin around
_LIPS = (_LIPS - _LIPS.mean()) / _LIPS.std()


def upright_face(photo: Photo) -> NDArray:
    """The face of `photo` at UNIT_PX: uint8 [row, column, rgb]."""
    view = np.array([UNIT_PX, 0, *(UNIT_PX * np.array(_ORIGIN))])
    return align_face(photo.picture, photo.pose, view, _SIZE_PX)


def _px(points):
    return (np.asarray(points) + _ORIGIN) * UNIT_PX


def _within(outline, shape):
    mask = np.zeros(shape, np.uint8)
    return cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, cv2.LINE_8, 4) > 0


def lip_redness(upright: NDArray, face: NDArray) -> tuple[float, float]:
    """Of an `upright_face` and its points [68, 2]: how much redder, in a*, the lips are than the skin around them.

    And how far the redness across the mouth runs as it does over lips, -1..1.
    """
    red = cv2.cvtColor(upright, cv2.COLOR_RGB2LAB)[..., 1].astype(np.float32)
    outer, inner = (_px(face[list(face68.GROUPS[name])]) for name in ("outer_lips", "inner_lips"))
    middle = outer.mean(0)
    lips = _within(outer, red.shape) & ~_within(inner, red.shape)
    around, beside = (_within(middle + (outer - middle) * factors, red.shape) for factors in ((1.25, 1.9), (1.12, 1.35)))
    skin = around & ~beside
    contrast = float(np.median(red[lips]) - np.median(red[skin])) if lips.any() and skin.any() else 0.0
    upper, lower = face68.inner_lip_curves(face, _LINES)
    at = _px((upper + lower) / 2 + np.stack([0 * _ROWS, _ROWS], 1)[:, None]).astype(np.float32)
    across = cv2.remap(red, at[..., 0], at[..., 1], cv2.INTER_LINEAR).mean(1)
    return contrast, float(((across - across.mean()) / (across.std() + 4) * _LIPS).mean())


def is_mouth_covered(photo: Photo) -> bool:
    """True when nothing like lips is where the mouth should be; False in a monochrome photo, which cannot tell."""
    contrast, likeness = lip_redness(upright_face(photo), photo.face)
    return contrast < LEAST_RED and likeness < LEAST_LIPS and off_curve(photo.picture, photo.points)[0] > MOSTLY_GREY


def is_mouth_open(photo: Photo) -> bool:
    """True when the mouth is open further than a smile opens it."""
    return bool(face68.mouth_opening(photo.face) > OPEN_MOUTH * face68.mouth_width(photo.face))


def eye_opening(photo: Photo) -> float:
    """How far the wider eye is open, in its own width."""
    face, shares = photo.face, []
    for side, (upper, lower) in zip(("right_eye", "left_eye"), face68.EYE_LIDS):
        eye = face[list(face68.GROUPS[side])]
        shares.append(float((face[lower, 1] - face[upper, 1]).mean() / np.linalg.norm(eye[3] - eye[0])))
    return max(shares)


def are_eyes_shut(photo: Photo) -> bool:
    """True when both eyes are closed."""
    return eye_opening(photo) < SHUT_EYES


def hidden_eye(photo: Photo) -> str | None:
    """Which eye hides behind hair, a patch or a hand, the other open: "right" or "left" of the person; None: neither."""
    seen = seen_eyes(photo) if eye_opening(photo) > OPEN_EYES else None
    return None if seen is None or seen[0] == seen[1] else "left" if seen[0] else "right"


def rims(upright: NDArray) -> tuple[float, float]:
    """The strongest edges across the bridge of the nose and, of the less marked eye, under the eyes: grey values a px.

    Of an `upright_face`, were its skin at half of white.
    """
    light = cv2.cvtColor(upright, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    edges = np.abs(cv2.Sobel(cv2.GaussianBlur(light, (0, 0), 1), cv2.CV_32F, 0, 1, ksize=3)) / 8

    def part(picture, left, right, top, bottom):
        (x, y), (x_end, y_end) = (_px(corner).astype(int) for corner in ((left, top), (right, bottom)))
        return picture[y:y_end, x:x_end]

    skin = max(20.0, float(np.median(part(light, -0.9, 0.9, -0.2, 1.2)))) / 128
    bridge = float(np.median(part(edges, -0.12, 0.12, -0.22, 0.28).max(0)))
    under = [float(np.percentile(part(edges, x - 0.3, x + 0.3, 0.2, 0.55).max(0), 40)) for x in (-0.5, 0.5)]
    return bridge / skin, min(under) / skin


def wears_glasses(photo: Photo) -> bool:
    """True when there are rims over the eyes; the upper edge of a mask is none."""
    bridge, rim = rims(upright_face(photo))
    if bridge > BRIDGE or (bridge > FAINT_BRIDGE and rim > FAINT_RIM):
        return True
    return rim > RIM and not is_mouth_covered(photo)


def is_cut(photo: Photo) -> bool:
    """True when a part of the face lies outside the picture."""
    beyond = np.maximum(-photo.points, photo.points - (np.array(photo.picture.shape[1::-1]) - 1))
    return bool(beyond.max() > CUT * np.ptp(photo.points[:, 0]))
