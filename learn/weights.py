"""Files of picture networks: parameters, settings, nothing that could run.

Reads, writes: NAME.safetensors (picture-model): weights in float16, buffers in float32, in the header the network's name,
version and settings; from these alone the network is built again.
"""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core import artifacts
from core.models import read_model
from learn.weight_file import settings_of


def save_network(path: str | Path, network: torch.nn.Module, name: str, version: int, *, stage: str,
                 options: dict | None = None, inputs: Iterable[str | Path] = (), **facts: object) -> Path:
    """Write `network`, which keeps its constructor's arguments in `settings`."""
    halves = dict(network.named_parameters())
    tensors = {key: (value.half() if key in halves else value).detach().cpu().contiguous()
               for key, value in network.state_dict().items()}
    header = {"network": name, "version": version, "settings": network.settings}
    with artifacts.described(path, "picture-model", stage=stage, options=options, inputs=inputs, network=name,
                             settings=network.settings, **facts) as (part, _):
        save_file(tensors, part, {"picture-model": json.dumps(header)})  # one key: the order of several is not fixed
    return Path(path)


def _load(path, _about, build, name, version, cure) -> torch.nn.Module:
    with safe_open(path, "pt") as file:
        network = build(**settings_of(file, path, name, version, cure))
        network.load_state_dict({key: file.get_tensor(key).float() for key in file.keys()})  # noqa: SIM118
    return network


def load_network(path: str | Path, build: Callable[..., torch.nn.Module], name: str, version: int, device: str = "cpu",
                 cure: str = "") -> torch.nn.Module:
    """Read a network, ready to use; `build` makes an empty one of its settings.

    Raises
    ------
    InputError : no such file, damaged, another network or version.
    """
    network = read_model(path, "picture-model", partial(_load, build=build, name=name, version=version, cure=cure), cure,
                         fresh=True)
    return network.to(device, memory_format=torch.channels_last).eval()
