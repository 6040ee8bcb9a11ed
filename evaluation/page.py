"""The report as a page: tables with spreads, plots, the worst clips, and the measures of every model.

Reads: nothing. Writes: FOLDER/index.html and FOLDER/pictures/. The page needs no network.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.files import whole_file
from viewer.page import document

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = """ body { max-width: 75rem } figure { margin: 1rem 0 } figcaption, small { color: var(--soft) }
 .wide { overflow-x: auto } table { border-collapse: collapse }
 td, th { padding: .15rem .7rem; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
 td small { display: block; line-height: 1.1 } th[scope=row] { text-align: left; color: var(--ink) }
 tr.source > * { border-top: 1px solid var(--line) }
"""


@dataclass
class Part:
    """One chapter: rows and table of `evaluation.spread`, and what is drawn of it."""

    name: str
    about: str
    rows: list[dict]
    table: dict
    fit: str  # the measure that is plotted and says which clips are worst
    worst: list[dict] = field(default_factory=list)
    pictures: dict = field(default_factory=dict)  # clip -> uint8 [row, column, rgb] or Figure, or several of them


def _number(value: float) -> str:
    if isinstance(value, int) or abs(value) < 5e-6:
        return f"{value:.0f}".replace("-", "")
    return f"{value:.6f}" if abs(value) < 0.005 else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _cell(spread: Mapping | None) -> str:
    if spread is None:
        return "<td></td>"
    mean, low, high, sd = (_number(spread[name]) for name in ("mean", "low", "high", "sd"))
    return f"<td>{mean}<small>{low} to {high}</small><small>sd {sd}</small></td>"


def _rows(head: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in head)
    return f'<div class="wide"><table><tr>{cells}</tr>\n' + "\n".join(rows) + "\n</table></div>"


def spread_table(table: Mapping) -> str:
    """HTML of `evaluation.spread.table_of`: a row a source and method, the spread below each mean."""
    names = list(dict.fromkeys(name for methods in table.values() for found in methods.values() for name in found))
    rows = []
    for source, methods in table.items():
        for number, (method, found) in enumerate(methods.items()):
            n = max((spread["n"] for spread in found.values() if spread), default=0)
            first = "" if number else ' class="source"'
            rows.append(f'<tr{first}><th scope="row">{escape(source)}</th><th scope="row">{escape(method)}</th><td>{n}</td>'
                        + "".join(_cell(found.get(name)) for name in names) + "</tr>")
    return _rows(("source", "method", "clips", *names), rows)


def plain_table(measures: Mapping, path: tuple = ()) -> str:
    """HTML of nested measures: a row for each group of numbers, a column for each name in it; lists are left out."""
    groups: dict[tuple, list] = {}

    def walk(node, path):
        numbers = {name: value for name, value in node.items()
                   if isinstance(value, (int, float, str)) and not isinstance(value, bool)}
        if numbers:
            groups.setdefault(tuple(numbers), []).append((path, numbers))
        for name, value in node.items():
            if isinstance(value, Mapping):
                walk(value, (*path, name))

    walk(measures, path)
    parts = []
    for names, found in groups.items():
        rows = [f'<tr><th scope="row">{escape(" / ".join(path))}</th>' + "".join(
            f"<td>{escape(value if isinstance(value, str) else _number(value))}</td>" for value in numbers.values()) + "</tr>"
            for path, numbers in found]
        parts.append(_rows(("", *names), rows))
    return "\n".join(parts)


def strips(rows: Sequence[dict], measure: str) -> "Figure":
    """Each clip a point: sources side by side, a colour a method, the mean a line."""
    from matplotlib.figure import Figure
    sources, methods = sorted({row["source"] for row in rows}), list(dict.fromkeys(row["method"] for row in rows))
    figure = Figure((2.2 + 2.4 * len(sources), 3.2), dpi=100, layout="constrained")
    axis, rng = figure.subplots(), np.random.default_rng(0)
    for number, method in enumerate(methods):
        for at, source in enumerate(sources):
            values = [row[measure] for row in rows if (row["source"], row["method"]) == (source, method)
                      and row.get(measure) is not None]
            x = at + (number - (len(methods) - 1) / 2) * 0.8 / len(methods)
            axis.scatter(x + rng.uniform(-0.03, 0.03, len(values)), values, s=9, alpha=0.6, color=f"C{number}", linewidths=0,
                         label=method if not at else None)
            if values:
                axis.plot([x - 0.06, x + 0.06], [np.mean(values)] * 2, color=f"C{number}", linewidth=2)
    axis.set_xticks(range(len(sources)), sources)
    axis.set_ylabel(measure.replace("_", " "))
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw(folder, name, picture) -> str:
    """Write one picture or figure; its path from the page."""
    path = folder / "pictures" / f"{name}.png"
    with whole_file(path) as part:
        if isinstance(picture, np.ndarray):
            part.write_bytes(cv2.imencode(".png", picture[..., ::-1])[1])
        else:
            picture.savefig(part, format="png")
    return f"pictures/{name}.png"


def _figure(sources, words) -> str:
    shown = "".join(f'<img src="{escape(source)}" alt="{escape(words)}">' for source in sources)
    return f"<figure>{shown}<figcaption>{escape(words)}</figcaption></figure>"


def _chapter(folder, number, part) -> str:
    title, plot = part.fit.replace("_", " "), _draw(folder, f"{number}-{part.fit}", strips(part.rows, part.fit))
    parts = [f"<h2>{escape(part.name)}</h2><p>{escape(part.about)}</p>", spread_table(part.table),
             _figure([plot], f"{title} of each clip; lines: the means")]
    if part.worst:
        parts.append(f"<h3>The worst {len(part.worst)} clips</h3>")
    for place, row in enumerate(part.worst):
        words = f"{row['clip']}: {title} {_number(row[part.fit])}"
        shown: NDArray | Sequence = part.pictures.get(row["clip"], ())
        shown = [shown] if isinstance(shown, np.ndarray) else shown
        parts.append(_figure([_draw(folder, f"{number}-worst-{place}-{i}", picture) for i, picture in enumerate(shown)], words))
    return "\n".join(parts)


def write_report(folder: str | Path, title: str, parts: Sequence[Part], models: Mapping[str, Mapping], about: str) -> Path:
    """Write FOLDER/index.html and its pictures; return its path.

    Parameters
    ----------
    parts : the chapters
    models : name -> measures, which were taken before and are shown as they are
    about : HTML, what was measured and how to do it again
    """
    folder = Path(folder)
    body = [about, *(_chapter(folder, number, part) for number, part in enumerate(parts, 1))]
    if models:
        body.append("<h2>Measured when each model was made</h2>")
    body += [f"<details><summary>{escape(name)}</summary>{plain_table(found)}</details>" for name, found in models.items()]
    page = folder / "index.html"
    with whole_file(page) as part:
        part.write_text(document(title, "\n".join(body), _STYLE), encoding="utf-8")
    return page
