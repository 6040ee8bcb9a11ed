"""Train the landmark DCGAN on the face crops of one speaker.

Reads: CROPS (preprocess.crop_faces) and LANDMARKS (preprocess.extract_landmarks).
Writes: RECORD/00001/ with run.json, curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
The order of the crops follows from the seed and the epoch alone, so a run that was stopped goes on as if it had not been.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from core import metrics
from core.face.draw import contact_sheet
from core.stage import stage
from gan.dataset import Crops, load_crops, looks_of, measure_speaker
from gan.model import Generator, save_generator, widths_for
from gan.regression import start_from_regression
from gan.trainer import Trainer
from learn.curves import save_picture
from learn.layers import to_uint8
from learn.picture_run import Training, provenance, train_as_asked, training_options
from learn.run import n_steps_of

STAGE = "gan.train"
LEARNING_RATE = 1e-3
N_CHECK, N_PREVIEW = 48, 8  # held-out crops that are measured, and drawn, at each checkpoint
MODEL_OPTIONS = ("epochs", "batch", "seed", "width", "adversarial_weight", "adversarial_from")  # options its sidecar keeps


def new_trainer(train: Crops, options: dict, device: str) -> tuple[Trainer, torch.Tensor]:
    """Networks that follow from the seed and the speaker's measures: Trainer, and float tensor [item, n_look]."""
    torch.manual_seed(options["seed"])
    generator = Generator(train.size_px, widths_for(train.size_px, options["width"]))
    measure_speaker(generator, train)
    looks = looks_of(generator, train)
    partners = train.partners(np.random.default_rng(options["seed"]))  # a crop's own look would give its mouth away
    start_from_regression(generator, train, looks[partners])
    return Trainer(generator.to(device), n_steps_of(options, len(train)), learning_rate=LEARNING_RATE,
                   adversarial_weight=options["adversarial_weight"], adversarial_from=options["adversarial_from"]), looks


def batches(train: Crops, options: dict, from_step: int, n_steps: int) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield (item numbers, numbers of the crops whose look they take) from a step on; each follows from seed and epoch."""
    per_epoch, epoch = max(1, len(train) // options["batch"]), -1
    for step in range(from_step, n_steps):
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            rng = np.random.default_rng([options["seed"], epoch])
            order, partners = rng.permutation(len(train)), train.partners(rng)
        numbers = order[step % per_epoch * options["batch"]:][:options["batch"]]
        yield numbers, partners[numbers]


@torch.no_grad()
def check(trainer: Trainer, val: Crops, preview: str | Path) -> dict:
    """Measure the averaged generator on held-out crops, always the same ones, and draw some of them beside the truth."""
    numbers = np.unique(np.linspace(0, len(val) - 1, N_CHECK).astype(int))
    real, look = val.batch(numbers), trainer.average.look_of(val.batch(val.first_of_clip()[numbers]))
    drawn = to_uint8(trainer.average(torch.from_numpy(val.face[numbers]).to(trainer.device), look))
    shown = np.unique(np.linspace(0, len(numbers) - 1, N_PREVIEW).astype(int))
    save_picture(preview, contact_sheet([*real[shown], *drawn[shown]], len(shown)))
    return {"val_psnr_db": float(np.mean([metrics.psnr_db(a, b) for a, b in zip(drawn, real)])),
            "val_ssim": float(np.mean([metrics.ssim(a, b) for a, b in zip(drawn, real)]))}


def training(options: dict, device: str) -> Training:
    """All of a run, from its options."""
    train, val = (load_crops(options["crops"], options["landmarks"], split) for split in ("train", "val"))
    trainer, looks = new_trainer(train, options, device)

    def steps(first):
        for numbers, partners in batches(train, options, first, trainer.n_steps):
            yield torch.from_numpy(train.batch(numbers)), torch.from_numpy(train.face[numbers]), looks[partners]

    def save(path):
        return save_generator(path, trainer.average, stage=STAGE, options={key: options[key] for key in MODEL_OPTIONS},
                              inputs=[index], crops=len(train), **provenance(train.rows))

    index = Path(options["crops"]) / "index.csv"
    return Training(trainer, steps, lambda preview: check(trainer, val, preview), save)


@stage(reads="CROPS/, LANDMARKS/", writes="RECORD/NNNNN/: run.json, curves, preview.png, state and model.safetensors",
       examples=("python -m gan.train --epochs 25", "python -m gan.train --resume GAN_record/00001",
                 "python -m gan.train --dry-run"))
@click.option("--crops", type=click.Path(path_type=Path), default=Path("data/crops"), help="Face crops of one speaker.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Their landmarks.")
@click.option("--width", type=click.FloatRange(0.05, 4), default=1.0, help="Channels, as a factor of the usual ones.")
@training_options(epochs=2, batch=4, adversarial_weight=0.002, adversarial_from=0.6)
def main(**options) -> None:
    """Train the picture model: landmarks in, face pictures out. A run that was stopped goes on by itself."""
    if model := train_as_asked(training, STAGE, "crops", **options):
        click.echo(model)


if __name__ == "__main__":
    main()
