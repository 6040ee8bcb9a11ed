"""A photo with its face, framed and ready to be moved by landmarks.

Reads: a picture of any format Pillow knows. Writes: nothing.
"""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from core.face import face68
from core.media.picture import read_photo as read_photo
from core.stage import say
from render.motion import uncross

FRAMINGS = ("full", "crop", "resize")
LONGEST_PX = 1920  # of a video when no size is asked for
CROP_HALF = 2.1  # eye distances from the face's middle to the edge of a crop
LATE, LATE_EYES_PX = 1.5, 140  # a photo is enlarged as often as this or more once it has moved; px an eye distance as it moves
CROP_MARGIN = 0.8  # eye distances around a crop, from where a moving head brings something into it


@dataclass(frozen=True)
class Photo:
    """A picture and the one face in it that will speak."""

    path: Path
    picture: np.ndarray  # uint8 [row, column, rgb]
    points: np.ndarray  # float32 [68, 2], px
    opened: "Photo | None" = None  # as it was, when its lips were shut
    window: tuple[int, int, int, int] | None = None  # left, top, right, bottom, px, even: what is shown; None is all
    enlarged: tuple[int, int] | None = None  # columns, rows of a frame, even, where it is made larger than what is shown
    face: np.ndarray = field(init=False)  # float32 [68, 2], face space, lips and lids not crossing
    pose: np.ndarray = field(init=False)  # float32 [4]

    def __post_init__(self):
        face, pose = face68.to_face_space(self.points[None])
        object.__setattr__(self, "face", uncross(face[0]))
        object.__setattr__(self, "pose", pose[0])

    @property
    def shown(self) -> np.ndarray:
        """What is shown of the picture, at rest."""
        left, top, right, bottom = self.window or (0, 0, *self.picture.shape[1::-1])
        return self.picture[top:bottom, left:right]


def _cut(photo, box, factor=1.0, margin=0, late=1.0) -> Photo:
    """A part of `photo` (`box`: left, top, right, bottom, px) made `factor` times as large, with even sides.

    Its frames are made `late` times as large once more. Up to `margin` px around it stay in the picture, outside of its
    window: from there comes what moves into it.
    """
    limits = np.array(photo.picture.shape[1::-1] * 2)
    left, top, right, bottom = np.clip(np.array(box) + (-margin, -margin, margin, margin), 0, limits).tolist()
    picture = photo.picture[top:bottom, left:right]
    points = photo.points - np.array([left, top], np.float32)
    if factor != 1:
        height, width = (max(2, round(n * factor)) for n in picture.shape[:2])
        ratio = np.array([width / picture.shape[1], height / picture.shape[0]], np.float32)
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        points = (points + 0.5) * ratio - 0.5
    rows, columns = (n - n % 2 for n in picture.shape[:2])  # H.264 needs even sizes
    window = None
    if margin:
        size = [max(2, round((high - low) * factor)) // 2 * 2 for low, high in zip(box, box[2:])]
        corner = [min(2 * round((low - edge) * factor / 2), n - side)
                  for low, edge, n, side in zip(box, (left, top), (columns, rows), size)]
        window = *corner, corner[0] + size[0], corner[1] + size[1]
    opened = _cut(photo.opened, box, factor, margin, late) if photo.opened else None
    enlarged = None
    if late > 1:
        enlarged = tuple(max(2, round((high - low) * factor * late)) // 2 * 2 for low, high in zip(box, box[2:]))
    return Photo(photo.path, np.ascontiguousarray(picture[:rows, :columns]), points, opened, window, enlarged)


def frame_photo(photo: Photo, preprocess: str = "full", size_px: int = 0, at_once: bool = False) -> Photo:
    """Choose what of the photo is shown.

    Where that is much larger than the photo is, the photo moves as it is, and each frame is enlarged: few pixels move as well.

    Parameters
    ----------
    preprocess : `full`, the whole picture; `crop`, a square around the face; `resize`, the whole picture at `size_px`
    size_px : longer side of a frame; 0 keeps the photo's own, up to LONGEST_PX (512 for `resize`)
    at_once : never enlarge frames: the photo
    """
    rows, columns = photo.picture.shape[:2]
    left, top, right, bottom, margin = 0, 0, columns, rows, 0
    if preprocess == "crop":
        middle = (photo.points.min(0) + photo.points.max(0)) / 2
        side = min(round(2 * CROP_HALF * float(photo.pose[0])), rows, columns)
        left, top = np.clip(np.round(middle - side / 2), 0, (columns - side, rows - side)).astype(int).tolist()
        right, bottom, margin = left + side, top + side, round(CROP_MARGIN * float(photo.pose[0]))
    longest = max(right - left, bottom - top)
    wanted = size_px or (512 if preprocess == "resize" else min(longest, LONGEST_PX))
    if not size_px and longest > wanted:
        say(f"{photo.path}: shown at {wanted} of {longest} px; --size gives another")
    factor = wanted / longest
    late = factor / max(1.0, LATE_EYES_PX / float(photo.pose[0]))
    late = 1.0 if at_once or late < LATE else late
    return _cut(photo, (left, top, right, bottom), factor / late, margin, late)
