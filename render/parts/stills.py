"""Pairs of single pictures to train the painter of large mouths on: a smile, and the same with its mouth shut, moved back.

Reads: FOLDER of sharp frontal faces; FOLDER/stills.csv (name, split, licence), where there is one.
Writes: OUT/NAME.h5 (large_mouth-pairs) and OUT/index.csv. The picture warped to another shape of the mouth stands for the photo
and is moved back; the picture itself is the truth. What shows of the teeth in a shut mouth is hidden: it could be copied.
"""

import csv
import zlib
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.corpus import jobs_option, run_stage
from core.errors import InputError
from core.face import face68
from core.face.crop import align_face
from core.face.face_detector import landmarks_of_picture
from core.files import write_hdf5
from core.index import write_index
from core.media.picture import read_photo
from core.stage import stage
from render import portrait
from render.parts.part import LARGE_MOUTH, lip_outline
from render.parts.view import PartView
from render.photo import Photo

STAGE = "render.parts.stills"
OPEN = (0, 0, 0, 0.5)  # of the picture's own opening: each makes a photo, shut or half open
WIDTH = 0.06  # standard deviation of a photo's mouth's width, of the picture's own
HIDDEN = 0.045  # eye distances around the line of shut lips: teeth show through there
N_HELD_OUT = 12  # every so many pictures one is `val`, where no list says which
SUFFIXES = (".jpg", ".jpeg", ".png")
STILL = np.zeros(5, np.float32)


def list_stills(folder: Path) -> list[dict]:
    """A row a picture: clip (its name), split, speaker, licence, picture. Raises InputError without any."""
    listed = folder / "stills.csv"
    if listed.is_file():
        with open(listed, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    else:
        names = sorted(path.name for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
        rows = [{"name": name, "split": "train" if i % N_HELD_OUT else "val"} for i, name in enumerate(names)]
    if not rows:
        raise InputError(folder, "no pictures", "sharp frontal faces, .jpg or .png",
                         "python -m render.parts.stills path/to/pictures")
    return [{"clip": Path(row["name"]).stem, "split": row["split"], "speaker": Path(row["name"]).stem,
             "licence": row.get("licence", ""), "picture": str(folder / row["name"])} for row in rows]


def with_mouth(face: NDArray, share: float, width: float) -> NDArray:
    """Points [68, 2] in face space, the mouth open by `share` of what it is, and its lips `width` times as wide."""
    shut = face68.closed_mouth(face, 0)
    moved = shut + share * (face - shut)
    moved[face68.MOUTH, 0] += (width - 1) * (moved[face68.MOUTH, 0] - moved[face68.MOUTH, 0].mean())
    return moved


def hide_teeth(photo: Photo) -> NDArray:
    """The picture of shut lips, with the line between them drawn from the skin around it: uint8 [row, column, rgb]."""
    line = face68.to_pixel_space(lip_outline(photo.face)[None], photo.pose)[0]
    mask = np.zeros(photo.picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(line).astype(np.int32)], 255)
    reach = max(1, round(HIDDEN * float(photo.pose[0])))
    mask = cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return cv2.inpaint(photo.picture, mask, 3, cv2.INPAINT_TELEA)


def pairs_of(photo: Photo, rng: np.random.Generator) -> dict[str, NDArray]:
    """Pairs of one picture, a photo for each of OPEN: arrays by name, as `render.parts.pairs.pairs_of` makes them."""
    found: dict[str, list] = {name: [] for name in ("photo", "photo_masks", "warped", "masks", "truth")}
    for share in OPEN:
        face = with_mouth(photo.face, share, 1 + rng.normal(0, WIDTH))
        moved = next(portrait.frames(photo, [(face, STILL)]))
        other = Photo(photo.path, moved, face68.to_pixel_space(face[None], photo.pose)[0])
        picture = other.picture if share else hide_teeth(other)
        view = PartView(LARGE_MOUTH, picture, face, photo.pose)
        for name, value in (("photo", view.picture), ("photo_masks", view.masks(face)), ("masks", view.masks(photo.face)),
                            ("warped", view.warp_photo(view.warp.solve(photo.face))),
                            ("truth", align_face(photo.picture, photo.pose, view.view, LARGE_MOUTH.size))):
            found[name].append(value)
    return {"photo_of": np.arange(len(OPEN)), **{name: np.stack(values) for name, values in found.items()}}


def pair_still(row: dict, out: Path, _options: dict) -> dict:
    """Write one picture's pairs; return their number and the distance of its eyes."""
    path, kind = Path(out) / f"{row['clip']}.h5", f"{LARGE_MOUTH.name}-pairs"
    settings = {"open": OPEN, "width": WIDTH, "hidden": HIDDEN}
    about: dict[str, Any] = {"stage": STAGE, "options": settings, "inputs": [row["picture"]]}
    if not artifacts.is_current(path, kind, **about):
        picture = read_photo(row["picture"])
        points, _ = landmarks_of_picture(picture)
        if points is None:
            raise InputError(row["picture"], "no face found", "a sharp frontal face")
        photo = Photo(Path(row["picture"]), picture, points)
        about |= {"pairs": len(OPEN), "eye_distance_px": float(photo.pose[0])}
        with artifacts.described(path, kind, **about) as (whole, _):
            write_hdf5(whole, pairs_of(photo, np.random.default_rng(zlib.crc32(row["clip"].encode()))))
    return {name: artifacts.read_sidecar(path)[name] for name in ("pairs", "eye_distance_px")}


@stage(reads="FOLDER/ of pictures, FOLDER/stills.csv where there is one", writes="OUT/NAME.h5, OUT/index.csv",
       examples=("python -m render.parts.stills path/to/pictures",))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path(LARGE_MOUTH.pairs) / "stills",
              help="Folder of the pairs.")
@jobs_option
def main(folder, out, jobs) -> None:
    """Pair pictures of open mouths with themselves, shut: they teach how teeth look that a photo does not show."""
    listed = write_index(out / "listed" / "index.csv", list_stills(folder), stage=STAGE)
    click.echo(run_stage(pair_still, listed, out, stage=STAGE, options={}, jobs=jobs, columns=("picture", "split")))


if __name__ == "__main__":
    main()
