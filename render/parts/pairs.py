"""Pairs to train a painter on: one frame of a recording as the photo, a part of the face in another as the truth.

Reads: LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose,rest}.npy and the recordings' pictures.
Writes: OUT/CLIP.h5 (mouth-pairs, eyes-pairs) and OUT/index.csv. A pair is what `part_view` gives for the photo when it is moved
as `pair_choice` says, beside the other frame's own pixels in the same view.
"""

import zlib
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.corpus import jobs_option, output_path, run_stage
from core.errors import InputError
from core.face.crop import align_face
from core.files import write_hdf5
from core.index import read_index
from core.media.video import read_frames
from core.stage import stage
from render.parts.pair_choice import TURNED, choose_eyes, choose_mouths
from render.parts.part import EYES, LARGE_MOUTH, MOUTH, PARTS, Part
from render.parts.view import PartView
from render.warp import CREASE

STAGE = "render.parts.pairs"
_MOUTHS = choose_mouths, "no two frames with the head held alike"
_CHOOSE = {MOUTH: _MOUTHS, LARGE_MOUTH: _MOUTHS,
           EYES: (choose_eyes, "no shut eyes beside open ones with the head held alike")}


def pairs_of(part: Part, picture: Any, face: NDArray, pose: NDArray, rest: NDArray, photo: NDArray, shown: NDArray,
             moved: NDArray) -> dict[str, NDArray]:
    """Make pairs of a video: arrays by name, each [pair or photo, row, column, channel], and `photo_of` [pair]."""
    wanted: dict[int, Any] = {int(t): None for t in (*photo, *shown)}
    for t, frame in enumerate(read_frames(picture)):
        if t in wanted:
            wanted[t] = frame
    photos, photo_of = np.unique(photo, return_inverse=True)
    views = [PartView(part, wanted[t], face[t], pose[t], middle=part.middle(rest)) for t in photos]
    warped = [views[i].warp_photo(views[i].warp.solve(points)) for i, points in zip(photo_of, moved)]
    return {"photo": np.stack([v.picture for v in views]), "photo_masks": np.stack([v.masks(v.face) for v in views]),
            "photo_of": photo_of, "warped": np.stack(warped),
            "masks": np.stack([views[i].masks(points) for i, points in zip(photo_of, moved)]),
            "truth": np.stack([align_face(wanted[t], pose[t], views[0].view, part.size) for t in shown])}


def pair_clip(row: dict, out: str | Path, options: dict) -> dict:
    """Write one clip's pairs; return their number."""
    if not row["picture"]:
        raise InputError(row["sound"], "no picture", "a video")
    part, path = PARTS[options["part"]], output_path(out, row, ".h5")
    inputs = [row["picture"], *(output_path(options["landmarks"], row, f".{name}.npy") for name in ("face", "pose", "rest"))]
    n_pairs = max(1, min(options["most"], options["of_speaker"] // options["clips"][row["speaker"]]))
    kind, view = f"{part.name}-pairs", [*part.size, part.unit_px, part.near_px]
    settings = {"pairs": n_pairs, "view": view, "turned": TURNED, "crease": CREASE}
    about: dict[str, Any] = {"stage": STAGE, "options": settings, "inputs": inputs}
    if not artifacts.is_current(path, kind, **about):
        face, pose, rest = (artifacts.load(p).array for p in inputs[1:])
        rng = np.random.default_rng(zlib.crc32(row["clip"].encode()))
        choose, nothing = _CHOOSE[part]
        chosen = choose(face, n_pairs, rng)
        if not len(chosen[0]):
            raise InputError(row["picture"], nothing, "a face that looks at the camera")
        about |= {"pairs": len(chosen[0]), "eye_distance_px": float(np.nanmedian(pose[:, 0]))}
        with artifacts.described(path, kind, **about) as (whole, _):
            write_hdf5(whole, pairs_of(part, row["picture"], face, pose, rest, *chosen))
    return {name: artifacts.read_sidecar(path)[name] for name in ("pairs", "eye_distance_px")}


def is_sharp(row: dict, landmarks: str | Path, part: Part) -> bool:
    """Whether the face of a recording is as large as the part asks for."""
    if not part.least_px or row.get("problem"):
        return True
    pose = artifacts.load(output_path(landmarks, row, ".pose.npy")).array
    return bool(np.nanmedian(pose[:, 0]) >= part.least_px)


@stage(reads="LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose,rest}.npy, the recordings",
       writes="OUT/CLIP.h5 (mouth-pairs or eyes-pairs), OUT/index.csv",
       examples=("python -m render.parts.pairs", "python -m render.parts.pairs --part eyes"))
@click.option("--part", type=click.Choice(list(PARTS)), default=MOUTH.name, help="Of the face.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path),
              help=f"Folder of the pairs.  [default: {', '.join(part.pairs for part in PARTS.values())}]")
@click.option("--most", type=click.IntRange(1), default=120, help="Pairs of a clip, at most.")
@click.option("--of-speaker", type=click.IntRange(1), default=160, help="Pairs of a speaker, at most, but one a clip.")
@click.option("--clips-of-speaker", type=click.IntRange(1), help="Clips of a speaker, at most, spread evenly.  [default: all]")
@jobs_option
def main(part, landmarks, out, most, of_speaker, clips_of_speaker, jobs) -> None:
    """Pair frames of recordings, to learn how mouths and shut eyes look that a photo does not show."""
    clips = {}
    for row in read_index(landmarks / "index.csv", "speaker"):
        clips.setdefault(row["speaker"], []).append(row["clip"])
    clips = {speaker: own[::-(-len(own) // (clips_of_speaker or len(own)))] for speaker, own in clips.items()}
    chosen = {clip for own in clips.values() for clip in own}
    options = {"part": part, "landmarks": str(landmarks), "most": most, "of_speaker": of_speaker,
               "clips": {speaker: len(own) for speaker, own in clips.items()}}
    out = Path(out or PARTS[part].pairs)
    click.echo(run_stage(pair_clip, landmarks / "index.csv", out, stage=STAGE, options=options, jobs=jobs,
                         only=lambda row: row["clip"] in chosen and is_sharp(row, landmarks, PARTS[part]),
                         columns=("picture", "sound", "speaker")))


if __name__ == "__main__":
    main()
