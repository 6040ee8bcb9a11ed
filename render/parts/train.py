"""Train the painter of mouths, or of eyes, on pairs of frames.

Reads: PAIRS (render.parts.pairs).
Writes: RECORD/00001/ with run.json, curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
The order of the pairs, and how each is varied, follow from the seed and the step alone, so a run that was stopped goes on as
if it had not been.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch

from core import metrics
from core.face.draw import contact_sheet
from core.stage import stage
from learn.curves import save_picture
from learn.layers import to_uint8
from learn.picture_run import Training, provenance, train_as_asked, training_options
from learn.run import n_steps_of
from render.parts.data import Pairs, as_tensors, augment, load_pairs
from render.parts.network import Painter, blend, enlarge, load_painter, save_painter
from render.parts.part import MOUTH, PARTS
from render.parts.trainer import PartTrainer

STAGE = "render.parts.train"
LEARNING_RATE = 5e-4
N_CHECK, N_PREVIEW = 64, 8  # held-out pairs that are measured, and drawn, at each checkpoint
MODEL_OPTIONS = ("part", "begin", "epochs", "batch", "seed", "adversarial_weight", "adversarial_from")  # kept in its sidecar


def batches(train: Pairs, options: dict, first: int, n_steps: int) -> Iterator[dict[str, torch.Tensor]]:
    """Yield batches, `part_data.varied`, from step `first` on."""
    per_epoch = max(1, len(train) // options["batch"])
    for step in range(first, n_steps):
        order = np.random.default_rng([options["seed"], step // per_epoch]).permutation(len(train))
        numbers = order[step % per_epoch * options["batch"]:][:options["batch"]]
        yield augment(train.batch(numbers), np.random.default_rng([options["seed"], step, 1]))


@torch.inference_mode()
def paint(painter: Painter, pairs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Paint a batch of `part_data.as_tensors` -> float [n, rgb, row, column], -1..1."""
    maps = painter.look_at(pairs["photo"], pairs["photo_masks"])
    return blend(pairs["warped"], *painter(pairs["warped"], pairs["masks"], maps))


def check(painter: Painter, val: Pairs, preview: str | Path, device: str) -> dict:
    """Measure near the part in held-out pairs, always the same ones, and draw some: photo, moved, painted, truth."""
    numbers = np.unique(np.linspace(0, len(val) - 1, N_CHECK).astype(int))
    tiles, found = [], {"val_psnr_db": [], "val_ssim": [], "val_ssim_moved": []}
    shown = set(numbers[np.linspace(0, len(numbers) - 1, N_PREVIEW).astype(int)])
    for number in numbers:
        batch = val.batch([number])
        pairs = as_tensors(batch, device)
        drawn, near = to_uint8(paint(painter, pairs))[0], batch["masks"][0, ..., 1] > 127
        rows, columns = (slice(k.min(), k.max() + 1) for k in np.nonzero(near))
        truth, moved = (batch[name][0] for name in ("truth", "warped"))
        found["val_psnr_db"].append(metrics.psnr_db(drawn[rows, columns], truth[rows, columns]))
        for name, picture in (("val_ssim", drawn), ("val_ssim_moved", moved)):
            found[name].append(metrics.ssim(picture[rows, columns], truth[rows, columns]))
        if number in shown:
            tiles.append(np.concatenate([batch["photo"][0], moved, drawn, truth]))
    save_picture(preview, contact_sheet(tiles, len(tiles)))
    return {name: float(np.mean(values)) for name, values in found.items()}


def training(options: dict, device: str) -> Training:
    """All of a run, from its options."""
    part = PARTS[options["part"]]
    train, val = (load_pairs(options["pairs"], split, part) for split in ("train", "val"))
    torch.manual_seed(options["seed"])
    n_steps = n_steps_of(options, len(train))
    begin = options.get("begin")
    painter = enlarge(load_painter(begin, MOUTH), part) if begin else Painter(part=part.name)
    trainer = PartTrainer(painter.to(device), n_steps, learning_rate=LEARNING_RATE,
                          adversarial_weight=options["adversarial_weight"], adversarial_from=options["adversarial_from"])
    index = Path(options["pairs"]) / "index.csv"

    def steps(first):
        return ((batch,) for batch in batches(train, options, first, n_steps))

    def save(path):
        kept = {key: options[key] for key in MODEL_OPTIONS if options.get(key) is not None}
        return save_painter(path, trainer.average, stage=STAGE, options=kept, inputs=[index], pairs=len(train),
                            **provenance(train.rows))

    return Training(trainer, steps, lambda preview: check(trainer.average, val, preview, device), save)


@stage(reads="PAIRS/", writes="RECORD/NNNNN/: run.json, curves, preview.png, state and model.safetensors",
       examples=("python -m render.parts.train", "python -m render.parts.train --part eyes",
                 "python -m render.parts.train --dry-run", "python -m render.parts.train --resume GAN_record/00003"))
@click.option("--part", type=click.Choice(list(PARTS)), default=MOUTH.name, help="Of the face.")
@click.option("--pairs", type=click.Path(path_type=Path),
              help=f"Pairs of that part.  [default: {', '.join(part.pairs for part in PARTS.values())}]")
@click.option("--begin", type=click.Path(path_type=Path), help="A painter of mouths to begin from, enlarged.")
@training_options(epochs=6, batch=8, adversarial_weight=0.04, adversarial_from=0.3)
def main(pairs, **options) -> None:
    """Train the model that draws what a photo's mouth or eyes lack. A run that was stopped goes on by itself."""
    pairs = pairs or Path(PARTS[options["part"]].pairs)
    if model := train_as_asked(training, STAGE, "pairs", pairs=pairs, **options):
        click.echo(model)


if __name__ == "__main__":
    main()
