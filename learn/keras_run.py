"""The training loop of speech networks (Keras): checkpoints, curves, resume.

Reads, writes: RECORD/00001/: state.npz (to go on), curves.csv, curves.png, events (TensorBoard).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import numpy as np

from core import runs
from core.files import whole_file
from core.stage import progress, with_options
from learn import curves, run, workers
from learn.run import run_options

AVERAGING = 0.995  # of the weights, a step: what is kept is their slow average


def optimizer_of(network: Any, options: dict) -> Any:
    """AdamW for `network`, its rate as `options` say: it rises at first, then falls like a cosine."""
    from learn.tensorflow import keras
    schedule = keras.optimizers.schedules.CosineDecay(0.0, options["steps"], 0.02, warmup_target=options["rate"],
                                                      warmup_steps=min(200, options["steps"] // 10 + 1))
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=options["decay"])
    optimizer.build(network.trainable_variables)
    return optimizer


def descend(tape: Any, loss: Any, network: Any, optimizer: Any, average: Any = None) -> None:
    """One step down the gradient of `loss`; the weights of `average`, when there is one, follow those of `network`."""
    from learn.tensorflow import tf
    variables = network.trainable_variables
    gradients, _ = tf.clip_by_global_norm(workers.mean_of(tape.gradient(loss, variables)), 1.0)
    optimizer.apply_gradients(zip(gradients, variables))
    for slow, fast in zip(average.trainable_variables if average else (), variables):
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


def go_on(folder: Path, options: dict, batches: Any, train_step: Callable[..., dict], variables: Sequence[Any],
          check: Callable[[int, dict], None], *, label: str, stop_after: int | None = None) -> bool:
    """Train in `folder` until `options['steps']`, from state.npz on when there is one.

    Parameters
    ----------
    batches : has `batch(step)`, the arguments of `train_step`
    train_step : returns a dict of losses
    variables : all that must be saved to go on
    check : called with the step and the mean losses since the last time, every `options['every']` steps, by the first process
    stop_after : end early as a kill would, after that many steps (tests)

    Returns
    -------
    whether the training came to its end, and this is the process that writes its model
    """
    from learn.tensorflow import tf
    state, recent = folder / "state.npz", []
    first = load_state(state, variables) if state.is_file() else 0
    together = tf.function(workers.mean_of)
    last = min(options["steps"], stop_after or options["steps"])
    with ThreadPoolExecutor(1) as ahead, progress(range(first, last), label) as bar:
        coming = ahead.submit(batches.batch, first)
        for step in bar:
            batch, coming = coming.result(), ahead.submit(batches.batch, step + 1)
            losses = train_step(*tf.nest.map_structure(tf.convert_to_tensor, workers.share(batch)))
            recent.append({name: float(value) for name, value in losses.items()})
            if (step + 1) % options["every"] == 0 or step + 1 == last:
                mean = [tf.constant(np.mean([r[name] for r in recent]), tf.float32) for name in recent[0]]
                names, recent = list(recent[0]), []
                means = {name: float(value) for name, value in zip(names, together(mean))}
                if workers.rank() == 0:
                    check(step + 1, means)
                    save_state(state, step + 1, variables)
    return last == options["steps"] and workers.rank() == 0


def add_to_curves(folder: Path, row: dict) -> None:
    """Add `row` to the curves of a run (`learn.curves.add_row`), and write it as TensorBoard events."""
    from learn.tensorflow import tf
    curves.add_row(folder, row)
    with tf.summary.create_file_writer(str(folder / "events")).as_default(step=row["step"]):
        for name, value in row.items():
            tf.summary.scalar(name, value)


def training_options(*, steps: int, batch: int, rate: float, every: int, fewest: int = 1) -> Callable[[Callable], Callable]:
    """Decorate a command with the options of every training on a pack; the arguments are their defaults, `fewest` a batch."""
    return with_options(
        click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Training clips."),
        run_options("CNN_record"),
        click.option("--steps", type=click.IntRange(1), default=steps, help="Batches to learn from."),
        click.option("--batch", type=click.IntRange(fewest), default=batch, help="Stretches of speech a batch."),
        click.option("--rate", type=click.FloatRange(0, min_open=True), default=rate, help="Highest learning rate."),
        click.option("--decay", type=click.FloatRange(0), default=0.05, help="Weight decay."),
        click.option("--every", type=click.IntRange(1), default=every, help="Steps between saved states."),
        click.option("--seed", type=int, default=1, help="Of the first weights and of the batches."),
        click.option("--dry-run", "is_dry", is_flag=True, help="Two small steps, to see that everything works."))


def train_as_asked(train: Callable[[Path, str | Path, dict], Path | None], stage: str,
                   opened: Callable[[str | Path], AbstractContextManager], *, pack: str | Path, record: str | Path,
                   resume: str | Path | None, trained: str | Path | None, is_dry: bool, **options: Any) -> Path | None:
    """What a training command does with its options: `train(run, pack, options)` in the run they ask for.

    `opened(pack)` is a context that raises InputError when `pack` is none, before a run folder is made. See
    `learn.run.train_as_asked`.
    """
    def prepare(options, pack):
        with opened(pack):
            return lambda folder: train(workers.told(folder), pack, options)

    if is_dry:
        options |= {"steps": 2, "batch": min(4, options["batch"]), "every": 2}
    with workers.connected():
        if workers.rank():  # the first process says which run it is, and talks
            run.talk_little()
            about = runs.resumable_run(resume, stage=stage) if resume else {"options": options, "data": {"file": pack}}
            prepare(about["options"], about["data"]["file"])(Path())
            return None
        return run.train_as_asked(prepare, stage=stage, data=pack, options=options, record=record, resume=resume,
                                  trained=trained)
