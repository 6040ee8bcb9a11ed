"""Every photo is read as a screen shows it, whatever its profile, depth, mode, turn or name, and by every command."""

import io
import sys

import numpy as np
import pytest
from conftest import command, portrait
from PIL import Image, ImageCms

from avatar.translate import main as translate
from core.errors import InputError
from core.media.colours import _ADOBE_RGB, profile_bytes
from core.media.picture import read_alpha, read_photo
from main import main as speak
from render.face_check import main as face_check
from render.render import main as render
from viewer.inspect import main as inspect

SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])  # XYZ under D50
DISPLAY_P3 = {b"rXYZ": (0.51512, 0.24120, -0.00105), b"gXYZ": (0.29198, 0.69225, 0.04189), b"bXYZ": (0.15710, 0.06657, 0.78407)}
PROFILES = {"display p3": (2.2, DISPLAY_P3), "adobe rgb": (563 / 256, _ADOBE_RGB), "gamma 1.8": (1.8, None)}
SEEN = 3  # of 255: what rounding to 8 bits twice may cost


def linear(picture):
    share = picture / 255
    return np.where(share > 0.04045, ((share + 0.055) / 1.055) ** 2.4, share / 12.92)


def encoded(picture, gamma, columns=None):
    """sRGB `picture` in another space, uint8; by the definition, not by Pillow."""
    own = np.stack([columns[name] for name in (b"rXYZ", b"gXYZ", b"bXYZ")], 1) if columns else SRGB
    to_own = np.linalg.inv(own) @ SRGB
    return np.round(255 * (linear(picture) @ to_own.T).clip(0, 1) ** (1 / gamma)).astype(np.uint8)


def worst(found, wanted=None):
    """The 99th percentile: in the dark, where a gamma is steep, 8 bits say less."""
    return np.percentile(np.abs(found.astype(int) - (portrait() if wanted is None else wanted)), 99)


@pytest.mark.parametrize("ending", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_are_converted(tmp_path, profile, ending):
    how = {"quality": 100, "subsampling": 0} if ending == "jpg" else {"lossless": True} if ending == "webp" else {}
    path = tmp_path / f"photo.{ending}"
    own = encoded(portrait(), *PROFILES[profile])
    Image.fromarray(own).save(path, icc_profile=profile_bytes(*PROFILES[profile]), **how)
    assert worst(read_photo(path)) <= SEEN < worst(own)


def test_a_linear_profile_brightens(tmp_path):
    Image.fromarray(encoded(portrait(), 1)).save(tmp_path / "x.png", icc_profile=profile_bytes(1))
    assert worst(read_photo(tmp_path / "x.png")) <= 16, "8 bits of linear light are coarse in the dark"


def test_srgb_is_left_as_it_is(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, how in {"none": {}, "srgb": {"icc_profile": srgb}}.items():
        Image.fromarray(portrait()).save(tmp_path / f"{name}.png", **how)
        assert np.array_equal(read_photo(tmp_path / f"{name}.png"), portrait())


@pytest.mark.parametrize("icc", [b"no profile", profile_bytes(2.2)[:200], profile_bytes(2.2).replace(b"RGB ", b"CMYK")])
def test_a_damaged_profile_is_said_and_left_out(tmp_path, capfd, icc):
    Image.fromarray(portrait()).save(tmp_path / "x.png", icc_profile=icc)
    assert np.array_equal(read_photo(tmp_path / "x.png"), portrait())
    assert "colour profile" in capfd.readouterr().err


def test_a_camera_that_says_adobe_rgb_in_its_exif(tmp_path):
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03", 2: b"0100"}}
    Image.fromarray(encoded(portrait(), 563 / 256, _ADOBE_RGB)).save(tmp_path / "x.jpg", quality=100, subsampling=0, exif=exif)
    assert worst(read_photo(tmp_path / "x.jpg")) <= SEEN


def with_gamma(path, gamma):
    """A PNG with a gAMA chunk."""
    from PIL.PngImagePlugin import PngInfo
    about = PngInfo()
    about.add(b"gAMA", round(gamma * 100000).to_bytes(4, "big"))
    Image.fromarray(encoded(portrait(), 1 / gamma)).save(path, pnginfo=about)
    return path


def test_the_gamma_of_a_png(tmp_path):
    assert worst(read_photo(with_gamma(tmp_path / "mac.png", 0.55556))) <= 2 * SEEN
    usual = read_photo(with_gamma(tmp_path / "usual.png", 0.45455))
    assert np.array_equal(usual, encoded(portrait(), 2.2)), "what most programs write means sRGB"


def greys(mode):
    grey = np.asarray(Image.fromarray(portrait()).convert("L"))
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray((grey / 255).astype(np.float32))
    return Image.fromarray(grey).convert(mode)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "F", "1"])
def test_grey_of_any_depth(tmp_path, mode):
    path = tmp_path / f"x.{'tif' if mode == 'F' else 'png'}"
    greys(mode).save(path)
    found = read_photo(path)
    assert np.ptp(found.astype(int), -1).max() == 0
    assert abs(found.mean() - np.asarray(greys("L")).mean()) < (12 if mode == "1" else 1)


def grey_profile(gamma):
    """An ICC profile of grey: what scanners write."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + b"".join(round(v * 65536).to_bytes(4, "big") for v in (0.9642, 1, 0.8249)),
            b"kTRC": b"curv\0\0\0\0\0\0\0\1" + round(gamma * 256).to_bytes(2, "big") + b"\0\0"}
    start = 128 + 4 + 12 * len(tags)
    table, body = len(tags).to_bytes(4, "big"), b""
    for name, content in tags.items():
        table += name + (start + len(body)).to_bytes(4, "big") + len(content).to_bytes(4, "big")
        body += content
    header = bytearray(128)
    header[0:4], header[8:12] = (start + len(body)).to_bytes(4, "big"), b"\x02\x10\0\0"
    header[12:24], header[36:40] = b"scnrGRAYXYZ ", b"acsp"
    header[68:80] = tags[b"wtpt"][8:]
    return bytes(header) + table + body


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_with_a_profile(tmp_path, mode):
    greys(mode).save(tmp_path / "x.png", icc_profile=grey_profile(1.0))
    found, grey = read_photo(tmp_path / "x.png")[..., 0], np.asarray(greys("L"))
    wanted = 255 * np.where(grey / 255 > 0.0031308, 1.055 * (grey / 255) ** (1 / 2.4) - 0.055, 12.92 * grey / 255)
    assert worst(found, wanted) <= 10, "near black, where the curve is steepest"


@pytest.mark.parametrize("mode, ending", [("CMYK", "tif"), ("CMYK", "jpg"), ("YCbCr", "jpg"), ("LAB", "tif"), ("P", "png"),
                                          ("P", "gif"), ("RGBA", "png"), ("RGBA", "webp")])
def test_modes_show_the_same_picture(tmp_path, mode, ending):
    image = Image.fromarray(portrait())
    if mode == "LAB":
        srgb, lab = (ImageCms.createProfile(name) for name in ("sRGB", "LAB"))
        image = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    (image.quantize(256) if mode == "P" else image.convert(mode)).save(tmp_path / f"x.{ending}")
    assert np.abs(read_photo(tmp_path / f"x.{ending}").astype(int) - portrait()).mean() < 14


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_over_white_and_is_kept(tmp_path, mode):
    alpha = np.tile(np.linspace(0, 255, 256).round().astype(np.uint8), (256, 1))
    image = Image.fromarray(portrait()).convert("LA" if mode == "LA" else "RGBA")
    image.putalpha(Image.fromarray(alpha if mode != "P" else np.where(alpha > 127, 255, 0).astype(np.uint8)))
    image = image.quantize(64) if mode == "P" else image
    icc = grey_profile(2.2) if mode == "LA" else profile_bytes(*PROFILES["adobe rgb"])
    image.save(tmp_path / "x.png", icc_profile=icc)
    assert (read_photo(tmp_path / "x.png")[:, 0] == 255).all()
    hidden = read_alpha(tmp_path / "x.png")
    assert hidden.shape == (256, 256) and hidden[0, 0] == 0 and hidden[0, -1] == 1


@pytest.mark.parametrize("orientation, turned", [(2, np.fliplr), (3, lambda a: np.rot90(a, 2)), (4, np.flipud),
                                                 (6, lambda a: np.rot90(a, 1)), (8, lambda a: np.rot90(a, 3))])
@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif"])
def test_upright_with_a_profile(tmp_path, orientation, turned, ending):
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {"quality": 100, "subsampling": 0} if ending == "jpg" else {"lossless": True} if ending == "webp" else {}
    own = np.ascontiguousarray(turned(encoded(portrait(), *PROFILES["display p3"])))
    Image.fromarray(own).save(tmp_path / f"x.{ending}", exif=exif, icc_profile=profile_bytes(*PROFILES["display p3"]), **how)
    assert worst(read_photo(tmp_path / f"x.{ending}")) <= SEEN


def heic(path, brands=b"heicmif1heic"):
    """What a HEIC file begins with."""
    path.write_bytes((8 + len(brands) + 4).to_bytes(4, "big") + b"ftyp" + brands[:4] + bytes(4) + brands[4:] + bytes(400))
    return path


@pytest.mark.parametrize("name", ["x.heic", "x.jpg", "x", "X.PNG"])
@pytest.mark.parametrize("brands", [b"heic", b"heicmif1heic", b"mif1heicmiaf", b"heix", b"msf1hevc", b"mif1"])
def test_heic_under_any_name_is_told_with_its_cure(tmp_path, monkeypatch, name, brands):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InputError, match="HEIC.*pip install pillow-heif"):
        read_photo(heic(tmp_path / name, brands))


def test_avif_is_no_heic(tmp_path):
    Image.fromarray(portrait()).save(path := tmp_path / "x.heic", "AVIF", quality=90)
    content = path.read_bytes()
    for name, head in {"avif": content, "mif1": content.replace(b"ftypavif", b"ftypmif1", 1)}.items():
        (tmp_path / name).write_bytes(head)
        assert worst(read_photo(tmp_path / name)) < 40


@pytest.mark.parametrize("run", [
    lambda photo: (speak, "--image", photo, "--text", "Hello.", "--output", "o.mp4"),
    lambda photo: (face_check, photo, "--out", "out"),
    lambda photo: (translate, photo, "out.png"),
    lambda photo: (inspect, photo),
    lambda photo: (render, "x.npy", "--photo", photo, "--out", "o.mp4"),
], ids=["main.py", "face_check", "avatar.translate", "inspect", "render"])
def test_every_command_names_the_package_for_heic(tmp_path, monkeypatch, run):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.chdir(tmp_path)
    done = command(*run(heic(tmp_path / "me.jpg")))
    assert done.exit_code == 1
    assert "HEIC" in done.stderr and "pip install pillow-heif" in done.stderr and len(done.stderr.splitlines()) <= 3


def test_a_profile_of_pillow_is_as_it_was_patched():
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes(1.8, _ADOBE_RGB)))
    assert own.profile.red_colorant[0] == pytest.approx(_ADOBE_RGB[b"rXYZ"], abs=1e-4)


@pytest.mark.parametrize("name", ["a.ico", "a.tga", "a.bmp", "a.ppm", "a.qoi", "a.jp2", "a.gif", "a.webp", "a.tif"])
def test_formats_are_not_taken_for_each_other(tmp_path, name):
    picture = Image.fromarray(portrait())
    if name == "a.ico":  # 256 px a side, more than 64 KiB: in the place of a .tga's depth stands a 1
        noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
        noise[120:] = 0
        picture = Image.fromarray(noise)
    if name == "a.gif":
        picture = picture.quantize(256)
    try:
        picture.save(tmp_path / name, **({"sizes": [picture.size]} if name == "a.ico" else {}))
    except (KeyError, ValueError, OSError):
        pytest.skip(f"this Pillow writes no {name}")
    shown = np.array(picture.convert("RGB")).astype(int)
    assert np.abs(read_photo((tmp_path / name).rename(tmp_path / "photo")).astype(int) - shown).mean() < 6
