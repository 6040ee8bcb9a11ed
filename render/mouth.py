"""What an opening mouth shows: the photo's own teeth if it has any, a hint of teeth if not, and the dark behind them.

Reads: a photo and its landmarks, in memory. Writes: nothing.
One still picture of the mouth's inside, fixed to the skull as upper teeth are; the moving lips uncover it.
"""

import cv2
import numpy as np

from core import face68

OPEN = 0.04  # eye distances: a photo's mouth is open beyond this; opened by this much more, the inside shows fully
SOFT = 0.02  # eye distances of feathering
TOOTH = 0.13, 0.06  # eye distances: width of a front tooth, and how far the teeth reach below the closed lips
_HALF = len(face68.GROUPS["inner_lips"]) // 2 + 1
_AT = np.linspace(-1, 1, 13)
_SMOOTH = np.vander(_AT, _HALF) @ np.linalg.inv(np.vander(np.linspace(-1, 1, _HALF)))  # lips are curves, not corners


def inner_outline(face, pose):
    """The inner lips of `face` [68, 2] as a smooth closed line, above and back below -> [26, 2] px."""
    points = face68.to_pixel_space(face[None], pose)[0][list(face68.GROUPS["inner_lips"])]
    return np.concatenate([_SMOOTH @ points[:_HALF], _SMOOTH @ np.roll(points, 1 - _HALF, 0)[:_HALF]])


def soft_mask(outline, box, soft_px):
    """A closed line filled, feathered by `soft_px`: float32 [row, column, 1], 0..1, of `box` (left, top, right, bottom)."""
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [np.round((outline - (left, top)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)  # in 1/16 px
    return cv2.GaussianBlur(mask, (0, 0), soft_px)[..., None].astype(np.float32) / 255


def hinted_teeth(face, pose, box):
    """Upper teeth behind closed lips: how bright, and how much they hide the dark; float [row, column, 1] each, 0..1."""
    y, x = np.mgrid[box[1]:box[3], box[0]:box[2]]
    z = ((x + 1j * y) - complex(*pose[2:])) / (pose[0] * np.exp(1j * pose[1]))
    seam = _SMOOTH @ face[list(face68.GROUPS["inner_lips"])[:_HALF]]
    across = np.clip((z.real - seam[:, 0].mean()) / np.ptp(seam[:, 0]) * 2, -1, 1)  # corner to corner
    below = z.imag - np.interp(z.real, seam[:, 0], seam[:, 1])
    gaps = np.exp(-np.square((np.abs(z.real - seam[:, 0].mean()) / TOOTH[0] + 0.5) % 1 - 0.5) / 0.004)
    bright = (1 - across**2) ** 0.5 * (0.7 + 0.3 * np.clip(1 + below / 0.12, 0, 1)) * (1 - 0.15 * gaps)
    return bright[..., None], np.clip((TOOTH[1] * (1 - across**2) ** 0.5 - below) / SOFT, 0, 1)[..., None]


def own_teeth(outline, around, box, reach_px, soft_px):
    """What an open mouth shows in the photo, drawn on upwards behind the upper lip: the picture, and how far it counts."""
    upper = outline[:len(_AT)]
    y, x = np.mgrid[box[1]:box[3], box[0]:box[2]].astype(np.float32)
    seen = np.maximum(y, np.interp(x, upper[:, 0], upper[:, 1]) + 2 * soft_px).astype(np.float32)
    around = cv2.remap(around, x - box[0], seen - box[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return around, soft_mask(np.concatenate([upper - (0, reach_px), outline[len(_AT):]]), box, soft_px)


class MouthInterior:
    """The inside of one photo's mouth: `picture` float32 [row, column, rgb], at `box` of the photo."""

    def __init__(self, photo, face, pose):
        self.pose, self.open, self.soft_px = pose, float(face68.mouth_opening(face)), max(0.5, SOFT * float(pose[0]))
        outline, size = inner_outline(face, pose), photo.shape[1::-1] * 2
        reach = np.array([0.3, 0.3, 0.3, 0.9]) * pose[0] * (-1, -1, 1, 1)
        self.box = np.clip(np.concatenate([outline.min(0), outline.max(0)]) + reach, 0, size).astype(int).tolist()
        around = photo[self.box[1]:self.box[3], self.box[0]:self.box[2]].astype(np.float32)
        lips = soft_mask(face68.to_pixel_space(face[None], pose)[0][list(face68.GROUPS["outer_lips"])], self.box, self.soft_px)
        cover = soft_mask(outline, self.box, self.soft_px)
        lips = lips * (1 - cover)
        dark = (around * lips).sum((0, 1)) / max(float(lips.sum()), 1) * (0.28, 0.16, 0.16)  # light through flesh
        if self.open < OPEN:
            bright, cover = hinted_teeth(face, pose, self.box)
            around = bright * np.percentile(around.max(-1), 75) * (0.95, 0.91, 0.83)
        else:
            around, cover = own_teeth(outline, around, self.box, -reach[1], self.soft_px)
        self.picture = (dark + (around - dark) * cover).astype(np.float32)

    def paint(self, frame, face):
        """Uncover the inside in `frame` (uint8 [row, column, rgb], changed in place) where lips `face` [68, 2] part."""
        strength = np.clip((float(face68.mouth_opening(face)) - self.open) / OPEN, 0, 1)
        outline, (x, y, right, bottom) = inner_outline(face, self.pose), self.box
        left, top = np.clip(outline.min(0) - 4 * self.soft_px, (x, y), (right, bottom)).astype(int).tolist()
        right, bottom = np.clip(outline.max(0) + 4 * self.soft_px, (x, y), (right, bottom)).astype(int).tolist()
        if strength > 0 and left < right and top < bottom:
            part, inside = frame[top:bottom, left:right], self.picture[top - y:bottom - y, left - x:right - x]
            part[:] = part + (inside - part) * (soft_mask(outline, (left, top, right, bottom), self.soft_px) * strength)
