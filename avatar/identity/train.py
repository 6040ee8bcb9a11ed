"""Train the identity encoder: classification of many people with an angular margin.

Reads: CROPS (preprocess.crop_faces, of all speakers) and PAIRS (avatar.pairs, photos alone).
Writes: RECORD/00001/ with run.json, curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
Half the people of a batch are seen in recordings and half in portraits, or as there are; each twice.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from torch.nn import functional as F

from avatar.identity.data import Faces, augment, load_faces
from avatar.identity.measure import area_under, embed, pairs_of
from avatar.identity.network import IdentityEncoder, MarginHead, save_encoder
from core.face.draw import contact_sheet
from core.stage import stage
from learn import parallel
from learn.adversaries import Adversaries
from learn.curves import save_picture
from learn.picture_run import Training, provenance, train_as_asked, training_options
from learn.run import n_steps_of

STAGE = "avatar.identity.train"
LEARNING_RATE = 2e-3
N_PREVIEW = 24
MODEL_OPTIONS = ("epochs", "batch", "seed")  # options its sidecar keeps


class IdentityTrainer(Adversaries):
    """An encoder in the generator's place, and in the discriminator's the people's own directions; they work together."""

    def __init__(self, encoder, n_people, n_steps):
        super().__init__(encoder, MarginHead(n_people, encoder.settings["n_out"]), n_steps, learning_rate=LEARNING_RATE,
                         adversarial_weight=0, adversarial_from=0)

    def step(self, pictures, people) -> dict:
        """Train on one batch: float [n, rgb, row, column] and int [n] tensors; return the losses."""
        self.set_learning_rate()
        pictures, people = pictures.to(self.device), people.to(self.device)
        scores = self.discriminator(self.generator.train()(pictures), people)
        loss = F.cross_entropy(scores, people)
        self.optimisers["discriminator"].zero_grad(set_to_none=True)
        self.learn("generator", loss)
        parallel.mean_gradients(self.discriminator)
        self.optimisers["discriminator"].step()
        self.follow()
        for mean, value in zip(self.average.buffers(), self.generator.buffers()):
            mean.copy_(value)
        return {"margin": float(loss.detach()), "right": float((scores.argmax(1) == people).float().mean())}


def batches(train: Faces, options: dict, first: int, n_steps: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield (pictures, people) from step `first` on: `batch` / 2 people, as many with many pictures as with few."""
    own = [np.flatnonzero(train.people == person) for person in range(train.n_people)]
    is_filmed = np.array([train.groups[numbers[0]] == "recordings" for numbers in own])
    share = np.where(is_filmed, 1 / max(1, is_filmed.sum()), 1 / max(1, (~is_filmed).sum()))
    n_people = min(options["batch"] // 2, train.n_people)
    for step in range(first, n_steps):
        rng = np.random.default_rng([options["seed"], step])
        people = rng.choice(train.n_people, n_people, replace=False, p=share / share.sum())
        numbers = np.concatenate([rng.choice(own[person], 2, replace=len(own[person]) < 2) for person in people])
        yield augment(train.views[numbers], rng), torch.from_numpy(train.people[numbers])


def check(encoder: IdentityEncoder, val: Faces, preview: str | Path) -> dict:
    """Of held-out people: how often a pair of one person is nearer than a pair of two; and faces, drawn by person."""
    shown = np.unique(np.linspace(0, len(val.views) - 1, N_PREVIEW).astype(int))
    save_picture(preview, contact_sheet(list(val.views[shown]), 8))
    distance, is_same = pairs_of(embed(encoder, val.views), val.people, val.groups)
    return {"val_auc": area_under(distance, is_same)}


def training(options: dict, device: str) -> Training:
    """All of a run, from its options."""
    train = load_faces(options["crops"], options["pairs"], "train")
    val = load_faces(options["crops"], options["pairs"], "val", left_out={row["speaker"] for row in train.rows})
    torch.manual_seed(options["seed"])
    n_steps = n_steps_of(options, len(train.views))
    trainer = IdentityTrainer(IdentityEncoder().to(device), train.n_people, n_steps)
    index = Path(options["crops"]) / "index.csv"

    def save(path):
        return save_encoder(path, trainer.average, stage=STAGE, options={key: options[key] for key in MODEL_OPTIONS},
                            inputs=[index, Path(options["pairs"]) / "index.csv"], faces=len(train.views),
                            people=train.n_people, **provenance(train.rows))

    return Training(trainer, lambda first: batches(train, options, first, n_steps),
                    lambda preview: check(trainer.average, val, preview), save)


@stage(reads="CROPS/, PAIRS/", writes="RECORD/NNNNN/: run.json, curves, preview.png, state and model.safetensors",
       examples=("python -m avatar.identity.train", "python -m avatar.identity.train --dry-run"))
@click.option("--crops", type=click.Path(path_type=Path), default=Path("data/faces"), help="Face crops of many speakers.")
@click.option("--pairs", type=click.Path(path_type=Path), default=Path("data/avatar_pairs"), help="Photos with comics.")
@training_options(epochs=8, batch=64, adversarial_weight=0.0, adversarial_from=0.0)
def main(**options) -> None:
    """Train the identity encoder: whose face is it? A run that was stopped goes on by itself."""
    if model := train_as_asked(training, STAGE, "crops", **options):
        click.echo(model)


if __name__ == "__main__":
    main()
