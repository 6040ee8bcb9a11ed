"""Video to upright face pictures: every Nth frame, moved so that face space lies the same way in each.

Reads: LANDMARKS/index.csv, LANDMARKS/CLIP.pose.npy and the recordings' pictures.
Writes: OUT/CLIP.npy (face-crops, uint8 [frame, row, column, rgb]) and OUT/index.csv
The landmarks of a crop are LANDMARKS/CLIP.face.npy[::every] under `crop_pose`, which its sidecar keeps as `view`. A frame
without a face is black and counted.
"""

from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts, blocks
from core.corpus import jobs_option, output_path, run_stage
from core.errors import InputError
from core.face.crop import align_face
from core.index import read_index
from core.media.video import read_frames
from core.stage import stage

STAGE = "preprocess.crop_faces"
SIZE_PX = 256
EYE_DISTANCE = 0.27  # of the crop's side: an open-mouthed chin still lies inside
EYES_AT = (0.5, 0.38)  # x, y of the midpoint between the eyes, of the crop's side


def crop_pose(size_px: int = SIZE_PX) -> NDArray:
    """Pose that puts a face-space face in a crop -> float [4] for `face68.to_pixel_space`."""
    return np.array([size_px * EYE_DISTANCE, 0, size_px * EYES_AT[0], size_px * EYES_AT[1]])


def crop_face(frame: NDArray, pose: NDArray, size_px: int = SIZE_PX) -> NDArray:
    """`core.face.crop.align_face`, under `crop_pose`: uint8 [size_px, size_px, rgb]; black when `pose` is NaN."""
    return align_face(frame, pose, crop_pose(size_px), (size_px, size_px))


def crop_clip(row: dict, out: str | Path, options: dict) -> dict:
    """Write one clip's crops; return their number and how many have no face."""
    if not row["picture"]:
        raise InputError(row["sound"], "no picture", "a video")
    path, pose_path = output_path(out, row, ".npy"), output_path(options["landmarks"], row, ".pose.npy")
    made = {"every": options["every"], "size_px": options["size_px"]}
    about: dict[str, Any] = {"stage": STAGE, "options": made, "inputs": [row["picture"], pose_path]}
    poses = artifacts.load(pose_path, "head-pose").array
    if not artifacts.is_current(path, "face-crops", **about):
        chosen = islice(zip(read_frames(row["picture"]), poses), 0, None, made["every"])
        crops = (crop_face(frame, pose, made["size_px"])[None] for frame, pose in chosen)
        n_missing = int(np.isnan(poses[::made["every"]]).any(1).sum())
        blocks.save(path, crops, "face-crops", missing_frames=n_missing, **made, **about,
                    view=crop_pose(made["size_px"]).tolist())
    sidecar = artifacts.read_sidecar(path)
    return {"crops": sidecar["shape"][0], "missing_crops": sidecar["missing_frames"], **made}


@stage(reads="LANDMARKS/index.csv, LANDMARKS/CLIP.pose.npy, the recordings", writes="OUT/CLIP.npy (face-crops), OUT/index.csv",
       examples=("python -m preprocess.crop_faces --speaker grid_s1 --every 10",
                 "python -m preprocess.crop_faces --speaker actor_ --size 128"))
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/crops"), help="Folder of the crops.")
@click.option("--speaker", default="", help="Only speakers whose name begins so; all when empty.")
@click.option("--clips-of-speaker", type=click.IntRange(1), help="Clips of a speaker, at most, spread evenly.  [default: all]")
@click.option("--every", type=click.IntRange(1), default=10, help="Take every Nth frame.")
@click.option("--size", "size_px", type=click.IntRange(16, 2048), default=SIZE_PX, help="Side of a crop, px.")
@jobs_option
def main(landmarks, out, speaker, clips_of_speaker, every, size_px, jobs) -> None:
    """Cut upright face pictures out of the recordings."""
    options = {"every": every, "size_px": size_px, "landmarks": str(landmarks)}
    clips = {}
    for row in read_index(landmarks / "index.csv", "speaker"):
        if row["speaker"].startswith(speaker):
            clips.setdefault(row["speaker"], []).append(row["clip"])
    chosen = {clip for own in clips.values() for clip in own[::-(-len(own) // (clips_of_speaker or len(own)))]}
    click.echo(run_stage(crop_clip, landmarks / "index.csv", out, stage=STAGE, options=options, jobs=jobs,
                         columns=("picture", "sound", "speaker"), only=lambda row: row["clip"] in chosen))


if __name__ == "__main__":
    main()
