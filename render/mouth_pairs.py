"""Pairs to train the mouth model on: one frame of a recording as the photo, the mouth of another as the truth.

Reads: LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose,rest}.npy and the recordings' pictures.
Writes: OUT/CLIP.h5 (mouth-pairs) and OUT/index.csv. A pair is what `mouth_view` gives for the photo when it is moved by the
other frame's landmarks, beside that frame's own pixels in the same view. Wide open mouths are taken more often than they
come; frames whose head is turned otherwise than the photo's are not paired: no mouth explains them.
"""

import zlib
from pathlib import Path

import click
import h5py
import numpy as np

from core import artifacts, face68
from core.corpus import output_path, run_stage
from core.crop import upright
from core.errors import InputError
from core.index import read_index
from core.stage import stage
from core.video import read_frames
from render.mouth_view import COLUMNS, NEAR_PX, ROWS, UNIT_PX, MouthView

STAGE = "render.mouth_pairs"
N_PHOTOS = 6  # of a clip: half of them with the mouth least open
TURNED = 0.06  # eye distances between rigid points in face space: the head is turned otherwise
EACH_IS_SEEN = 0.3  # weight of a closed mouth, in mean openings, when the frames are drawn


def choose_pairs(face, n_pairs: int, rng):
    """Which frames are photos, and which are shown by which photo.

    Parameters
    ----------
    face : float32 [frame, 68, 2], face space, NaN frames are not chosen
    n_pairs : at most so many

    Returns
    -------
    photo, shown : int [pair], frame numbers
    """
    seen = np.flatnonzero(np.isfinite(face).all((1, 2)))
    if len(seen) < 2:
        return np.empty((2, 0), int)
    opening = face68.mouth_opening(face[seen])
    chance = opening + EACH_IS_SEEN * opening.mean() + 1e-6
    shown = rng.choice(seen, min(n_pairs, len(seen) // 2), replace=False, p=chance / chance.sum())
    closed = seen[face68.closed_frames(opening)]
    photos = np.unique([*rng.choice(closed, N_PHOTOS // 2), *rng.choice(seen, N_PHOTOS - N_PHOTOS // 2)])
    rigid = face[:, face68.RIGID]
    away = np.linalg.norm(rigid[shown][:, None] - rigid[photos][None], axis=-1).mean(-1)
    away[shown[:, None] == photos[None]] = np.inf
    away[(away < TURNED)] = 0
    nearest = (away + rng.uniform(0, 1e-3, away.shape)).argmin(1)  # any of those that are near enough
    near = away[np.arange(len(shown)), nearest] == 0
    return photos[nearest[near]], shown[near]


def pairs_of(picture, face, pose, rest, photo, shown):
    """Make pairs of a video: arrays by name, each [pair or photo, ROWS, COLUMNS, channel], and `photo_of` [pair]."""
    wanted = {int(t): None for t in (*photo, *shown)}
    for t, frame in enumerate(read_frames(picture)):
        if t in wanted:
            wanted[t] = frame
    photos, photo_of = np.unique(photo, return_inverse=True)
    views = [MouthView(wanted[t], face[t], pose[t], middle=face68.mouth_middle(rest)) for t in photos]
    warped = [views[i].warped(views[i].warp.solve(face[t])) for i, t in zip(photo_of, shown)]
    return {"photo": np.stack([v.picture for v in views]), "photo_masks": np.stack([v.masks(v.face) for v in views]),
            "photo_of": photo_of, "warped": np.stack(warped), "masks": np.stack([views[0].masks(face[t]) for t in shown]),
            "truth": np.stack([upright(wanted[t], pose[t], views[0].view, (ROWS, COLUMNS)) for t in shown])}


def pair_clip(row, out, options):
    """Write one clip's pairs; return their number."""
    if not row["picture"]:
        raise InputError(row["sound"], "no picture", "a video")
    path = output_path(out, row, ".h5")
    inputs = [row["picture"], *(output_path(options["landmarks"], row, f".{name}.npy") for name in ("face", "pose", "rest"))]
    n_pairs = max(1, min(options["most"], options["of_speaker"] // options["clips"][row["speaker"]]))
    view = [ROWS, COLUMNS, UNIT_PX, NEAR_PX]
    about = {"stage": STAGE, "options": {"pairs": n_pairs, "view": view, "turned": TURNED}, "inputs": inputs}
    if not artifacts.is_current(path, "mouth-pairs", **about):
        face, pose, rest = (artifacts.load(p).array for p in inputs[1:])
        rng = np.random.default_rng(zlib.crc32(row["clip"].encode()))
        photo, shown = choose_pairs(face, n_pairs, rng)
        if not len(photo):
            raise InputError(row["picture"], "no two frames with the head held alike", "a face that looks at the camera")
        with artifacts.whole_file(path) as part, h5py.File(part, "w") as file:
            for name, array in pairs_of(row["picture"], face, pose, rest, photo, shown).items():
                file[name] = array
        artifacts.describe_with(path, "mouth-pairs", **about, pairs=len(photo), eye_distance_px=float(np.nanmedian(pose[:, 0])))
    return {name: artifacts.read_sidecar(path)[name] for name in ("pairs", "eye_distance_px")}


@stage(reads="LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose,rest}.npy, the recordings",
       writes="OUT/CLIP.h5 (mouth-pairs), OUT/index.csv", examples=("python -m render.mouth_pairs",))
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/pairs"), help="Folder of the pairs.")
@click.option("--most", type=click.IntRange(1), default=120, help="Pairs of a clip, at most.")
@click.option("--of-speaker", type=click.IntRange(1), default=160, help="Pairs of a speaker, at most, but one a clip.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="Processes; 0 is one a core.")
def main(landmarks, out, most, of_speaker, jobs):
    """Pair frames of recordings, to learn how mouths look that a photo does not show."""
    clips = {}
    for row in read_index(landmarks / "index.csv", "speaker"):
        clips[row["speaker"]] = clips.get(row["speaker"], 0) + 1
    options = {"landmarks": str(landmarks), "most": most, "of_speaker": of_speaker, "clips": clips}
    click.echo(run_stage(pair_clip, landmarks / "index.csv", out, stage=STAGE, options=options, jobs=jobs,
                         columns=("picture", "sound", "speaker")))


if __name__ == "__main__":
    main()
