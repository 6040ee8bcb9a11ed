"""Measure what photos of faces do when they are hard to find, and whether their warps fold: a folder of photos, no recordings.

Reads: PICTURES, a folder of photos; LANDMARKS/index.csv, LANDMARKS/CLIP.{face,rest}.npy, whose motions move them.
Writes: OUT (metrics)
A photo in which dlib finds a face is made dark, small or tilted. Found is a face whose points lie less than CLOSE off those of
the untouched photo, carried along. A warp folds where a cell of its field turns over; counted apart from cells that a part is
painted over. Motions are frames of all clips, eyes shut by chance.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError
from core.face import face68, face_detector
from core.face.mesh import apart
from core.face.second_look import checked, look_again
from core.index import read_index
from core.media.picture import read_photo
from core.stage import progress, stage
from learn.measures import markdown, report
from render.liveliness import close_lids
from render.motion import uncross
from render.parts.rest import OPEN
from render.warp import CELL, FaceWarp, areas

STAGE = "render.parts.evaluate_stills"
LONGEST_PX, PLACE_PX = 640, 640  # photos are shrunk to; picture that a small face stands in
CLOSE = 0.25  # eye distances
NOISE = 2.5  # of a sensor in the dark, standard deviation in 255
SHUT_SHARE = 0.3  # of the motions
_SAME = np.eye(2, 3)


def _dark(picture, _, light, rng):
    return (picture * light + rng.normal(0, NOISE, picture.shape)).clip(0, 255).astype(np.uint8), _SAME


def _small(picture, points, eyes_px, _):
    factor = eyes_px / float(face68.eye_distance(points))
    place = np.array([[factor, 0, 0], [0, factor, 0]])
    place[:, 2] = PLACE_PX / 2 - factor * points.mean(0)
    return cv2.warpAffine(cv2.GaussianBlur(picture, (0, 0), max(0.1, 0.4 / factor)), place, (PLACE_PX, PLACE_PX),
                          borderMode=cv2.BORDER_REPLICATE), place


def _tilted(picture, _, degrees, rng):
    rows, columns = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees * rng.choice((-1, 1)), 1)
    side = int(np.hypot(rows, columns))
    turn[:, 2] += (side - columns) / 2, (side - rows) / 2
    return cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REPLICATE), turn


HARDER = {"as it is": None, "light 0.1": (_dark, 0.1), "light 0.04": (_dark, 0.04), "eyes 20 px apart": (_small, 20),
          "eyes 12 px apart": (_small, 12), "tilted by 30 degrees": (_tilted, 30), "tilted by 50 degrees": (_tilted, 50)}


def _close(points, truth):
    return any(apart(found, truth) < CLOSE for found in points)


def faces_found(picture: NDArray, points: NDArray, rng: np.random.Generator) -> dict[str, tuple[bool, bool]]:
    """Whether the face of a photo is found in each of HARDER, by dlib alone and with a second look.

    `picture` uint8 [row, column, rgb]; `points` float [68, 2] px, of the photo as it is
    """
    found = {}
    for name, how in HARDER.items():
        shown, moved = how[0](picture, points, how[1], rng) if how else (picture, _SAME)
        truth, grey = points @ moved[:, :2].T + moved[:, 2], face_detector.grey(shown)
        boxes = face_detector.detect_all(grey)
        points_found = [face_detector.landmarks_in(grey, box).astype(np.float32) for box in boxes]
        again = None if len(boxes) else look_again(shown)
        now = [again.points] if again else [checked(shown, each) for each in points_found]
        found[name] = _close(points_found, truth), _close(now, truth)
    return found


def offsets_of(landmarks: Path, rng: np.random.Generator) -> Iterator[NDArray]:
    """Offsets from rest, float32 [68, 2], of frames of any clip, without end."""
    rows = [row for row in read_index(landmarks / "index.csv") if not row.get("problem")]
    held = {}
    while True:
        clip = rows[rng.integers(len(rows))]["clip"]
        if clip not in held:
            face, rest = (artifacts.load(landmarks / f"{clip}.{name}.npy", kind).array
                          for name, kind in (("face", "landmarks-face"), ("rest", "rest-face")))
            held[clip] = (face - rest)[np.isfinite(face).all((1, 2))]
        if len(held[clip]):
            yield held[clip][rng.integers(len(held[clip]))]


def n_folds(face: NDArray, offsets: Iterator[NDArray], n: int, rng: np.random.Generator) -> tuple[int, int]:
    """Of `n` motions of `face` [68, 2], how many fold its warp where nothing is painted; and how many would, not unfolded."""
    base = face68.closed_mouth(face)
    warp = FaceWarp(face68.closed_mouth(face, 0) if face68.mouth_opening(face) >= OPEN else face)
    folded = would = 0
    for _, offset in zip(range(n), offsets):
        moved = close_lids(uncross(base + offset), rng.random() * (rng.random() < SHUT_SHARE))
        solved = warp.solve(moved)
        seen = ~warp.painted(solved)
        folded += bool((areas(warp.field(solved) / CELL)[seen] <= 0).any())
        would += bool((areas(warp.field(solved, folds=True) / CELL)[seen] <= 0).any())
    return folded, would


@stage(reads="PICTURES, LANDMARKS/", writes="OUT (metrics)",
       examples=("python -m render.parts.evaluate_stills data/stills",
                 "python -m render.parts.evaluate_stills data/stills --motions 20"))
@click.argument("pictures", type=click.Path(path_type=Path))
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--photos", type=click.IntRange(1), default=40, help="How many, evenly spread over the folder.")
@click.option("--motions", type=click.IntRange(0), default=200, help="Of each photo.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/stills.json"), help="The measures.")
def main(pictures, landmarks, photos, motions, out) -> None:
    """Measure how often faces are found in hard photos, and whether warps fold."""
    paths = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    if not paths:
        raise InputError(pictures, "no photos", "a folder of .jpg, .png or .webp")
    paths = [paths[k] for k in np.linspace(0, len(paths) - 1, min(photos, len(paths))).astype(int)]
    rng, found, folds = np.random.default_rng(0), [], np.zeros(2, int)
    offsets = offsets_of(landmarks, rng) if motions else iter(())
    with progress(paths, "stills") as bar:
        for path in bar:
            picture = read_photo(path)
            if (factor := LONGEST_PX / max(picture.shape)) < 1:
                picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            points, _ = face_detector.landmarks_of_picture(picture)
            if points is None:
                continue
            found.append(faces_found(picture, points, rng))
            folds += n_folds(uncross(face68.to_face_space(points[None])[0][0]), offsets, motions, rng)
    if not found:
        raise InputError(pictures, f"no face in {len(paths)} photos", "photos of faces")
    table = {name: [int(sum(photo[name][k] for photo in found)) for k in (0, 1)] for name in HARDER}
    text = markdown(("photo", "photos", "found by dlib", "with a second look"),
                    [(name, len(found), *counts) for name, counts in table.items()])
    text += f"\nwarps that fold: {folds[0]} of {motions * len(found)}; without being unfolded {folds[1]}"
    report(out, {"photos": len(found), "found": table, "motions": motions * len(found), "folded": folds.tolist()}, text,
           stage=STAGE, options={"photos": photos, "motions": motions},
           inputs=[landmarks / "index.csv"] if motions else [])


if __name__ == "__main__":
    main()
