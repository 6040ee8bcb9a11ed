"""Work beside one's own: in a thread to use both cores, or in a child process, for files that may be hostile with limits.

Reads, writes: nothing. A child ends when its parent does, however that ends.
A process with several threads cannot be copied safely (its locks are copied as they are): there a fresh Python does the work.
Windows hands no open connection to another program: there the work is done in this process, without limits.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from core.errors import InputError

MOST_BYTES = 2 * 10**9  # of memory that reading one file may take beside what the process has already
MOST_S = 30
_PR_SET_PDEATHSIG = 1  # of Linux's prctl
_STARTS_S = 20  # a fresh Python, with its libraries, on a slow machine
_IN_A_FRESH_ONE = "import sys; from core.processes.child import work_for; work_for(*map(int, sys.argv[1:]))"


def prefetch(work: Callable, items: Iterable, n_threads: int = 1) -> Iterator:
    """Yield `work(item)` of each item, in order; the next `n_threads` ones are under way in threads meanwhile."""
    under_way: deque[Future] = deque()
    pool = ThreadPoolExecutor(n_threads)
    try:
        for item in items:
            under_way.append(pool.submit(copy_context().run, work, item))
            if len(under_way) > n_threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:  # who stops asking waits for what has begun alone
        pool.shutdown(cancel_futures=True)


def end_with_parent(parent: int) -> None:
    """From now on this process ends when the process `parent` does."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError, TypeError):  # not Linux: look, now and then
        threading.Thread(target=_watch, args=[parent], daemon=True).start()
    if os.getppid() != parent:  # it ended before it could be watched
        os._exit(1)


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _limit_memory(most_bytes):
    """Refuse this process more memory than it has now and `most_bytes`: libraries raise MemoryError, or end."""
    try:
        with open("/proc/self/statm", encoding="ascii") as sizes:
            has = int(sizes.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no such file: the limit is of no use without knowing what there is
        return
    import resource  # not on Windows
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = has + most_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _do(connection, work, arguments, most_bytes):
    """Do the work in a child, and send home whether it went well, and what it returned or raised."""
    if most_bytes:
        _limit_memory(most_bytes)
    try:
        answer = True, work(*arguments)
    except BaseException as error:
        answer = False, error
    try:
        connection.send(answer)
    except Exception:  # an error that holds what cannot be sent
        connection.send((False, RuntimeError(repr(answer[1])[:200])))


def work_for(parent: int, most_bytes: int, handle: int) -> None:
    """What a fresh Python does: the work that comes through the connection `handle`."""
    end_with_parent(parent)
    with Connection(handle) as connection:
        work, arguments = connection.recv()
        _do(connection, work, arguments, most_bytes)


class _Copy:
    """A copy of this process that does the work."""

    def __init__(self, work, arguments, most_bytes):
        parent, (self.connection, theirs) = os.getpid(), Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if not self._pid:
            status = 1
            try:
                self.connection.close()
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                end_with_parent(parent)
                _do(theirs, work, arguments, most_bytes)
                sys.stderr.flush()
                status = 0
            finally:
                os._exit(status)
        theirs.close()

    def kill(self):
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit status, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


class _Fresh:
    """A fresh Python that does the work."""

    def __init__(self, work, arguments, most_bytes):
        self.connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-c", _IN_A_FRESH_ONE, str(os.getpid()), str(most_bytes), str(theirs.fileno())]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], process_group=0,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)})
        self.kill, self.wait = self._process.kill, self._process.wait
        with suppress(OSError):  # it ended at once: its exit status says so
            self.connection.send((work, arguments))


def _begin(work, arguments, most_bytes=0, fresh=False):
    can_be_copied = hasattr(os, "fork") and threading.active_count() == 1 and not fresh
    return (_Copy if can_be_copied else _Fresh)(work, arguments, most_bytes)


def _answer(child, most_s=None):
    """What the child says: (True, result) or (False, error), or (None, why there is no answer)."""
    try:
        with child.connection as connection:
            if not connection.poll(most_s):
                child.kill()
                child.wait()
                return None, f"more than {most_s:g} s to read"
            answer = connection.recv()
    except (EOFError, OSError):
        status = child.wait()
        return None, f"reading it ended the process ({signal.Signals(-status).name if status < 0 else f'status {status}'})"
    except BaseException:  # Ctrl-C: nobody waits any more
        child.kill()
        child.wait()
        raise
    child.wait()
    return answer


def start_in_child(work: Callable, *arguments: Any) -> Callable[[], Any]:
    """Begin `work(*arguments)` in a copy of this process; where that is not safe, nothing is begun yet.

    Returns
    -------
    a function that waits, and returns what `work` does or raises what it raised
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return partial(work, *arguments)
    child = _begin(work, arguments)

    def wait():
        good, result = _answer(child)
        if good:
            return result
        raise result if good is False else ChildProcessError(result)

    return wait


def run_in_child(work: Callable, path: str | Path, *arguments: Any, most_bytes: int = MOST_BYTES, most_s: float = MOST_S,
              fresh: bool = False) -> Any:
    """Return `work(path, *arguments)`, done in a child that may take so much memory and time, and may crash.

    Parameters
    ----------
    work : a function of a module, not one of the program that was started
    path : the file that errors name
    fresh : never in a copy of this process: for libraries whose threads do not outlive being copied (PyTorch)

    Raises
    ------
    InputError : more memory or time was needed, or the process ended; whatever `work` raised.
    """
    if os.name == "nt":
        return work(path, *arguments)
    child = _begin(work, (path, *arguments), most_bytes, fresh)
    good, result = _answer(child, most_s + _STARTS_S)
    if good:
        return result
    if good is False and not isinstance(result, MemoryError):
        raise result
    found = f"more than {most_bytes / 1e9:g} GB of memory to read" if good is False else result
    raise InputError(path, found, "a whole file of a reasonable size", "export it again")
