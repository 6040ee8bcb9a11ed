"""Landmarks as pictures: the sketch used by GIFs, the sketch renderer, previews and `make inspect`."""

import cv2
import numpy as np

from core import face68

_INK, _LIPS = (40, 44, 52), (196, 49, 60)
_RAMP = np.linspace(0, 1, 128)[:, None]
PALETTE = np.concatenate([(1 - _RAMP) * 255 + _RAMP * np.array(colour) for colour in (_INK, _LIPS)]).astype(np.uint8)
_LIP_POINTS = set(face68.MOUTH)
_SHIFT = 4  # OpenCV draws with 1/16 px


def face_view(size_px: int):
    """Pose that puts a face-space face in a square picture of `size_px` -> float [4] for `face68.to_pixel_space`."""
    return np.array([size_px * 0.29, 0, size_px * 0.5, size_px * 0.36])


def sketch(points_px, size_px):
    """Draw one face as lines.

    Parameters
    ----------
    points_px : float [68, 2], px; NaN draws nothing
    size_px : side of the picture, or (rows, columns)

    Returns
    -------
    uint8 [row, column], indices into `PALETTE`
    """
    shape = (size_px, size_px) if np.isscalar(size_px) else tuple(size_px)
    ink, lips = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    if np.isfinite(points_px).all():
        fixed = np.round(points_px * (1 << _SHIFT)).astype(np.int32)
        inner = fixed[list(face68.GROUPS["inner_lips"])]
        cv2.fillPoly(ink, [inner], 90, cv2.LINE_AA, _SHIFT)
        thickness = max(1, round(min(shape) / 160))
        for a, b in face68.EDGES:
            layer = lips if a in _LIP_POINTS else ink
            cv2.line(layer, fixed[a].tolist(), fixed[b].tolist(), 255, thickness, cv2.LINE_AA, _SHIFT)
    return np.where(lips > 0, 128 + lips // 2, ink // 2).astype(np.uint8)


def sketch_rgb(points_px, size_px):
    """`sketch` as uint8 [row, column, rgb]."""
    return PALETTE[sketch(points_px, size_px)]


def on_picture(picture, points_px):
    """Return a copy of `picture` (uint8 [row, column, rgb]) with the landmarks drawn over it."""
    drawn = picture.copy()
    if np.isfinite(points_px).all():
        for a, b in face68.EDGES:
            start, end = np.round(points_px[[a, b]]).astype(int).tolist()
            cv2.line(drawn, start, end, (60, 220, 90), 1, cv2.LINE_AA)
    return drawn


def contact_sheet(pictures, n_columns: int, gap_px: int = 2):
    """Tile equal uint8 [row, column, rgb] pictures into one, left to right, top to bottom."""
    pictures = list(pictures)
    rows, columns = pictures[0].shape[:2]
    n_rows = -(-len(pictures) // n_columns)
    sheet = np.full((n_rows * (rows + gap_px) - gap_px, n_columns * (columns + gap_px) - gap_px, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // n_columns * (rows + gap_px), i % n_columns * (columns + gap_px)
        sheet[y:y + rows, x:x + columns] = picture
    return sheet
