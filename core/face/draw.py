"""Landmarks as pictures: the sketch used by GIFs, the sketch renderer, previews and `make inspect`."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68

_INK, _LIPS = (40, 44, 52), (196, 49, 60)
_RAMP = np.linspace(0, 1, 128)[:, None]
PALETTE = np.concatenate([(1 - _RAMP) * 255 + _RAMP * np.array(colour) for colour in (_INK, _LIPS)]).astype(np.uint8)
_LIP_POINTS = set(face68.MOUTH)
_SHIFT = 4  # OpenCV draws with 1/16 px
_SHOWN_PX = (640, 1280)  # longer side of a picture of faces: lines and letters of one size are readable on any photo
_TEXT_PX, _TEXT_ROOM_PX = 26, 480  # height of a line of text; least width for it
_INSET_PX = 360  # side of the second view of a small face
_CHOSEN, _OTHER, _PAPER = (60, 220, 90), (255, 170, 0), (24, 24, 28)


def face_view(size_px: int) -> NDArray:
    """Pose that puts a face-space face in a square picture of `size_px` -> float [4] for `face68.to_pixel_space`."""
    return np.array([size_px * 0.29, 0, size_px * 0.5, size_px * 0.36])


def sketch(points_px: NDArray, size_px: int | tuple[int, int]) -> NDArray:
    """Draw one face as lines.

    Parameters
    ----------
    points_px : float [68, 2], px; NaN draws nothing
    size_px : side of the picture, or (rows, columns)

    Returns
    -------
    uint8 [row, column], indices into `PALETTE`
    """
    shape = (size_px, size_px) if isinstance(size_px, (int, np.integer)) else size_px
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


def sketch_rgb(points_px: NDArray, size_px: int | tuple[int, int]) -> NDArray:
    """`sketch` as uint8 [row, column, rgb]."""
    return PALETTE[sketch(points_px, size_px)]


def on_picture(picture: NDArray, points_px: NDArray) -> NDArray:
    """Return a copy of `picture` (uint8 [row, column, rgb]) with the landmarks drawn over it."""
    drawn = picture.copy()
    if np.isfinite(points_px).all():
        for a, b in face68.EDGES:
            start, end = np.round(points_px[[a, b]]).astype(int).tolist()
            cv2.line(drawn, start, end, _CHOSEN, 1, cv2.LINE_AA)
    return drawn


def _text(picture, words, x, y, colour):
    cv2.putText(picture, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, _TEXT_PX / 40, colour, 1, cv2.LINE_AA)


def text_below(picture: NDArray, notes: Sequence[str]) -> NDArray:
    """`picture` (uint8 [row, column, rgb]) with `notes`, short strings, in a band under it, as many to a line as fit."""
    columns = max(picture.shape[1], _TEXT_ROOM_PX)
    lines = [""]
    for note in notes:
        longer = f"{lines[-1]}   {note}".strip()
        fits = cv2.getTextSize(longer, cv2.FONT_HERSHEY_SIMPLEX, _TEXT_PX / 40, 1)[0][0] < columns - _TEXT_PX
        lines[-1:] = [longer] if fits or not lines[-1] else [lines[-1], note]
    sheet = np.full((picture.shape[0] + _TEXT_PX * len(lines) + _TEXT_PX // 2, columns, 3), _PAPER, np.uint8)
    sheet[:picture.shape[0], :picture.shape[1]] = picture
    for i, line in enumerate(lines, 1):
        _text(sheet, line, _TEXT_PX // 2, picture.shape[0] + _TEXT_PX * i, (255, 255, 255))
    return sheet


def _draw_dots(picture, points_px):
    drawn = on_picture(picture, points_px)
    for x, y in np.round(points_px).astype(int).tolist():
        cv2.circle(drawn, (x, y), 2, (255, 255, 255), -1, cv2.LINE_AA)
    return drawn


def faces_on_picture(picture: NDArray, boxes: NDArray, chosen: int, points_px: NDArray,
                     notes: Sequence[str] = ()) -> NDArray:
    """A photo with the faces that were found: all boxes, numbered from 1, and the points of the chosen face.

    Where that face would be too small to see the points, it is shown once more beside the photo, larger.

    Parameters
    ----------
    picture : uint8 [row, column, rgb]; shown larger or smaller, until its longer side is within `_SHOWN_PX`
    boxes : float [face, 4], left, top, right, bottom, px of `picture`
    chosen : row of `boxes` that is drawn thick
    points_px : float [68, 2], px of `picture`
    notes : short strings, written under the picture

    Returns
    -------
    uint8 [row, column, rgb]
    """
    factor = float(np.clip(max(picture.shape[:2]), *_SHOWN_PX)) / max(picture.shape[:2])
    rows, columns = (max(1, round(n * factor)) for n in picture.shape[:2])
    shown = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    size_px = float(np.ptp(points_px, axis=0).max())
    if is_small := size_px * factor < _INSET_PX / 2:
        zoom = _INSET_PX / (1.4 * size_px)
        shift = _INSET_PX / 2 - zoom * (points_px.min(0) + points_px.max(0)) / 2
        inset = cv2.warpAffine(picture, np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float64),
                               (_INSET_PX, _INSET_PX), flags=cv2.INTER_CUBIC, borderValue=_PAPER)
        inset = _draw_dots(inset, points_px * zoom + shift)
    else:
        shown = _draw_dots(shown, points_px * factor)
    for i, (left, top, right, bottom) in enumerate(np.round(boxes * factor).astype(int).tolist()):
        colour = _CHOSEN if i == chosen else _OTHER
        cv2.rectangle(shown, (left, top), (right, bottom), colour, 3 if i == chosen else 1, cv2.LINE_AA)
        label, x, y = f"{i + 1}", max(left, 0), max(top - _TEXT_PX, 0)  # above the box: the face stays visible
        cv2.rectangle(shown, (x, y), (x + _TEXT_PX * (len(label) + 1) // 2, y + _TEXT_PX), colour, -1)
        _text(shown, label, x + 5, y + _TEXT_PX - 6, _PAPER)
    if is_small:
        sheet = np.full((max(rows, _INSET_PX), columns + _INSET_PX, 3), _PAPER, np.uint8)
        sheet[:rows, :columns], sheet[:_INSET_PX, columns:] = shown, inset
        shown = sheet
    return text_below(shown, notes)


def contact_sheet(pictures: Sequence[NDArray], n_columns: int, gap_px: int = 2) -> NDArray:
    """Tile equal uint8 [row, column, rgb] pictures into one, left to right, top to bottom."""
    pictures = list(pictures)
    rows, columns = pictures[0].shape[:2]
    n_rows = -(-len(pictures) // n_columns)
    sheet = np.full((n_rows * (rows + gap_px) - gap_px, n_columns * (columns + gap_px) - gap_px, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // n_columns * (rows + gap_px), i % n_columns * (columns + gap_px)
        sheet[y:y + rows, x:x + columns] = picture
    return sheet
