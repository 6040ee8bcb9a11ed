"""Measure a generator on held-out crops, beside baselines that learn little or nothing.

Reads: MODEL (picture-model), CROPS, LANDMARKS.
Writes: metrics.json beside the model; with --picture, a sheet of truth, model and baselines
The first crop of each clip only tells its look and is not measured. The goal's published numbers: pixel MSE 0.108 on
-1..1, which is 15.7 dB (RAVDESS recipe); 27.1 dB, SSIM 0.818 (GRID corpus, other protocols).
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from core import metrics
from core.face import face68, face_detector
from core.face.draw import contact_sheet
from core.stage import progress, stage
from gan.dataset import Crops, load_crops, looks_of
from gan.model import DEFAULT_MODEL, Generator, load_generator
from gan.regression import fit_linear
from learn.layers import to_uint8
from learn.measures import cell, markdown, report

STAGE = "gan.evaluate"
N_SHOWN = 8
_BLOCK = 32  # pictures drawn and measured together


def edge_strength(picture: NDArray) -> float:
    """Mean absolute difference of neighbouring pixels of uint8 [row, column, rgb], 0..255: what blur takes away."""
    values = picture.astype(np.float32)
    return float(np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean())


def lower_half(pictures: NDArray) -> NDArray:
    """The part of crops that holds mouth and chin: [n, row, column, rgb] -> the same, fewer rows and columns."""
    rows, columns = pictures.shape[1:3]
    return pictures[:, rows * 9 // 16:, columns // 4: columns * 3 // 4]


def measure_opening(pictures: Iterable[NDArray]) -> NDArray:
    """Mouth opening that the landmark detector finds in pictures, in eye distances; NaN where it finds no face: [n]."""
    points = [face_detector.landmarks_of_picture(picture)[0] for picture in pictures]
    return np.array([np.nan if p is None else face68.mouth_opening(p) / face68.eye_distance(p) for p in points])


def measure(drawn: NDArray, real: NDArray) -> dict:
    """Measures of one block: uint8 [n, row, column, rgb] pairs -> lists of n numbers."""
    lower = lower_half(drawn), lower_half(real)
    return {"psnr_db": [metrics.psnr_db(a, b) for a, b in zip(drawn, real)],
            "ssim": [metrics.ssim(a, b) for a, b in zip(drawn, real)],
            "pixel_mse": [metrics.mse(a / 127.5, b / 127.5) for a, b in zip(drawn, real)],
            "mouth_psnr_db": [metrics.psnr_db(a, b) for a, b in zip(*lower)],
            "sharpness": [edge_strength(a) / max(edge_strength(b), 1e-6) for a, b in zip(drawn, real)],
            "opening": list(measure_opening(drawn))}


def summary(found: dict, real_opening: NDArray) -> dict:
    """Means over all pictures, and how the drawn mouth opening follows the real one."""
    means = {name: float(np.mean(values)) for name, values in found.items() if name != "opening"}
    opening = np.array(found["opening"])
    both = np.isfinite(opening) & np.isfinite(real_opening)
    means["faces_found"] = float(np.isfinite(opening).mean())
    if both.any():
        means["opening_correlation"] = metrics.correlation(opening[both], real_opening[both])
        means["opening_amplitude"] = metrics.amplitude_ratio(opening[both], real_opening[both])
    return means


def mean_picture(train: Crops) -> NDArray:
    """uint8 [row, column, rgb]."""
    total = sum(train.batch(numbers).sum(0, dtype=np.int64) for numbers in train.chunks())
    return np.round(total / len(train)).astype(np.uint8)


def nearest(train: Crops, face: NDArray, spread: NDArray) -> NDArray:
    """For each of `face` [n, 68, 2] the number of the training item with the nearest landmarks, in units of `spread`."""
    known, asked = (points.reshape(len(points), -1) / spread.reshape(-1) for points in (train.face, face))
    return np.array([np.square(known - one).sum(1).argmin() for one in asked])


def linear_weights(generator: Generator, train: Crops, looks: torch.Tensor | None = None) -> torch.Tensor:
    """Ridge regression from landmarks (and looks) to whole pictures: float tensor [feature + 1, pixel]."""
    pictures = ((numbers, torch.from_numpy(train.batch(numbers)).flatten(1).float()) for numbers in train.chunks())
    return fit_linear(_features(generator, train.face, looks), pictures)


def _features(generator, face, looks):
    n_look = generator.settings["n_look"]
    inputs = generator.inputs(torch.from_numpy(face), torch.zeros(len(face), n_look) if looks is None else looks)
    return inputs if looks is not None else inputs[:, :-n_look]


@torch.no_grad()
def contestants(generator: Generator, train: Crops, val: Crops) -> dict[str, Callable[[NDArray], NDArray]]:
    """Who is measured: name -> function of item numbers of `val` -> uint8 [n, row, column, rgb]."""
    face, first = torch.from_numpy(val.face), val.first_of_clip()
    partners = train.partners(np.random.default_rng(0))  # a crop's own look would give its mouth away
    train_looks, val_looks = looks_of(generator, train)[partners], looks_of(generator, val)[first]
    mean, spread = mean_picture(train), generator.face_std.numpy()

    def linear(looks, looks_known):
        weights = linear_weights(generator, train, looks_known)
        features = _features(generator, val.face, looks)
        return lambda numbers: (features[numbers] @ weights[:-1] + weights[-1]).round().clamp(0, 255).byte().numpy().reshape(
            len(numbers), *mean.shape)

    def model(looks):
        return lambda numbers: to_uint8(generator(face[numbers], looks[numbers]))

    return {"model, look of the clip's first frame": model(val_looks),
            "model, mean look": model(torch.zeros_like(val_looks)),
            "mean training crop": lambda numbers: np.repeat(mean[None], len(numbers), 0),
            "nearest training crop by landmarks": lambda numbers: train.batch(nearest(train, val.face[numbers], spread)),
            "linear regression from landmarks": linear(None, None),
            "linear regression from landmarks and look": linear(val_looks, train_looks)}


@torch.no_grad()
def evaluate(generator: Generator, train: Crops, val: Crops) -> tuple[dict, NDArray]:
    """Measure all contestants on `val`, without the first crop of each clip.

    Returns
    -------
    table : name -> measures
    sheet : uint8 [row, column, rgb]: truth on top, then a row for each contestant
    """
    asked = np.flatnonzero(np.arange(len(val)) != val.first_of_clip())
    blocks = np.array_split(asked, -(-len(asked) // _BLOCK))
    real_opening = np.concatenate([measure_opening(val.batch(numbers)) for numbers in blocks])
    shown = asked[np.linspace(0, len(asked) - 1, min(N_SHOWN, len(asked))).astype(int)]
    table, tiles = {}, [*val.batch(shown)]
    for name, draw in contestants(generator, train, val).items():
        found = {}
        with progress(blocks, name) as bar:
            for numbers in bar:
                for key, values in measure(draw(numbers), val.batch(numbers)).items():
                    found.setdefault(key, []).extend(values)
        table[name] = summary(found, real_opening)
        tiles += [*draw(shown)]
    return table, contact_sheet(tiles, len(shown))


def as_markdown(table: dict) -> str:
    """The measures as a table."""
    columns = list(next(iter(table.values())))
    return markdown(("method", *columns), [(name, *(cell(row.get(c), ".4g") for c in columns)) for name, row in table.items()])


@stage(reads="MODEL (picture-model), CROPS/, LANDMARKS/", writes="metrics.json beside MODEL, PICTURE",
       examples=("python -m gan.evaluate",
                 "python -m gan.evaluate --model GAN_record/00001/model.safetensors --picture sheet.png"))
@click.option("--model", type=click.Path(path_type=Path), default=DEFAULT_MODEL, show_default="the one that ships",
              help="The generator.")
@click.option("--crops", type=click.Path(path_type=Path), default=Path("data/crops"), help="Face crops of its speaker.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Their landmarks.")
@click.option("--picture", type=click.Path(path_type=Path), help="Also draw truth, model and baselines into this PNG.")
@click.option("--threads", type=click.IntRange(0), default=0, help="CPU threads; 0 is one a core.")
def main(model, crops, landmarks, picture, threads) -> None:
    """Measure a picture model on held-out crops, beside its baselines."""
    torch.set_num_threads(threads or torch.get_num_threads())
    generator = load_generator(model)
    train, val = (load_crops(crops, landmarks, split) for split in ("train", "val"))
    table, sheet = evaluate(generator, train, val)
    n_asked = len(val) - len(np.unique(val.items[:, 0]))
    about = {"crops": n_asked, "clips": len(val.rows), "size_px": val.size_px, "measures": table,
             "speakers": sorted({row["speaker"] for row in val.rows})}
    report(model.with_name("metrics.json"), about, as_markdown(table), stage=STAGE, options={"split": "val"},
           inputs=[model, crops / "index.csv"], picture=picture, sheet=sheet)


if __name__ == "__main__":
    main()
