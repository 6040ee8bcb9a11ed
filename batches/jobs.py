"""Jobs out of a table or a folder: what one video is made of, and how.

Reads: TABLE.csv, or a folder of recordings. Writes: nothing.
"""

import csv
import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import click

from core.errors import InputError, absent, readable
from core.files import fitting, input_hash
from core.stage import say
from preprocess.recordings import SOUND, VIDEO

MOST_ROWS, MOST_CELL = 100_000, 100_000
FILES = ("image", "video", "audio", "script", "motion", "landmarks", "model")  # columns of paths: beside the table, or as given
ALSO = {"photo": "image", "speech": "audio"}  # other names of columns
YES, NO = ("yes", "true", "1", "x"), ("no", "false", "0")
SETTLED_S = 2  # a recording that nobody wrote to for so long is whole
_FIELD = re.compile(r"\{([^{}]*)\}")
_TEXT = "--text"


@dataclass(frozen=True)
class Job:
    """One video: what `main.py` is given for it, or what is wrong with its row."""

    row: int
    video: str  # its name in the folder of the results
    arguments: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    problem: str = ""

    def key(self) -> str:
        """Changes when the options or the contents of a file of this video do."""
        sums = [input_hash(Path(path)) for path in self.files if Path(path).is_file()]
        return hashlib.sha256(json.dumps([self.arguments, self.video, sums]).encode()).hexdigest()[:16]


def _column(name) -> str:
    """The name of a column as rows have it: capitals, and - or _, do not count."""
    return (name or "").strip().replace("_", "-").lower()


def _named(row):
    """A row by the names of its columns; `photo` and `speech` are `image` and `audio`, unless those are there too."""
    cells = {_column(name): cell for name, cell in row.items()}
    return {name if ALSO.get(name, name) in cells else ALSO.get(name, name): cell for name, cell in cells.items()}


def filled(text: str, row: dict[str, str]) -> str:
    """`text` with {column} replaced by that cell of the row. Raises InputError for a column that is not there."""
    def cell(match):
        name = _column(match[1])
        if (name := name if name in row else ALSO.get(name, name)) not in row:
            raise InputError("text", f"{{{match[1].strip()}}}", f"a column of the table: {', '.join(row)}")
        return row[name]

    return _FIELD.sub(cell, text)


def _with_texts_filled(common: Sequence[str], row: dict[str, str]) -> list[str]:
    """The options of all rows for one of them: in their --text, {column} is that cell."""
    before = ("", *common)
    return [f"{_TEXT}={filled(word.removeprefix(f'{_TEXT}='), row)}" if word.startswith(f"{_TEXT}=") else
            filled(word, row) if last == _TEXT else word for last, word in zip(before, common)]


def _video_name(row: dict[str, str], number: int, n_digits: int) -> str:
    wanted = filled(row.get("output", ""), row).strip()
    if not wanted:
        source = row.get("audio") or row.get("script") or row.get("image") or row.get("video") or "video"
        return f"{number:0{n_digits}d}_{fitting(Path(source).stem)}.mp4"
    path = PurePath(wanted if wanted.lower().endswith(".mp4") else f"{wanted}.mp4")
    if path.is_absolute() or ".." in path.parts:
        raise InputError("output", repr(wanted), "a name inside the folder of the results")
    return path.as_posix()


def job_of(row: dict[str, str], number: int, n_digits: int, folder: Path, common: Sequence[str],
           options: Mapping[str, click.Option]) -> Job:
    """What a row asks for; `folder` is that of the table, `common` what is given for all rows, `options` are by column."""
    name = f"{number:0{n_digits}d}.mp4"
    try:
        name = _video_name(row, number, n_digits)
        arguments, files = _with_texts_filled(common, row), []
        for column, option in options.items():
            value = row.get(column, "").strip()
            if not value:
                continue
            if option.is_flag:
                if value.lower() not in (*YES, *NO):
                    raise InputError(column, repr(value), f"{'/'.join(YES)} or {'/'.join(NO)}")
                arguments += [f"--{column}"] if value.lower() in YES else []
                continue
            if column in FILES:
                value = str(folder / value) if (folder / value).exists() else value
                files.append(value)
            arguments.append(f"--{column}={filled(value, row) if column == 'text' else value}")
        return Job(number, name, arguments, files)
    except InputError as error:
        return Job(number, name, problem=str(error))


def read_table(path: Path, common: Sequence[str], options: Mapping[str, click.Option]) -> list[Job]:
    """The jobs of a table; rows that cannot be met are jobs with a problem. Raises InputError for a table that is none."""
    if not path.is_file():
        raise InputError(path, absent(path), "a table, or a folder of recordings")
    with readable(path, "CSV", "comma-separated text in UTF-8", "save it as CSV, UTF-8"), \
            open(path, encoding="utf-8-sig", newline="") as stream:
        csv.field_size_limit(MOST_CELL)
        reader = csv.DictReader(stream, restval="", restkey="")
        rows = [_named(row) for row in reader]
    columns = list(rows[0]) if rows else []
    given = {*columns, *(word.lstrip("-").partition("=")[0] for word in common if word.startswith("--"))}
    if not rows or len(rows) > MOST_ROWS or not given & {"image", "video"} or not given & {"audio", "text", "script"}:
        raise InputError(path, f"{len(rows)} row{'s' * (len(rows) != 1)}, columns {', '.join(columns)[:80] or 'none'}",
                         "columns image or video, and audio, text or script, or such options for all rows after --",
                         "a first line with their names, such as: image,text")
    if unused := [name for name in columns if name not in options and name != "output"]:
        say(f"columns for texts alone: {', '.join(unused)}")
    n_digits = len(str(len(rows)))
    return _each_once([job_of(row, number, n_digits, path.parent, common, options) for number, row in enumerate(rows, 1)])


def read_folder(folder: Path, common: Sequence[str]) -> list[Job]:
    """A job for each recording of a folder, named after it. Raises InputError where there is none."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUND | VIDEO and path.name[0] != ".")
    settled = [path for path in found if time.time() - path.stat().st_mtime > SETTLED_S]
    return _each_once([Job(n, f"{path.stem}.mp4", [*common, f"--audio={path}"], [str(path)])
                       for n, path in enumerate(settled, 1)])


def _each_once(jobs):
    """Jobs of which no two write the same video."""
    first = {}
    return [job if (row := first.setdefault(job.video.casefold(), job.row)) == job.row else
            Job(job.row, job.video, problem=f"row {row} already writes {job.video}") for job in jobs]
