"""Process a corpus clip by clip on all cores: resumable, ending in an index.csv that lists failed clips too.

Reads: index.csv of the stage before.
Writes: OUT/index.csv, one row a clip, failed ones with their `problem`; written last, so a stopped stage is not done.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from core.child import end_with_parent
from core.errors import InputError, command_line
from core.index import read_index, write_index
from core.stage import only_one, progress, say


def _one_clip(work, row, out, options):
    if row.get("problem"):
        return row
    try:
        return {**row, **work(row, out, options)}
    except InputError as error:
        return {**row, "problem": str(error)}


@contextmanager
def workers(jobs: int, out: Path) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that end with this one, however it ends; what they have not begun is left out when the block fails.

    Raises
    ------
    InputError : one of them was killed while it worked for the folder `out`.
    """
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), end_with_parent, (os.getpid(),)) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise InputError(out, "a worker process was killed from outside", "memory for every worker",
                             "the same command again: it goes on from here; --jobs 1 takes the least memory") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def run_stage(work: Callable[[dict, Path, dict], dict], index: str | Path, out: str | Path, *, stage: str, options: dict,
              jobs: int = 0, only: Callable[[dict], bool] | None = None, columns: Iterable[str] = ()) -> Path:
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
        raise InputError(index, "no clip fits the selection", "at least one clip",
                         command_line("make", "inspect", f"FILE={index}"))
    jobs = jobs or os.cpu_count() or 1
    done = []
    with only_one(out) as out, workers(jobs, out) as pool:
        futures = [pool.submit(_one_clip, work, row, out, options) for row in rows]
        with progress(futures, stage.split(".")[-1].replace("_", " ")) as bar:
            done.extend(future.result() for future in bar)
        failed = [row for row in done if row.get("problem")]
        for row in failed[:5]:
            say(f"skipped: {row['problem']}")
        if failed:
            say(f"{len(failed)} of {len(done)} clips failed; reasons stand in {out / 'index.csv'}")
        return write_index(out / "index.csv", done, stage=stage, options=options, inputs=[index])


def output_path(out: str | Path, row: Mapping[str, str], suffix: str) -> Path:
    """Where a stage keeps its file of a clip: OUT/clip.suffix, sub-folders kept."""
    return Path(out) / f"{row['clip']}{suffix}"
