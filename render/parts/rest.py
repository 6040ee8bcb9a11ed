"""A photo at rest: lips that are open in it are shut once, and everything moves from there.

Reads: a photo and its landmarks, in memory. Writes: rest_photo.png, to look at.
Where the lips end is found in the picture (`lip_edges`). What shows between them is filled from around, in case some of it is
left; then each lip is moved by itself to where they meet, so that nothing between is squeezed into a rim, and a faint line is
drawn there. The photo as it was goes along, for whoever lays teeth.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render.parts.lip_edges import OpenMouth
from render.parts.part import lip_outline
from render.photo import Photo
from render.sampling.grid import Grid
from render.warp import FADE, FaceWarp

REST = "rest_photo.png"
SHUT_FIRST = "the mouth is open in the photo; it is shut before it speaks"
OPEN = 0.05  # eye distances between the lips of a photo, from where on they are shut
REACH = 0.02  # eye distances around what shows between the lips
MARGIN = 0.15  # eye distances around the lips: nothing beyond changes
FINE = 0.03  # eye distances between nodes of the field that closes lips
SOFT = 0.008  # eye distances over which one lip passes into the other
LINE, DARKER = 0.007, 0.2  # eye distances: the line where lips meet; how much darker it is
_OUTER = list(face68.GROUPS["outer_lips"])


def _around_lips(photo):
    """The part of a photo around its lips: slices of rows and columns."""
    lips, margin = photo.points[_OUTER], MARGIN * float(photo.pose[0])
    size = np.array(photo.picture.shape[1::-1])
    (left, top), (right, bottom) = (np.clip(edge, 0, size).astype(int) for edge in (lips.min(0) - margin, lips.max(0) + margin))
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _outline(photo, box):
    """The inner lips of a photo, a line [n, 2] in px of the box."""
    return face68.to_pixel_space(lip_outline(photo.face)[None], photo.pose)[0] - (box[1].start, box[0].start)


def mouth_inside(photo: Photo, mouth: OpenMouth) -> NDArray:
    """What shows between the lips of a photo, by its points and by its colours: uint8 [row, column], 0 or 255."""
    box, whole = _around_lips(photo), np.zeros(photo.picture.shape[:2], np.uint8)
    inside = np.ascontiguousarray(mouth.in_photo()[box])
    cv2.fillPoly(inside, [np.round(_outline(photo, box)).astype(np.int32)], 255)
    reach = max(1, round(REACH * float(photo.pose[0])))
    whole[box] = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return whole


def _fill(photo: Photo, mouth: OpenMouth) -> NDArray:
    """The picture with its lips in place of what shows between them: uint8 [row, column, rgb]."""
    box, picture = _around_lips(photo), photo.picture.copy()
    picture[box] = cv2.inpaint(np.ascontiguousarray(picture[box]), np.ascontiguousarray(mouth_inside(photo, mouth)[box]), 3,
                               cv2.INPAINT_TELEA)
    return picture


def _close(picture: NDArray, photo: Photo, face: NDArray) -> NDArray:
    """A picture of a photo's open mouth, with the lips where `face` [68, 2] has them: uint8 [row, column, rgb].

    Above the line where they meet all goes with the upper lip, below it with the lower one: what was between is gone.
    """
    warp = FaceWarp(photo.face)
    low, high = (edge(warp.ring, 0) + side * FADE for edge, side in ((np.min, -1), (np.max, 1)))
    rows, columns = (side // 2 * 2 for side in picture.shape[:2])
    grid = Grid(low, high, photo.pose, (0, 0, columns, rows), FINE)
    upper, lower = (warp.offsets(warp.solve(face, lip), grid.nodes) for lip in ("upper", "lower"))
    # how far nodes lie below the line where the lips meet, which goes on beyond the corners; it is softer there
    line = np.array(face68.inner_lip_curves(face, np.linspace(-1, 1, 13))).mean(0)
    below = grid.nodes[:, 1] - np.interp(grid.nodes[:, 0], *line.T)
    beyond = np.maximum(np.abs(grid.nodes[:, 0] - line[:, 0].mean()) - np.ptp(line[:, 0]) / 2, 0)
    maps = [grid.interpolate(grid.source(offsets)) for offsets in (upper, lower)]
    below, beyond = (grid.interpolate(n.astype(np.float32).reshape(grid.nodes_px.shape[:2])) for n in (below, beyond))
    share = np.clip(below / (SOFT + beyond) + 0.5, 0, 1)[..., None]
    left, top, right, bottom = grid.box
    moved = [cv2.remap(picture, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101) for at in maps]
    closed = picture.copy()
    closed[top:bottom, left:right] = np.round(moved[0] * (1 - share) + moved[1] * share)
    return closed


def _draw_line(photo: Photo) -> NDArray:
    """The picture of shut lips with the line where they meet: uint8 [row, column, rgb]."""
    unit, box, picture = float(photo.pose[0]), _around_lips(photo), photo.picture.copy()
    outline = _outline(photo, box)
    line = (outline[:len(outline) // 2] + outline[:len(outline) // 2 - 1:-1]) / 2
    stroke = np.zeros(picture[box].shape[:2], np.uint8)
    cv2.polylines(stroke, [np.round(line * 16).astype(np.int32)], False, 255, max(1, round(LINE * unit)), cv2.LINE_AA, 4)
    dark = cv2.GaussianBlur(stroke, (0, 0), max(0.5, LINE * unit)).astype(np.float32)[..., None] * (DARKER / 128)
    picture[box] = np.round(picture[box] * (1 - np.minimum(dark, 0.5)))
    return picture


def write_rest(photo: Photo, path: Path) -> Path:
    """Write a photo at rest as a .png; return its path."""
    from PIL import Image

    from core.files import whole_file
    with whole_file(path) as part:
        Image.fromarray(photo.picture).save(part, compress_level=1)
    return path


def shut_lips(photo: Photo) -> Photo:
    """The photo with its lips shut, when they are open: another `Photo`; else the same one.

    Its `opened` is this picture, with the points of its lips where they end in it.
    """
    if photo.opened or face68.mouth_opening(photo.face[None])[0] < OPEN:
        return photo
    mouth = OpenMouth(photo)
    photo = replace(photo, points=face68.to_pixel_space(mouth.face()[None], photo.pose)[0])
    face = face68.closed_mouth(photo.face, 0)
    picture = _close(_fill(photo, mouth), photo, face)
    moved = Photo(photo.path, picture, face68.to_pixel_space(face[None], photo.pose)[0])
    return replace(moved, picture=_draw_line(moved), opened=photo, window=photo.window, enlarged=photo.enlarged)
