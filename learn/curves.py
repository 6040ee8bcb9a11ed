"""The curves of a run: a row of measures a checkpoint, drawn.

Reads, writes: RUN/curves.csv, RUN/curves.png
"""

import csv
from pathlib import Path

from numpy.typing import NDArray

from core.files import whole_file


def add_row(run: str | Path, row: dict) -> None:
    """Put `row`, its step among it, after those of the steps before it: a run that was killed does steps again.

    A measure may begin, or be missing, at any step. Numbers are written with five digits.
    """
    path, rows = Path(run) / "curves.csv", []
    if path.is_file():
        with open(path, encoding="utf-8", newline="") as stream:
            rows = [old for old in csv.DictReader(stream) if int(old["step"]) < row["step"]]
    rows.append({name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()})
    columns = list(dict.fromkeys(name for each in rows for name in each))
    with whole_file(path) as part, open(part, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    _draw(path.with_suffix(".png"), rows, [name for name in columns if name not in ("step", "seconds")])


def _draw(path, rows, names):
    """Draw a panel a measure; those whose name has a source before a stroke, SOURCE/MEASURE, share the last one."""
    from matplotlib.figure import Figure  # slow to import, and only needed here
    panels = [[name] for name in names if "/" not in name] + [[n for n in names if "/" in n]] * any("/" in n for n in names)
    figure = Figure((4 * len(panels), 3), layout="constrained")
    for axes, group in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        for name in group:
            axes.plot(*zip(*((int(row["step"]), float(row[name])) for row in rows if row.get(name, "") != "")), label=name)
        axes.set(title=group[0] if len(group) == 1 else "", xlabel="step")
        if len(group) > 1:
            axes.legend(fontsize=7)
    with whole_file(path) as part:
        figure.savefig(part, dpi=80)


def save_picture(path: str | Path, picture: NDArray) -> None:
    """Write uint8 [row, column, rgb] as PNG."""
    from PIL import Image
    with whole_file(path) as part:
        Image.fromarray(picture).save(part)
