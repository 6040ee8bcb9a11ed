"""What a training command does around its training, in any framework: which run it works in, and what it leaves there.

Reads, writes: RECORD/00001/: run.json, `done` when the training has come to its end; the file that --trained names.
"""

from collections.abc import Callable
from pathlib import Path

import click

from core import runs
from core.events import Failed, Warned
from core.files import whole_file
from core.stage import listen, only_one, with_options

_PATH = click.Path(path_type=Path)


def run_options(record: str, resumes: bool = True) -> Callable[[Callable], Callable]:
    """Decorate a training command with --record, --resume and --trained; `record` is the default.

    `resumes`: whether there is --resume; a command without it goes on when it is given again.
    """
    return with_options(
        click.option("--record", type=_PATH, default=Path(record), help="Folder of the runs."),
        *([click.option("--resume", type=_PATH, help="Go on with this run; its own options hold.")] if resumes else ()),
        click.option("--trained", type=_PATH, help="Also write the model's path into this file, for make."))


def train_as_asked(prepare: Callable[[dict, str | Path], Callable[[Path], Path | None]], *, stage: str, data: str | Path,
                   options: dict, record: str | Path, resume: str | Path | None = None, trained: str | Path | None = None,
                   resumes: bool = True) -> Path | None:
    """Train in the run that is asked for, and mark it as done when it has ended.

    That is `resume`, with its own options and data; or the newest unfinished one of these options and data; or a new one.

    Parameters
    ----------
    prepare : function (options, data) -> function run -> path of the model, or None when it stops early. It reads the data:
        what it raises, it raises before a folder is made
    stage : the command
    data : the file the run learns from: a pack, an index.csv
    options : as resolved, JSON values
    record, resume, trained, resumes : see `run_options`

    Returns
    -------
    path of the model, or None

    Raises
    ------
    InputError : `resume` is no run of this command, its data have changed, or another process works in it.
    """
    if resume:
        about = runs.resumable_run(resume, stage=stage)
        options, data = about["options"], about["data"]["file"]
    train = prepare(options, data)
    run = Path(resume or runs.open_run(record, stage=stage, options=options, data=data, resumes=resumes))
    with only_one(run):
        model = train(run)
        return model and finish(run, model, trained)


def talk_little() -> None:
    """From now on say warnings and errors alone: of several processes that train together the first one talks."""
    listen(lambda event: click.echo(str(event), err=True) if isinstance(event, (Warned, Failed)) else None)


def finish(run: str | Path, model: Path, trained: str | Path | None = None) -> Path:
    """Mark `run` as done, write the path of its model into the file `trained` when it is named; return the path."""
    (Path(run) / "done").touch()
    if trained:
        with whole_file(trained) as part:
            part.write_text(f"{model}\n", encoding="utf-8")
    return model


def n_steps_of(options: dict, n_items: int) -> int:
    """Steps of `epochs` passes through so many items, `batch` at a time."""
    return options["epochs"] * max(1, n_items // options["batch"])
