"""Face crops and their landmarks, as pairs to train and test on.

Reads: CROPS/index.csv, CROPS/CLIP.npy, LANDMARKS/CLIP.face.npy, LANDMARKS/CLIP.rest.npy
Pictures stay uint8, 0.2 MB each at 256 px, and become floats a batch at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core import artifacts
from core.errors import InputError
from core.index import read_index
from core.stage import say
from gan.model import thumbnails

LOOK_FLOOR = 0.02  # eye distances, about a pixel of a 256 px crop: a point that hardly moves is not blown up
LEAST_SPREAD = 1e-4  # of a look's component, in whitened units of 0..1 pixels: less is noise
_CURE = "python -m preprocess.crop_faces"


@dataclass
class Crops:
    """Crops of one split, in the order of the index; frames without a face are left out.

    pictures : list of uint8 [frame, row, column, rgb], one array a clip
    face : float32 [item, 68, 2], face space
    rest : float32 [clip, 68, 2]
    view : float [4], pose of face space in every crop
    items : int [item, 2], clip and frame of each
    rows : the clips' rows of the index
    """

    pictures: list
    face: np.ndarray
    rest: np.ndarray
    view: np.ndarray
    items: np.ndarray
    rows: list

    @property
    def size_px(self) -> int:
        return self.pictures[0].shape[1]

    def __len__(self):
        return len(self.items)

    def batch(self, numbers):
        """Pictures of some items: uint8 [n, row, column, rgb]."""
        return np.stack([self.pictures[clip][frame] for clip, frame in self.items[numbers]])

    def chunks(self, n=64):
        """Item numbers, `n` at a time."""
        return np.array_split(np.arange(len(self)), -(-len(self) // n))

    def first_of_clip(self):
        """For each item the number of the first item of its clip: int [item]."""
        return np.searchsorted(self.items[:, 0], self.items[:, 0])

    def partners(self, rng):
        """For each item another one of its clip (itself when it is alone): int [item]."""
        first = self.first_of_clip()
        n_of_clip = np.bincount(self.items[:, 0])[self.items[:, 0]]
        own = np.arange(len(self)) - first
        step = 1 + rng.integers(0, np.maximum(n_of_clip - 1, 1))
        return first + (own + step) % n_of_clip


def rows_of(index: str | Path, split: str) -> list:
    """Rows of a split of an index.csv. Raises InputError when it is missing or has none."""
    rows = [row for row in read_index(index, "split", cure="make train-gan") if row["split"] == split]
    if not rows:
        raise InputError(index, f"no clips of split {split!r}", "clips of splits train and val", f"make inspect FILE={index}")
    return rows


def _clip(row, crops, landmarks):
    """Pictures on disk, landmarks of the same frames, rest face, view."""
    path = Path(crops) / f"{row['clip']}.npy"
    crop = artifacts.load(path, "face-crops")
    face = artifacts.load(Path(landmarks) / f"{row['clip']}.face.npy", "landmarks-face").array[::crop.sidecar.get("every", 1)]
    if len(face) != len(crop.array):
        raise InputError(path, f"{len(crop.array)} crops", f"{len(face)}, as the landmarks have", _CURE)
    rest = artifacts.load(Path(landmarks) / f"{row['clip']}.rest.npy", "rest-face").array
    return crop.array, face, rest, crop.sidecar.get("view")


def load_crops(crops: str | Path, landmarks: str | Path, split: str) -> Crops:
    """Read all crops of a split; says how many clips and frames are left out.

    Raises
    ------
    InputError : no crops, sizes that differ, landmarks that do not belong to the crops.
    """
    index = Path(crops) / "index.csv"
    rows = rows_of(index, split)
    good = [row for row in rows if not row.get("problem")]
    if not good:
        raise InputError(index, f"no crops of split {split!r}", "clips with crops", _CURE)
    pictures, faces, rests, views = zip(*(_clip(row, crops, landmarks) for row in good))
    if len({p.shape[1:] for p in pictures}) > 1 or any(view != views[0] or not view for view in views):
        raise InputError(index, "crops of several sizes or views", "crops made by one command", _CURE)
    seen = [np.flatnonzero(np.isfinite(face).all((1, 2))) for face in faces]
    items = np.array([(clip, frame) for clip, frames in enumerate(seen) for frame in frames]).reshape(-1, 2)
    n_frames = sum(map(len, faces))
    say(f"{split}: {len(items)} crops of {len(good)} clips; left out: {len(rows) - len(good)} clips, "
        f"{n_frames - len(items)} frames without a face")
    if not len(items):
        raise InputError(index, f"no face in any crop of split {split!r}", "crops with faces", _CURE)
    face = np.concatenate([face[frames] for face, frames in zip(faces, seen)])
    return Crops(list(pictures), face, np.stack(rests), np.array(views[0]), items, good)


@torch.no_grad()
def measure_speaker(generator: Any, train: Crops) -> None:
    """Fill the generator's buffers from training crops: landmark mean and spread, rest face, and what a look is.

    A look is the whitened principal components of crops shrunk to a few pixels, so looks are near N(0, 1), 0 their mean.
    """
    generator.face_mean.copy_(torch.from_numpy(train.face.mean(0)))
    generator.face_std.copy_(torch.from_numpy(train.face.std(0)).clamp(min=LOOK_FLOOR))
    generator.view.copy_(torch.from_numpy(train.view))
    generator.rest_face.copy_(torch.from_numpy(np.nanmean(train.rest, 0)))
    small = torch.from_numpy(np.concatenate([thumbnails(train.batch(numbers)) for numbers in train.chunks()]))
    mean, n_look = small.mean(0), min(generator.settings["n_look"], len(small))
    _, spread, axes = torch.pca_lowrank(small - mean, n_look, center=False, niter=6)
    std = spread / len(small) ** 0.5
    generator.look_mean.copy_(mean)
    generator.look_basis[:n_look] = torch.where(std > LEAST_SPREAD, axes / std, 0).T


@torch.no_grad()
def looks_of(generator: Any, crops: Crops) -> torch.Tensor:
    """The look of every crop: float tensor [item, n_look]."""
    return torch.cat([generator.look_of(crops.batch(numbers)) for numbers in crops.chunks()])
