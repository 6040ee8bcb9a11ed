"""Arrays made by copies of this process in turns: what one Python cannot do on two cores.

Reads, writes: nothing. A copy has all that this process has, for nothing; what it is to make comes through a pipe, what it made
lies in memory that both see. A copy ends when its parent does, however that ends.
"""

import gc
import mmap
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.processes.child import end_with_parent

N_AHEAD = 3  # arrays that each copy may have ready, or under way
MOST_COPIES = 4
_THREADED = "torch", "tensorflow"  # whose threads do not outlive being copied


def n_copies() -> int:
    """How many copies of this process are worth having: one a core; 0 where it cannot be copied, or has but one."""
    if sys.platform != "linux" or threading.active_count() > 1 or any(name in sys.modules for name in _THREADED):
        return 0
    n_cores = len(os.sched_getaffinity(0))
    return min(n_cores, MOST_COPIES) if n_cores > 1 else 0


@contextmanager
def _one_thread_of_opencv():
    """Its threads are missing in a copy, which would wait for them for ever: meanwhile it has none."""
    n_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(n_threads)


def _close_all_but(kept):
    """Close what this copy has inherited: a pipe ends when the last process that may write to it has closed it."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and number != kept:
            with suppress(OSError):
                os.close(number)


class _Copy:
    """One copy of this process, and the memory where it leaves what it has made."""

    def __init__(self, work, like):
        self.made = np.frombuffer(mmap.mmap(-1, N_AHEAD * like.nbytes), like.dtype).reshape(N_AHEAD, *like.shape)
        self.n_asked = self.n_taken = 0
        parent, (self.connection, theirs) = os.getpid(), Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                end_with_parent(parent)
                gc.freeze()  # memory that is never looked at again stays shared
                _close_all_but(theirs.fileno())
                self._work_for(theirs, work)
            finally:
                os._exit(1)
        theirs.close()

    def _work_for(self, asked: Connection, work) -> None:
        """What the copy does: until it is asked no more, it makes what it is asked for."""
        with suppress(EOFError, OSError):
            while True:
                item = asked.recv()
                try:
                    work(item, self.made[self.n_asked % N_AHEAD])
                except Exception as error:
                    asked.send(error)
                else:
                    asked.send(None)
                self.n_asked += 1

    def ask(self, item):
        with suppress(BrokenPipeError):  # it has ended, which `take` sees
            self.connection.send(item)
        self.n_asked += 1

    def take(self) -> NDArray | None:
        """The next of what was asked for, or None where the copy has ended. Raises what the work did."""
        try:
            error = self.connection.recv()
        except (EOFError, OSError):
            return None
        if error is not None:
            raise error
        self.n_taken += 1
        return self.made[(self.n_taken - 1) % N_AHEAD].copy()

    def end(self):
        self.connection.close()
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def in_copies(work: Callable[[Any, NDArray], Any], items: Iterable, like: NDArray, n: int) -> Iterator[NDArray]:
    """Yield what `work(item, array)` has made of each array, in order; if a copy is ended, this process does what it was to do.

    Parameters
    ----------
    work : what fills an array of the size and type of `like`, for an item
    items : what can be pickled; N_AHEAD * n of them are taken before the first array is there
    n : how many copies, see `n_copies`

    Raises whatever `work` did.
    """
    copies: list[_Copy] = []
    under_way: deque[tuple[_Copy, Any]] = deque()

    def taken():
        copy, item = under_way.popleft()
        array = copy.take()
        if array is None:
            array = np.empty_like(like)
            work(item, array)
        return array

    try:
        for k, item in enumerate(items):
            if len(copies) < n:
                with _one_thread_of_opencv():
                    copies.append(_Copy(work, like))
            copies[k % n].ask(item)
            under_way.append((copies[k % n], item))
            if len(under_way) == N_AHEAD * n:
                yield taken()
        while under_way:
            yield taken()
    finally:
        for copy in copies:
            copy.end()
