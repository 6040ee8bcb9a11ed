"""What a file of a picture network holds, read without PyTorch.

Reads: NAME.safetensors (picture-model), as `learn.weights` writes it. Writes: nothing.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from core.errors import InputError
from core.models import read_model


def settings_of(file: Any, path: str | Path, name: str, version: int, cure: str) -> dict:
    """The settings in the header of an open file. Raises InputError when it is of another network or version."""
    header = json.loads((file.metadata() or {}).get("picture-model", "{}"))
    if (found := (header.get("network"), header.get("version"))) != (name, version):
        raise InputError(path, f"network {found[0]} version {found[1]}", f"{name} version {version}", cure)
    return header["settings"]


def _load(path, _about, name, version, cure):
    with safe_open(path, "np") as file:
        settings = settings_of(file, path, name, version, cure)
        return settings, {key: file.get_tensor(key).astype(np.float32) for key in file.keys()}  # noqa: SIM118


def read_weights(path: str | Path, name: str, version: int, cure: str = "") -> tuple[dict, dict[str, NDArray]]:
    """Settings, and name -> float32 array.

    Raises
    ------
    InputError : no such file, damaged, another network or version.
    """
    return read_model(path, "picture-model", partial(_load, name=name, version=version, cure=cure), cure)
