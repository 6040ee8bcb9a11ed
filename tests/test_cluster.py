"""A corpus on a Dask cluster: the same files and rows as on one machine, also when a worker is killed half way."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from conftest import command

from core import corpus as corpora
from core.corpus import run_stage
from core.errors import InputError
from core.files import sha256
from core.index import read_index, write_index
from preprocess import extract_fft, list_recordings

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two workers; a clip that kills two of them is given up."""
    import dask
    with dask.config.set({"distributed.scheduler.allowed-failures": 1, "distributed.scheduler.worker-saturation": 1.0,
                          "distributed.comm.timeouts.connect": "600s"}), \
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def index(corpus, tmp_path_factory):
    """The recordings of `corpus`, each three times, by paths that are relative to the folder they lie in."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(corpus, folder / "raw")
    assert command(list_recordings.main, folder / "raw", "--out", folder / "listed").exit_code == 0
    rows = [{**row, "clip": f"{row['clip']}-{n}", "sound": os.path.relpath(row["sound"], folder)}
            for row in read_index(folder / "listed" / "index.csv") for n in range(3)]
    return write_index(folder / "index.csv", rows, stage="test", options={}, inputs=[])


def contents(folder):
    """{file: its hash} of what a stage wrote there."""
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")}


@pytest.fixture(scope="module")
def alone(index):
    """What one machine makes of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(index.parent)
        run_stage(extract_fft.extract_clip, "index.csv", "alone", stage=extract_fft.STAGE, options={}, jobs=1)
    return contents(index.parent / "alone")


def killed_once(row, out, options):
    """Spectra; whoever has the third clip in hands is killed, once."""
    mark = Path("killed")
    if row["clip"].endswith("1-0") and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return extract_fft.extract_clip(row, out, options)


def deadly(row, out, options):
    """Spectra; one clip kills whoever takes it, as one that needs too much memory does."""
    if row["clip"].endswith("2-1"):
        os.kill(os.getpid(), signal.SIGKILL)
    return extract_fft.extract_clip(row, out, options)


def test_the_command_makes_what_one_machine_makes(cluster, index, alone, monkeypatch):
    monkeypatch.chdir(index.parent)
    done = command(extract_fft.main, "--index", "index.csv", "--out", "many", "--jobs", cluster.scheduler_address)
    assert done.exit_code == 0 and "2 workers" in done.stderr, done.stderr
    assert contents(index.parent / "many") == alone and len(alone) == 2 * 12 + 2


def test_a_worker_killed_half_way_costs_nothing(cluster, index, alone, monkeypatch):
    monkeypatch.chdir(index.parent)
    run_stage(killed_once, "index.csv", "killed_once", stage=extract_fft.STAGE, options={}, jobs=cluster.scheduler_address)
    assert (index.parent / "killed").exists() and contents(index.parent / "killed_once") == alone


def test_a_clip_that_kills_workers_is_a_failed_row(cluster, index, alone, monkeypatch):
    monkeypatch.chdir(index.parent)
    path = run_stage(deadly, "index.csv", "deadly", stage=extract_fft.STAGE, options={}, jobs=cluster.scheduler_address)
    problems = [row["clip"] for row in read_index(path) if row.get("problem")]
    assert len(problems) == 1 and problems[0].endswith("2-1")
    assert len(contents(path.parent)) == len(alone) - 2, "all others are there"


def test_workers_that_do_not_see_the_folder_are_told(cluster, index, monkeypatch):
    monkeypatch.setattr("core.corpus._sees", os.path.isdir)  # of the lock: what a machine without the folder answers
    with pytest.raises(InputError, match="does not see it; expected a folder that all machines share"):
        run_stage(extract_fft.extract_clip, index, index.parent / "unseen", stage="test", options={},
                  jobs=cluster.scheduler_address)


class Waiting:
    """A clip that nobody works on, and the client of a cluster whose workers are gone, once or for good."""

    address, status = "tcp://first:8786", "pending"

    def __init__(self, *workers):
        self.workers, self.scheduler = list(workers), self

    def result(self, timeout):
        if not self.workers:
            return {"done": True}
        raise TimeoutError

    def scheduler_info(self, n_workers):
        return {"workers": self.workers.pop(0)}


def test_a_cluster_without_workers_is_not_waited_for():
    assert corpora._wait_for(Waiting({}, {1: 1}, {}), {}, Waiting()) == {"done": True}
    waiting = Waiting({}, {1: 1}, {}, {}, {})
    with pytest.raises(InputError, match="tcp://first:8786: no workers"):
        corpora._wait_for(waiting, {}, waiting)
    assert len(waiting.workers) == 1, "twice in a row"


def test_threads_and_silence_are_refused(index, monkeypatch):
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as threads, \
            pytest.raises(InputError, match="one thread a worker"):
        run_stage(extract_fft.extract_clip, index, index.parent / "t", stage="test", options={}, jobs=threads.scheduler_address)
    monkeypatch.setattr("core.corpus.ANSWERS_S", 0.5)
    done = command(extract_fft.main, "--index", index, "--out", index.parent / "s", "--jobs", "tcp://127.0.0.1:9")
    assert done.exit_code == 1 and "no answer" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert command(extract_fft.main, "--index", index, "--jobs", "-1").exit_code == 2
