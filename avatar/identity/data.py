"""Training and test data of the identity encoder: face crops with the person's number.

Reads: CROPS/index.csv and CROPS/CLIP.npy (face-crops); PAIRS/index.csv and PAIRS/NAME.npz (avatar-pair), their photos alone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from avatar.identity.network import as_input, face_view
from core import artifacts
from core.errors import InputError, command_line, readable
from core.face import face68
from core.index import read_index
from core.stage import say

MOST_OF_PERSON = 120  # views
COMICS = "make train-avatar COMICS=path/to/face2comics"  # what makes crops and pairs


@dataclass
class Faces:
    """Views of one split: uint8 [n, row, column, rgb]; `people` int [n]; `groups` where each comes from; `rows` used."""

    views: np.ndarray
    people: np.ndarray
    groups: np.ndarray
    rows: list

    @property
    def n_people(self) -> int:
        return int(self.people.max()) + 1


def _views_of_crops(folder, row):
    crops = artifacts.load(Path(folder) / f"{row['clip']}.npy", "face-crops")
    return [face_view(crop, crops.sidecar["view"]) for crop in crops.array if crop.any()]


def _views_of_pair(folder, row):
    pair = read_pair(folder, row)
    return [face_view(pair["photo"], face68.to_face_space(pair["points"][None])[1][0])]


def read_pair(folder: str | Path, row: dict) -> dict:
    """One pair: `photo` and `comic` uint8 [row, column, rgb], `points` float32 [68, 2] px. Raises InputError when damaged."""
    path = Path(folder) / f"{row['clip']}.npz"
    artifacts.check(path, "avatar-pair")
    with readable(path, "an avatar-pair", cure=COMICS), \
            np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in ("photo", "comic", "points")}


def good_rows(folder: str | Path, split: str, cure: str = COMICS) -> list:
    """Rows of a split of FOLDER/index.csv that have no problem."""
    return [row for row in read_index(Path(folder) / "index.csv", "split", "speaker", cure=cure)
            if row["split"] == split and not row.get("problem")]


def load_faces(crops: str | Path, pairs: str | Path, split: str, left_out: Collection[str] = ()) -> Faces:
    """All views of a split, at most MOST_OF_PERSON a person, spread evenly; people in `left_out` are not among them.

    Raises InputError when there are fewer than two people.
    """
    views, names, groups, rows = [], [], [], []
    for folder, read, group in ((crops, _views_of_crops, "recordings"), (pairs, _views_of_pair, "portraits")):
        for row in good_rows(folder, split):
            if row["speaker"] in left_out:
                continue
            found = read(folder, row)
            views += found
            names += [row["speaker"]] * len(found)
            groups += [group] * len(found)
            rows.append(row)
    known = sorted(set(names))
    if len(known) < 2:
        raise InputError(crops, f"{len(known)} people of split {split!r}", "two or more",
                         command_line("python", "-m", "preprocess.crop_faces", "--out", crops))
    people, kept = np.array([known.index(name) for name in names]), []
    for person in range(len(known)):
        own = np.flatnonzero(people == person)
        kept += list(own[np.unique(np.linspace(0, len(own) - 1, MOST_OF_PERSON).astype(int))])
    kept = np.sort(kept)
    say(f"{split}: {len(kept)} faces of {len(known)} people")
    return Faces(np.stack(views)[kept], people[kept], np.array(groups)[kept], rows)


def augment(views: NDArray, rng: np.random.Generator) -> torch.Tensor:
    """Each face mirrored or not, moved, turned, in another light and colour, blurred or noisy: float [n, rgb, row, column]."""
    pictures, n = as_input(views), len(views)
    angle, size = rng.normal(0, 0.08, n), np.exp(rng.normal(0, 0.06, n))
    flip = np.where(rng.random(n) < 0.5, -1, 1)
    turn = np.zeros((n, 2, 3), np.float32)
    turn[:, 0, 0], turn[:, 0, 1] = flip * np.cos(angle) * size, -np.sin(angle) * size
    turn[:, 1, 0], turn[:, 1, 1] = flip * np.sin(angle) * size, np.cos(angle) * size
    turn[:, :, 2] = rng.normal(0, 0.05, (n, 2))
    grid = F.affine_grid(torch.from_numpy(turn), pictures.shape, align_corners=False)
    pictures = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    mixed = np.eye(3) + rng.normal(0, 0.08, (n, 3, 3))
    mixed[rng.random(n) < 0.15] = 1 / 3
    mixed = torch.from_numpy((mixed * rng.uniform(0.7, 1.3, (n, 1, 1)) * rng.uniform(0.85, 1.15, (n, 3, 1))).astype(np.float32))
    shift = torch.from_numpy(rng.normal(0, 0.15, (n, 1, 1, 1)).astype(np.float32))
    pictures = torch.einsum("nab,nbyx->nayx", mixed, pictures) + shift
    soft = torch.from_numpy(rng.random(n) < 0.3)
    pictures[soft] = F.interpolate(F.avg_pool2d(pictures[soft], 2), scale_factor=2, mode="bilinear")
    return (pictures + 0.05 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(
        int(rng.integers(1 << 31))))).clamp_(-1.2, 1.2)
