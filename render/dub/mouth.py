"""Put another mouth into the frames of a video: the frame's own skin moved, the lips painted from a frame where they are shut.

Reads, writes: nothing.
The jaw, the chin and the cheeks are the frame's own pixels, warped from where the person's mouth has them to where the other
one would. Lips and what is between them come from a reference, painted as `render.parts` does for a photo, in the light of the
frame: low frequencies of the skin around the lips are those of the frame.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.media import nv12
from render.dub.references import Reference, part_of
from render.sampling.grid import Grid, box_of
from render.warp import CELL, FADE, FaceWarp

TOP, TOP_FADE = 0.55, 0.3  # of the way from the eyes to the nose's base nothing moves yet; eye distances until all does
LIT = 0.12  # eye distances over which the light is evened out
MASK = (0.25, 0.75)  # of what lies near the lips: where the painted mouth begins, and is all there is
RIM = 1 / 12  # of the view's height: over so much from its edge the painted mouth ends, however wide it is
_BASE = list(face68.GROUPS["nose_base"])


class Mouth:
    """The mouth of a reference, painted into other frames.

    Parameters
    ----------
    reference : `Reference`
    model, device : of the painter, see `PaintedPart`
    """

    def __init__(self, reference: Reference, model=None, device="cpu"):
        from render.parts.painted import PaintedPart
        self.part = PaintedPart(reference, part_of(reference), model, device)
        self.view = self.part.view
        self.inner = _inner(self.view.part.size)

    def paint(self, faces: Sequence[NDArray]) -> list[NDArray]:
        """Paint the mouth of `faces` (float [68, 2] each): uint8 [row, column, yuv, mask, skin] of the view each.

        `mask` is what of it is laid over a frame, `skin` what tells of the light.
        """
        solved = [self.view.warp.solve(face) for face in faces]
        made = []
        for face, own, patch in zip(faces, solved, self.part.paint(list(faces), solved)):
            moved = self.view.warp_photo(own)
            if patch is not None:
                moved = _blended(moved, patch)
            lips, near = cv2.split(self.view.masks(face))
            low, high = (255 * edge for edge in MASK)
            mask = np.clip((near.astype(np.float32) - low) / (high - low), 0, 1)
            mask = (255 * mask * mask * (3 - 2 * mask) * self.inner).astype(np.uint8)
            around = cv2.dilate(lips, np.ones((5, 5), np.uint8))
            skin = np.where(around > 0, 0, near * self.inner).astype(np.uint8)
            made.append(cv2.merge([nv12.to_yuv(moved), mask, skin]))
        return made


def _blended(below: NDArray, patch: NDArray) -> NDArray:
    """uint8 [row, column, rgb] with a patch, [row, column, rgb and mask], over it."""
    mask = cv2.extractChannel(patch, 3)
    over, share = cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB), cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB).astype(np.uint16)
    sums = below * (255 - share) + over * share + 127
    return ((sums + 1 + (sums >> 8)) >> 8).astype(np.uint8)  # of what is below 2^16 the same as // 255


def _inner(size: tuple[int, int]) -> NDArray:
    """1 within a view of `size`, falling softly to 0 at its edge: float32 [row, column]."""
    rim = max(2, round(RIM * size[0]))
    inside = np.zeros(size, np.float32)
    inside[rim:-rim, rim:-rim] = 1
    return cv2.blur(inside, (2 * rim - 1,) * 2, borderType=cv2.BORDER_CONSTANT)


def _window(warp: FaceWarp, face: NDArray) -> NDArray:
    """0 above the nose's base, 1 below, at the nodes of a warp's field: float32 [row, 1, 1]."""
    rows = warp.window.shape[0]
    y = warp.corner[1] + np.arange(rows, dtype=np.float32) * np.float32(CELL)
    start = TOP * float(face[_BASE, 1].mean())
    t = np.clip((y - start) / TOP_FADE, 0, 1)
    return (t * t * (3 - 2 * t))[:, None, None]


def _evened(values: NDArray, weight: NDArray, spread: float) -> NDArray:
    """`values` float32 [row, column, channel] where `weight` [row, column] says, spread softly to everywhere."""
    shrink = max(1.0, spread / 4)
    size = tuple(max(1, round(n / shrink)) for n in weight.shape[::-1])
    weighted = cv2.multiply(values, cv2.merge([weight] * values.shape[2]))
    small = cv2.resize(cv2.merge([weighted, weight]), size, interpolation=cv2.INTER_AREA)
    sums = cv2.GaussianBlur(small, (0, 0), spread / shrink)
    wide = cv2.GaussianBlur(small, (0, 0), 3 * spread / shrink)  # where nothing is near
    sums = sums + 0.02 * wide
    even = sums[..., :-1] / np.maximum(sums[..., -1:], 1e-6)
    return cv2.resize(even, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(values.shape)


def move_skin(frame: NDArray, face: NDArray, target: NDArray, pose: NDArray) -> None:
    """Move the lower face of a frame, NV12, in place, from `face` to `target` [68, 2]; nothing else changes."""
    warp = FaceWarp(face)
    field = warp.field(warp.solve(target)) * _window(warp, face)
    size = frame.shape[1], len(frame) * 2 // 3
    reach = 0.2 + FADE
    low, high = warp.ring.min(0) - reach, warp.ring.max(0) + reach
    low[1] = TOP * float(face[_BASE, 1].mean()) - 2 * CELL
    grid = Grid(low, high, pose, (0, 0, *size), CELL)
    offsets = warp.of_field(field, grid.nodes)
    box = grid.box_of_nodes((offsets != 0).any(1).reshape(grid.nodes_px.shape[:2]))
    if box is None:
        return
    left, top, right, bottom = box
    source = grid.source(offsets)
    for plane, shrink in zip(nv12.views(frame), (1, 2)):  # where nothing moves, a pixel is sampled in its middle: it stays
        places = (grid.interpolate(source, box, shrink) - (shrink - 1) / 2) / shrink
        rows, columns = slice(top // shrink, bottom // shrink), slice(left // shrink, right // shrink)
        sampled = cv2.remap(plane, places, None, cv2.INTER_CUBIC if shrink == 1 else cv2.INTER_LINEAR,
                            borderMode=cv2.BORDER_REFLECT_101)
        plane[rows, columns] = sampled.reshape(places.shape[:2] + plane.shape[2:])


def lay_mouth(frame: NDArray, mouth: Mouth, painted: NDArray, at: NDArray, strength: float = 1.0) -> None:
    """Lay a painted mouth into a frame whose skin has been moved, in place.

    Parameters
    ----------
    frame : uint8 [row * 3 / 2, column], NV12
    painted : of `Mouth.paint`
    at : float [4], the pose that `own.steadied` gives
    strength : 0..1, how much of the painted mouth is shown
    """
    view, (rows, columns) = mouth.view, painted.shape[:2]
    size = frame.shape[1], len(frame) * 2 // 3
    extent = np.array([columns, rows]) / view.part.unit_px
    left, top, right, bottom = box_of(view.corner, view.corner + extent, at, (0, 0, *size))
    if left >= right or top >= bottom:
        return
    corners = np.array([[[0, 0], [1, 0], [0, 1]]])
    there, here = (face68.to_pixel_space(corners, np.asarray(p))[0] for p in (view.view, at))
    turn = cv2.getAffineTransform(there, here - np.array([left, top], np.float32))
    shrink = float(at[0]) / view.part.unit_px
    if shrink < 0.7:  # average first
        blurred = cv2.GaussianBlur(painted[..., :3], (0, 0), 0.5 * (1 / shrink - 1))
        painted = cv2.merge([blurred, *cv2.split(painted)[3:]])
    channels = cv2.split(painted)
    for plane, half, own in zip(nv12.views(frame), (1, 2), (slice(0, 1), slice(1, 3))):
        to_plane = turn.copy()
        to_plane[:, 2] -= (half - 1) / 2
        to_plane /= half
        chosen = cv2.merge([*channels[own], *channels[3:]])
        laid = cv2.warpAffine(chosen, to_plane, ((right - left) // half, (bottom - top) // half), flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)  # black would be green
        *colours, mask, skin = cv2.split(laid)
        part = plane[top // half:bottom // half, left // half:right // half]
        below = part.astype(np.float32)
        away = below - cv2.merge(colours).reshape(part.shape)
        light = _evened(away, skin / np.float32(255), LIT * float(at[0]) / half)
        share = cv2.merge([mask] * part.shape[2]).reshape(part.shape) * np.float32(strength / 255)
        part[:] = cv2.add(below, (light - away) * share, dtype=cv2.CV_8U).reshape(part.shape)
