"""Compute the identity embedding of the face in a photo.

Reads: a photo, MODEL (picture-model). Writes: OUT (image-embedding).
"""

from pathlib import Path

import click

from avatar.inputs import read_face
from core import artifacts
from core.errors import InputError
from core.stage import stage

STAGE = "avatar.identity.embed"


@stage(reads="PHOTO, MODEL (picture-model)", writes="OUT (image-embedding)",
       examples=("python -m avatar.identity.embed me.jpg", "python -m avatar.identity.embed me.jpg results/me.npy"))
@click.argument("photo", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path), default=Path("identity.npy"))
@click.option("--model", type=click.Path(path_type=Path), help="The encoder.  [default: the one that ships]")
def main(photo, out, model) -> None:
    """Turn the largest face of a photo into numbers: near for one person, far for two."""
    if out.suffix != ".npy":
        raise InputError(out, f"a {out.suffix or 'nameless'} file", "a name that ends in .npy")
    from avatar.identity.embedding import identity_of  # PyTorch
    values = identity_of(*read_face(photo), model)
    click.echo(artifacts.save(out, values, "image-embedding", stage=STAGE, inputs=[photo]))


if __name__ == "__main__":
    main()
