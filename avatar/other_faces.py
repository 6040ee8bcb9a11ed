"""Make the synthetic faces that de-identify comics: each the median of several people's comics (k-same) and mirror images.

Reads: PAIRS (avatar.pairs), the comics of split train.
Writes: GAN_record/00001/: run.json, faces.png (other-faces), the faces side by side, and `done`; the sidecar holds
their points, and dlib's embedding of each.
People whose comics look alike make one face, so that the faces differ; none is of fewer than FEWEST.
Source: Newton et al. 2005, Preserving privacy by de-identifying face images (k-same); halving by principal axes, Boley 1998.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avatar.alignment import SIZE_PX, STYLES, warp_of
from avatar.data import Pairs, load_pairs, mean_face
from core import artifacts
from core.errors import InputError
from core.face import face68, face_detector
from core.stage import progress, stage
from learn.run import run_options, train_as_asked

STAGE = "avatar.other_faces"
POSE = np.array([62.0, 0.0, (SIZE_PX - 1) / 2, 112.0])  # px an eye distance, roll, where the middle between the eyes is
BOLDNESS = 1.8  # of what tells the faces apart
FEWEST = 8  # people of a face
_LOOK_PX = 40  # side of the picture that people are compared by


def warped(pairs: Sequence[dict], goal: NDArray) -> NDArray:
    """The comics of `pairs` with their points at `goal` [68, 2] px: float32 [pair, row, column, rgb]."""
    with progress(pairs, "align comics") as bar:
        return np.stack([cv2.remap(pair["comic"], warp_of(pair["points"], goal, SIZE_PX), None, cv2.INTER_CUBIC,
                                   borderMode=cv2.BORDER_REPLICATE) for pair in bar]).astype(np.float32)


def looks_of(comics: NDArray, points: NDArray) -> NDArray:
    """What people are compared by, their light and contrast taken away: float [comic, value]."""
    low, high = points.min(0).astype(int), points.max(0).astype(int)
    faces = comics[:, low[1]:high[1], low[0]:high[0]].mean(-1)
    looks = np.stack([cv2.resize(face, (_LOOK_PX, _LOOK_PX), interpolation=cv2.INTER_AREA).ravel() for face in faces])
    return (looks - looks.mean(1, keepdims=True)) / looks.std(1, keepdims=True)


def groups_of(looks: NDArray, numbers: NDArray) -> list:
    """`numbers` of people, halved again and again where their `looks` differ most, down to FEWEST: a list of arrays."""
    if len(numbers) < 2 * FEWEST:
        return [numbers]
    own = looks[numbers] - looks[numbers].mean(0)
    along = np.linalg.svd(own, full_matrices=False)[2][0]
    halves = np.array_split(numbers[(own @ along).argsort()], 2)
    return [group for half in halves for group in groups_of(looks, half)]


def people_of(pairs_folder: str | Path) -> tuple[list[dict], Pairs]:
    """The comics of one style to make faces of, a pair each, and all pairs. Raises InputError when there are too few people."""
    train = load_pairs(pairs_folder, "train")
    own = [pair for pair, style in zip(train.pairs, train.styles) if style == STYLES[0]]
    if len(own) < 2 * FEWEST:
        raise InputError(pairs_folder, f"{len(own)} comics of style {STYLES[0]}", f"{2 * FEWEST} or more",
                         "make train-avatar COMICS=path/to/face2comics")
    return own, train


def make(own: Sequence[dict], train: Pairs, index: str | Path, out: str | Path) -> Path:
    """Write the faces to `out`; `own` and `train` of `people_of`, `index` of the pairs."""
    points = face68.to_pixel_space(np.array(mean_face(train), np.float32)[None], POSE[None])[0]
    comics = warped(own, points)
    groups = groups_of(looks_of(comics, points), np.arange(len(comics)))
    both = np.concatenate([comics, comics[:, :, ::-1]])  # glasses and stray lines of one of them do not stay in a median
    faces = np.stack([np.median(both[[*numbers, *numbers + len(comics)]], 0) for numbers in groups])
    faces = (faces.mean(0) + BOLDNESS * (faces - faces.mean(0))).clip(0, 255).round().astype(np.uint8)
    embeddings = [face_detector.embedding_in(face, (*points.min(0), *points.max(0))) for face in faces]
    with artifacts.described(out, "other-faces", stage=STAGE, options={"fewest": FEWEST}, inputs=[index],
                             people=[len(numbers) for numbers in groups], points=points.astype(float).round(2).tolist(),
                             embeddings=np.round(embeddings, 4).tolist()) as (part, _):
        Image.fromarray(np.hstack(faces)).save(part)
    return Path(out)


@stage(reads="PAIRS/, its comics", writes="RECORD/00001/ with faces.png, run.json", examples=("python -m avatar.other_faces",))
@click.option("--pairs", type=click.Path(path_type=Path), default=Path("data/avatar_pairs"), help="Photos with comics.")
@run_options("GAN_record", resumes=False)
def main(pairs, record, trained) -> None:
    """Make the faces that comics wear in place of a person's own."""
    def prepare(_options, index):
        own, train = people_of(pairs)
        return lambda run: make(own, train, index, run / "faces.png")

    click.echo(train_as_asked(prepare, stage=STAGE, data=pairs / "index.csv", options={"fewest": FEWEST}, record=record,
                              trained=trained, resumes=False))


if __name__ == "__main__":
    main()
