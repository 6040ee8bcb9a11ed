"""Where networks run: on the CPU by ONNX Runtime, or on a GPU by PyTorch and CUDA.

Reads, writes: nothing.
"""

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

from core.errors import InputError
from core.stage import say

_DRIVERS = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")


def has_driver() -> bool:
    """Whether a driver for a GPU that PyTorch might use is there; without one PyTorch, which takes seconds, need not look."""
    for name in _DRIVERS:
        with suppress(OSError):
            ctypes.CDLL(name)
            return True
    return Path("/dev/kfd").exists()  # AMD's, which PyTorch calls CUDA as well


def pick_device(device: str, renderer: str) -> str:
    """Turn auto, cpu or cuda into cpu or cuda, and say which. Raises InputError when CUDA is asked for and missing."""
    chosen, has_network = "cpu", renderer != "sketch"
    if device == "cuda" or device != "cpu" and has_network and has_driver():
        try:
            import torch
            chosen = "cuda" if torch.cuda.is_available() else "cpu"
        except ModuleNotFoundError:
            if device == "cuda":
                raise InputError("--device", "cuda, but PyTorch is not installed", "PyTorch", "pip install torch") from None
        if device == "cuda" != chosen:
            raise InputError("--device", "cuda, but PyTorch sees no CUDA device", "cpu or auto", "--device auto")
    say(f"device: {chosen if has_network else 'cpu (the sketch renderer needs no GPU)'}")
    return chosen
