"""Replace the background of a photo: keep, blur, one colour, or another picture.

Reads: the photo, and its alpha channel when it has one; another picture. Writes: nothing.
Where the person ends is known from an alpha channel alone. Without one it is guessed: a head, a neck and shoulders are
drawn where the landmarks place them, and colours decide near their edges (GrabCut; Rother, Kolmogorov and Blake 2004).
Hats, raised hands, and clothes of the background's colour may be cut off.
"""

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, absent
from core.media.picture import read_alpha, read_photo
from render.photo import Photo

KEEP, BLUR = "keep", "blur"
_COLOUR = re.compile("#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_BLUR_SIZE = 0.25  # eye distances, standard deviation
_SOFT = 0.04  # eye distances of feathering
_WORK_PX = 384  # longer side at which the person is cut out
_ROUNDS = 4  # of GrabCut
_BAND = 256  # rows mixed at a time
# What is the person for certain, likely, and possibly; in the face's heights: hair beside the jaw, hair above the brows,
# half the neck, half the shoulders, how far below the chin the shoulders lie
_CERTAIN, _LIKELY, _POSSIBLE = (-0.06, 0.05, 0.2, 0.5, 0.6), (0.2, 0.5, 0.3, 1.1, 0.6), (0.5, 0.85, 0.7, 2.2, 0.15)


def picture_file(background: str) -> str | None:
    """`background` when it names a picture file, else None."""
    return None if background in (KEEP, BLUR) or _COLOUR.fullmatch(background) else background


def check(background: str) -> str:
    """Return `background` when it can be used: keep, blur, #rrggbb or a picture file. Raises InputError when not."""
    if (path := picture_file(background)) and not Path(path).is_file():
        raise InputError("--background", f"{background}, {absent(background)}", "keep, blur, #rrggbb or a picture file")
    return background


def _draw_person(points, shape, sizes):
    """An ellipse for the head of upright `points` [68, 2] px, a trapezoid for neck and shoulders: bool [row, column]."""
    (left, top), (right, bottom) = points.min(0), points.max(0)
    height, middle = bottom - top, (right + left) / 2
    side, crown, neck, shoulders, below = (share * height for share in sizes)
    head = (middle, (top - crown + bottom) / 2), (right - left + 2 * side, bottom - top + crown), 0
    mask = cv2.ellipse(np.zeros(shape, np.uint8), head, 1, -1)
    half = np.array([(neck, bottom - 0.3 * height), (neck, bottom), (shoulders, bottom + below), (1.3 * shoulders, 9e3)])
    body = np.concatenate([half, half[::-1] * (-1, 1)]) + (middle, 0)
    return cv2.fillPoly(mask, [np.round(body).astype(np.int32)], 1) > 0


def _parts(mask):
    """Number of the connected part each pixel of `mask` (uint8 [row, column]) belongs to; 0 where it is 0."""
    return cv2.connectedComponents(mask, connectivity=4)[1]


def cut_out(photo: Photo) -> NDArray:
    """Where the person in `photo` is, by colours around a drawn head and shoulders: float32 [row, column], 0..1."""
    rows, columns = photo.picture.shape[:2]
    shrink = min(1.0, _WORK_PX / max(rows, columns))
    size = max(2, round(columns * shrink)), max(2, round(rows * shrink))
    picture = cv2.resize(photo.picture, size, interpolation=cv2.INTER_AREA)
    certain, likely, possible = (_draw_person(photo.points * shrink, size[::-1], sizes)
                                 for sizes in (_CERTAIN, _LIKELY, _POSSIBLE))
    mask = np.where(possible, cv2.GC_PR_BGD, cv2.GC_BGD)
    mask[likely], mask[certain] = cv2.GC_PR_FGD, cv2.GC_FGD
    mask = mask.astype(np.uint8)
    if not possible.all():
        cv2.setRNGSeed(0)
        cv2.grabCut(picture, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person = np.isin(_parts(person), np.unique(_parts(person)[certain & (person > 0)]))  # no islands
    outside = _parts(np.pad((~person).astype(np.uint8), 1, constant_values=1))
    person = (outside != outside[0, 0])[1:-1, 1:-1].astype(np.float32)  # no holes
    soft = cv2.GaussianBlur(person, (0, 0), max(0.8, _SOFT * float(photo.pose[0]) * shrink))
    return np.clip(cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_LINEAR), 0, 1)


def _cover(picture, shape):
    """`picture` cut and scaled to cover (rows, columns) `shape`."""
    rows, columns = shape
    factor = max(rows / picture.shape[0], columns / picture.shape[1])
    size = max(columns, round(picture.shape[1] * factor)), max(rows, round(picture.shape[0] * factor))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    y, x = (size[1] - rows) // 2, (size[0] - columns) // 2
    return picture[y:y + rows, x:x + columns]


def _blur_background(picture, person, size_px):
    """The background of `picture`, blurred: uint8; the person (float32 [row, column]) does not bleed into it."""
    shrink = max(1.0, size_px / 4)  # a wide blur needs no fine pixels
    small = tuple(max(1, round(n / shrink)) for n in person.shape[::-1])
    weight = cv2.resize(1 - person, small, interpolation=cv2.INTER_AREA)[..., None] + 1e-3
    colours = cv2.resize(picture, small, interpolation=cv2.INTER_AREA) * weight
    sums = cv2.GaussianBlur(np.concatenate([colours, weight], -1), (0, 0), size_px / shrink)
    small = np.round(sums[..., :3] / sums[..., 3:]).astype(np.uint8)
    return cv2.resize(small, person.shape[::-1], interpolation=cv2.INTER_CUBIC)


def replace_background(photo: Photo, background: str = KEEP) -> Photo:
    """`photo` (`photo.Photo`) with another background behind its person; itself when that is `keep`."""
    if check(background) == KEEP:
        return photo
    person, shape = read_alpha(photo.path), photo.picture.shape[:2]
    if person is None or person.shape != shape:
        person = cut_out(photo)
    if background == BLUR:
        behind = _blur_background(photo.picture, person, _BLUR_SIZE * float(photo.pose[0]))
    elif colour := _COLOUR.fullmatch(background):
        behind = np.broadcast_to(np.array([int(part, 16) for part in colour.groups()], np.uint8), photo.picture.shape)
    else:
        behind = _cover(read_photo(background), shape)
    picture = photo.picture.copy()
    for top in range(0, shape[0], _BAND):
        rows = slice(top, top + _BAND)
        back = behind[rows].astype(np.float32)
        picture[rows] = np.round(back + (picture[rows] - back) * person[rows, :, None])
    return replace(photo, picture=picture)
