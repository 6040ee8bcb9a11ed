"""Training data of the translator: pairs of photo and comic, with strong augmentation.

Reads: PAIRS/index.csv, PAIRS/NAME.npz (avatar-pair)
Photo and comic are moved alike; light, colour, blur and noise change the photo alone. Every third batch is one pair as a
short video: the same picture, shifted and lit anew from frame to frame.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from avatar.identity.data import COMICS, good_rows, read_pair
from avatar.inputs import as_inputs
from core.errors import InputError
from core.face import face68
from core.stage import say

SIDE_PX = 192  # of a training picture
N_FRAMES = 4  # of a short video
FARTHEST_PX = 8  # its frames are shifted
MOVING_EVERY = 3  # batches


@dataclass
class Pairs:
    """Pairs of one split: each a dict of `photo`, `comic`, `points`; `styles` of each; `rows` of the index."""

    pairs: list
    styles: list
    rows: list

    def __len__(self):
        return len(self.pairs)


def load_pairs(folder: str | Path, split: str) -> Pairs:
    """The pairs of a split. Raises InputError without any."""
    rows = good_rows(folder, split)
    if not rows:
        raise InputError(Path(folder) / "index.csv", f"no pairs of split {split!r}", "photos with comics", COMICS)
    say(f"{split}: {len(rows)} pairs of {len({row['speaker'] for row in rows})} people")
    return Pairs([read_pair(folder, row) for row in rows], [row["style"] for row in rows], rows)


def transform_pair(pair: dict, rng: np.random.Generator, side_px: int) -> tuple[NDArray, NDArray, NDArray]:
    """Photo, comic and points of a pair under one random similarity, mirrored or not, in a square of `side_px`."""
    points = pair["points"]
    middle, unit = points.mean(0), float(face68.eye_distance(points))
    size = np.exp(rng.normal(0, 0.18)).clip(0.65, 1.5)
    angle, flip = rng.normal(0, 0.15), rng.random() < 0.5
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if flip:
        turn = turn @ np.diag([-1, 1])
    goal = side_px / 2 + rng.normal(0, 0.3, 2) * unit * size
    matrix = np.concatenate([turn, (goal - turn @ middle)[:, None]], 1)
    pictures = [cv2.warpAffine(pair[name], matrix, (side_px, side_px), flags=cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC,
                               borderMode=cv2.BORDER_REFLECT_101) for name in ("photo", "comic")]
    points = (points @ turn.T + matrix[:, 2]).astype(np.float32)
    return (*pictures, points[face68.MIRROR] if flip else points)


def change_light(photo: NDArray, rng: np.random.Generator, strength: float = 1.0) -> NDArray:
    """The photo in another light, colour and camera: uint8 [row, column, rgb]."""
    rows, columns = photo.shape[:2]
    mixed = np.eye(3) + rng.normal(0, 0.05 * strength, (3, 3))
    if rng.random() < 0.08 * strength:
        mixed[:] = 1 / 3
    light = np.exp(rng.normal(0, 0.18 * strength)) * np.exp(rng.normal(0, 0.07 * strength, 3))
    slope = rng.normal(0, 0.2 * strength, 2)
    y, x = np.linspace(-1, 1, rows)[:, None, None], np.linspace(-1, 1, columns)[None, :, None]
    values = (photo.reshape(-1, 3) @ mixed.T).reshape(photo.shape).clip(0, 255) / 255
    values = values ** np.exp(rng.normal(0, 0.2 * strength)) * light * np.exp(slope[0] * x + slope[1] * y)
    if rng.random() < 0.3 * strength:
        values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.4, 1.6))
    values += rng.normal(0, rng.uniform(0, 0.03), values.shape)
    return (values * 255).clip(0, 255).astype(np.uint8)


def _tensors(photos, comics, points, styles):
    """Lists, as inputs and truth: float [n, N_INPUTS, row, column] and [n, rgb, row, column] tensors."""
    inputs = np.stack([as_inputs(photo, at, style) for photo, at, style in zip(photos, points, styles)])
    return torch.from_numpy(inputs), torch.from_numpy(np.stack(comics)).permute(0, 3, 1, 2).float() / 127.5 - 1


def stills(pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, None]:
    """A batch of single pictures: inputs [n, 1, ...], truth [n, 1, ...], shifts None."""
    made = [transform_pair(pairs.pairs[i], rng, SIDE_PX) for i in numbers]
    photos, comics, points = zip(*((change_light(photo, rng), comic, at) for photo, comic, at in made))
    inputs, truth = _tensors(photos, comics, points, [pairs.styles[i] for i in numbers])
    return inputs[:, None], truth[:, None], None


def short_video(pairs: Pairs, number: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, NDArray]:
    """One pair as a video: inputs [1, frame, ...], truth [1, frame, ...], shifts int [frame, xy] of each frame."""
    photo, comic, points = transform_pair(pairs.pairs[number], rng, SIDE_PX + FARTHEST_PX)
    photo = change_light(photo, rng)
    steps = np.cumsum(rng.integers(-2, 3, (N_FRAMES, 2)), 0)
    shifts = np.clip(steps + FARTHEST_PX // 2, 0, FARTHEST_PX)
    cut = [(slice(y, y + SIDE_PX), slice(x, x + SIDE_PX)) for x, y in shifts]
    frames = [change_light(photo[at], rng, 0.15) for at in cut]
    jitter = rng.normal(0, 0.006 * float(face68.eye_distance(points)), (N_FRAMES, *points.shape))
    inputs, truth = _tensors(frames, [comic[at] for at in cut], points - shifts[:, None] + jitter,
                             [pairs.styles[number]] * N_FRAMES)
    return inputs[None], truth[None], shifts


def batches(pairs: Pairs, options: dict, first: int,
            n_steps: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, NDArray | None]]:
    """Yield batches from step `first` on; each follows from the seed and the step alone."""
    for step in range(first, n_steps):
        rng = np.random.default_rng([options["seed"], step])
        numbers = rng.choice(len(pairs), min(options["batch"], len(pairs)), replace=False)
        yield short_video(pairs, numbers[0], rng) if step % MOVING_EVERY == 2 else stills(pairs, numbers, rng)



def mean_face(pairs: Pairs) -> list:
    """The mean of the people's faces and of their mirror images, in face space: 68 pairs of numbers."""
    mean = face68.to_face_space(np.stack([pair["points"] for pair in pairs.pairs]))[0].mean(0)
    return ((mean + face68.mirror(mean)) / 2).astype(float).round(4).tolist()
