"""The sample portrait: Eileen Collins, astronaut, photographed by NASA; public domain.

Reads: the picture in the package scikit-image (512x512 px; nothing is fetched).
Writes: a .png, when it is missing: the picture; or her head, enlarged to 512x512 px, the face 214 px wide; or that head beside
its mirror image: two faces that can talk to each other.
"""

from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from core.errors import InputError
from core.files import whole_file

HEAD = (117, 8, 337, 228)  # left, top, right, bottom, px of scikit-image's picture
SIDE_PX = 512
GAP_PX, CUT_PX = 8, 40  # between the two of a pair; what is cut off on either side of each
SHARPER = ImageFilter.UnsharpMask(radius=2, percent=50, threshold=0)  # what enlarging took away


def _beside_its_mirror_image(head):
    one = head.crop((CUT_PX, 0, SIDE_PX - CUT_PX, SIDE_PX))
    both = Image.new("RGB", (2 * one.width + GAP_PX, SIDE_PX), "white")
    both.paste(one, (0, 0))
    both.paste(ImageOps.mirror(one), (one.width + GAP_PX, 0))
    return both


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
            picture = _beside_its_mirror_image(picture)
        with whole_file(path) as part:
            picture.save(part)
    return path
