"""index.csv: the table that ends each corpus stage and begins the next, one row a clip, failed ones with their `problem`."""

import csv
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from core import artifacts
from core.errors import InputError, readable

LONGEST_CLIP = 240  # bytes: file systems take names of 255, endings included


def read_rows(path: str | Path, *columns: str, cure: str = "", errors: str = "strict") -> list:
    """Rows of a table as dicts of text. Raises InputError when one of `columns` is missing, or a clip has no place.

    A clip is the name of files below a folder: never empty, never outside of it. `errors`: as for `open`.
    """
    with readable(path, "CSV", "comma-separated text in UTF-8", "save it as CSV, UTF-8"), \
            open(path, encoding="utf-8-sig", errors=errors, newline="") as stream:  # spreadsheets put a mark before UTF-8
        if "\0" in stream.readline():
            raise ValueError("zero bytes, as UTF-16 has them")
        stream.seek(0)
        rows = list(csv.DictReader(stream, restval=""))
    if not rows or (missing := [name for name in columns if name not in rows[0]]):
        found = "no rows" if not rows else f"columns missing: {', '.join(missing)}, found {', '.join(map(str, rows[0]))[:80]}"
        raise InputError(path, found, f"columns {', '.join(columns)}, between commas", cure)
    first = {}
    for n, row in enumerate(rows, 1):
        if (earlier := first.setdefault(row["clip"], n)) < n:
            raise InputError(path, f"rows {earlier} and {n} are both the clip {row['clip']!r}", "one row a clip")
        clip = PurePath(row["clip"])
        if None in row or any("\0" in text for text in row.values()):
            raise InputError(path, f"row {n} has more cells than columns, or a zero byte", "a cell for each column")
        too_long = any(len(os.fsencode(part)) > LONGEST_CLIP for part in clip.parts)
        if not clip.name or clip.is_absolute() or ".." in clip.parts or too_long:
            raise InputError(path, f"row {n} has the clip {row['clip'][:80]!r}", "a path inside the folder, names of at most "
                             f"{LONGEST_CLIP} bytes")
    return rows


def number_in(path: str | Path, row: Mapping[str, str], column: str, least: float = -math.inf, most: float = math.inf) -> float:
    """The number in a column of a row of the table `path`. Raises InputError when it is none, or beyond `least` and `most`."""
    try:
        value = float(row[column])
    except (KeyError, ValueError):
        value = math.nan
    if not least <= value <= most or not math.isfinite(value):
        raise InputError(path, f"the {column} of clip {row['clip']!r} is {row.get(column, '')[:40]!r}",
                         "a number" + (f" from {least:g} to {most:g}" if math.isfinite(least) else ""))
    return value


def read_index(path: str | Path, *columns: str, cure: str = artifacts.PREPROCESS) -> list:
    """Return the rows of an index.csv as dicts of text.

    Raises
    ------
    InputError : it is missing, or a column of it; `cure` makes it.
    """
    artifacts.check(path, "index", cure=cure)
    return read_rows(path, "clip", *columns, cure=cure, errors="surrogateescape")


def source_of(clip: str) -> str:
    """The source a clip comes from: the name of the folder it lies in, "" for one in no folder."""
    return PurePath(clip).parent.name


def write_index(path: str | Path, rows: Sequence[dict], *, stage: str, options: dict | None = None,
                inputs: Iterable[str | Path] = ()) -> Path:
    """Write `rows` (dicts) with every column any of them has, and a sidecar with the counts."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    about: dict[str, Any] = {"stage": stage, "options": options, "inputs": inputs, "clips": len(rows),
             "failed": sum(bool(row.get("problem")) for row in rows)}
    with artifacts.described(path, "index", **about) as (part, _), open(
            part, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        usual, quoting = (csv.DictWriter(stream, columns, restval="", lineterminator="\n", quoting=how)
                          for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        usual.writeheader()
        for row in rows:  # csv quotes no carriage return where lines end otherwise; macOS has files named Icon\r
            (quoting if any("\r" in str(cell) for cell in row.values()) else usual).writerow(row)
    return Path(path)
