"""Align photos and the comics drawn of them point by point, as training pairs.

Reads: CORPUS/face/NAME.jpg and CORPUS/comic/NAME.jpg (Face2Comics).
Writes: OUT/NAME.npz (avatar-pair) and OUT/index.csv. A comic is warped so that its 68 points lie where the photo's do: a
mouth that was drawn shut, or a chin drawn longer, would otherwise teach blur, and avatars whose landmarks drift.
Source: thin plate splines, Bookstein 1989.
"""

import re
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from avatar.alignment import SIZE_PX, STYLES, warp_of
from core import artifacts
from core.corpus import jobs_option, run_stage
from core.errors import InputError
from core.face import face68
from core.index import write_index
from core.media.picture import read_photo
from core.stage import stage

STAGE = "avatar.pairs"
N_HELD_OUT = 12  # people
FARTHEST = 0.2  # eye distances photo and comic may lie apart on average: beyond, one was measured wrongly
_FOUND_PX = 512  # the detector needs faces of 80 px


def style_and_person(name: str) -> tuple[str, str]:
    """The sheet a picture was cut from, and who is on it: both sheets show the same people in the same order.

    The large pictures of the first sheet are of other people, those of the second of its first ones.
    """
    parts = re.fullmatch(r"(v\d)_(\d+)_(\d+)", name)
    if not parts:
        return STYLES[0], name
    style, size, number = parts.groups()
    return style, name if (style, size) == (STYLES[0], "512") else number


def read_picture(path: str | Path) -> NDArray:
    """A picture of any size as uint8 [_FOUND_PX, _FOUND_PX, rgb]. Raises InputError when it is none."""
    return cv2.resize(read_photo(path), (_FOUND_PX, _FOUND_PX), interpolation=cv2.INTER_CUBIC)


def pair_up(photo: NDArray, comic: NDArray, where: str | Path) -> tuple[NDArray, NDArray, NDArray]:
    """Photo, comic warped to it, points: uint8 [SIZE_PX, SIZE_PX, rgb] twice, float32 [68, 2] px. Raises InputError."""
    from core.face.face_detector import landmarks_of_picture
    (points, _), (drawn, _) = (landmarks_of_picture(picture) for picture in (photo, comic))
    if points is None or drawn is None:
        raise InputError(where, f"no face found in the {'photo' if points is None else 'comic'}", "a frontal face in both")
    apart = np.linalg.norm(points - drawn, axis=1).mean() / face68.eye_distance(points)
    if apart > FARTHEST:
        raise InputError(where, f"photo and comic lie {apart:.2f} eye distances apart", f"at most {FARTHEST}")
    comic = cv2.remap(comic, warp_of(drawn, points, _FOUND_PX), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    photo, comic = (cv2.resize(picture, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA) for picture in (photo, comic))
    return photo, comic, ((points + 0.5) * SIZE_PX / _FOUND_PX - 0.5).astype(np.float32)


def write_pair(row: dict, out: str | Path, options: dict) -> dict:
    """Write one pair."""
    path, inputs = Path(out) / f"{row['clip']}.npz", [row["photo"], row["comic"]]
    about: dict[str, Any] = {"stage": STAGE, "options": {"size_px": SIZE_PX}, "inputs": inputs}
    if not artifacts.is_current(path, "avatar-pair", **about):
        photo, comic, points = pair_up(read_picture(row["photo"]), read_picture(row["comic"]), row["photo"])
        with artifacts.described(path, "avatar-pair", **about) as (part, _), open(part, "wb") as stream:
            np.savez_compressed(stream, photo=photo, comic=comic, points=points)
    return {}


def list_pairs(corpus: str | Path) -> list:
    """A row a pair of the folder: clip (its name), split, speaker (the person), style, photo, comic. Raises InputError."""
    corpus, rows = Path(corpus), []
    for photo in sorted((corpus / "face").glob("*.jpg")):
        comic = corpus / "comic" / photo.name
        if comic.is_file():
            style, person = style_and_person(photo.stem)
            rows.append({"clip": photo.stem, "speaker": person, "style": style, "photo": str(photo), "comic": str(comic),
                         "licence": "MIT"})
    if not rows:
        raise InputError(corpus, "no pairs", "face/NAME.jpg and comic/NAME.jpg",
                         "make train-avatar COMICS=path/to/face2comics")
    people = sorted({row["speaker"] for row in rows})
    every = max(2, len(people) // N_HELD_OUT)
    held_out = set(people[1::every][:N_HELD_OUT])
    return [{**row, "split": "val" if row["speaker"] in held_out else "train"} for row in rows]


@stage(reads="CORPUS/face/, CORPUS/comic/", writes="OUT/NAME.npz (avatar-pair), OUT/index.csv",
       examples=("python -m avatar.pairs path/to/face2comics",))
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/avatar_pairs"), help="Folder of the pairs.")
@jobs_option
def main(corpus, out, jobs) -> None:
    """Bring comics to the photos they were drawn of; some people are held out for testing, with all their pictures."""
    listed = write_index(out / "listed" / "index.csv", list_pairs(corpus), stage=STAGE)
    click.echo(run_stage(write_pair, listed, out, stage=STAGE, options={}, jobs=jobs, columns=("photo", "comic", "split")))


if __name__ == "__main__":
    main()
