"""Load model files: checked by hash, or first in a child process where they carry no description.

Reads: a model file and its sidecar. Writes: nothing.
A damaged model can end the process that reads it (LiteRT does not check what it is given). A model whose sidecar holds its hash
is what our training wrote; any other is read once by a child. That is no shelter from somebody who means harm: take models from
those you trust.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core import artifacts
from core.child import run_in_child
from core.errors import readable


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
    fresh : see `core.child.run_in_child`

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
