"""A comic of a whole photo, drawn by the translator (image-to-image network); no pixel of the photo is kept.

Reads: GAN_record/avatar/model.safetensors (picture-model), faces.png (other-faces). Writes: nothing.
The network knows faces of one size. The picture is drawn with the face at that size; where that would be too large a picture,
the surroundings are drawn smaller, and the face's part is laid over them. The comics it learnt from know few white walls and
few paints: those of the photo in ink and paint are put back. The comic then wears another face (avatar.disguise), and its lines
are scaled to the picture's own size.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar.alignment import STYLES
from avatar.disguise import FACES, cached_faces, disguise, least_like
from avatar.drawer import Drawer
from avatar.ink import repaint
from avatar.inputs import MULTIPLE, N_COLOURS, UNIT_PX, as_inputs
from core import paths
from core.cache import cached
from core.face import face68

LONGEST_PX = 640  # of a picture that is drawn in one piece
REACH = 2.4  # eye distances from the face's middle to the edge of its part
FADE = 0.5  # eye distances over which the part ends
WORTHWHILE = 0.75  # of the size the network knows: a face drawn smaller is drawn again, alone
STYLE = STYLES[0]
OWN_PAINT = dict(zip(STYLES, (0.9, 0.5)))  # share of the photo's own paints, beside those of the comics
OWN_PAINT_OF_FACE = dict(zip(STYLES, (0.6, 0.3)))
FACE_RIM = 0.25  # eye distances over which face goes over into the rest
PRIVACY = 1.0
CRISPNESS = 1.5  # of lines that were enlarged
_drawer = cached(Drawer)


def enlarge(picture: NDArray, size: tuple[int, int]) -> NDArray:
    """A drawing at another size (rows, columns): its lines stay lines, no wider than pixels allow, without halos."""
    factor = size[0] / picture.shape[0]
    if factor <= 1:
        return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    large = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_CUBIC)
    sharp = cv2.addWeighted(large, 1 + CRISPNESS, cv2.GaussianBlur(large, (0, 0), 0.8 * factor), -CRISPNESS, 0)
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(0.7 * factor) + 1,) * 2)
    return np.clip(sharp, cv2.erode(large, near), cv2.dilate(large, near))


def _part(points, unit, size):
    """The box around a face, whole px: left, top, right, bottom."""
    middle, reach = points.mean(0) - (0, 0.3 * unit), REACH * unit
    low, high = np.floor(middle - reach).astype(int), np.ceil(middle + reach).astype(int)
    return (*np.maximum(low, 0), *np.minimum(high, size[::-1]))


def _window(box, unit, size):
    """1 in a box, falling to 0 over FADE towards those of its sides that are not the picture's: float32 [row, column, 1]."""
    left, top, right, bottom = box
    sides = []
    for low, high, end in ((top, bottom, size[0]), (left, right, size[1])):
        at = np.arange(low, high) + 0.5
        inward = np.minimum(at - low if low else np.inf, high - at if high < end else np.inf) / (FADE * unit)
        t = np.clip(inward, 0, 1)
        sides.append(t * t * (3 - 2 * t))
    return (sides[0][:, None] * sides[1][None])[..., None].astype(np.float32)


def _to_uint8(picture) -> NDArray:
    """Float [rgb, row, column], -1..1 -> uint8 [row, column, rgb]."""
    return np.clip(np.round((picture.transpose(1, 2, 0) + 1) * 127.5), 0, 255).astype(np.uint8)


class Avatars:
    """Draws comics.

    Parameters
    ----------
    model : picture-model of the translator; the one that ships by default
    style : of `avatar_pairs.STYLES`
    privacy : share of another face that the comic wears in place of the person's, 0..1
    """

    def __init__(self, model=None, style=STYLE, privacy=PRIVACY):
        self.drawer = _drawer(model or paths.AVATAR_MODEL)
        self.style, self.privacy = style, privacy

    def __call__(self, picture, points, past=None):
        """Draw one picture.

        Parameters
        ----------
        picture : uint8 [row, column, rgb]
        points : float [68, 2], px, of the face in it
        past : of the frame before, from the call before; None for a photo

        Returns
        -------
        uint8 [row, column, rgb] of the same size, its points where they were; what to give the next call
        """
        past = dict(past or {})
        unit = past.setdefault("unit", float(face68.eye_distance(points)))  # a video keeps its scale
        if self.privacy and "other_face" not in past:  # a video keeps its other face, and its paint
            past["other_face"] = {"number": least_like(cached_faces(FACES), picture, points)}
        wanted = UNIT_PX / unit
        factor = min(wanted, LONGEST_PX / max(picture.shape[:2]))
        drawn, past["whole"] = self._draw_scaled(picture, points, factor, past.get("whole"), past.get("other_face"))
        if factor < WORTHWHILE * wanted:
            left, top, right, bottom = box = _part(points, unit, picture.shape[:2])
            part, past["face"] = self._draw_scaled(picture[top:bottom, left:right], points - (left, top), wanted,
                                                   past.get("face"), past.get("other_face"))
            weight = _window(box, unit, picture.shape[:2])
            under = drawn[top:bottom, left:right]
            drawn[top:bottom, left:right] = np.round(under + (part.astype(np.float32) - under) * weight)
        return drawn, past

    def _own_paint(self, points, size):
        """How much of each pixel's paint is the photo's own: float32 [row, column, 1]; less in the face than around it."""
        face = np.zeros(size, np.float32)
        unit, up = float(face68.eye_distance(points)), points[face68.RIGID].mean(0) - points[face68.MOUTH].mean(0)
        outline = np.concatenate([points, points[face68.RIGID] + up]).astype(np.float32)  # the forehead, too
        cv2.fillConvexPoly(face, cv2.convexHull(np.round(outline).astype(np.int32)), 1.0)
        face = cv2.GaussianBlur(face, (0, 0), FACE_RIM * unit)[..., None]
        return OWN_PAINT[self.style] + (OWN_PAINT_OF_FACE[self.style] - OWN_PAINT[self.style]) * face

    def _draw_scaled(self, picture, points, factor, past, other_face):
        """A picture drawn at `factor` of its size, with `other_face` on it, scaled back."""
        rows, columns = picture.shape[:2]
        size = [max(MULTIPLE, round(n * factor / MULTIPLE) * MULTIPLE) for n in (rows, columns)]
        ratio = np.array([size[1] / columns, size[0] / rows])
        small = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        small = cv2.copyMakeBorder(small, *(MULTIPLE,) * 4, cv2.BORDER_REFLECT_101)  # the network's rim is not shown
        points = (points + 0.5) * ratio - 0.5 + MULTIPLE
        inputs = as_inputs(small, points, self.style)
        if past and past[0].shape[-2:] != tuple(n // MULTIPLE for n in small.shape[:2]):
            past = None  # a face that leaves the picture has another part of it
        drawn, past = self.drawer(inputs, past)
        drawn, inked, soft = (_to_uint8(each) for each in (drawn, *np.split(inputs[:N_COLOURS], 2)))
        drawn = repaint(drawn, inked, soft, self._own_paint(points, small.shape[:2]))
        if other_face:
            drawn, other_face["paint"] = disguise(drawn, points, cached_faces(FACES), **{"share": self.privacy, **other_face})
        return enlarge(drawn[MULTIPLE:-MULTIPLE, MULTIPLE:-MULTIPLE], (rows, columns)), past
