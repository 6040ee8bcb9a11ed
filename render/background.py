"""What is behind the person of a photo: told apart, guessed where it is hidden, kept, blurred, or replaced.

Reads: the photo, and its alpha channel when it has one; another picture. Writes: nothing.
Where the person ends is known from an alpha channel alone. Without one it is guessed, see `core.media.person`. Where its
model is not installed, a head, a neck and shoulders are drawn where the landmarks place them, and colours decide near their
edges (GrabCut; Rother, Kolmogorov and Blake 2004): hats, raised hands, and clothes of the background's colour may be cut off.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, absent
from core.media.person import person_mask
from core.media.picture import read_alpha, read_photo
from render.photo import Photo

KEEP, BLUR, NONE = "keep", "blur", "none"
DARK_AND_LIGHT = "#000000", "#ffffff"  # before both of which a person is shown to tell what can be seen through, `see_through`
_COLOUR = re.compile("#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_BLUR_SIZE = 0.25  # eye distances, standard deviation
_SOFT = 0.04  # eye distances of feathering
_WORK_PX = 384  # longer side at which the person is cut out
_ROUNDS = 4  # of GrabCut
_BAND = 256  # rows mixed at a time
_LOOKED_AT = (-3.2, -3.4, 3.2, 4.2)  # eye distances from the eyes: left, top, right, bottom of what is searched for a person
_SEEN = 0.9  # of a face that is the person's, where the model sees it at all
_FILL_PX = 48  # of an eye distance, at which what is behind is guessed
_STRAY, _STRAND, _PATCH, _STRANDS_PX = 0.45, 0.03, 0.15, 160  # eye distances: how far stray hairs reach, half of a strand with
# what is beside it, patches of what is behind; px an eye distance at which they are sought
_COARSER = 4  # times, a picture that is blurred widely
_PLAIN, _LEAST_BEYOND = 8.0, 0.02  # detail of a plain background, 0 to 255; share of the picture that must show it
_TRACE, _HAIRS, _RIM = 0.05, 0.012, 0.3  # least share of a person; eye distances around it that hairs reach; guessed best
# What is the person for certain, likely, and possibly; in the face's heights: hair beside the jaw, hair above the brows,
# half the neck, half the shoulders, how far below the chin the shoulders lie
_CERTAIN, _LIKELY, _POSSIBLE = (-0.06, 0.05, 0.2, 0.5, 0.6), (0.2, 0.5, 0.3, 1.1, 0.6), (0.5, 0.85, 0.7, 2.2, 0.15)


def picture_file(background: str) -> str | None:
    """`background` when it names a picture file, else None."""
    return None if background in (KEEP, BLUR, NONE) or _COLOUR.fullmatch(background) else background


def check(background: str) -> str:
    """Return `background` when it can be used: keep, blur, none, #rrggbb or a picture file. Raises InputError when not."""
    if (path := picture_file(background)) and not Path(path).is_file():
        raise InputError("--background", f"{background}, {absent(background)}", "keep, blur, none, #rrggbb or a picture file")
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
    """Where the person in `photo` is: float32 [row, column], 0..1; without a model by colours around head and shoulders."""
    mask = person_mask(photo.picture)
    if mask is not None and _is_seen(mask, photo.points):
        return mask
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


def _is_seen(person, points):
    """Whether a mask of a person holds the face of `points` [68, 2] px."""
    face = cv2.fillConvexPoly(np.zeros(person.shape, np.uint8), cv2.convexHull(np.round(points).astype(np.int32)), 1)
    return bool(face.any() and person[face > 0].mean() > _SEEN)


def person_of(photo: Photo) -> NDArray | None:
    """How much of each pixel of `photo` is the person and not what is behind: float32 [row, column], 0..1.

    None where that cannot be told: without the model, or when it does not see the face.
    """
    rows, columns = photo.picture.shape[:2]
    unit, (x, y) = float(photo.pose[0]), photo.pose[2:]
    sides = np.array([x, y, x, y]) + np.array(_LOOKED_AT) * unit
    left, top, right, bottom = np.clip(np.round(sides), 0, (columns, rows) * 2).astype(int)
    mask = person_mask(np.ascontiguousarray(photo.picture[top:bottom, left:right]))
    if mask is None:
        return None
    person = np.ones((rows, columns), np.float32)
    person[top:bottom, left:right] = np.maximum(mask, _stray_hairs(photo.picture[top:bottom, left:right], mask, unit))
    return person if _is_seen(person, photo.points) else None


def _stray_hairs(picture, mask, unit_px):
    """How much of each pixel near the person of `mask` is a hair that it missed, where what is behind is plain: 0..1."""
    shrink = min(1.0, _STRANDS_PX / unit_px)
    size = tuple(max(2, round(n * shrink)) for n in mask.shape[::-1])
    small, person = (cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_AREA) for part in (picture, mask))
    away = cv2.distanceTransform((person < _TRACE).astype(np.uint8), cv2.DIST_L2, 3) / (unit_px * shrink)
    beyond = away > _STRAY
    if beyond.mean() < _LEAST_BEYOND:
        return np.zeros_like(mask)
    even = cv2.medianBlur(small, 2 * max(1, round(_STRAND * unit_px * shrink)) + 1)
    coarse = cv2.resize(even, None, fx=1 / _COARSER, fy=1 / _COARSER, interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), _PATCH * unit_px * shrink / _COARSER)
    wide = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    detail, patches = (reduce(cv2.max, cv2.split(cv2.absdiff(*pair))) for pair in ((small, even), (even, wide)))
    noise = np.percentile(detail[beyond], 99) + 1
    if max(noise, np.percentile(patches[beyond], 95)) > _PLAIN:
        return np.zeros_like(mask)
    hair = cv2.dilate(np.clip(detail.astype(np.float32) / np.float32(noise) - 1, 0, 1), np.ones((3, 3)))
    hair *= np.clip(2 - 2 * away / _STRAY, 0, 1) * (away > 0)
    return cv2.resize(hair, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _fill_softly(picture, known):
    """`picture` (float32 [row, column, rgb]) with the mean of what is known (float32, 0 or 1) nearby where it is not."""
    sums = np.dstack([picture * known[..., None], known])
    if min(known.shape) <= 2 or known.all():
        means = sums[..., :3] / np.maximum(sums[..., 3:], 1e-3)
        return np.where(known[..., None] > 0, means, means.mean((0, 1)))
    small = cv2.pyrDown(sums)
    weight = small[..., 3]
    coarse = _fill_softly(small[..., :3] / np.maximum(weight, 1e-3)[..., None], (weight > 0.05).astype(np.float32))
    coarse = cv2.pyrUp(coarse.astype(np.float32), dstsize=known.shape[::-1])
    return np.where(known[..., None] > 0, picture, coarse)


def fill_behind(picture: NDArray, person: NDArray, unit_px: float) -> NDArray:
    """What is behind a person, guessed from what is seen around: uint8 [row, column, rgb].

    Parameters
    ----------
    picture : uint8 [row, column, rgb]
    person : float32 [row, column], 0..1, see `person_of`
    unit_px : px an eye distance
    """
    shrink = min(1.0, _FILL_PX / unit_px)
    size = tuple(max(2, round(n * shrink)) for n in person.shape[::-1])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    hidden = cv2.dilate((cv2.resize(person, size, interpolation=cv2.INTER_AREA) > _TRACE).astype(np.uint8), np.ones((3, 3)))
    filled = np.clip(_fill_softly(small.astype(np.float32), 1.0 - hidden), 0, 255).astype(np.uint8)
    inside = cv2.distanceTransform(hidden, cv2.DIST_L2, 3)
    rim = ((inside > 0) & (inside < _RIM * unit_px * shrink)).astype(np.uint8)  # as far as a head moves
    filled = cv2.inpaint(filled, rim, 3, cv2.INPAINT_TELEA)
    around = 2 * max(1, round(_HAIRS * unit_px)) + 1
    own = np.clip(2 - cv2.dilate(person, np.ones((around, around))) / _TRACE, 0, 1)
    behind = cv2.resize(filled, person.shape[::-1], interpolation=cv2.INTER_LINEAR)
    for top in range(0, len(behind), _BAND):
        rows = slice(top, top + _BAND)
        back = behind[rows].astype(np.float32)
        behind[rows] = np.round(back + (picture[rows] - back) * own[rows, :, None])
    return behind


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
    if check(background) in (KEEP, NONE):
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


def see_through(dark: Iterable[NDArray], light: Iterable[NDArray]) -> Iterator[NDArray]:
    """Of frames before black and before white, uint8 [row, column, rgb], what is the same: [row, column, rgb and how much]."""
    for before_black, before_white in zip(dark, light):
        seen = 255 - (before_white.astype(np.int16) - before_black).mean(2).clip(0, 255)
        colours = before_black * (255 / np.maximum(seen, 1))[..., None]
        yield np.dstack([colours.clip(0, 255), seen]).round().astype(np.uint8)
