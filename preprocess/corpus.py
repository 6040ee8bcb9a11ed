"""What every corpus stage shares: one call per clip on all cores, resumable, ending in an index.csv that hides nothing.

Reads: index.csv of the stage before.
Writes: OUT/index.csv, one row a clip, failed ones with their `problem`; written last, so a stopped stage is not done.
"""

import csv
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path, PurePath

from core import artifacts
from core.errors import InputError
from core.stage import only_one, progress, say


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
    with artifacts.whole_file(path) as part, open(part, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return artifacts.describe_with(path, "index", stage=stage, options=options, inputs=inputs, clips=len(rows),
                                   failed=sum(bool(row.get("problem")) for row in rows))


def _one_clip(work, row, out, options):
    if row.get("problem"):
        return row
    try:
        return {**row, **work(row, out, options)}
    except InputError as error:
        return {**row, "problem": str(error)}


def run_stage(work, index, out, *, stage: str, options: dict, jobs: int = 0, only=None,
              columns=()) -> Path:
    """Run `work` on every clip of `index` and write OUT/index.csv.

    Parameters
    ----------
    work : top-level function (row, out folder, options) -> dict of new columns; raises InputError for a bad clip.
        It skips a clip whose outputs are current, which is what makes a killed stage go on where it stopped.
    index : index.csv of the stage before
    jobs : worker processes, 0 for one a core
    columns : what `work` and `only` look for in a row
    only : function row -> bool; rows it refuses are left out of this stage's index

    Returns
    -------
    path of the index written
    """
    rows = [row for row in read_index(index, *columns) if only is None or only(row)]
    if not rows:
        raise InputError(index, "no clip fits the selection", "at least one clip", f"make inspect FILE={index}")
    jobs = jobs or os.cpu_count() or 1
    done = []
    with only_one(out) as out, ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_one_clip, work, row, out, options) for row in rows]
        try:
            with progress(futures, stage.split(".")[-1].replace("_", " ")) as bar:
                done.extend(future.result() for future in bar)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        failed = [row for row in done if row.get("problem")]
        for row in failed[:5]:
            say(f"skipped: {row['problem']}")
        if failed:
            say(f"{len(failed)} of {len(done)} clips failed; reasons stand in {out / 'index.csv'}")
        return write_index(out / "index.csv", done, stage=stage, options=options, inputs=[index])


def output_path(out, row, suffix: str) -> Path:
    """Where a stage keeps its file of a clip: OUT/clip.suffix, sub-folders kept."""
    return Path(out) / f"{row['clip']}{suffix}"
