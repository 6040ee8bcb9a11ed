"""What a photo of open eyes cannot show: closed lids. The rest of white that a warp leaves between them is shaded away.

Reads: a photo's landmarks, in memory. Writes: nothing.
Where lids meet nothing is brighter than shaded skin; the photo's own lashes are darker, and stay.
"""

import cv2
import numpy as np

from core import face68
from render.head import shown_at

FROM, TO = 0.4, 0.85  # closed by this share of its opening an eye begins to be shaded, and is shaded
ABOVE, BELOW = 0.035, 0.03  # eye distances that the shade goes beyond the lids
SOFT = 0.015  # eye distances of feathering
DOWN = 0.14  # eye distances from a shaded pixel down to the skin that it takes its colour from
_SHADE = np.array([0.66, 0.52, 0.47], np.float32)  # of the skin's red, green and blue: the lashes' shadow
_EYES = [list(face68.GROUPS[name]) for name in ("right_eye", "left_eye")]


def soft_mask(outline, box, soft_px):
    """A closed line filled, feathered by `soft_px`: float32 [row, column, 1], 0..1, of `box` (left, top, right, bottom)."""
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [np.round((outline - (left, top)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)  # in 1/16 px
    return cv2.GaussianBlur(mask, (0, 0), soft_px)[..., None].astype(np.float32) / 255


def _opening(face, eye):
    upper, lower = face68.EYE_LIDS[eye]
    return float((face[lower, 1] - face[upper, 1]).mean())


class Lids:
    """The eyes of one photo, `face` [68, 2] in face space under `pose` [4], ready to be shut."""

    def __init__(self, face, pose):
        self.pose, self.open = pose, [max(_opening(face, eye), 1e-3) for eye in range(len(_EYES))]

    def paint(self, frame, face, head=None):
        """Shade the eyes in `frame` (uint8 [row, column, rgb], changed in place) as far as `face` [68, 2] shuts them.

        `head` float [5], as `HeadField.offsets` takes it: how the head is held in `frame`.
        """
        for eye, points in enumerate(_EYES):
            closed = 1 - _opening(face, eye) / self.open[eye]
            if closed > FROM:
                outline = face[points] if head is None else shown_at(face[points], head)
                self._shade(frame, outline, min((closed - FROM) / (TO - FROM), 1))

    def _shade(self, frame, points, strength):
        half, scale = len(points) // 2, float(self.pose[0])
        outline = points.astype(np.float64)
        outline[1:half, 1] -= ABOVE
        outline[half + 1:, 1] += BELOW
        outline = face68.to_pixel_space(outline[None], self.pose)[0]
        reach, size = 4 * SOFT * scale + 1, frame.shape[1::-1]
        (left, top), (right, bottom) = (np.clip(edge, 0, size).astype(int).tolist()
                                        for edge in (outline.min(0) - reach, outline.max(0) + reach))
        if left >= right or top >= bottom:
            return
        y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
        down = DOWN * scale * np.exp(1j * (self.pose[1] + np.pi / 2))
        skin = cv2.remap(frame, x + np.float32(down.real), y + np.float32(down.imag), cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REPLICATE)
        part = frame[top:bottom, left:right]
        cover = soft_mask(outline, (left, top, right, bottom), max(0.5, SOFT * scale)) * np.float32(strength)
        part[:] = np.round(part + np.minimum(skin * _SHADE - part, 0) * cover)
