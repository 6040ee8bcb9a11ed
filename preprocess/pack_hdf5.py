"""All clips in one file to train on: spectra, landmarks and rest faces, side by side in time.

Reads: data/fft/index.csv, data/landmarks/index.csv and the files they name; data/offsets/index.csv.
Writes: data/train.h5 (training-pack): spectrum [frame, hop, bin], face [frame, point, xy] of all clips end to end,
and per clip rest [clip, point, xy], start, n_frames, name, split, speaker, and the first_frame and first_hop of the
recording that are in it. Written block by block: memory does not grow.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from core import artifacts, blocks
from core.clock import FPS
from core.corpus import output_path
from core.errors import InputError, readable
from core.files import new_hdf5
from core.index import number_in, read_index
from core.kinds import KINDS
from core.media.audio import HOPS_PER_FRAME
from core.metrics import peak_of
from core.stage import only_one, progress, say, stage
from preprocess.offset import SURE
from preprocess.usable import usable_clips

STAGE = "preprocess.pack_hdf5"
HOP_MS = 1000 // FPS // HOPS_PER_FRAME
STRAY = 0.02  # what a frame away from the speaker's usual offset costs a recording, squared, in correlation


def late_hops(path: str | Path) -> dict:
    """Clip -> by how many hops its sound is late.

    A camera is about as late in each of its recordings: the median over a speaker's clips whose offset is told with
    confidence. Near it, a recording's own offset is where sound and mouth correlate best, less what it costs to stray.
    """
    rows, found = read_index(path, "speaker", "offset_ms", "confidence"), {}
    if "correlations" not in rows[0]:
        raise InputError(path, "no column `correlations`: an older version wrote it",
                         "what the stage writes now", "python -m preprocess.estimate_offset")
    for row in rows:
        if row["offset_ms"] and number_in(path, row, "confidence") > SURE:
            found.setdefault(row["speaker"], []).append(number_in(path, row, "offset_ms"))
    usual = {speaker: float(np.median(values)) * FPS / 1000 for speaker, values in found.items()}
    late = {}
    for row in rows:
        if row["speaker"] in usual:
            with readable(path, f"correlations of clip {row['clip']!r}", "numbers between spaces"):
                late[row["clip"]] = round(HOPS_PER_FRAME * _own_lag(row["correlations"], usual[row["speaker"]]))
    return late


def _own_lag(correlations: str, usual: float) -> float:
    """Frames by which the sound of a recording is late, near the `usual` ones; these when nothing can be told."""
    found = np.array(correlations.split(), float)
    if not np.isfinite(found).any():
        return usual
    longest = len(found) // 2
    return peak_of(found - STRAY * np.square(np.arange(-longest, longest + 1) - usual)) - longest


def synchronise(rows: Sequence[dict], late: dict) -> list:
    """`rows` with `first_hop` and `first_frame`, where sound and picture begin together, and the frames that are left."""
    synchronous = []
    for row in rows:
        hops = late.get(row["clip"], 0)
        first = max(0, -(hops // HOPS_PER_FRAME))
        n_frames = row["n_frames"] - max(first, -(-hops // HOPS_PER_FRAME))
        if n_frames <= 0:
            say(f"left out: {row['clip']}: {row['n_frames']} frames, and the sound is {hops * HOP_MS} ms late")
            continue
        synchronous.append({**row, "first_frame": first, "first_hop": first * HOPS_PER_FRAME + hops,
                         "n_frames": n_frames})
    return synchronous


def copy_hops(into: Any, start: int, path: str | Path, row: dict) -> None:
    """Copy a clip's spectrum to `into` from frame `start` on, a block at a time, from the hop where it begins."""
    skipped, first = row["first_hop"] % HOPS_PER_FRAME, row["first_hop"] // HOPS_PER_FRAME
    for done in range(0, row["n_frames"], blocks.N_FRAMES):
        n = min(blocks.N_FRAMES, row["n_frames"] - done)
        part = blocks.read(path, first + done, first + done + n + (skipped > 0))
        hops = part.reshape(-1, part.shape[-1])[skipped:skipped + n * HOPS_PER_FRAME]
        into[start + done:start + done + n] = hops.reshape(n, *part.shape[1:])


def copy_frames(into: Any, start: int, path: str | Path, row: dict) -> None:
    """Copy a clip's landmarks to `into` from frame `start` on, a block at a time."""
    for done in range(0, row["n_frames"], blocks.N_FRAMES):
        n = min(blocks.N_FRAMES, row["n_frames"] - done)
        first = row["first_frame"] + done
        into[start + done:start + done + n] = blocks.read(path, first, first + n)


def pack(rows: Sequence[dict], fft: str | Path, landmarks: str | Path, path: str | Path) -> None:
    """Write the clips of `rows` (from folders `fft` and `landmarks`) to the HDF5 file `path`."""
    n_total = sum(row["n_frames"] for row in rows)
    spectrum_axes, face_axes = (KINDS[name].axes for name in ("spectrum", "landmarks-face"))
    frame_bytes = 2 * math.prod(n for _, n in spectrum_axes[1:]) + 4 * math.prod(n for _, n in face_axes[1:])
    with new_hdf5(path, n_total * frame_bytes) as file:
        spectrum = file.create_dataset("spectrum", (n_total, *(n for _, n in spectrum_axes[1:])), "float16")
        face = file.create_dataset("face", (n_total, *(n for _, n in face_axes[1:])), "float32")
        file["rest"] = np.stack([artifacts.load(output_path(landmarks, row, ".rest.npy"), "rest-face").array for row in rows])
        n_frames = np.array([row["n_frames"] for row in rows])
        file["n_frames"], file["start"] = n_frames, np.cumsum(n_frames) - n_frames
        for column in ("first_frame", "first_hop"):
            file[column] = np.array([row[column] for row in rows])
        for column, name in (("clip", "name"), ("split", "split"), ("speaker", "speaker")):
            file[name] = [row.get(column, "").encode() for row in rows]
        with progress(zip(rows, file["start"][:]), "pack hdf5", len(rows)) as bar:
            for row, start in bar:
                sound, picture = output_path(fft, row, ".npy"), output_path(landmarks, row, ".face.npy")
                artifacts.check(sound, "spectrum")
                artifacts.check(picture, "landmarks-face")
                copy_hops(spectrum, start, sound, row)
                copy_frames(face, start, picture, row)


@stage(reads="FFT/index.csv, LANDMARKS/index.csv, OFFSETS/index.csv", writes="OUT (training-pack)",
       examples=("python -m preprocess.pack_hdf5", "python -m preprocess.pack_hdf5 --offsets data/offsets"))
@click.option("--fft", type=click.Path(path_type=Path), default=Path("data/fft"), help="Folder of the spectra.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--offsets", type=click.Path(path_type=Path),
              help="Folder of the offsets: synchronise sound and picture.  [default: take them as they are]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="The pack.")
def main(fft, landmarks, offsets, out) -> None:
    """Pack all clips into one HDF5 file for training."""
    late = late_hops(offsets / "index.csv") if offsets else {}
    rows = synchronise(usable_clips(fft / "index.csv", landmarks / "index.csv"), late)
    if offsets:
        ms = [hops * HOP_MS for row in rows if (hops := late.get(row["clip"]))]
        say(f"sound and picture synchronised in {len(ms)} of {len(rows)} clips"
            + (f", by {min(ms)} to {max(ms)} ms" if ms else ""))
    inputs = [folder / "index.csv" for folder in (fft, landmarks, offsets) if folder]
    about = {"stage": STAGE, "inputs": inputs, "clips": len(rows), "frames": sum(row["n_frames"] for row in rows)}
    with only_one(out.parent), artifacts.described(out, "training-pack", **about) as (part, _):
        pack(rows, fft, landmarks, part)
    click.echo(out)


if __name__ == "__main__":
    main()
