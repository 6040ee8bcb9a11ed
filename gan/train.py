"""Train the landmark DCGAN on the face crops of one speaker.

Reads: CROPS (preprocess.crop_faces) and LANDMARKS (preprocess.extract_landmarks).
Writes: RECORD/00001/ with run.json, curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
The order of the crops follows from the seed and the epoch alone, so a run that was stopped goes on as if it had not been.
"""

import tempfile
import time
from pathlib import Path

import click
import numpy as np
import torch

from core import artifacts, runs
from core.errors import InputError
from core.stage import only_one, say, stage
from gan.dataset import load_crops, looks_of, measure_speaker
from gan.model import Generator, save_generator, widths_for
from gan.monitor import Curves, check
from gan.regression import start_from_regression
from gan.trainer import Trainer

STAGE = "gan.train"
LEARNING_RATE = 1e-3
MODEL_OPTIONS = ("epochs", "batch", "seed", "width", "adversarial_weight", "adversarial_from")  # options its sidecar keeps


def choose_device(name: str) -> str:
    """`auto` is CUDA where there is one. Raises InputError when CUDA is asked for and there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda", "no CUDA device here", "a CUDA build of PyTorch and a GPU", "--device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def resumed_options(run) -> dict:
    """The options of a run of this stage. Raises InputError when it is not one, or its crops have changed."""
    about = runs.read_run(run)
    if about["stage"] != STAGE:
        raise InputError(run, f"a run of {about['stage']}", f"a run of {STAGE}", f"ls {Path(run).parent}")
    index = Path(about["options"]["crops"]) / "index.csv"
    artifacts.check(index, "index")
    if artifacts.sha256(index) != about["data"]["sha256"]:
        raise InputError(index, f"changed since {run} began", "the crops it was trained on", "python -m gan.train")
    return about["options"]


def new_trainer(train, options, device):
    """Networks that follow from the seed and the speaker's measures: Trainer, and float tensor [item, n_look]."""
    torch.manual_seed(options["seed"])
    generator = Generator(train.size_px, widths_for(train.size_px, options["width"]))
    measure_speaker(generator, train)
    looks = looks_of(generator, train)
    partners = train.partners(np.random.default_rng(options["seed"]))  # a crop's own look would give its mouth away
    start_from_regression(generator, train, looks[partners])
    n_steps = options["epochs"] * steps_per_epoch(train, options)
    return Trainer(generator.to(device), n_steps, learning_rate=LEARNING_RATE, adversarial_from=options["adversarial_from"],
                   adversarial_weight=options["adversarial_weight"]), looks


def steps_per_epoch(train, options) -> int:
    return max(1, len(train) // options["batch"])


def batches(train, options, from_step, n_steps):
    """Yield (item numbers, numbers of the crops whose look they take) from a step on; each follows from seed and epoch."""
    per_epoch, epoch = steps_per_epoch(train, options), -1
    for step in range(from_step, n_steps):
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            rng = np.random.default_rng([options["seed"], epoch])
            order, partners = rng.permutation(len(train)), train.partners(rng)
        numbers = order[step % per_epoch * options["batch"]:][:options["batch"]]
        yield numbers, partners[numbers]


def train_run(run, trainer, train, looks, val, options, save_every, n_most=None):
    """Train to the end, with a checkpoint and a row of the curves every `save_every` steps.

    `n_most`: stop after this many steps, for a dry run.
    """
    state, curves = run / "state.safetensors", Curves(run, trainer.step_number)
    sums, n_summed, began = {}, 0, time.monotonic()
    for numbers, partners in batches(train, options, trainer.step_number, trainer.n_steps):
        found = trainer.step(torch.from_numpy(train.batch(numbers)), torch.from_numpy(train.face[numbers]), looks[partners])
        sums = {name: sums.get(name, 0.0) + value for name, value in found.items()}
        n_summed += 1
        last = trainer.step_number in (trainer.n_steps, n_most)
        if trainer.step_number % save_every and not last:
            continue
        trainer.save_state(state)
        checked, seconds = check(trainer, val, run / "preview.png"), time.monotonic() - began
        means = {name: value / n_summed for name, value in sums.items()}
        curves.add(step=trainer.step_number, seconds=round(seconds), **means, **checked)
        left = seconds / n_summed * (trainer.n_steps - trainer.step_number) / 60
        say(f"step {trainer.step_number} of {trainer.n_steps}, {left:.0f} min left: "
            + ", ".join(f"{name} {value:.3f}" for name, value in {**means, **checked}.items()))
        sums, n_summed, began = {}, 0, time.monotonic()
        if last:
            break


def save_model(path, trainer, train, options):
    """Write the averaged generator with its provenance."""
    return save_generator(path, trainer.average, stage=STAGE, options={key: options[key] for key in MODEL_OPTIONS},
                          inputs=[Path(options["crops"]) / "index.csv"], clips=len(train.rows), crops=len(train),
                          speakers=sorted({row["speaker"] for row in train.rows}),
                          licences=sorted({row.get("licence", "") for row in train.rows}))


def train_in(record, options, resume, data, *, device, save_every):
    """Go on with a run (`resume`, or the newest unfinished one with these options and data), or start one; finish it.

    Returns
    -------
    path of the model
    """
    train, val = data
    index = Path(options["crops"]) / "index.csv"
    run = resume or runs.unfinished_run(record, stage=STAGE, options=options, data=index)
    run = Path(run) if run else runs.new_run(record, stage=STAGE, options=options, data=index)
    trainer, looks = new_trainer(train, options, device)
    with only_one(run):
        if (run / "state.safetensors").is_file():
            trainer.load_state(run / "state.safetensors")
        say(f"{run}: step {trainer.step_number} of {trainer.n_steps}, {steps_per_epoch(train, options)} an epoch, on {device}")
        train_run(run, trainer, train, looks, val, options, save_every)
        model = save_model(run / "model.safetensors", trainer, train, options)
        (run / "done").touch()
        return model


def dry_run(options, data, device):
    """Two steps in a folder that is thrown away: raises what a real run would."""
    train, val = data
    trainer, looks = new_trainer(train, options, device)
    with tempfile.TemporaryDirectory() as folder:
        train_run(Path(folder), trainer, train, looks, val, options, save_every=2, n_most=2)
        save_model(Path(folder) / "model.safetensors", trainer, train, options)
    say(f"dry run: fits; a real one takes {trainer.n_steps} steps")


@stage(reads="CROPS/, LANDMARKS/", writes="RECORD/NNNNN/: run.json, curves, preview.png, state and model.safetensors",
       examples=("python -m gan.train --epochs 25", "python -m gan.train --resume GAN_record/00001",
                 "python -m gan.train --dry-run"))
@click.option("--crops", type=click.Path(path_type=Path), default=Path("data/crops"), help="Face crops of one speaker.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Their landmarks.")
@click.option("--record", type=click.Path(path_type=Path), default=Path("GAN_record"), help="Folder of the runs.")
@click.option("--epoch", "--epochs", "epochs", type=click.IntRange(1), default=2, help="Times each crop is seen.")
@click.option("--batch", type=click.IntRange(1), default=4, help="Crops a step.")
@click.option("--seed", type=int, default=0, help="First weights and order of the crops.")
@click.option("--width", type=click.FloatRange(0.05, 4), default=1.0, help="Channels, as a factor of the usual ones.")
@click.option("--adversarial-weight", type=click.FloatRange(0), default=0.002, help="Of the discriminator; 0 is none.")
@click.option("--adversarial-from", type=click.FloatRange(0, 1), default=0.6, help="Share of the steps before it joins.")
@click.option("--save-every", type=click.IntRange(1), default=250, help="Steps between checkpoints.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with this run, under its own options.")
@click.option("--threads", type=click.IntRange(0), default=0, help="CPU threads; 0 is one a core.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to compute.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Two steps, nothing kept: does everything fit?")
def main(record, save_every, resume, threads, device, is_dry, **options):
    """Train the picture model: landmarks in, face pictures out. A run that was stopped goes on by itself."""
    device = choose_device(device)
    torch.set_num_threads(threads or torch.get_num_threads())
    options |= {name: str(options[name]) for name in ("crops", "landmarks")}
    if resume:
        options = resumed_options(resume)
    data = [load_crops(options["crops"], options["landmarks"], split) for split in ("train", "val")]
    if is_dry:
        return dry_run(options, data, device)
    click.echo(train_in(record, options, resume, data, device=device, save_every=save_every))


if __name__ == "__main__":
    main()
