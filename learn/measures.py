"""What every command that measures a model ends with: a table, the measures as a file, a sheet of pictures.

Writes: metrics.json (metrics) with its sidecar; a PNG
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray

from core import artifacts
from core.stage import say
from learn.curves import save_picture


def cell(value: float | None, form: str = ".3f") -> str:
    """A number in a table; nothing where it is not known."""
    return "" if value is None else format(value, form)


def markdown(columns: Sequence[str], rows: Iterable[Sequence], n_names: int = 1) -> str:
    """A table to paste into the documents.

    `columns` their names; `rows` of as many cells, in words; the first `n_names` columns stand left, the others right
    """
    ruler = "|" + "---|" * n_names + "---:|" * (len(columns) - n_names)
    return "\n".join([f"| {' | '.join(columns)} |", ruler, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def report(out: str | Path, measures: dict, text: str | None, *, picture: str | Path | None = None,
           sheet: NDArray | None = None, **about: Any) -> Path:
    """Write what was measured, and print it: the text, then the path.

    Parameters
    ----------
    out : where the measures go
    measures : JSON values; there is no NaN among them
    text : what a person reads; None prints nothing
    picture, sheet : where to draw uint8 [row, column, rgb], if anywhere
    **about : stage, options, inputs, as for `core.artifacts.described`
    """
    artifacts.save_described_json(out, measures, "metrics", **about)
    if picture and sheet is not None:
        save_picture(picture, sheet)
        say(f"drawn into {picture}")
    if text is not None:
        click.echo(f"{text}\n{out}")
    return Path(out)
