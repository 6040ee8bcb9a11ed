"""What the translator is shown: a photo in ink and paint, and where its features are.

Reads: a photo. Writes: nothing.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar.alignment import STYLES
from avatar.ink import draw_ink, remove_texture
from core.errors import InputError, command_line
from core.face.face68 import CLOSED, GROUPS, eye_distance
from core.media.picture import read_photo

MULTIPLE = 16
UNIT_PX = 62.0  # px per eye distance in the pairs: what the network knows best
N_INPUTS = 9  # rgb in ink, rgb of the photo, lines, openings, style
N_COLOURS = 6  # of these
_LINE = 0.035  # eye distances


def read_face(path: str | Path) -> tuple[NDArray, NDArray]:
    """A photo and the 68 points of its largest face: uint8 [row, column, rgb], float32 [68, 2] px. Raises InputError."""
    from core.face.face_detector import landmarks_of_picture
    picture = read_photo(path)
    points, _ = landmarks_of_picture(picture)
    if points is None:
        raise InputError(path, f"no face found in {picture.shape[1]}x{picture.shape[0]} px", "a frontal face, 80 px or more",
                         command_line("python", "-m", "render.face_check", path))
    return picture, points


def guide(points: NDArray, size: tuple[int, int]) -> NDArray:
    """Where the features are: `points` float [68, 2] px -> uint8 [*size, 2]: their lines; eyes half and mouth whole."""
    lines, openings = (np.zeros(size, np.uint8) for _ in range(2))
    fixed = np.round(np.asarray(points) * 16).astype(np.int32)  # in 1/16 px
    thick = max(1, round(float(eye_distance(np.asarray(points))) * _LINE))
    for name, numbers in GROUPS.items():
        cv2.polylines(lines, [fixed[list(numbers)]], name in CLOSED, 255, thick, cv2.LINE_AA, 4)
    for name, value in (("right_eye", 128), ("left_eye", 128), ("inner_lips", 255)):
        cv2.fillPoly(openings, [fixed[list(GROUPS[name])]], value, cv2.LINE_AA, 4)
    return cv2.merge([lines, openings])


def as_inputs(picture: NDArray, points: NDArray, style: str) -> NDArray:
    """What the network is shown of a picture and its points, float32 array [N_INPUTS, row, column], -1..1."""
    soft, told = remove_texture(picture), np.full((*picture.shape[:2], 1), 255 * STYLES.index(style), np.uint8)
    shown = np.concatenate([draw_ink(soft, points), soft, guide(points, picture.shape[:2]), told], -1)
    return shown.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
