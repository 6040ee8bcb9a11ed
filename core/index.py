"""index.csv: the table that ends each corpus stage and begins the next, one row a clip, failed ones with their `problem`."""

import csv
from pathlib import Path, PurePath

from core import artifacts
from core.errors import InputError


def read_rows(path, *columns, cure: str = "") -> list:
    """Rows of a table as dicts of text. Raises InputError when one of `columns` is missing, or a clip has no place.

    A clip is the name of files below a folder: never empty, never outside of it.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:  # spreadsheets put a mark before UTF-8
            rows = list(csv.DictReader(stream, restval=""))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"not readable as CSV ({str(error)[:60]})", "comma-separated text in UTF-8",
                         "save it as CSV, UTF-8") from None
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
        if not clip.name or clip.is_absolute() or ".." in clip.parts:
            raise InputError(path, f"row {n} has the clip {row['clip']!r}", "a path inside the folder")
    return rows


def read_index(path, *columns) -> list:
    """Return the rows of an index.csv as dicts of text. Raises InputError when it is missing, or a column of it."""
    artifacts.check(path, "index")
    return read_rows(path, "clip", *columns, cure="make preprocess CORPUS=folder")


def write_index(path, rows, *, stage, options=None, inputs=()):
    """Write `rows` (dicts) with every column any of them has, and a sidecar with the counts."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    about = {"stage": stage, "options": options, "inputs": inputs, "clips": len(rows),
             "failed": sum(bool(row.get("problem")) for row in rows)}
    with artifacts.described(path, "index", **about) as (part, _), open(part, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return Path(path)
