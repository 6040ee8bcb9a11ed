"""The sample portrait: Eileen Collins, astronaut, photographed by NASA; public domain.

Reads: the picture in the package scikit-image (512x512 px; nothing is fetched).
Writes: a .png, when it is missing: the picture; or her head, enlarged to 512x512 px, the face 214 px wide; or that head beside
another, made of it by paint and mirror: two faces that can talk to each other.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter

from core.errors import InputError
from core.files import whole_file

HEAD = (117, 8, 337, 228)  # left, top, right, bottom, px of scikit-image's picture
SIDE_PX = 512
OVER_PX, CUT_PX = 64, 40  # in which the two of a pair pass into each other; what is cut off on either side of each
SHARPER = ImageFilter.UnsharpMask(radius=2, percent=50, threshold=0)  # what enlarging took away
_HAIR = ((70, 60), (170, -10), (330, -10), (450, 90), (450, 300), (372, 300), (352, 262), (357, 212), (345, 190), (250, 176),
         (160, 158), (158, 215), (152, 262), (140, 270), (70, 262))  # around it, px of the enlarged head
_FACE = (252, 295), (118, 175)  # with the neck: middle and half sides of an ellipse, px
_BLACK, _DARKER = np.array([0.44, 0.33, 0.26], np.float32), np.array([0.84, 0.75, 0.68], np.float32)
_LONGER = 0.93, 1.0  # times as wide, as high


def _soft(shape, blur_px):
    return cv2.GaussianBlur(shape.astype(np.float32), (0, 0), blur_px)[..., None]


def _another(head):
    """Somebody who is not: her mirror image, hair and skin darker, the face longer; float [row, column, rgb]."""
    hue, colourful, light = np.moveaxis(cv2.cvtColor(head.astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32), 2, 0)
    around, front = np.zeros((2, SIDE_PX, SIDE_PX), np.uint8)
    cv2.fillPoly(around, [np.array(_HAIR)], 1)
    cv2.ellipse(front, *_FACE, 0, 0, 360, 1, -1)
    fair = np.clip((colourful - 45) / 30, 0, 1) * (np.abs(hue - 16) < 12)
    hair = _soft(around, 3) * _soft(np.maximum(fair, np.clip((120 - light) / 40, 0, 1)), 1.2)
    skin = _soft(front, 8) * (1 - hair) * _soft((colourful > 30) & (light > 90) & (hue < 25), 2)
    other = head * (1 - hair) + (4 + head.mean(2, keepdims=True) * _BLACK) * hair
    other = (other * (1 - skin + skin * _DARKER))[:, ::-1]
    wide, high = _LONGER
    longer = np.array([[wide, 0, SIDE_PX / 2 * (1 - wide)], [0, high, SIDE_PX * (1 - high)]])
    return cv2.warpAffine(other, longer, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)


def _beside_another(head):
    """The head and `_another`, before one wall: where the two pictures meet, one passes into the other."""
    one = np.asarray(head, np.float32)
    left, right = (picture[:, CUT_PX:-CUT_PX] for picture in (one, _another(one)))
    t = np.linspace(0, 1, OVER_PX)[None, :, None]
    between = left[:, -OVER_PX:] + (right[:, :OVER_PX] - left[:, -OVER_PX:]) * t * t * (3 - 2 * t)
    both = np.concatenate([left[:, :-OVER_PX], between, right[:, OVER_PX:]], 1)
    return Image.fromarray(np.clip(both, 0, 255).astype(np.uint8))


def write_photo(path: str | Path, head: bool = True, pair: bool = False) -> Path:
    """Write the portrait to `path` unless it is there: of it the `head` alone, or a `pair` of heads; return the path."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(path, f"a {path.suffix or 'nameless'} file as output", "a name that ends in .png")
    if not path.exists():
        from skimage.data import astronaut
        picture = Image.fromarray(astronaut())
        if head or pair:
            picture = picture.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS, HEAD).filter(SHARPER)
        if pair:
            picture = _beside_another(picture)
        with whole_file(path) as part:
            picture.save(part)
    return path
