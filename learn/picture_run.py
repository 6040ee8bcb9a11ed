"""Training runs of picture networks: checkpoints, curves, and going on after a stop.

Writes: RECORD/00001/ with run.json, curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch

from core import runs
from core.errors import InputError
from core.stage import only_one, say
from learn.adversaries import Adversaries
from learn.curves import Curves


@dataclass
class Training:
    """What one stage trains.

    stage : the command, `gan.train`
    index : index.csv of the data
    trainer : has `step(*arguments) -> losses`
    steps : number of the first step -> iterable of the arguments of that step and the following ones
    check : path of a preview to write -> measures on held-out data
    save : path -> writes the model there and returns it
    """

    stage: str
    index: Path
    trainer: Adversaries
    steps: Callable
    check: Callable
    save: Callable

    def go(self, run, save_every: int, n_most: int | None = None):
        """Train to the end (or for `n_most` steps), with a checkpoint and a row of the curves every `save_every` steps."""
        trainer, curves = self.trainer, Curves(run, self.trainer.step_number)
        sums, n_summed, began = {}, 0, time.monotonic()
        for arguments in self.steps(trainer.step_number):
            for name, value in trainer.step(*arguments).items():
                sums[name] = sums.get(name, 0.0) + value
            n_summed += 1
            last = trainer.step_number in (trainer.n_steps, n_most)
            if trainer.step_number % save_every and not last:
                continue
            self.save(run / "model.safetensors")  # a run that is stopped leaves what it came to
            checked, seconds = self.check(run / "preview.png"), time.monotonic() - began
            means = {name: value / n_summed for name, value in sums.items()} | checked
            curves.add(step=trainer.step_number, seconds=round(seconds), **means)
            trainer.save_state(run / "state.safetensors")  # last: a run killed before it does these steps again
            left = seconds / n_summed * (trainer.n_steps - trainer.step_number) / 60
            say(f"step {trainer.step_number} of {trainer.n_steps}, {left:.0f} min left: "
                + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
            sums, n_summed, began = {}, 0, time.monotonic()
            if last:
                break

    def run(self, record, options, resume, save_every) -> Path:
        """Go on with a run (`resume`, or the newest unfinished one with these options and data), or start one; finish it.

        Returns
        -------
        path of the model
        """
        run = Path(resume or runs.open_run(record, stage=self.stage, options=options, data=self.index))
        with only_one(run):
            if (run / "state.safetensors").is_file():
                self.trainer.load_state(run / "state.safetensors")
            say(f"{run}: step {self.trainer.step_number} of {self.trainer.n_steps}, on {self.trainer.device}")
            self.go(run, save_every)
            model = self.save(run / "model.safetensors")
            (run / "done").touch()
            return model

    def dry_run(self):
        """Two steps in a folder that is thrown away: raises what a real run would."""
        with tempfile.TemporaryDirectory() as folder:
            self.go(Path(folder), save_every=2, n_most=2)
            self.save(Path(folder) / "model.safetensors")
        say(f"dry run: fits; a real one takes {self.trainer.n_steps} steps")


def provenance(rows: Sequence[dict]) -> dict:
    """What a model's sidecar says of the clips it was trained on; `rows` of their index."""
    return {"clips": len(rows), "speakers": sorted({row["speaker"] for row in rows}),
            "licences": sorted({row.get("licence", "") for row in rows})}


def training_options(**defaults: Any) -> Callable[[Callable], Callable]:
    """Decorate a command with the options of every training; `defaults` of epochs, batch, adversarial_weight and _from."""
    path = click.Path(path_type=Path)
    options = (
        click.option("--record", type=path, default=Path("GAN_record"), help="Folder of the runs."),
        click.option("--epoch", "--epochs", "epochs", type=click.IntRange(1), default=defaults["epochs"],
                     help="Times each picture is seen."),
        click.option("--batch", type=click.IntRange(1), default=defaults["batch"], help="Pictures a step."),
        click.option("--seed", type=int, default=0, help="First weights and order of the pictures."),
        click.option("--adversarial-weight", type=click.FloatRange(0), default=defaults["adversarial_weight"],
                     help="Of the discriminator; 0 is none."),
        click.option("--adversarial-from", type=click.FloatRange(0, 1), default=defaults["adversarial_from"],
                     help="Share of the steps before it joins."),
        click.option("--save-every", type=click.IntRange(1), default=250, help="Steps between checkpoints."),
        click.option("--resume", type=path, help="Go on with this run, under its own options."),
        click.option("--threads", type=click.IntRange(0), default=0, help="CPU threads; 0 is one a core."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to compute."),
        click.option("--dry-run", "is_dry", is_flag=True, help="Two steps, nothing kept: does everything fit?"),
    )

    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def train_as_asked(build: Callable[[dict, str], Training], stage: str, data: str, *, record: str | Path, save_every: int,
                   resume: str | Path | None, threads: int, device: str, is_dry: bool, **options: Any) -> Path | None:
    """What a training command does with its options; `build` makes a `Training` of options and device.

    Returns
    -------
    path of the model; None after a dry run
    """
    torch.set_num_threads(threads or torch.get_num_threads())
    options = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    training = build(resumed_options(resume, stage, data) if resume else options, choose_device(device))
    return training.dry_run() if is_dry else training.run(record, options, resume, save_every)


def resumed_options(run: str | Path, stage: str, data: str) -> dict:
    """The options of a run of `stage`, whose option `data` names the folder of its data.

    Raises
    ------
    InputError : not such a run, or its data have changed.
    """
    return runs.resumed(run, stage=stage, data=lambda about: Path(about["options"][data]) / "index.csv")["options"]


def choose_device(name: str) -> str:
    """`auto` is CUDA where there is one. Raises InputError when CUDA is asked for and there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda", "no CUDA device here", "a CUDA build of PyTorch and a GPU", "--device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
