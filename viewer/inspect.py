"""Say what any file of the project is, and draw it.

Reads: any file listed in docs/artifacts.md, its sidecar, or a run folder.
Writes: .cache/inspect/NAME.png, or the picture named by --out; never anything beside the file.
"""

from pathlib import Path

import click

from core.errors import InputError, readable
from core.files import named_after, whole_file
from core.processes.child import MOST_BYTES, run_in_child
from core.stage import stage
from viewer.look import look_at

MOST_S = 300  # the largest packs and videos take minutes
CACHE = Path(".cache/inspect")


def _draw(path, out):
    facts, figure = look_at(path)
    with readable(path, "what its name says", cure="make it again"):
        figure().savefig(out, format="png")
    return [(str(label), str(text)) for label, text in facts]


def inspect(path: str | Path, out: str | Path) -> list:
    """Draw `path` to the PNG `out`; return the facts. A file of anybody's: it is read in a process with limits."""
    n_bytes = Path(path).stat().st_size if Path(path).is_file() else 0  # arrays are mapped: that takes no memory, but counts
    with whole_file(out) as part:
        return run_in_child(_draw, Path(path), part, most_bytes=MOST_BYTES + n_bytes, most_s=MOST_S)


@stage(reads="FILE and its sidecar", writes=f"{CACHE}/NAME.png, or --out",
       examples=("make inspect FILE=data/train.h5", "python -m viewer.inspect predict_landmark/speech/landmarks.npy",
                 "python -m viewer.inspect CNN_record/00001 --out curves.png"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Picture to write.  [default: in the cache]")
def main(file, out) -> None:
    """Say what a file is, what made it and from what, and draw it.

    FILE is any file the stages exchange, or the folder of a training run. The path of the drawing is printed last.
    """
    out = out or named_after(CACHE / file.resolve().name, ".png")
    if out.suffix != ".png" or out.resolve() == file.resolve():
        raise InputError(out, "not a place for the drawing", "a .png that is not FILE itself")
    for label, value in [("file", str(file)), *inspect(file, out)]:
        click.echo(f"{label:<10} {value}")
    click.echo(out)


if __name__ == "__main__":
    main()
