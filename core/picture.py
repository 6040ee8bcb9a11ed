"""The one gate for photos: a picture of any format Pillow knows, upright, without transparency.

Reads: a picture. Writes: nothing.
"""

import warnings
from pathlib import Path

import numpy as np

from core.errors import InputError, absent

LARGEST_MPX = 64
_BACKDROP = 255  # behind transparent pixels


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
