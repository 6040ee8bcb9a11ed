"""Pairs of mouths or eyes, read a batch at a time and varied in colour, light and side.

Reads: PAIRS/index.csv, PAIRS/CLIP.h5 (mouth-pairs, large_mouth-pairs, eyes-pairs); the same of PAIRS/stills where there are a
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError, command_line, readable
from core.index import number_in, read_index
from core.stage import say
from render.parts.network import as_floats, masks_as_floats
from render.parts.part import MOUTH, Part

PICTURES, MASKS = ("photo", "warped", "truth"), ("photo_masks", "masks")
MOST_PAIRS = 10_000  # of a clip
SPLITS = {"train": ("train", "pictures"), "val": ("val", "pictures_val")}  # the second of each: clips for pictures alone
GREY = 0.05  # share of the batches without colour


@dataclass
class Pairs:
    """Pairs of one split. `items` int [pair, 2]: clip, number in its file; `rows` of the index, `paths` of the files."""

    paths: list
    rows: list
    items: np.ndarray

    def __len__(self):
        return len(self.items)

    def batch(self, numbers) -> dict:
        """Some pairs: name -> uint8 array [n, row, column, channel]."""
        found = {name: [] for name in (*PICTURES, *MASKS)}
        for clip, number in self.items[numbers]:
            with readable(self.paths[clip], "pairs", cure="make train-render"), h5py.File(self.paths[clip]) as file:
                photo = file["photo_of"][number]
                for name, values in found.items():
                    values.append(file[name][photo if name.startswith("photo") else number])
        return {name: np.stack(values) for name, values in found.items()}


def load_pairs(folder: str | Path, split: str, part: Part = MOUTH) -> Pairs:
    """The pairs of a part, of one split. Raises InputError when there are none, or a file is missing or another one."""
    folder, rows, paths = Path(folder), [], []
    index = folder / "index.csv"
    for place in (folder, folder / "stills"):
        if place != folder and not (place / "index.csv").is_file():
            continue
        listed = read_index(place / "index.csv", "split", "pairs", "speaker", cure="make train-render")
        chosen = [row for row in listed if row["split"] in SPLITS[split] and not row.get("problem")]
        rows += chosen
        paths += [place / f"{row['clip']}.h5" for row in chosen]
    if not rows:
        raise InputError(index, f"no pairs of split {split!r}", "clips of splits train and val",
                         command_line("python", "-m", "render.parts.pairs", "--part", part.name, "--out", folder))
    for path in paths:
        artifacts.check(path, f"{part.name}-pairs")
    n_pairs = [int(number_in(index, row, "pairs", 0, MOST_PAIRS)) for row in rows]
    items = np.array([(clip, number) for clip, n in enumerate(n_pairs) for number in range(n)])
    say(f"{split}: {len(items)} pairs of {len(rows)} clips, {len({row['speaker'] for row in rows})} speakers")
    return Pairs(paths, rows, items)


def as_tensors(batch: dict[str, NDArray], device: str = "cpu") -> dict:
    """A batch of `Pairs` as floats: pictures -1..1, masks 0..1, [n, channel, row, column]."""
    floats = {name: as_floats(torch.from_numpy(batch[name]), device) for name in PICTURES}
    return floats | {name: masks_as_floats(torch.from_numpy(batch[name]), device) for name in MASKS}


def augment(batch: dict[str, NDArray], rng: np.random.Generator) -> dict:
    """Other people, other light: each pair mirrored or not, its colours mixed, its contrast bent; all its pictures alike.

    `batch` as `Pairs.batch` gives it -> as `as_tensors` does
    """
    n = len(batch["truth"])
    mixed = np.eye(3) + rng.normal(0, 0.08, (n, 3, 3))
    mixed[rng.random(n) < GREY] = 1 / 3
    mixed = mixed * rng.uniform(0.75, 1.2, (n, 1, 3)) * rng.uniform(0.8, 1.15, (n, 1, 1)) / 255
    bend = rng.normal(0, 0.35, (n, 1, 1)).clip(-0.9, 0.9)
    flip = rng.random(n) < 0.5
    mixed, bend = (torch.from_numpy(value.astype(np.float32)) for value in (mixed, bend))

    def change_colours(pictures):
        light = (torch.from_numpy(pictures).flatten(1, 2).float() @ mixed).clamp_(0, 1)
        light.addcmul_(light * bend, 1 - light)
        return light.mul_(2).sub_(1).unflatten(1, pictures.shape[1:3]).permute(0, 3, 1, 2)

    def mirror(values):
        values[flip] = values[flip].flip(-1)
        return values

    return {name: mirror(change_colours(values) if name in PICTURES else masks_as_floats(torch.from_numpy(values)))
            for name, values in batch.items()}
