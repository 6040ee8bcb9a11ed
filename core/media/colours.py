"""The pixels of any picture as a screen shows them: sRGB, 8 bits, upright, with transparency where there is some.

Reads: a Pillow image, in memory. Writes: nothing.
Colours are converted by the profile in the file (ICC.1:2022), else by what its EXIF (DCF 2.0, "R03": Adobe RGB) or its gAMA
chunk (PNG) says of them; a file that says nothing is sRGB.
"""

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}  # colour space of a profile -> mode of the pixels it is for
# Columns of XYZ, under D50, as ICC wants them
_ADOBE_RGB = {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087), b"bXYZ": (0.14919, 0.06322, 0.74457)}
_ADOBE_GAMMA, _SRGB_GAMMA = 563 / 256, 1 / 0.45455
_IFD_EXIF, _IFD_INTEROP, _INTEROP_INDEX = 0x8769, 0xA005, 1


def profile_bytes(gamma: float, columns: dict[bytes, tuple] | None = None) -> bytes:
    """An ICC profile of RGB with `gamma`, and `columns` of XYZ in place of those of sRGB."""
    from PIL import ImageCms
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    curve = b"para" + struct.pack(">IHHi", 0, 0, 0, round(gamma * 65536))  # Y = X ** gamma
    (n_tags,) = struct.unpack_from(">I", icc, 128)
    for number in range(n_tags):
        name, start = struct.unpack_from(">4sI", icc, 132 + 12 * number)
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            icc[start:start + len(curve)] = curve
        elif columns and name in columns:
            icc[start + 8:start + 20] = struct.pack(">3i", *(round(value * 65536) for value in columns[name]))
    return bytes(icc)


def _profile(image) -> bytes | None:
    """The profile that the colours of `image` are meant in; None where that is sRGB."""
    if icc := image.info.get("icc_profile"):
        return icc
    exif = image.getexif()
    if _IFD_INTEROP in exif.get_ifd(_IFD_EXIF) and str(exif.get_ifd(_IFD_INTEROP).get(_INTEROP_INDEX)).startswith("R03"):
        return profile_bytes(_ADOBE_GAMMA, _ADOBE_RGB)
    gamma = image.info.get("gamma")
    if gamma and "srgb" not in image.info and abs(1 / gamma - _SRGB_GAMMA) > 0.1 and 0.2 < gamma <= 1:
        return profile_bytes(1 / gamma)
    return None


def _eight_bits(image):
    """`image` with 8 bits a channel: L, RGB, CMYK or LAB, without transparency."""
    from PIL import Image
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.mode.startswith("I"):  # 16 bits
            return Image.fromarray((values.clip(0, 65535) // 257).astype(np.uint8))
        values = np.nan_to_num(values, posinf=0)  # 0..1, or scaled to it
        return Image.fromarray((values.clip(0) * (255 / max(1.0, float(values.max())))).astype(np.uint8))
    if image.mode in ("L", "CMYK", "LAB"):
        return image
    return image.convert("L" if image.mode in ("1", "LA", "La") else "RGB")


def _fitting(image, space):
    """`image` in the mode that a profile of this colour `space` is for; None where it does not fit."""
    mode = _MODES.get(space.strip())
    if mode == image.mode:
        return image
    return image.convert("RGB") if (mode, image.mode) == ("RGB", "L") else None


def _changes(transform, mode):
    """True when a transform does something to a grid of colours that can be seen."""
    from PIL import Image, ImageCms
    if mode not in ("L", "RGB"):
        return True
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    grid = steps[None] if mode == "L" else np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = Image.fromarray(np.ascontiguousarray(grid))
    after = ImageCms.applyTransform(probe, transform)
    assert after is not None
    return int(np.abs(np.asarray(after).astype(int) - np.asarray(probe.convert("RGB"))).max()) > 1


def _convert(image, icc):
    """`image` (of `_eight_bits`) in sRGB by its profile; None where the profile is damaged or meant for something else."""
    from PIL import ImageCms
    try:
        own: ImageCms.ImageCmsProfile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if (fitting := _fitting(image, own.profile.xcolor_space)) is None:
            return None
        transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), fitting.mode, "RGB",
                                            ImageCms.Intent.RELATIVE_COLORIMETRIC,
                                            ImageCms.Flags.BLACKPOINTCOMPENSATION)
        return ImageCms.applyTransform(fitting, transform) if _changes(transform, fitting.mode) else image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _to_rgb(image):
    from PIL import ImageCms
    if image.mode != "LAB":
        return image.convert("RGB")
    return ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB")


def as_shown(image: "Image.Image") -> tuple["Image.Image", bool]:
    """A Pillow image of any mode -> RGB, or RGBA where it hides something; upright and in sRGB.

    Returns
    -------
    image : decoded
    is_sure : False when its colour profile was damaged, and it was taken for sRGB
    """
    from PIL import ImageOps
    image.load()  # a PNG tells its EXIF, which may turn it, at its end
    icc = _profile(image)
    ImageOps.exif_transpose(image, in_place=True)
    alpha = None
    if image.has_transparency_data and not image.mode.startswith(("I", "F")):
        alpha = image.convert("RGBA").getchannel("A")
    plain = _eight_bits(image.convert("RGB") if image.mode in ("P", "PA") else image)
    converted = _convert(plain, icc) if icc else plain
    image = _to_rgb(plain if converted is None else converted)
    if alpha is not None and np.asarray(alpha).min() < 255:
        image.putalpha(alpha)
    return image, converted is not None
