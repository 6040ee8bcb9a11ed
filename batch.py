"""Many videos in one call: a row of a table, or a recording of a folder, is a video; models are loaded once.

Reads: TABLE.csv and the files it names, or a folder of recordings; OUT/results.csv of an earlier call.
Writes: in OUT: NAME.mp4 for each row, results.csv (a line a row, with the reason where one failed), thumbnails/, index.html.
Columns named like options of `main.py` (image or photo, audio or speech, text, voice, emotion, captions, size ...) are those
options for their row; others may stand in texts as {column}.
"""

import contextlib
import csv
import io
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path

import click

from batches.jobs import Job, read_folder, read_table
from batches.results import COLUMNS, DONE, FAILED, read_results, safe, write_page, write_results, write_thumbnail
from core.corpus import workers
from core.errors import InputError
from core.events import Event, Failed, Warned
from core.stage import listen, only_one, progress, say, stage
from main import main as make
from preprocess.recordings import SOUND, VIDEO

LOOK_EVERY_S = 1  # how often a folder is looked at
# Options that are no columns
LEFT_OUT = {"help", "output", "stream", "format", "result-dir", "force", "json-progress", "quiet", "preset", "keep", "sign"}
OPTIONS = {name.lstrip("-"): part for part in make.params if isinstance(part, click.Option) for name in part.opts
           if name.startswith("--") and name.lstrip("-") not in LEFT_OUT}


def _make(arguments: list[str], video: Path) -> tuple[str, str]:
    """Make one video, in a worker; (state, reason or warnings)."""
    told: list[Event] = []
    listen(told.append)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            make.main([*arguments, "--output", str(video)], standalone_mode=False)
        write_thumbnail(video)
    except click.ClickException as error:
        return FAILED, error.format_message()
    except (SystemExit, click.Abort):
        return FAILED, next((event.text for event in told if isinstance(event, Failed)), "stopped")
    return DONE, "; ".join(str(event) for event in told if isinstance(event, Warned))


def _result(job, key, state, reason, seconds=""):
    return dict(zip(COLUMNS, (job.row, job.video, state, seconds, reason, key)))


def make_all(jobs: Sequence[Job], out: Path, n_workers: int = 0) -> list[dict]:
    """Make the videos that are not there yet; a result for each job, in the order of their ending.

    Each result is added to OUT/results.csv at once: the same call goes on after a kill.
    """
    before = read_results(out / "results.csv")
    results, todo = [], []
    for job in jobs:
        key = job.key()
        earlier = before.get(job.video, {})
        if job.problem:
            results.append(_result(job, key, FAILED, job.problem))
        elif earlier.get("key") == key and (out / job.video).is_file():
            results.append({**earlier, "row": job.row})
        else:
            todo.append((job, key))
    if len(jobs) > len(todo):
        say(f"{len(todo)} of {len(jobs)} videos to make")
    if not todo:
        return results
    write_results(out / "results.csv", results)
    n_workers = min(n_workers or os.cpu_count() or 1, len(todo))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // n_workers)))  # of each worker
    keys = {job.row: key for job, key in todo}
    with workers(n_workers, out) as pool, open(out / "results.csv", "a", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        futures = {pool.submit(_timed, job.arguments, out / job.video): job for job, _ in todo}
        with progress(as_completed(futures), "videos", len(futures)) as bar:
            for future in bar:
                job, (state, reason, seconds) = futures[future], future.result()
                result = _result(job, keys[job.row], state, reason, f"{seconds:.1f}")
                writer.writerow({name: safe(value) for name, value in result.items()})
                stream.flush()
                results.append(result)
                if state == FAILED:
                    say(f"row {job.row}: {reason}")
    return results


def _timed(arguments, video):
    began = time.monotonic()
    state, reason = _make(arguments, video)
    return state, reason, time.monotonic() - began


@contextlib.contextmanager
def _ends_plainly(watch):
    """Ctrl-C is how a watch ends, and no mistake."""
    try:
        yield
    except KeyboardInterrupt:
        if not watch:
            raise
        say("no longer looking for recordings; the same command goes on from here")
        sys.exit(0)


@stage(reads="TABLE.csv and the files it names, or a folder of recordings",
       writes="OUT/NAME.mp4 for each row, OUT/results.csv, OUT/thumbnails/, OUT/index.html",
       examples=("python batch.py customers.csv --out results/customers",
                 "python batch.py lessons/ --out results/lessons -- --image teacher.jpg --captions burn",
                 "python batch.py incoming/ --watch --out results/outgoing -- --image me.jpg"))
@click.argument("table", metavar="TABLE.csv|FOLDER", type=click.Path(path_type=Path))
@click.argument("common", metavar="[-- OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/batch"), help="Folder of the videos.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="Videos made at the same time; 0 is one a core.")
@click.option("--watch", is_flag=True, help="Go on looking for new recordings in the folder, until Ctrl-C.")
def main(table, common, out, jobs, watch) -> None:
    """Make many videos: one for each row of a table, or for each recording of a folder.

    Columns of the table are options of `talking-face make`, without dashes, also `photo` and `speech`; {column} in a text is
    that cell of the row; `output` names the video. OPTIONS are options of `talking-face make` for all rows; a cell comes before
    them. The same call again makes only what is missing, failed or changed.
    """
    if watch and not table.is_dir():
        raise InputError(table, "not a folder", "a folder to watch")
    if not watch and table.is_dir() and not read_folder(table, common):
        raise InputError(table, "no recordings in it", f"files that end in {' '.join(sorted(SOUND | VIDEO))}")
    known: list[Job] = []
    with only_one(out), _ends_plainly(watch):
        while True:
            asked = read_folder(table, common) if table.is_dir() else read_table(table, common, OPTIONS)
            if asked != known:
                known, results = asked, make_all(asked, out, jobs)
                write_results(out / "results.csv", results)
                page = write_page(out, results)
            if not watch:
                break
            time.sleep(LOOK_EVERY_S)
    failed = sum(result["state"] != DONE for result in results)
    say(f"{(n_made := len(results) - failed)} video{'s' * (n_made != 1)}, {failed} failed: {out / 'results.csv'}")
    click.echo(page)
    if failed:
        rows = f"{len(results)} row{'s' * (len(results) != 1)}"
        raise InputError(out / "results.csv", f"{failed} of {rows} failed", "rows that can be met",
                         "mend them, and run the same command: it makes only what is missing")


if __name__ == "__main__":
    main()
