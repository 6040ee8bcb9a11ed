"""All clips in one file to train on: spectra, landmarks and rest faces, side by side in time.

Reads: data/fft/index.csv, data/landmarks/index.csv and the files they name.
Writes: data/train.h5 (training-pack): spectrum [frame, hop, bin], face [frame, point, xy] of all clips end to end,
and per clip rest [clip, point, xy], start, n_frames, name, split, speaker. Written block by block: memory does not grow.
"""

from pathlib import Path

import click
import h5py
import numpy as np

from core import artifacts, blocks
from core.corpus import output_path
from core.errors import InputError
from core.index import read_index
from core.kinds import KINDS
from core.stage import only_one, progress, say, stage

STAGE = "preprocess.pack_hdf5"
TOLERATED_FRAMES = 3  # difference of sound and picture; recordings are cut to the shorter


def usable_clips(fft_index, landmark_index) -> list:
    """Rows with both sound and picture of about the same length; says how many are left out, and why."""
    sound = {row["clip"]: row for row in read_index(fft_index, "sound_frames")}
    rows, left_out = [], []
    for row in read_index(landmark_index, "picture_frames"):
        heard = sound.get(row["clip"], {"problem": "no spectrum"})
        if problem := row.get("problem") or heard.get("problem"):
            left_out.append((row["clip"], problem))
            continue
        n_sound, n_picture = int(heard["sound_frames"]), int(row["picture_frames"])
        if abs(n_sound - n_picture) > max(TOLERATED_FRAMES, 0.02 * n_picture):
            left_out.append((row["clip"], f"{n_sound} frames of sound, {n_picture} of picture"))
            continue
        rows.append({**row, "n_frames": min(n_sound, n_picture)})
    for clip, problem in left_out[:5]:
        say(f"left out: {clip}: {problem}")
    say(f"{len(rows)} clips usable, {len(left_out)} left out")
    if not rows:
        raise InputError(landmark_index, "no usable clip", "clips with sound and a face", f"make inspect FILE={landmark_index}")
    return rows


def copy_frames(into, start: int, path, n_frames: int):
    """Copy the first `n_frames` of a .npy to `into` from frame `start` on, a block at a time."""
    for first in range(0, n_frames, blocks.N_FRAMES):
        part = blocks.read(path, first, min(first + blocks.N_FRAMES, n_frames))
        into[start + first:start + first + len(part)] = part


def pack(rows, fft, landmarks, path):
    """Write the clips of `rows` (from folders `fft` and `landmarks`) to the HDF5 file `path`."""
    n_total = sum(row["n_frames"] for row in rows)
    with h5py.File(path, "w") as file:
        spectrum_axes, face_axes = (KINDS[name].axes for name in ("spectrum", "landmarks-face"))
        spectrum = file.create_dataset("spectrum", (n_total, *(n for _, n in spectrum_axes[1:])), "float16")
        face = file.create_dataset("face", (n_total, *(n for _, n in face_axes[1:])), "float32")
        file["rest"] = np.stack([artifacts.load(output_path(landmarks, row, ".rest.npy"), "rest-face").array for row in rows])
        n_frames = np.array([row["n_frames"] for row in rows])
        file["n_frames"], file["start"] = n_frames, np.cumsum(n_frames) - n_frames
        for column, name in (("clip", "name"), ("split", "split"), ("speaker", "speaker")):
            file[name] = [row.get(column, "").encode() for row in rows]
        with progress(zip(rows, file["start"][:]), "pack hdf5", len(rows)) as bar:
            for row, start in bar:
                for into, path, kind in ((spectrum, output_path(fft, row, ".npy"), "spectrum"),
                                         (face, output_path(landmarks, row, ".face.npy"), "landmarks-face")):
                    artifacts.check(path, kind)
                    copy_frames(into, start, path, row["n_frames"])


@stage(reads="FFT/index.csv, LANDMARKS/index.csv", writes="OUT (training-pack)", examples=("python -m preprocess.pack_hdf5",))
@click.option("--fft", type=click.Path(path_type=Path), default=Path("data/fft"), help="Folder of the spectra.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="The pack.")
def main(fft, landmarks, out):
    """Pack all clips into one HDF5 file for training."""
    rows = usable_clips(fft / "index.csv", landmarks / "index.csv")
    with only_one(out.parent), artifacts.whole_file(out) as part:
        pack(rows, fft, landmarks, part)
    click.echo(artifacts.describe_with(out, "training-pack", stage=STAGE, inputs=[fft / "index.csv", landmarks / "index.csv"],
                                       clips=len(rows), frames=sum(row["n_frames"] for row in rows)))


if __name__ == "__main__":
    main()
