"""A photo at rest: lips that are open in it are shut once, and everything moves from there.

Reads: a photo and its landmarks, in memory. Writes: rest_photo.png, to look at.
What shows between the lips is filled from the lips around it, then they are brought together, and the line where they meet
is drawn. The photo as it was goes along, for whoever lays teeth.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render import portrait
from render.parts.part import lip_outline
from render.parts.teeth import pale
from render.photo import Photo

REST = "rest_photo.png"
OPEN = 0.05  # eye distances between the lips of a photo, from where on they are shut
REACH = 0.012  # eye distances around what shows between the lips
MARGIN = 0.15  # eye distances around the lips: nothing beyond changes
LINE, DARKER = 0.007, 0.3  # eye distances: the line where lips meet; how much darker it is
STILL = np.zeros(5, np.float32)
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


def mouth_inside(photo: Photo) -> NDArray:
    """What shows between the lips of a photo, by its points and as far as it is pale: uint8 [row, column], 0 or 255."""
    box, whole = _around_lips(photo), np.zeros(photo.picture.shape[:2], np.uint8)
    picture = photo.picture[box]
    lips, inside = (np.zeros(picture.shape[:2], np.uint8) for _ in range(2))
    cv2.fillPoly(lips, [np.round(photo.points[_OUTER] - (box[1].start, box[0].start)).astype(np.int32)], 255)
    cv2.fillPoly(inside, [np.round(_outline(photo, box)).astype(np.int32)], 255)
    teeth = (pale(picture, (lips > 0) & (inside == 0)) & (lips > 0)).astype(np.uint8)
    teeth = cv2.morphologyEx(teeth, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, pieces = cv2.connectedComponents(((inside > 0) | (teeth > 0)).astype(np.uint8))
    inside[np.isin(pieces, np.unique(pieces[inside > 0])) & (pieces > 0)] = 255  # a light on the lips is no tooth
    reach = max(1, round(REACH * float(photo.pose[0])))
    whole[box] = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return whole


def _fill(photo: Photo) -> NDArray:
    """The picture with its lips in place of what shows between them: uint8 [row, column, rgb]."""
    box, picture = _around_lips(photo), photo.picture.copy()
    picture[box] = cv2.inpaint(np.ascontiguousarray(picture[box]), np.ascontiguousarray(mouth_inside(photo)[box]), 3,
                               cv2.INPAINT_TELEA)
    return picture


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
    """The photo with its lips shut, when they are open: another `Photo`, whose `opened` is this one; else the same one."""
    if photo.opened or face68.mouth_opening(photo.face[None])[0] < OPEN:
        return photo
    filled = replace(photo, picture=_fill(photo), window=None)
    face = face68.closed_mouth(photo.face, 0)
    picture = next(portrait.frames(filled, [(face, STILL)]))
    moved = Photo(photo.path, picture, face68.to_pixel_space(face[None], photo.pose)[0])
    return replace(moved, picture=_draw_line(moved), opened=photo, window=photo.window)
