"""Mouth and lids of a comic, drawn with ink and flat colours, without a network.

Reads, writes: nothing.
A painter trained on films would put a photo's mouth into a drawing. Here the lips' outlines say what is drawn: the dark
inside, one band of teeth, a tongue when there is room, and a line where lips or lids meet; colours follow the face's light.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render.parts.part import EYES, MOUTH, Part, lip_outline
from render.parts.view import PartView
from render.photo import Photo

INK = np.array([26, 16, 16])
INSIDE, TEETH, TONGUE = (np.array(c) for c in ((0.30, 0.10, 0.11), (1.05, 1.02, 0.97), (0.70, 0.29, 0.28)))  # of the light
LINE, THIN_LINE, LASHES = 0.022, 0.014, 0.036  # eye distances
TEETH_SHARE, TEETH_MOST, TEETH_FROM = 0.55, 0.1, 0.05  # of the opening; eye distances
TONGUE_FROM = 0.14  # eye distances the mouth is open
_THROUGH_FOUR = np.linalg.inv(np.vander(np.linspace(-1, 1, 4)))
_AT = np.vander(np.linspace(-1, 1, 15), 4) @ _THROUGH_FOUR
_EYES = [list(face68.GROUPS[f"{side}_eye"]) for side in ("right", "left")]
_BROWS = [list(face68.GROUPS[f"{side}_brow"]) for side in ("right", "left")]
_OUTER_LIPS = list(face68.GROUPS["outer_lips"])
_FINE = 16  # of a pixel, places are told to OpenCV
UNIT_PX = MOUTH.unit_px  # of all views here


def _fill(canvas, outline, colour):
    cv2.fillPoly(canvas, [np.round(outline * _FINE).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _stroke(canvas, line, width, colour):
    thick = max(1, round(width * UNIT_PX))
    cv2.polylines(canvas, [np.round(line * _FINE).astype(np.int32)], False, colour, thick, cv2.LINE_AA, 4)


def lid_curves(eye: NDArray) -> tuple[NDArray, NDArray]:
    """Upper and lower lid of an eye's six points [6, 2] as smooth lines from corner to corner: float [15, 2] twice."""
    return _AT @ eye[:4], _AT @ eye[[0, 5, 4, 3]]


class _Drawn:
    """A part of one comic face; `paint` is that of `painted_part.PaintedPart`."""

    part: Part  # of each kind
    _patch: Callable

    def __init__(self, photo, warp=None):
        self.view = PartView(self.part, photo.picture, photo.face, photo.pose, warp)

    def _px(self, points):
        """Places of face space in the view."""
        return (points - self.view.corner) * UNIT_PX

    def paint(self, faces, solved):
        """Draw the part for some frames: list of uint8 [row, column, rgb and mask], None where nothing is to be drawn."""
        patches = []
        for face in faces:
            strength = self.part.strength(face, self.view.face)
            patch = self._patch(face) if strength > 0 else None
            if patch is not None and strength < 1:
                patch[..., 3] = (patch[..., 3] * strength).astype(np.uint8)
            patches.append(patch)
        return patches

    def _blank(self, colour):
        """A canvas of one colour, and an empty mask."""
        return np.full((*self.part.size, 3), colour, np.uint8), np.zeros(self.part.size, np.uint8)


class DrawnMouth(_Drawn):
    """The mouth of a comic face."""

    part = MOUTH

    def __init__(self, photo, warp=None):
        super().__init__(photo, warp)
        light = np.clip(np.percentile(self.view.picture.mean(-1), 95), 110, 235)
        self.inside, self.teeth, self.tongue = ((light * c).clip(0, 250).astype(int).tolist() for c in (INSIDE, TEETH, TONGUE))
        self.lips, self.open_px = self._lips(), self._gap(*self._inner_lips(self.view.face)).max()

    def _inner_lips(self, face):
        """Upper and lower inner lip from corner to corner, px of the view."""
        outline = self._px(lip_outline(face))
        half = len(outline) // 2
        return outline[:half], outline[half:][::-1]

    @staticmethod
    def _gap(upper, lower):
        return np.maximum(lower[:, 1] - upper[:, 1], 0)

    def _lips(self):
        """The colour of the comic's lips, their lighter half."""
        outer, inner = (np.zeros(self.part.size, np.uint8) for _ in range(2))
        _fill(outer, self._px(self.view.face[_OUTER_LIPS]), 255)
        _fill(inner, self._px(lip_outline(self.view.face)), 255)
        around = round(LINE * UNIT_PX)
        lips = (outer > 0) & (cv2.dilate(inner, np.ones((2 * around + 1,) * 2, np.uint8)) == 0)
        colours = self.view.picture[lips] if lips.any() else self.view.picture[outer > 0]
        light = colours.mean(1)
        return np.median(colours[light >= np.median(light)], 0).astype(int).tolist()

    def _patch(self, face):
        upper, lower = self._inner_lips(face)
        outline, gap = np.concatenate([upper, lower[::-1]]), self._gap(upper, lower)
        canvas, mask = self._blank(INK)
        if self.open_px > TEETH_FROM * UNIT_PX and (closing := 1 - gap.max() / self.open_px) > 0:
            lips = self._px(face[_OUTER_LIPS])  # an open mouth that was squeezed shut leaves teeth and shadows on them
            _fill(canvas, lips, self.lips)
            _fill(mask, lips, round(255 * min(1, 2 * closing)))
            _fill(canvas, outline, INK.tolist())
        _fill(mask, outline, 255)  # ink where lips nearly meet
        if (open_px := gap.max()) > TEETH_FROM * UNIT_PX:
            _fill(canvas, outline, self.inside)
            if open_px > TONGUE_FROM * UNIT_PX:
                self._draw_tongue(canvas, outline, lower, open_px)
            depth = np.minimum(gap * TEETH_SHARE, TEETH_MOST * UNIT_PX)
            _fill(canvas, np.concatenate([upper, (upper + np.stack([0 * depth, depth], 1))[::-1]]), self.teeth)
        for line, width in ((upper, LINE), (lower, THIN_LINE)):
            _stroke(canvas, line, width, INK.tolist())
            _stroke(mask, line, width, 255)
        return cv2.merge([canvas, mask])

    def _draw_tongue(self, canvas, outline, lower, open_px):
        tongue, inside = canvas.copy(), np.zeros(self.part.size, np.uint8)
        middle = lower[len(lower) // 2] + (0, 0.12 * open_px)
        axes = np.ptp(outline[:, 0]) * 0.3, open_px * 0.45
        cv2.ellipse(tongue, (tuple(middle), (2 * axes[0], 2 * axes[1]), 0), self.tongue, -1, cv2.LINE_AA)
        _fill(inside, outline, 255)
        np.copyto(canvas, tongue, where=inside[..., None] > 127)


class DrawnLids(_Drawn):
    """The eyes of a comic face, as they close."""

    part = EYES

    def __init__(self, photo, warp=None):
        super().__init__(photo, warp)
        self.skins = [self._skin(eye, brow) for eye, brow in zip(_EYES, _BROWS)]

    def _skin(self, eye, brow):
        """The colour of a lid: what lies between it and the brow, its lighter half."""
        lid, above = self.view.face[eye[:4]].mean(0), self.view.face[brow].mean(0)
        x, y = self._px(lid + (above - lid) * 0.45)
        reach = 0.05 * UNIT_PX
        around = self.view.picture[max(0, int(y - reach)):int(y + reach) + 1, max(0, int(x - 3 * reach)):int(x + 3 * reach) + 1]
        colours = around.reshape(-1, 3)
        light = colours.mean(1)
        return np.median(colours[light >= np.median(light)], 0).astype(int).tolist()

    def _patch(self, face):
        canvas, mask = self._blank(0)
        for eye, skin in zip(_EYES, self.skins):
            before, moved = ([self._px(line) for line in lid_curves(points[eye])] for points in (self.view.face, face))
            shut = np.zeros_like(mask)
            _fill(shut, np.concatenate([before[0] - (0, LASHES * UNIT_PX), moved[0][::-1]]), 255)
            upper, lower = moved
            _fill(shut, np.concatenate([np.maximum(before[1], lower), lower[::-1]]), 255)
            canvas[shut > 0] = skin
            lashes = np.zeros_like(mask)
            _stroke(lashes, upper, LASHES, 255)
            canvas[:] = canvas + (INK - canvas.astype(int)) * (lashes[..., None] / 255)
            mask = np.maximum(mask, np.maximum(shut, lashes))
        return cv2.merge([canvas, mask])


def drawn_parts(photo: Photo) -> tuple[DrawnMouth, DrawnLids]:
    """All that is drawn of a comic: its mouth and its eyes."""
    mouth = DrawnMouth(photo)
    return mouth, DrawnLids(photo, mouth.view.warp)
