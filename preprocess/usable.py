"""Clips that both have spectra and landmarks of nearly the same length.

Reads: index.csv and the arrays of both stages. Writes: nothing.
"""

from pathlib import Path

from numpy.typing import NDArray

from core import artifacts
from core.corpus import output_path
from core.errors import InputError, command_line
from core.index import number_in, read_index
from core.stage import say

MOST_FRAMES = 10**9  # of a clip
TOLERATED_FRAMES = 3  # difference of sound and picture; recordings are cut to the shorter


def usable_clips(fft_index: str | Path, landmark_index: str | Path) -> list:
    """Rows with both sound and picture of about the same length; says how many are left out, and why."""
    sound = {row["clip"]: row for row in read_index(fft_index, "sound_frames")}
    rows, left_out = [], []
    for row in read_index(landmark_index, "picture_frames"):
        spectrum = sound.get(row["clip"], {"problem": "no spectrum"})
        if problem := row.get("problem") or spectrum.get("problem"):
            left_out.append((row["clip"], problem))
            continue
        n_sound, n_picture = (int(number_in(path, of, name, 0, MOST_FRAMES)) for path, of, name in (
            (fft_index, spectrum, "sound_frames"), (landmark_index, row, "picture_frames")))
        if abs(n_sound - n_picture) > max(TOLERATED_FRAMES, 0.02 * n_picture):
            left_out.append((row["clip"], f"{n_sound} frames of sound, {n_picture} of picture"))
            continue
        rows.append({**row, "n_frames": min(n_sound, n_picture)})
    for clip, problem in left_out[:5]:
        say(f"left out: {clip}: {problem}")
    say(f"{len(rows)} clips usable, {len(left_out)} left out")
    if not rows:
        raise InputError(landmark_index, "no usable clip", "clips with sound and a face",
                         command_line("make", "inspect", f"FILE={landmark_index}"))
    return rows


def clips_of_split(fft: str | Path, landmarks: str | Path, split: str) -> list[dict]:
    """Rows of `usable_clips` of a split, by the folders of both stages. Raises InputError when there is none."""
    rows = [row for row in usable_clips(Path(fft) / "index.csv", Path(landmarks) / "index.csv") if row.get("split") == split]
    if not rows:
        raise InputError(Path(landmarks) / "index.csv", f"no clip of split {split}", "clips with a face", "make preprocess")
    return rows


def load_clip(row: dict, fft: str | Path, landmarks: str | Path) -> tuple[NDArray, NDArray]:
    """Spectrum float16 [frame, hop, bin] and face [frame, 68, 2] of a row, as long as the shorter of them."""
    spectrum = artifacts.load(output_path(fft, row, ".npy"), "spectrum").array
    face = artifacts.load(output_path(landmarks, row, ".face.npy"), "landmarks-face").array
    n = min(len(spectrum), len(face))
    return spectrum[:n], face[:n]
