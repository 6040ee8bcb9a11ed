"""Train the translator of photos to comics, adversarially, on pairs.

Reads: PAIRS (avatar.pairs), ENCODER (picture-model, avatar.identity.train), whose maps are the perceptual loss.
Writes: RECORD/00001/ with run.json, curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
How each pair is varied follows from the seed and the step alone, so a run that was stopped goes on as if it had not been.
Source: Isola et al., pix2pix, CVPR 2017; perceptual loss, Johnson et al., ECCV 2016.
"""

from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from avatar.data import Pairs, batches, load_pairs, mean_face
from avatar.identity.network import DEFAULT_MODEL, load_encoder
from avatar.inputs import as_inputs
from avatar.network import Translator, save_translator
from avatar.trainer import AvatarTrainer
from core import metrics
from core.face.draw import contact_sheet
from core.stage import stage
from learn.curves import save_picture
from learn.layers import to_uint8
from learn.picture_run import Training, provenance, train_as_asked, training_options
from learn.run import n_steps_of

STAGE = "avatar.train"
LEARNING_RATE = 1e-3
N_CHECK, N_PREVIEW = 12, 8  # held-out pairs that are measured, and drawn, at each checkpoint
MODEL_OPTIONS = ("epochs", "batch", "seed", "adversarial_weight", "adversarial_from")  # options its sidecar keeps


@torch.inference_mode()
def translate_pair(translator: Translator, pair: dict, style: str) -> NDArray:
    """The comic the network draws of a pair's photo: uint8 [row, column, rgb]."""
    inputs = torch.from_numpy(as_inputs(pair["photo"], pair["points"], style))
    device = next(translator.parameters()).device
    return to_uint8(translator(inputs[None, None].to(device))[0][0])[0]


def check(translator: Translator, val: Pairs, preview: str | Path) -> dict:
    """Measure held-out pairs, always the same ones, and draw some: photo, drawn, truth."""
    numbers = np.unique(np.linspace(0, len(val) - 1, N_CHECK).astype(int))
    drawn = [translate_pair(translator, val.pairs[i], val.styles[i]) for i in numbers]
    truth = [val.pairs[i]["comic"] for i in numbers]
    tiles = [np.concatenate([val.pairs[i]["photo"], d, t], 1) for i, d, t in zip(numbers, drawn, truth)]
    save_picture(preview, contact_sheet(tiles[:N_PREVIEW], 2))
    return {"val_psnr_db": float(np.mean([metrics.psnr_db(*pair) for pair in zip(drawn, truth)])),
            "val_ssim": float(np.mean([metrics.ssim(*pair) for pair in zip(drawn, truth)]))}


def training(options: dict, device: str) -> Training:
    """All of a run, from its options."""
    train, val = (load_pairs(options["pairs"], split) for split in ("train", "val"))
    torch.manual_seed(options["seed"])
    n_steps = n_steps_of(options, len(train))
    translator, encoder = Translator(mean_face=mean_face(train)), load_encoder(options["encoder"], device)
    trainer = AvatarTrainer(translator.to(device), encoder, n_steps, learning_rate=LEARNING_RATE,
                            adversarial_weight=options["adversarial_weight"], adversarial_from=options["adversarial_from"])
    index = Path(options["pairs"]) / "index.csv"

    def save(path):
        return save_translator(path, trainer.average, stage=STAGE, options={key: options[key] for key in MODEL_OPTIONS},
                               inputs=[index, options["encoder"]], pairs=len(train), steps=trainer.step_number,
                               **provenance(train.rows))

    return Training(trainer, lambda first: batches(train, options, first, n_steps),
                    lambda preview: check(trainer.average, val, preview), save)


@stage(reads="PAIRS/, ENCODER (picture-model)",
       writes="RECORD/NNNNN/: run.json, curves, preview.png, state and model.safetensors",
       examples=("python -m avatar.train", "python -m avatar.train --dry-run"))
@click.option("--pairs", type=click.Path(path_type=Path), default=Path("data/avatar_pairs"), help="Photos with comics.")
@click.option("--encoder", type=click.Path(path_type=Path), help="The identity encoder.  [default: the one that ships]")
@training_options(epochs=60, batch=4, adversarial_weight=0.05, adversarial_from=0.3)
def main(encoder, **options) -> None:
    """Train the translator of photos to comics. A run that was stopped goes on by itself."""
    if model := train_as_asked(training, STAGE, "pairs", encoder=encoder or DEFAULT_MODEL, **options):
        click.echo(model)


if __name__ == "__main__":
    main()
