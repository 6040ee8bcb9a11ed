"""A photo to numbers that say who is on it: the identity encoder's image embedding.

Reads: a photo, MODEL (picture-model). Writes: OUT (image-embedding).
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from avatar.identity.network import DEFAULT_MODEL, face_view, load_encoder
from core import artifacts
from core.errors import InputError
from core.face import face68
from core.keep import kept
from core.media.picture import read_photo
from core.stage import stage

STAGE = "avatar.identity.embed"
_encoder = kept(load_encoder)


def read_face(path: str | Path) -> tuple[NDArray, NDArray]:
    """A photo and the 68 points of its largest face: uint8 [row, column, rgb], float32 [68, 2] px. Raises InputError."""
    from core.face.face_detector import landmarks_of_picture
    picture = read_photo(path)
    points, _ = landmarks_of_picture(picture)
    if points is None:
        raise InputError(path, f"no face found in {picture.shape[1]}x{picture.shape[0]} px", "a frontal face, 80 px or more",
                         f'python -m render.face_check "{path}" looks closer')
    return picture, points


def identity_of(picture: NDArray, points: NDArray, model: str | Path | None = None) -> NDArray:
    """The embedding of a face: `points` float [68, 2] px in `picture` -> float32 [number], of length 1."""
    from avatar.identity.measure import embed
    view = face_view(picture, face68.to_face_space(np.asarray(points)[None])[1][0])
    return embed(_encoder(model or DEFAULT_MODEL), view[None])[0]


@stage(reads="PHOTO, MODEL (picture-model)", writes="OUT (image-embedding)",
       examples=("python -m avatar.identity.embed me.jpg", "python -m avatar.identity.embed me.jpg results/me.npy"))
@click.argument("photo", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path), default=Path("identity.npy"))
@click.option("--model", type=click.Path(path_type=Path), help="The encoder.  [default: the one that ships]")
def main(photo, out, model) -> None:
    """Turn the largest face of a photo into numbers: near for one person, far for two."""
    if out.suffix != ".npy":
        raise InputError(out, f"a {out.suffix or 'nameless'} file", "a name that ends in .npy")
    values = identity_of(*read_face(photo), model)
    click.echo(artifacts.save(out, values, "image-embedding", stage=STAGE, inputs=[photo]))


if __name__ == "__main__":
    main()
