"""Video to 68 face points a frame, in pixel and in face space, with head pose and rest face.

Reads: data/recordings/index.csv and the recordings' pictures.
Writes: data/landmarks/CLIP.pixel.npy CLIP.face.npy CLIP.pose.npy CLIP.rest.npy and data/landmarks/index.csv
Two passes over the stream: faces first (their boxes are smoothed in time, so the points do not jump with the
detector), then points. A frame without a face is NaN and counted; several faces: the one that was there before.
"""

from pathlib import Path

import click
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from core import artifacts, face68
from core import face_detector as fd
from core.errors import InputError
from core.stage import stage
from core.video import read_frames
from preprocess.corpus import output_path, run_stage

STAGE = "preprocess.extract_landmarks"
DETECT_EVERY = 2  # frames; the boxes between are interpolated
LONGEST_GAP = 6  # frames without a detection that are bridged; longer ones are missing
BOX_SIGMA = 2.0  # frames
SMOOTH_WINDOW = 5  # frames, second-order Savitzky-Golay: removes jitter, keeps the peaks of an /a/
KINDS = {".pixel.npy": "landmarks-pixel", ".face.npy": "landmarks-face", ".pose.npy": "head-pose", ".rest.npy": "rest-face"}


def face_boxes(frames):
    """Follow one face through a stream.

    Parameters
    ----------
    frames : iterable of uint8 [row, column, rgb]

    Returns
    -------
    boxes : float [frame, 4] px (left, top, right, bottom), smoothed; NaN where there is no face
    most_faces : the most faces seen in one frame
    """
    boxes, most_faces, last, side_px = [], 0, None, fd.DETECT_SIDE_PX
    for t, frame in enumerate(frames):
        boxes.append(np.full(4, np.nan))
        if t % DETECT_EVERY:
            continue
        grey = fd.grey(frame)
        found = fd.detect(grey, side_px)
        if not len(found):
            found = fd.detect_any(grey)
        if not len(found):
            continue
        most_faces = max(most_faces, len(found))
        nearest = fd.largest(found) if last is None else found[np.argmin(np.abs(found - last).sum(1))]
        boxes[-1] = last = nearest
        side_px = min(fd.DETECT_SIDE_PX, max(grey.shape) * fd.DETECT_FACE_PX / (nearest[2] - nearest[0]))
    return _smooth_boxes(np.array(boxes).reshape(-1, 4)), most_faces


def _smooth_boxes(boxes):
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    if not len(known):
        return boxes
    filled = gaussian_filter1d(face68.fill_missing(boxes), BOX_SIGMA, axis=0, mode="nearest")
    t = np.arange(len(boxes))
    after = np.searchsorted(known, t).clip(max=len(known) - 1)
    before = (np.searchsorted(known, t, side="right") - 1).clip(min=0)
    gap = np.maximum(known[after] - t, 0) + np.maximum(t - known[before], 0)  # 0 on a detection
    at_end = (t > known[-1]) | (t < known[0])
    filled[(gap > LONGEST_GAP) | (at_end & (gap >= DETECT_EVERY))] = np.nan
    return filled


def smooth_in_time(points):
    """Savitzky-Golay over each unbroken stretch of `points` [frame, ...]; short stretches stay as they are."""
    smooth = points.copy()
    ok = np.isfinite(points).reshape(len(points), -1).all(1)
    for stretch in np.split(np.flatnonzero(ok), np.flatnonzero(np.diff(np.flatnonzero(ok)) > 1) + 1):
        if len(stretch) >= SMOOTH_WINDOW:
            smooth[stretch] = savgol_filter(points[stretch], SMOOTH_WINDOW, 2, axis=0)
    return smooth


def measure_landmarks(path):
    """Landmarks of a video as measured: float32 [frame, 68, 2] px (NaN without a face), and the most faces in a frame."""
    boxes, most_faces = face_boxes(read_frames(path))
    if not np.isfinite(boxes).any():
        raise InputError(path, f"no face in any of {len(boxes)} frames",
                         "a video of a face, seen from the front, 80 px or more")
    points = np.full((len(boxes), face68.N_POINTS, 2), np.nan, np.float32)
    for t, (frame, box) in enumerate(zip(read_frames(path), boxes)):
        if np.isfinite(box[0]):
            points[t] = fd.landmarks_in(fd.grey(frame), box)
    return points, most_faces


def extract_clip(row, out, options):
    """Write one clip's four landmark files; return counts."""
    source = row["picture"]
    if not source:
        raise InputError(row["sound"], "no picture", "a video")
    paths = {suffix: output_path(out, row, suffix) for suffix in KINDS}
    about = {"stage": STAGE, "options": options, "inputs": [source]}
    if not all(artifacts.is_current(paths[s], kind, **about) for s, kind in KINDS.items()):
        pixel, most_faces = measure_landmarks(source)
        face, pose = face68.to_face_space(smooth_in_time(pixel))
        for suffix, array in zip(KINDS, (pixel, face, pose, face68.rest_face(face))):
            artifacts.save(paths[suffix], array, KINDS[suffix], most_faces=most_faces, **about)
    sidecar = artifacts.read_sidecar(paths[".pixel.npy"])
    return {"picture_frames": sidecar["shape"][0], **{name: sidecar[name] for name in ("missing_frames", "most_faces")}}


@stage(reads="data/recordings/index.csv", writes="OUT/CLIP.{pixel,face,pose,rest}.npy, OUT/index.csv",
       examples=("python -m preprocess.extract_landmarks",))
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Clips to read.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="Processes; 0 is one a core.")
def main(index, out, jobs):
    """Find 68 face points in every frame of every clip."""
    options = {"detect_every": DETECT_EVERY, "longest_gap": LONGEST_GAP, "smooth_window": SMOOTH_WINDOW}
    click.echo(run_stage(extract_clip, index, out, stage=STAGE, options=options, jobs=jobs,
                         columns=("picture", "sound")))


if __name__ == "__main__":
    main()
