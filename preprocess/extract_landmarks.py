"""Video to 68 face points a frame, in pixel and in face space, with head pose and rest face.

Reads: data/recordings/index.csv and the recordings' pictures.
Writes: data/landmarks/CLIP.pixel.npy CLIP.face.npy CLIP.pose.npy CLIP.rest.npy and data/landmarks/index.csv
Two passes over the stream: faces first (their boxes are smoothed in time, so the points do not jump with the
detector), then points. A frame without a face is NaN and counted; several faces: the one that was there before.
Memory holds a block of frames, however long the clip.
"""

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts, blocks
from core.corpus import jobs_option, output_path, run_stage
from core.errors import InputError
from core.events import Warned
from core.face import face68
from core.face import face_detector as fd
from core.files import fitting
from core.media.footage import open_footage
from core.media.video import read_frames
from core.stage import stage, tell
from preprocess.landmarks_of_video import DETECT_EVERY, LONGEST_GAP, SMOOTH_WINDOW, face_boxes, measure_in_blocks, smooth_blocks
from preprocess.video_faces import write_seen

STAGE = "preprocess.extract_landmarks"
TEMPLATE_FRAMES = 2048  # the median of a clip's rigid points needs no more
KINDS = {".pixel.npy": "landmarks-pixel", ".face.npy": "landmarks-face", ".pose.npy": "head-pose", ".rest.npy": "rest-face"}


def clip_template(pixel: str | Path, n_frames: int) -> NDArray:
    """`face68.rigid_template` of a landmarks-pixel .npy of `n_frames`, from at most TEMPLATE_FRAMES of its faces."""
    step, n_seen, kept = -(-n_frames // TEMPLATE_FRAMES), 0, []
    for points in smooth_blocks(pixel):
        points = points[np.isfinite(points).all((1, 2))]
        kept.append(points[-n_seen % step::step])
        n_seen += len(points)
    return face68.rigid_template(np.concatenate(kept))


def rest_of(path: str | Path, opening: NDArray) -> NDArray:
    """`face68.rest_face` of a landmarks-face .npy whose mouth openings, float [frame], are known."""
    closed, first, total = np.sort(face68.closed_frames(opening)), 0, np.zeros((face68.N_POINTS, 2))
    for face, _ in blocks.each(path):
        own = closed[(closed >= first) & (closed < first + len(face))]
        total += face[own - first].sum(0, dtype=np.float64)
        first += len(face)
    return (total / len(closed)).astype(np.float32)


def write_landmarks(source: str | Path, paths: dict[str, Path], about: dict) -> None:
    """Measure a video and write its four files; `paths` by suffix, `about` for their sidecars."""
    boxes, most_faces = face_boxes(read_frames(source))
    if not np.isfinite(boxes).any():
        raise InputError(source, f"no face in any of {len(boxes)} frames",
                         "a video of a face, seen from the front, 80 px or more")
    about = {**about, "most_faces": most_faces}
    shape = blocks.save(paths[".pixel.npy"], measure_in_blocks(source, boxes), KINDS[".pixel.npy"], **about)
    assert shape is not None  # a face was seen: there are frames
    _write_in_face_space(paths, shape[0], about)


def _write_in_face_space(paths, n_frames, about):
    """The other files of a clip whose points in pixels are written."""
    pixel, poses, opening = paths[".pixel.npy"], [], []
    template = clip_template(pixel, n_frames)

    def faces():
        for points in smooth_blocks(pixel):
            face, pose = face68.to_face_space(points, template)
            poses.append(pose)
            opening.append(face68.mouth_opening(face))
            yield face

    blocks.save(paths[".face.npy"], faces(), KINDS[".face.npy"], **about)
    rest = rest_of(paths[".face.npy"], np.concatenate(opening))
    artifacts.save(paths[".pose.npy"], np.concatenate(poses), KINDS[".pose.npy"], **about)
    artifacts.save(paths[".rest.npy"], rest, KINDS[".rest.npy"], **about)


def extract_video(video: str | Path, out: str | Path, which: str | None = None) -> Path:
    """Write the four landmark files of one video at its own frame rate; return the path of the points in pixels.

    `which` of several faces: as for `core.face.choice.choose_face`.
    """
    footage = open_footage(video)
    paths = {suffix: Path(out) / f"{fitting(footage.path.stem)}{suffix}" for suffix in KINDS}
    for note in footage.notes:
        tell(Warned(note, video))
    path = write_seen(footage, paths[".pixel.npy"], stage=STAGE, which=which)
    about = {"stage": STAGE, "options": artifacts.read_sidecar(path)["options"], "inputs": [footage.path], "fps": footage.fps}
    _write_in_face_space(paths, len(np.load(path, mmap_mode="r")), about)
    return path


def extract_clip(row: dict, out: str | Path, options: dict) -> dict:
    """Write one clip's four landmark files; return counts."""
    source = row["picture"]
    if not source:
        raise InputError(row["sound"], "no picture", "a video")
    paths = {suffix: output_path(out, row, suffix) for suffix in KINDS}
    about: dict[str, Any] = {"stage": STAGE, "options": options, "inputs": [source]}
    if not all(artifacts.is_current(paths[s], kind, **about) for s, kind in KINDS.items()):
        write_landmarks(source, paths, about)
    sidecar = artifacts.read_sidecar(paths[".pixel.npy"])
    return {"picture_frames": sidecar["shape"][0], **{name: sidecar[name] for name in ("missing_frames", "most_faces")}}


@stage(reads="data/recordings/index.csv, or VIDEO", writes="OUT/CLIP.{pixel,face,pose,rest}.npy, OUT/index.csv",
       examples=("python -m preprocess.extract_landmarks",
                 "python -m preprocess.extract_landmarks --video talk.mp4 --out talk"))
@click.option("--video", type=click.Path(path_type=Path), 
              help="One video in place of a corpus, at its own frame rate: to be dubbed.")
@click.option("--face", "which", metavar="largest|N|x,y", help="Of several faces in the VIDEO.  [default: largest]")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Clips to read.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@jobs_option
def main(video, which, index, out, jobs) -> None:
    """Find 68 face points in every frame of every clip, or of one video."""
    if video:
        click.echo(extract_video(video, out, which))
        return
    options = {"detect_every": DETECT_EVERY, "longest_gap": LONGEST_GAP, "smooth_window": SMOOTH_WINDOW,
               "jitter": fd.JITTER}
    click.echo(run_stage(extract_clip, index, out, stage=STAGE, options=options, jobs=jobs,
                         columns=("picture", "sound")))


if __name__ == "__main__":
    main()
