"""A cache of loaded models: one load a process, and another when the file has changed.

Reads: nothing by itself. Writes: nothing.
"""

import functools
import threading
from collections.abc import Callable
from pathlib import Path


def cached(load: Callable) -> Callable:
    """Decorate `load(path, *settings)`: a cache by file and settings.

    A file counts as the same while its size and time of change are. Threads wait for each other's loading.
    """
    held, lock = {}, threading.Lock()

    @functools.wraps(load)
    def load_once(path, *settings):
        path = Path(path)
        if not path.is_file():
            return load(path, *settings)  # it says what is wrong
        about = path.stat()
        stamp = about.st_mtime_ns, about.st_size
        with lock:
            if held.get((path, settings), (None,))[0] != stamp:
                held[path, settings] = stamp, load(path, *settings)
            return held[path, settings][1]

    return load_once
