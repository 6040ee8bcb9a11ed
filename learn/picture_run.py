"""The training loop of picture networks (PyTorch): checkpoints, curves, resume.

Reads, writes: RECORD/00001/: curves.csv, curves.png, preview.png, state.safetensors, model.safetensors
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
from core.stage import say, with_options
from learn import curves, parallel, run
from learn.adversaries import Adversaries
from learn.run import run_options


@dataclass
class Training:
    """What one stage trains.

    trainer : has `step(*arguments) -> losses`
    steps : number of the first step -> iterable of the arguments of that step and the following ones
    check : path of a preview to write -> measures on held-out data
    save : path -> writes the model there and returns it
    """

    trainer: Adversaries
    steps: Callable
    check: Callable
    save: Callable

    def go(self, folder: Path, save_every: int, n_most: int | None = None) -> None:
        """Train to the end (or for `n_most` steps), with a checkpoint and a row of the curves every `save_every` steps."""
        trainer = self.trainer
        sums, n_summed, began = {}, 0, time.monotonic()
        for arguments in self.steps(trainer.step_number):
            for name, value in trainer.step(*parallel.share(arguments)).items():
                sums[name] = sums.get(name, 0.0) + value
            n_summed += 1
            last = trainer.step_number in (trainer.n_steps, n_most)
            if trainer.step_number % save_every and not last:
                continue
            means = dict(zip(sums, parallel.mean_of([value / n_summed for value in sums.values()], trainer.device)))
            if parallel.rank():
                sums, n_summed = {}, 0
                if last:
                    break
                continue
            self.save(folder / "model.safetensors")  # a run that is stopped leaves what it came to
            checked, seconds = self.check(folder / "preview.png"), time.monotonic() - began
            means |= checked
            curves.add_row(folder, {"step": trainer.step_number, "seconds": round(seconds), **means})
            trainer.save_state(folder / "state.safetensors")  # last: a run killed before it does these steps again
            left = seconds / n_summed * (trainer.n_steps - trainer.step_number) / 60
            say(f"step {trainer.step_number} of {trainer.n_steps}, {left:.0f} min left: "
                + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
            sums, n_summed, began = {}, 0, time.monotonic()
            if last:
                break

    def run(self, folder: Path, save_every: int) -> Path:
        """Train in `folder`, from its state on when there is one. Returns the path of the model, which one process writes."""
        folder = parallel.told(folder)
        if (folder / "state.safetensors").is_file():
            self.trainer.load_state(folder / "state.safetensors")
        say(f"{folder}: step {self.trainer.step_number} of {self.trainer.n_steps}, on {self.trainer.device}")
        self.go(folder, save_every)
        return folder / "model.safetensors" if parallel.rank() else self.save(folder / "model.safetensors")

    def dry_run(self) -> None:
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
    return with_options(
        run_options("GAN_record"),
        click.option("--epoch", "--epochs", "epochs", type=click.IntRange(1), default=defaults["epochs"],
                     help="Times each picture is seen."),
        click.option("--batch", type=click.IntRange(1), default=defaults["batch"], help="Pictures a step."),
        click.option("--seed", type=int, default=0, help="First weights and order of the pictures."),
        click.option("--adversarial-weight", type=click.FloatRange(0), default=defaults["adversarial_weight"],
                     help="Of the discriminator; 0 is none."),
        click.option("--adversarial-from", type=click.FloatRange(0, 1), default=defaults["adversarial_from"],
                     help="Share of the steps before it joins."),
        click.option("--save-every", type=click.IntRange(1), default=250, help="Steps between checkpoints."),
        click.option("--threads", type=click.IntRange(0), default=0, help="CPU threads; 0 is one a core."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to compute."),
        click.option("--dry-run", "is_dry", is_flag=True, help="Two steps, nothing kept: does everything fit?"))


def train_as_asked(build: Callable[[dict, str], Training], stage: str, data: str, *, record: str | Path, save_every: int,
                   resume: str | Path | None = None, trained: str | Path | None = None, threads: int = 0,
                   device: str = "cpu", is_dry: bool = False, **options: Any) -> Path | None:
    """What a training command does with its options; see `learn.run.train_as_asked`.

    Parameters
    ----------
    build : function (options, device) -> Training
    data : the option that names the folder of the data

    Returns
    -------
    path of the model; None after a dry run, and in all but the first of the processes that `torchrun` started
    """
    torch.set_num_threads(threads or torch.get_num_threads())
    options = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    device, index = parallel.own_device(choose_device(device)), Path(options[data]) / "index.csv"

    def prepare(options, _index):
        training = build(options, device)
        return lambda folder: training.run(folder, save_every)

    if is_dry or parallel.rank():
        options = runs.resumable_run(resume, stage=stage)["options"] if resume else options
    if is_dry:
        build(options, device).dry_run()
        return None
    with parallel.connected(device):
        if parallel.rank():  # the first process says which run it is, and talks
            run.talk_little()
            build(options, device).run(Path(), save_every)
            return None
        return run.train_as_asked(prepare, stage=stage, data=index, options=options, record=record, resume=resume,
                                  trained=trained)


def choose_device(name: str) -> str:
    """`auto` is CUDA where there is one. Raises InputError when CUDA is asked for and there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda", "no CUDA device here", "a CUDA build of PyTorch and a GPU", "--device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
