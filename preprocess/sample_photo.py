"""Write the sample portrait, or a part of it.

Reads: the picture in the package scikit-image. Writes: OUT.png, when it is missing.
"""

from pathlib import Path

import click

from core.face.sample import write_photo
from core.stage import stage


@stage(reads="the package scikit-image", writes="OUT.png, when it is missing",
       examples=("python -m preprocess.sample_photo", "python -m preprocess.sample_photo --head data/samples/head.png",
                 "python -m preprocess.sample_photo --pair data/samples/pair.png"))
@click.argument("out", metavar="[OUT.png]", type=click.Path(path_type=Path), default=Path("data/samples/portrait.png"))
@click.option("--head", is_flag=True, help="Her head alone, enlarged: a face that is large enough for a clear mouth.")
@click.option("--pair", is_flag=True, help="Her head beside another, painted of it: two faces, for talking-face scene.")
def main(out, head, pair) -> None:
    """Write the sample portrait, by default to data/samples/portrait.png."""
    click.echo(write_photo(out, head, pair))


if __name__ == "__main__":
    main()
