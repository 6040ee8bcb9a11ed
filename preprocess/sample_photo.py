"""The sample portrait: Eileen Collins, astronaut, photographed by NASA; public domain.

Reads: the picture in the package scikit-image (512x512 px; nothing is fetched).
Writes: OUT.png, when it is missing: the picture, or her head, enlarged to 512x512 px, the face 214 px wide.
"""

from pathlib import Path

import click
from PIL import Image, ImageFilter

from core.errors import InputError
from core.files import whole_file
from core.stage import stage

HEAD = (117, 8, 337, 228)  # left, top, right, bottom, px of scikit-image's picture
SIDE_PX = 512
SHARPER = ImageFilter.UnsharpMask(radius=2, percent=50, threshold=0)  # what enlarging took away


def write_photo(path: str | Path, head: bool = True) -> Path:
    """Write the portrait to `path` unless it is there, of it the `head` alone; return the path."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(path, f"a {path.suffix or 'nameless'} file as output", "a name that ends in .png")
    if not path.exists():
        from skimage.data import astronaut
        picture = Image.fromarray(astronaut())
        if head:
            picture = picture.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS, HEAD).filter(SHARPER)
        with whole_file(path) as part:
            picture.save(part)
    return path


@stage(reads="the package scikit-image", writes="OUT.png, when it is missing",
       examples=("python -m preprocess.sample_photo", "python -m preprocess.sample_photo --head data/samples/head.png"))
@click.argument("out", metavar="[OUT.png]", type=click.Path(path_type=Path), default=Path("data/samples/portrait.png"))
@click.option("--head", is_flag=True, help="Her head alone, enlarged: a face that is large enough for a clear mouth.")
def main(out, head) -> None:
    """Write the sample portrait, by default to data/samples/portrait.png."""
    click.echo(write_photo(out, head))


if __name__ == "__main__":
    main()
