"""Process a corpus clip by clip on all cores or many machines: resumable, ending in an index.csv that lists failed clips too.

Reads: index.csv of the stage before.
Writes: OUT/index.csv, one row a clip, failed ones with their `problem`; written last, so a stopped stage is not done.
Many machines are those of a Dask cluster (distributed.dask.org): it hands out the clips, and hands one out again when a machine
is lost. All see the same folder under the same path.
"""

import importlib
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import click

from core.errors import InputError, command_line
from core.index import read_index, write_index
from core.processes.child import end_with_parent
from core.stage import only_one, progress, say

N_RETRIES = 2  # of a clip that fails otherwise than by its contents: a shared folder may stumble
ANSWERS_S = 20  # a scheduler that is there answers within this
LOOKS_EVERY_S = 60  # whether there are workers at all; they begin again within this when their machine lives
_SCHEDULER = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+")


class _Jobs(click.ParamType):
    """So many processes, or the address of a Dask scheduler."""

    name = "jobs"

    def convert(self, value, param, ctx):
        """`int` or address."""
        if isinstance(value, str) and _SCHEDULER.fullmatch(value):
            return value
        return click.IntRange(0).convert(value, param, ctx)


jobs_option = click.option("--jobs", type=_Jobs(), default=0, metavar="N|tcp://HOST:PORT",
                           help="Processes; 0 is one a core. Or a Dask scheduler: many machines, see docs/scale.md.")


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


def _on_a_worker(module, name, cwd, row, out, options):
    os.chdir(cwd)  # paths of an index may be relative; a worker has one thread
    return _one_clip(getattr(importlib.import_module(module), name), row, out, options)


def _sees(lock):
    return os.path.exists(lock)


def _without_workers(address):
    return InputError(address, "no workers", "one for each core of each machine; the same command goes on from here",
                      "start workers as docs/scale.md says")


def _wait_for(client, row, future):
    """A row with what the cluster found. Raises InputError when no worker is left."""
    from distributed import KilledWorker
    n_empty = 0
    while True:
        try:
            return future.result(timeout=LOOKS_EVERY_S)
        except KilledWorker:
            return {**row, "problem": "the workers that tried it were killed; expected: memory for one clip a worker"}
        except TimeoutError:
            if future.status == "error" and isinstance(future.exception(), TimeoutError):  # of the clip
                raise
        n_empty = 0 if client.scheduler_info(n_workers=-1)["workers"] else n_empty + 1
        if n_empty == 2:
            raise _without_workers(client.scheduler.address)


@contextmanager
def _cluster(address, out):
    """A client of the Dask cluster at `address`, whose workers can do this. Raises InputError when they cannot."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InputError(f"--jobs {address}", "Dask is not installed", "Dask, and a cluster",
                         "pip install distributed") from None
    try:
        client = Client(address, timeout=ANSWERS_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(address, f"no answer ({type(error).__name__})", "a Dask scheduler", "dask scheduler") from None
    with client:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=ANSWERS_S)
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise _without_workers(address)
        if any(worker["nthreads"] != 1 for worker in workers.values()):
            raise InputError(address, "workers with several threads", "one thread a worker, as many workers as cores",
                             "start workers as docs/scale.md says")
        try:
            blind = [name for name, sees in client.run(_sees, str(out.resolve() / ".lock")).items() if not sees]
        except ModuleNotFoundError as error:
            raise InputError(address, f"workers without the toolkit ({error})", "the same version on all machines",
                             "install the toolkit there too") from None
        if blind:
            raise InputError(out, f"worker {blind[0]} does not see it", "a folder that all machines share, under the same path",
                             f"mount {out} there")
        say(f"{len(workers)} workers of {address}")
        yield client


@contextmanager
def _results(work, rows, out, options, jobs) -> Iterator[list[Callable[[], dict]]]:
    """The rows with what `work` found, in their order, as functions that wait for them."""
    if isinstance(jobs, str):
        module = sys.modules["__main__"].__spec__.name if work.__module__ == "__main__" else work.__module__  # type: ignore
        with _cluster(jobs, out) as client:
            do = partial(_on_a_worker, module, work.__name__, os.getcwd(), out=out, options=options)
            futures = client.map(do, rows, pure=False, retries=N_RETRIES, key=f"{module}.{work.__name__}")
            yield [partial(_wait_for, client, row, future) for row, future in zip(rows, futures)]
    else:
        with workers(jobs or os.cpu_count() or 1, out) as pool:
            yield [pool.submit(_one_clip, work, row, out, options).result for row in rows]


def run_stage(work: Callable[[dict, Path, dict], dict], index: str | Path, out: str | Path, *, stage: str, options: dict,
              jobs: int | str = 0, only: Callable[[dict], bool] | None = None, columns: Iterable[str] = ()) -> Path:
    """Run `work` on every clip of `index` and write OUT/index.csv.

    Parameters
    ----------
    work : top-level function (row, out folder, options) -> dict of new columns; raises InputError for a bad clip.
        It skips a clip whose outputs are current, which is what makes a killed stage go on where it stopped.
    index : index.csv of the stage before
    jobs : worker processes, 0 for one a core; or the address of a Dask scheduler
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
    done = []
    with only_one(out) as out, _results(work, rows, out, options, jobs) as results:
        with progress(results, stage.split(".")[-1].replace("_", " ")) as bar:
            done.extend(result() for result in bar)
        failed = [row for row in done if row.get("problem")]
        for row in failed[:5]:
            say(f"skipped: {row['problem']}")
        if failed:
            say(f"{len(failed)} of {len(done)} clips failed; reasons stand in {out / 'index.csv'}")
        return write_index(out / "index.csv", done, stage=stage, options=options, inputs=[index])


def output_path(out: str | Path, row: Mapping[str, str], suffix: str) -> Path:
    """Where a stage keeps its file of a clip: OUT/clip.suffix, sub-folders kept."""
    return Path(out) / f"{row['clip']}{suffix}"
