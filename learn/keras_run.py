"""What the trainings of speech networks share: the loop that can be stopped and gone on with, its state and its curves.

Reads, writes: RECORD/00001/: run.json, state.npz (to go on), curves.csv, curves.png, events (TensorBoard).
"""

import csv
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from core import runs
from core.files import whole_file
from core.stage import only_one, progress

AVERAGING = 0.995  # of the weights, a step: what is kept is their slow average


def optimizer_of(network: Any, options: dict) -> Any:
    """AdamW for `network`, its rate as `options` say: it rises at first, then falls like a cosine."""
    import keras
    schedule = keras.optimizers.schedules.CosineDecay(0.0, options["steps"], 0.02, warmup_target=options["rate"],
                                                      warmup_steps=min(200, options["steps"] // 10 + 1))
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=options["decay"])
    optimizer.build(network.trainable_variables)
    return optimizer


def descend(tape: Any, loss: Any, network: Any, average: Any, optimizer: Any) -> None:
    """One step down the gradient of `loss`; the weights of `average` follow those of `network`."""
    import tensorflow as tf
    variables = network.trainable_variables
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
    optimizer.apply_gradients(zip(gradients, variables))
    for slow, fast in zip(average.trainable_variables, variables):
        slow.assign(slow + (1 - AVERAGING) * (fast - slow))


def save_state(path: str | Path, step: int, variables: Sequence[Any]) -> None:
    """Write everything needed to go on: the step and every variable of model and optimiser."""
    with whole_file(path) as part:
        np.savez(part, step=step, **{f"v{i:04d}": v.numpy() for i, v in enumerate(variables)})


def load_state(path: str | Path, variables: Sequence[Any]) -> int:
    """Put a saved state back into `variables`; return the step it was saved at."""
    with np.load(path, allow_pickle=False) as state:
        for i, variable in enumerate(variables):
            variable.assign(state[f"v{i:04d}"])
        return int(state["step"])


def go_on(run: Path, options: dict, batches: Any, train_step: Callable[..., dict], variables: Sequence[Any],
          check: Callable[[int, dict], None], *, label: str, stop_after: int | None = None) -> bool:
    """Train in the folder `run` until `options['steps']`, from state.npz on when there is one.

    Parameters
    ----------
    batches : has `batch(step)`, the arguments of `train_step`
    train_step : returns a dict of losses
    variables : all that must be saved to go on
    check : called with the step and the mean losses since the last time, every `options['every']` steps
    stop_after : end early as a kill would, after that many steps (tests)

    Returns
    -------
    whether the training came to its end
    """
    import tensorflow as tf
    state, recent = run / "state.npz", []
    first = load_state(state, variables) if state.is_file() else 0
    last = min(options["steps"], stop_after or options["steps"])
    with ThreadPoolExecutor(1) as ahead, progress(range(first, last), label) as bar:
        coming = ahead.submit(batches.batch, first)
        for step in bar:
            batch, coming = coming.result(), ahead.submit(batches.batch, step + 1)
            recent.append({name: float(value) for name, value in train_step(*map(tf.convert_to_tensor, batch)).items()})
            if (step + 1) % options["every"] == 0 or step + 1 == last:
                check(step + 1, {name: float(np.mean([r[name] for r in recent])) for name in recent[0]})
                save_state(state, step + 1, variables)
                recent = []
    return last == options["steps"]


def add_to_curves(run: Path, row: dict) -> None:
    """Add `row` to curves.csv, after those of the steps before it, draw curves.png, and write TensorBoard events."""
    import tensorflow as tf
    curves, rows = run / "curves.csv", []
    if curves.is_file():
        with open(curves, encoding="utf-8", newline="") as stream:
            rows = [old for old in csv.DictReader(stream) if int(old["step"]) < row["step"]]  # a killed run does steps again
    with whole_file(curves) as part, open(part, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, row, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, row])
    with tf.summary.create_file_writer(str(run / "events")).as_default(step=row["step"]):
        for name, value in row.items():
            tf.summary.scalar(name, value)
    draw_curves(curves, run / "curves.png")


def draw_curves(curves: str | Path, picture: str | Path) -> None:
    """curves.csv -> curves.png: losses on the left, what was measured by source on the right."""
    from matplotlib.figure import Figure
    with open(curves, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    figure = Figure((10, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    for name in rows[0]:
        if name != "step":
            axes[int("/" in name)].plot([int(r["step"]) for r in rows], [float(r[name]) for r in rows], label=name)
    for ax, title in zip(axes, ("loss", "validation")):
        ax.set(title=title, xlabel="step")
        ax.legend(fontsize=7)
    with whole_file(picture) as part:
        figure.savefig(part)


def train_as_asked(train: Callable[[Path, str | Path, dict], Any], stage: str, pack: str | Path, record: str | Path,
                   resume: Path | None, options: dict, *, opened: Callable[[str | Path], AbstractContextManager]) -> Any:
    """What a training command does with its options: `train(run, pack, options)` in the run they ask for.

    That is `resume`, with its own options and pack, or the newest unfinished one of these options and data, or a new one.
    `opened(pack)` is a context that raises InputError when `pack` is none, before a run folder is made.
    """
    if resume:
        about = runs.resumed(resume, stage=stage, data=lambda about: about["data"]["file"])
        run, options, pack = resume, about["options"], about["data"]["file"]
    else:
        with opened(pack):
            pass
        run = runs.open_run(record, stage=stage, options=options, data=pack)
    with only_one(run):
        return train(run, pack, options)
