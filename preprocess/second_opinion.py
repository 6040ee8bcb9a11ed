"""How far a second measurement of the mouth agrees with the landmarks, clip by clip: what labels are to be trusted.

Reads: data/landmarks/index.csv, CLIP.face.npy and CLIP.pose.npy; the recordings' pictures; MediaPipe's face mesh, whose package
is installed for this alone.
Writes: data/second_opinion/index.csv with the columns opening_agreement (correlation of the two openings), opening_ratio (ratio
of their standard deviations, the mesh's over the landmarks') and compared_frames.
The mesh is told where the head is, and finds the lips by itself. Its opening is smoothed in time as the landmarks are.
Source: Kartynnik et al. 2019, Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs.
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.corpus import jobs_option, output_path, run_stage
from core.errors import InputError
from core.face import face68
from core.face.mesh import mesh_file, mesh_points, upright_face
from core.media.video import read_frames
from core.metrics import correlation
from core.stage import stage
from preprocess.landmarks_of_video import smooth_in_time

STAGE = "preprocess.second_opinion"
FEWEST = 25  # frames to compare
INNER_LIPS, EYE_CORNERS = (13, 14), ((33, 133), (362, 263))  # of the mesh's 468 points


def mesh_opening(points: NDArray) -> float:
    """How far the inner lips of a mesh are apart, eye distances."""
    eyes = [points[list(corners), :2].mean(0) for corners in EYE_CORNERS]
    return float(np.linalg.norm(np.subtract(*points[list(INNER_LIPS), :2])) / np.linalg.norm(eyes[1] - eyes[0]))


def agreement(mesh: NDArray, landmarks: NDArray) -> dict:
    """How two openings [frame] agree, NaN where there is none; the first is not smoothed yet. Columns of the index.

    Raises
    ------
    ValueError : fewer than FEWEST frames have both.
    """
    mesh = smooth_in_time(mesh)
    both = np.isfinite(mesh) & np.isfinite(landmarks)
    if both.sum() < FEWEST:
        raise ValueError(f"{both.sum()} frames with a face")
    mesh, landmarks = mesh[both], landmarks[both]
    return {"opening_agreement": round(correlation(mesh, landmarks), 3),
            "opening_ratio": round(float(mesh.std() / max(landmarks.std(), 1e-6)), 3), "compared_frames": int(both.sum())}


def compare_clip(row: dict, _out: str | Path, options: dict) -> dict:
    """Measure one clip's mouth by the mesh; return how far that agrees with its landmarks."""
    files = [output_path(options["landmarks"], row, suffix) for suffix in (".face.npy", ".pose.npy")]
    face, pose = (artifacts.load(path, kind).array for path, kind in zip(files, ("landmarks-face", "head-pose")))
    opening = np.full(len(pose), np.nan)
    for t, (frame, where) in enumerate(zip(read_frames(row["picture"]), pose)):
        if np.isfinite(where).all():
            opening[t] = mesh_opening(mesh_points(upright_face(frame, where)))
    try:
        return agreement(opening, face68.mouth_opening(face))
    except ValueError as error:
        raise InputError(row["picture"], str(error), f"{FEWEST} or more") from None


@stage(reads="LANDMARKS/index.csv, CLIP.face.npy, CLIP.pose.npy, the recordings", writes="OUT/index.csv",
       examples=("python -m preprocess.second_opinion",))
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/second_opinion"), help="Folder of the index.")
@jobs_option
def main(landmarks, out, jobs) -> None:
    """Measure the mouth of every clip a second time, by MediaPipe's face mesh, and compare."""
    mesh_file()
    click.echo(run_stage(compare_clip, landmarks / "index.csv", out, stage=STAGE, options={"landmarks": str(landmarks)},
                         jobs=jobs, columns=("clip", "picture")))


if __name__ == "__main__":
    main()
