"""Where networks run: on the CPU, or on a GPU by CUDA.

Reads, writes: nothing.
"""

from core.errors import InputError
from core.stage import say


def pick_device(device: str, renderer: str) -> str:
    """Turn auto, cpu or cuda into cpu or cuda, and say which. Raises InputError when CUDA is asked for and missing."""
    chosen, has_network = "cpu", renderer != "sketch"
    if device != "cpu" and (device == "cuda" or has_network):
        import torch  # takes seconds: only for those who need it
        if torch.cuda.is_available():
            chosen = "cuda"
        elif device == "cuda":
            raise InputError("--device", "cuda, but PyTorch sees no CUDA device", "cpu or auto", "--device auto")
    say(f"device: {chosen if has_network else 'cpu (the sketch renderer needs no GPU)'}")
    return chosen
