"""The gate of every photo: raster formats named here, upright, in sRGB, without transparency, within limits of size.

Reads: a picture, in a process of its own with limits on memory and time. Writes: nothing.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, absent, readable
from core.events import Warned
from core.media.colours import as_shown
from core.processes.child import MOST_BYTES, run_in_child
from core.stage import tell

if TYPE_CHECKING:
    from PIL import Image

# Formats of pixels alone. Pillow knows others that are programs: EPS starts Ghostscript, which may never end.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "QOI", "ICO", "JPEG2000",
           "TGA")  # the last: it has no mark of its own, and takes an .ico for one
LARGEST_MPX = 64
LONGEST_SIDE_PX = 20_000
A_PICTURE = "a .jpg, .png or other picture"
_BYTES_A_PIXEL = 24  # of memory, at the most, from the file to RGB: turned, with transparency laid over white
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}  # pictures coded as HEVC
_ANY_BRANDS, _AVIF_BRANDS = {b"mif1", b"msf1"}, {b"avif", b"avis"}
_BACKDROP = 255  # behind transparent pixels
assert LARGEST_MPX * 1e6 * _BYTES_A_PIXEL < MOST_BYTES


def _knows_heif(path):
    """Let Pillow read the HEIF pictures that phones take. Raises InputError without the package for it."""
    try:
        import pillow_heif
    except ImportError:
        raise InputError(path, "a HEIC picture", "a .jpg or .png, or the package pillow-heif",
                         "pip install pillow-heif") from None
    pillow_heif.register_heif_opener()


def _is_heif(path) -> bool:
    """True for a HEIF picture under any name; AVIF, in the same container, is read by Pillow."""
    with open(path, "rb") as stream:
        head = stream.read(256)
    if head[4:8] != b"ftyp":
        return False
    end = int.from_bytes(head[:4], "big")
    brands = {head[at:at + 4] for at in (8, *range(16, min(end, len(head)), 4))}
    return bool(brands & _HEIF_BRANDS or brands & _ANY_BRANDS and not brands & _AVIF_BRANDS)


def _open(path):
    """A Pillow image of one of FORMATS; the rarer ones are read in only where the common ones do not fit."""
    from PIL import Image, UnidentifiedImageError
    for read_in in (Image.preinit, Image.init):
        read_in()
        try:
            return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])
        except UnidentifiedImageError:
            if read_in is Image.init:
                raise


@contextmanager
def open_picture(path: str | Path) -> "Iterator[Image.Image]":
    """A Pillow image whose header was read and whose size is allowed; its pixels are not decoded yet.

    Raises
    ------
    InputError : missing, not a picture of FORMATS, too large, or damaged: also over what the block does.
    """
    from PIL import Image, UnidentifiedImageError
    path = Path(path)
    if not path.is_file():
        raise InputError(path, absent(path), "a photo")
    if _is_heif(path):
        _knows_heif(path)
    with readable(path, "a picture", A_PICTURE, "save it as .png"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks below are stricter
        try:
            image = _open(path)
        except UnidentifiedImageError:
            raise InputError(path, "not a picture", A_PICTURE, "save it as .png") from None
        except Image.DecompressionBombError:
            raise InputError(path, "far too many pixels", f"at most {LARGEST_MPX} million", "make it smaller") from None
        with image:
            columns, rows = image.size
            if columns * rows > LARGEST_MPX * 1e6 or max(columns, rows) > LONGEST_SIDE_PX:
                raise InputError(path, f"{columns}x{rows} px", f"at most {LARGEST_MPX} million, and {LONGEST_SIDE_PX} a side",
                                 "make it smaller")
            yield image


def _decode(path):
    """Any picture -> uint8 [row, column, rgb], as it is shown, transparency over white."""
    from PIL import Image
    with open_picture(path) as image:
        image, is_sure = as_shown(image)
        if not is_sure:
            tell(Warned("its colour profile is damaged or of another kind of picture: taken for sRGB", path))
        if image.mode == "RGBA":
            image = Image.alpha_composite(Image.new("RGBA", image.size, (_BACKDROP,) * 4), image)
        return np.array(image.convert("RGB"))


def read_photo(path: str | Path) -> NDArray:
    """Read a picture: uint8 [row, column, rgb] in sRGB, turned upright as its EXIF says, transparency over white.

    Raises
    ------
    InputError : missing, not a picture of FORMATS, damaged, larger than LARGEST_MPX or LONGEST_SIDE_PX, or taking too much
        memory or time.
    """
    return run_in_child(_decode, path)


def _alpha(path):
    with open_picture(path) as image:
        image, _ = as_shown(image)
        return np.array(image)[..., 3] if image.mode == "RGBA" else None


def read_alpha(path: str | Path) -> NDArray | None:
    """The alpha channel of a picture, upright: float32 [row, column], 0..1; None when it hides nothing."""
    alpha = run_in_child(_alpha, path)
    return None if alpha is None else alpha.astype(np.float32) / 255
