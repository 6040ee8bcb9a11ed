"""Load model files: checked by hash, or first in a child process where they carry no description.

Reads: a model file and its sidecar. Writes: nothing.
A damaged model can end the process that reads it (LiteRT does not check what it is given). A model whose sidecar holds its hash
is what our training wrote; any other is read once by a child. That is no shelter from somebody who means harm: take models from
those you trust.
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import readable
from core.processes.child import run_in_child

_STDERR = 2
# LiteRT's INFO; lines of absl, a letter and a date; those of older TensorFlows
_NOISE = re.compile(rb"INFO:|WARNING: All log messages before absl|[IWE]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IWE] ")
_one_at_a_time = threading.Lock()  # a process has one standard error


def _try(path, load, about):
    load(path, about)


def read_arrays(path: str | Path, _about: dict) -> dict:
    """All arrays of a `.npz`, a `load` of `read_model`."""
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def read_model(path: str | Path, kind_name: str, load: Callable[[Path, dict], Any], cure: str = "", fresh: bool = False) -> Any:
    """Return `load(path, sidecar)`.

    Parameters
    ----------
    load : a function of a module, which raises whatever its library raises
    cure : of the error
    fresh : see `core.processes.child.run_in_child`

    Raises
    ------
    InputError : missing, of another kind or version, changed since it was described, not readable, or too large.
    """
    path = Path(path)
    about = artifacts.check(path, kind_name)
    with readable(path, kind_name, "what a training of this project wrote", cure):
        if not about:
            run_in_child(_try, path, load, about, fresh=fresh)
        return load(path, about)


@contextmanager
def without_noise() -> Iterator[None]:
    """Pass on what native code writes to standard error in the block, but not LiteRT's and TensorFlow's talk of themselves."""
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
            os.write(_STDERR, b"".join(line for line in said if not _NOISE.match(line)))


class Runner:
    """A signature of a LiteRT file, called as `get_signature_runner` gives it; the first call, which prepares it, is silent.

    With `plain` it is computed without XNNPACK, a third as fast.
    """

    def __init__(self, name: str, plain: bool = False, **file: Any):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else OpResolverType.AUTO
        interpreter = Interpreter(num_threads=1, experimental_op_resolver_type=resolver, **file)  # what is computed is small
        self._runner = interpreter.get_signature_runner(name)
        self.get_input_details, self._prepared = self._runner.get_input_details, False

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        """Compute: arrays by name in, arrays by name out."""
        if self._prepared:
            return self._runner(**inputs)
        with without_noise():
            found = self._runner(**inputs)
        self._prepared = True
        return found


class Network:
    """A LiteRT file that takes one array, of the packages of others; one thread uses it at a time. It is read silently."""

    def __init__(self, path: str | Path):
        from ai_edge_litert.interpreter import Interpreter
        self._alone = threading.Lock()
        with without_noise():
            self._interpreter = Interpreter(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
            self._interpreter.invoke()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def __call__(self, array: NDArray) -> list[NDArray]:
        """Compute: float32 [1, ...] in, its outputs [1, ...] in the order of the file."""
        with self._alone:
            self._interpreter.set_tensor(self._input, array)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index) for index in self._outputs]
