"""Work for a second process, while this one goes on: for libraries that let no other thread run while they read their models.

Reads, writes: nothing.
"""

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context


def aside(work, *arguments):
    """Begin `work(*arguments)` in a copy of this process; where that is not safe, nothing is begun yet.

    A process with several threads cannot be copied. What `work` returns is sent home, so it must be possible to pickle it.

    Returns
    -------
    a function that waits, and returns what `work` does or raises what it raised
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return partial(work, *arguments)
    pool = ProcessPoolExecutor(1, get_context("fork"), signal.signal, (signal.SIGINT, signal.SIG_IGN))
    coming = pool.submit(work, *arguments)

    def wait():
        with pool:
            return coming.result()

    return wait
