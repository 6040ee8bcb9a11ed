"""Use a LiteRT file without the lines that the library writes to standard error.

Reads: .tflite. Writes: nothing.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STDERR = 2
_one_at_a_time = threading.Lock()  # a process has one standard error


@contextmanager
def without_info() -> Iterator[None]:
    """Pass on what native code writes to standard error in the block, but its lines that begin with INFO."""
    with _one_at_a_time, tempfile.TemporaryFile() as said:
        sys.stderr.flush()
        before = os.dup(_STDERR)
        os.dup2(said.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, _STDERR)
            os.close(before)
            said.seek(0)
            os.write(_STDERR, b"".join(line for line in said if not line.startswith(b"INFO:")))


class Runner:
    """A signature of a LiteRT file, called as `get_signature_runner` gives it; the first call, which prepares it, is silent."""

    def __init__(self, name: str, **file: Any):
        from ai_edge_litert.interpreter import Interpreter
        self._runner = Interpreter(num_threads=1, **file).get_signature_runner(name)  # what is computed here is small
        self.get_input_details, self._prepared = self._runner.get_input_details, False

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        """Compute: arrays by name in, arrays by name out."""
        if self._prepared:
            return self._runner(**inputs)
        with without_info():
            found = self._runner(**inputs)
        self._prepared = True
        return found
