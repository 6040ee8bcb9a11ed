"""Data-parallel training: `torchrun` starts processes, each takes its share of every batch, the gradients are their mean.

Reads, writes: nothing; the first process alone writes the run.
Each process makes the whole batch, which follows from the seed and the step, and takes its share: N processes do what one does.
Source: synchronous data parallelism, as `torch.nn.parallel.DistributedDataParallel`; here gradients are collected where all
trainings move their weights, `learn.adversaries`, so that no network is wrapped.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from learn.shares import share_of


def n_processes() -> int:
    """How many `torchrun` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process, from 0 on."""
    return int(os.environ.get("RANK", "0")) if n_processes() > 1 else 0


def own_device(device: str) -> str:
    """The device of this process: each has a GPU of its own where there are some."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" and n_processes() > 1 else device


@contextmanager
def connected(device: str) -> Iterator[None]:
    """While in it the processes can talk, by NCCL on GPUs, by gloo on CPUs; they leave it together."""
    if n_processes() == 1:
        yield
        return
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield
        distributed.barrier()  # who goes while the first one still writes may be ended by its own open connection
    finally:
        distributed.destroy_process_group()


def told(folder: Path | None = None) -> Path:
    """The folder that the first process names, in all of them."""
    if n_processes() == 1:
        assert folder is not None
        return folder
    names = [str(folder)]
    distributed.broadcast_object_list(names, src=0)
    return Path(names[0])


def share(values: Any) -> Any:
    """What this process takes of a batch, see `learn.shares`."""
    return share_of(values, rank(), n_processes())


def mean_gradients(network: torch.nn.Module) -> None:
    """Replace the gradients of `network` by their mean over all processes."""
    if n_processes() == 1:
        return
    gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(together)
    together /= n_processes()
    for gradient, mean in zip(gradients, together.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(mean.view_as(gradient))


def mean_of(values: Sequence[float], device: str | torch.device) -> list[float]:
    """The mean of each number over all processes."""
    if n_processes() == 1:
        return list(values)
    together = torch.tensor(values, device=device)
    distributed.all_reduce(together)
    return (together / n_processes()).tolist()
