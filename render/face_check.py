"""The photo check: which faces a photo holds, which one will speak, and what may spoil the result.

Reads: a photo; face.json (face-points) when the face is placed by hand.
Writes: face.json (face-points) and photo_check.png, the photo with what was found drawn over it.
Sharpness is the variance of the Laplacian: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000.
"""

from pathlib import Path

import click

from core.files import fitting
from core.stage import stage
from render.options import face_options
from render.parts.rest import SHUT_FIRST, shut_lips
from render.photo_check import check_photo, report, verdict, write_check


@stage(reads="PHOTO; FACE.JSON (face-points)", writes="face.json (face-points), photo_check.png in --out",
       examples=("python -m render.face_check me.jpg", "python -m render.face_check group.jpg --face 2 --out checked",
                 "python -m render.face_check me.jpg --landmarks checked/face.json --out corrected"))
@click.argument("photo", type=click.Path(path_type=Path))
@face_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the check.  [default: results/PHOTO_face]")
def main(photo, which, points_file, out) -> None:
    """Say which faces a photo holds, which one will speak, and what may spoil the result."""
    check = check_photo(photo, which, points_file)
    paths = write_check(check, out or Path("results") / f"{fitting(photo.stem)}_face")
    for label, text in report(check):
        click.echo(f"{label:<10} {text}")
    if shut_lips(check.photo).opened:
        click.echo(f"{'mouth':<10} {SHUT_FIRST}")
    for path in paths:
        click.echo(path)
    click.echo(verdict(check, which))


if __name__ == "__main__":
    main()
