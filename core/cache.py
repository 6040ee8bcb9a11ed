"""A cache of loaded models: one load a process, and another when the file has changed; and of the latest results.

Reads: nothing by itself. Writes: nothing.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any


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


class Recent:
    """Results of the latest calls, as much of them as `most`; several threads may ask."""

    def __init__(self, most: float):
        self.most, self._lock = most, threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], float] = lambda _: 1) -> Any:
        """What `make()` gave for this key, or gives now; `size` is how much of `most` it takes."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key][0]
        made = make()
        with self._lock:
            self._held[key] = made, size(made)
            while len(self._held) > 1 and sum(each for _, each in self._held.values()) > self.most:
                self._held.popitem(last=False)
        return made
