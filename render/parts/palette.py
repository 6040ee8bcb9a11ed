"""Keep what is painted in the colours of a photo that has but one for each lightness: grey, sepia, tinted, duotone.

Reads: a picture and its landmarks, in memory. Writes: nothing.
A painter learns from colour films and paints red lips into any photo. In a monochrome photo the colour is a function of the
lightness: painted pixels are laid onto that curve by theirs. How far whole patches of a face lie off the curve tells such a
photo, noise and JPEG's blocks included, from one in colour, whose painted pixels are left as they are.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

MONOCHROME, COLOURED = 4.4, 5.2  # of 255, see `off_curve`; 345 faces in colour have 5.5 and more, half of them over 13
_ROOM = 40.0  # how far off the curve painted pixels of a nearly monochrome photo may lie, per level that it is over MONOCHROME
_FACE_PX = 192  # width at which a face is measured
_PATCH = 1 / 24  # of the face's width, standard deviation over which colours are averaged; lips are wider
_LEVELS = np.arange(256)
_SMOOTH = 2.0  # levels, of the curve
_PERCENTILE = 99
_BRIGHT, _DIM = 200, 50  # of the lights of a face: as most have them, and the least that is reckoned with
_SHOWN = 0.02, 99.98  # percentiles of the lightness: nothing painted is darker or lighter than the photo


def _lightness(colours):
    """uint8 [row, column, rgb] -> uint8 [row, column]."""
    return cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY)


def fit_curve(colours: NDArray, light: NDArray) -> NDArray:
    """The mean colour of each lightness: `colours` uint8 [n, rgb] of `light` uint8 [n] -> float [256, rgb].

    Where there is none it is as far from grey as the nearest.
    """
    offsets = np.concatenate([colours - light[:, None].astype(float), np.ones((len(light), 1))], 1)
    sums = np.stack([np.bincount(light, column, len(_LEVELS)) for column in offsets.T], 1)
    away = np.abs(_LEVELS - _LEVELS[:, None])
    sums = (np.exp(-np.square(away / _SMOOTH) / 2) + 1e-9 * np.exp(-away / 8)) @ sums
    return _LEVELS[:, None] + sums[:, :3] / sums[:, 3:]


def off_curve(picture: NDArray, points: NDArray) -> tuple[float, NDArray]:
    """How far the patches of a face lie off the one curve of colours that fits them best, and that curve.

    Parameters
    ----------
    picture : uint8 [row, column, rgb]
    points : float [68, 2], px

    Returns
    -------
    off : the 99th percentile of the worst channels, of 255, were the face's highlights at _BRIGHT
    curve : `fit_curve`
    """
    size = np.array(picture.shape[1::-1])
    left, top = np.clip(np.floor(points.min(0)), 0, size - 2).astype(int)
    right, bottom = np.clip(np.ceil(points.max(0)), (left + 2, top + 2), size).astype(int)
    factor = min(1.0, _FACE_PX / (right - left))
    face = picture[top:bottom, left:right]
    if factor < 1:  # a mean of two colours of a bent curve lies beside it: hence the nearest pixels
        face = cv2.resize(face, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    outline = cv2.convexHull(np.round((points - (left, top)) * factor).astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros(face.shape[:2], np.uint8), outline, 1) > 0
    if not inside.any():
        inside[:] = True
    light = _lightness(face)
    curve = fit_curve(face[inside], light[inside])
    blurred = max(1.5, _PATCH * face.shape[1])
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), blurred)
    off = cv2.GaussianBlur((face - curve[light]) * inside[..., None], (0, 0), blurred) / np.maximum(weight, 1e-3)[..., None]
    dim = max(_DIM, float(np.percentile(light[inside], 90))) / _BRIGHT  # colours fade with the light
    return float(np.percentile(np.abs(off[inside]).max(-1), _PERCENTILE)) / dim, curve


class Palette:
    """The colours that may be painted into one photo.

    Parameters
    ----------
    picture : uint8 [row, column, rgb]
    points : float [68, 2], px, of its face
    """

    def __init__(self, picture: NDArray, points: NDArray):
        off, curve = off_curve(picture, points)
        self.is_coloured = off >= COLOURED
        self.room = max(0.0, _ROOM * (off - MONOCHROME))
        low, high = np.percentile(_lightness(picture), _SHOWN)
        self.curve = curve[np.clip(_LEVELS, int(low), int(high))].clip(0, 255).astype(np.float32)

    def __call__(self, patch: NDArray) -> NDArray:
        """`patch` (uint8 [row, column, rgb and mask]) in the photo's colours; itself for a photo in colour."""
        if self.is_coloured:
            return patch
        own = self.curve[_lightness(patch[..., :3])]
        if self.room:
            off = patch[..., :3] - own
            own += off * np.minimum(1, self.room / np.maximum(np.abs(off).max(-1, keepdims=True), 1))
        return np.concatenate([np.round(own).clip(0, 255).astype(np.uint8), patch[..., 3:]], -1)
