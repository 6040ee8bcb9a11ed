"""Evaluate the identity encoder on held-out people, beside dlib's face embedding.

Reads: MODEL (picture-model), CROPS, PAIRS. Writes: metrics.json beside MODEL.
Pairs of one person are two frames of a recording, or two portraits in other light and clothes; those of two people are of the
same kind. The measure is how often a pair of one person is nearer than a pair of two (area under the ROC curve).
"""

from collections.abc import Iterable
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from avatar.identity.data import Faces, load_faces
from avatar.identity.measure import area_under, embed, pairs_of
from avatar.identity.network import DEFAULT_MODEL, SIZE_PX, VIEW, IdentityEncoder, load_encoder
from core.face.face68 import to_pixel_space
from core.face.face_detector import embedding_in
from core.stage import stage
from learn.measures import cell, markdown, report

STAGE = "avatar.identity.evaluate"
ENLARGED = 3  # dlib's pictures of faces are larger
FACE_BOX = (-0.95, -0.45), (0.95, 1.45)  # face space: what dlib's detector would find
GROUPS = ("recordings", "portraits")


def dlib_embeddings(views: Iterable[NDArray]) -> NDArray:
    """Embeddings, by dlib, of `face_view`s: float [n, 128]."""
    box = to_pixel_space(np.array([FACE_BOX]), np.array(VIEW))[0].ravel() * ENLARGED
    large = (cv2.resize(view, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC) for view in views)
    return np.stack([embedding_in(view, box) for view in large])


def measure(embeddings: NDArray, faces: Faces) -> dict:
    """Group of faces -> area under the curve."""
    found = {}
    for group in GROUPS:
        own = faces.groups == group
        found[group] = area_under(*pairs_of(embeddings[own], faces.people[own], faces.groups[own])) if own.any() else None
    return found


@stage(reads="MODEL (picture-model), CROPS/, PAIRS/", writes="metrics.json beside MODEL",
       examples=("python -m avatar.identity.evaluate",))
@click.option("--model", type=click.Path(path_type=Path), help="The encoder.  [default: the one that ships]")
@click.option("--crops", type=click.Path(path_type=Path), default=Path("data/faces"), help="Face crops of many speakers.")
@click.option("--pairs", type=click.Path(path_type=Path), default=Path("data/avatar_pairs"), help="Photos with comics.")
def main(model, crops, pairs) -> None:
    """Measure the identity encoder on held-out people, beside dlib's."""
    model = Path(model or DEFAULT_MODEL)
    known = {row["speaker"] for row in load_faces(crops, pairs, "train").rows}
    faces = load_faces(crops, pairs, "val", left_out=known)
    table = {"encoder": measure(embed(load_encoder(model), faces.views), faces),
             "untrained": measure(embed(IdentityEncoder().eval(), faces.views), faces),
             "grey picture": measure(faces.views[:, ::6, ::6].mean(-1).reshape(len(faces.views), -1), faces),
             "dlib": measure(dlib_embeddings(faces.views), faces)}
    about = {"split": "val", "faces": len(faces.views), "people": faces.n_people, "size_px": SIZE_PX,
             "area_under_curve": table}
    rows = [(method, *(cell(row[group]) for group in GROUPS)) for method, row in table.items()]
    report(model.with_name("metrics.json"), about, markdown(("method", *GROUPS), rows), stage=STAGE, inputs=[model])


if __name__ == "__main__":
    main()
