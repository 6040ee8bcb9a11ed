"""A photo, read with care, its face found, and moved by landmarks.

Reads: a picture of any format Pillow knows. Writes: nothing.
"""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import ThreadpoolController

from core import draw, face68
from core.errors import InputError, absent
from core.stage import say
from render.lids import Lids
from render.motion import uncrossed
from render.mouth import MouthInterior
from render.warp import FaceWarp

FRAMINGS = ("full", "crop", "resize")
LARGEST_MPX = 64
LONGEST_PX = 1920  # of a video when no size is asked for
SMALL_FACE_PX = 96
TURNED = 0.25  # eye distances the nose's tip may lie off the middle before the face counts as turned
CROP_HALF = 2.1  # eye distances from the face's middle to the edge of a crop
_BACKDROP = 255  # behind transparent pixels
_A_PHOTO = "a photo of a face, seen from the front, 96 px wide or more"


@dataclass(frozen=True)
class Photo:
    """A picture and the one face in it that will speak."""

    path: Path
    picture: np.ndarray  # uint8 [row, column, rgb]
    points: np.ndarray  # float32 [68, 2], px
    face: np.ndarray = field(init=False)  # float32 [68, 2], face space, lips and lids not crossing
    pose: np.ndarray = field(init=False)  # float32 [4]

    def __post_init__(self):
        face, pose = face68.to_face_space(self.points[None])
        object.__setattr__(self, "face", uncrossed(face[0]))
        object.__setattr__(self, "pose", pose[0])


def _flatten(image):
    """A Pillow image of any mode -> uint8 [row, column, rgb], upright, transparency over white."""
    from PIL import Image, ImageOps
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (_BACKDROP,) * 4), image)
    return np.array(image.convert("RGB"))


def read_photo(path):
    """Read a picture: uint8 [row, column, rgb], turned upright as its EXIF says, transparency over white.

    Raises
    ------
    InputError : missing, not a picture, damaged, or larger than LARGEST_MPX.
    """
    from PIL import Image, UnidentifiedImageError
    path = Path(path)
    if not path.is_file():
        raise InputError(path, absent(path), "a photo")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the check below is stricter
            with Image.open(path) as image:
                columns, rows = image.size
                if columns * rows > LARGEST_MPX * 1e6:
                    raise InputError(path, f"{columns}x{rows} px", f"at most {LARGEST_MPX} million", "make it smaller")
                return _flatten(image)
    except Image.DecompressionBombError:
        raise InputError(path, "far too many pixels", f"at most {LARGEST_MPX} million", "make it smaller") from None
    except UnidentifiedImageError:
        raise InputError(path, "not a picture", "a .jpg, .png or other picture", "save it as .png") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # Pillow's readers raise all of these on damage
        raise InputError(path, f"a damaged picture ({str(error)[:60]})", "a whole one", "save it as .png") from None


def find_face(path) -> Photo:
    """Read a photo and find the face that will speak: the largest. Says what may spoil the result.

    Raises
    ------
    InputError : not a picture, or no face in it.
    """
    from core.face_detector import landmarks_of_picture, largest
    picture = read_photo(path)
    points, boxes = landmarks_of_picture(picture)
    if points is None:
        raise InputError(path, f"no face found in {picture.shape[1]}x{picture.shape[0]} px", _A_PHOTO,
                         "a larger or more frontal photo, cut so that the face fills about half of it")
    photo = Photo(Path(path), picture, points)
    mouth = points[face68.MOUTH]
    if (mouth < 0).any() or (mouth >= picture.shape[1::-1]).any():
        raise InputError(path, "the mouth lies outside the picture", "the whole face", "a photo that is cut less tightly")
    left, _, right, _ = largest(boxes)
    if len(boxes) > 1:
        say(f"{path}: {len(boxes)} faces; the largest speaks")
    if right - left < SMALL_FACE_PX:
        say(f"warning: {path}: the face is {right - left:.0f} px wide; {SMALL_FACE_PX} or more give a clear mouth")
    if abs(photo.face[face68.GROUPS["nose_bridge"][-1], 0]) > TURNED:
        say(f"warning: {path}: the face is turned to the side; a frontal photo moves better")
    return photo


def _cut(photo, left, top, right, bottom, factor=1.0) -> Photo:
    """A part of `photo` (whole px), made `factor` times as large, with even sides."""
    picture = photo.picture[top:bottom, left:right]
    points = photo.points - np.array([left, top], np.float32)
    if factor != 1:
        height, width = (max(2, round(n * factor)) for n in picture.shape[:2])
        ratio = np.array([width / picture.shape[1], height / picture.shape[0]], np.float32)
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        points = (points + 0.5) * ratio - 0.5
    rows, columns = (n - n % 2 for n in picture.shape[:2])  # H.264 needs even sizes
    return Photo(photo.path, np.ascontiguousarray(picture[:rows, :columns]), points)


def framed(photo, preprocess: str = "full", size_px: int = 0) -> Photo:
    """Choose what of the photo is shown.

    Parameters
    ----------
    preprocess : `full`, the whole picture; `crop`, a square around the face; `resize`, the whole picture at `size_px`
    size_px : longer side of the result; 0 keeps the photo's own, up to LONGEST_PX (512 for `resize`)
    """
    rows, columns = photo.picture.shape[:2]
    left, top, right, bottom = 0, 0, columns, rows
    if preprocess == "crop":
        middle = (photo.points.min(0) + photo.points.max(0)) / 2
        side = min(round(2 * CROP_HALF * float(photo.pose[0])), rows, columns)
        left, top = np.clip(np.round(middle - side / 2), 0, (columns - side, rows - side)).astype(int).tolist()
        right, bottom = left + side, top + side
    longest = max(right - left, bottom - top)
    wanted = size_px or (512 if preprocess == "resize" else min(longest, LONGEST_PX))
    if not size_px and longest > wanted:
        say(f"{photo.path}: shown at {wanted} of {longest} px; --size gives another")
    return _cut(photo, left, top, right, bottom, wanted / longest)


def frames(photo, moves):
    """Yield the photo moved by each of `moves`.

    Parameters
    ----------
    moves : iterable of (face, head): float32 [68, 2], face space, on this photo's own face; float32 [5], `motion.Motion.head`

    Yields
    ------
    uint8 [row, column, rgb]
    """
    warp, mouth = FaceWarp(photo.picture, photo.face, photo.pose), MouthInterior(photo.picture, photo.face, photo.pose)
    lids, threads = Lids(photo.face, photo.pose), ThreadpoolController()
    for face, _ in moves:
        with threads.limit(limits=1, user_api="blas"):  # systems this small lose more to waiting threads than they gain
            frame = warp(face)
        mouth.paint(frame, face)
        lids.paint(frame, face)
        yield frame


def checked_picture(photo):
    """The photo with the face that was found drawn over it: uint8 [row, column, rgb]."""
    return draw.on_picture(photo.picture, photo.points)
