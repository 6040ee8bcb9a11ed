"""Copies of model files whose weights are a little other ones, to see that a test notices.

Reads: a model that ships. Writes: a copy of it, without a description.
"""

import numpy as np


def _other(values, share):
    """Weights, each up to `share` of its value larger or smaller."""
    if values.dtype.kind != "f":
        return values
    return (values * (1 + share * np.random.default_rng(0).uniform(-1, 1, values.shape))).astype(values.dtype)


def changed_copy(model, folder, share):
    """A copy of `model` (.npz, .safetensors, .tflite) in `folder`, its weights changed by up to `share`; return its path."""
    path = folder / model.name
    if model.suffix == ".npz":
        with np.load(model) as arrays:
            np.savez(path, **{name: _other(array, share) for name, array in arrays.items()})
    elif model.suffix == ".safetensors":
        from safetensors import safe_open
        from safetensors.numpy import load_file, save_file
        with safe_open(model, "np") as file:
            about = file.metadata()
        save_file({name: _other(array, share) for name, array in load_file(model).items()}, path, about)
    else:
        path.write_bytes(_other_run(model.read_bytes(), share))
    return path


def _other_run(content, share):
    """The bytes of a .tflite whose longest run of what look like weights is another one."""
    content = bytearray(content)
    values = np.frombuffer(content, np.float32, len(content) // 4)
    like = np.isfinite(values) & (np.abs(values) > 1e-7) & (np.abs(values) < 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], like.astype(np.int8), [0]])))
    first, last = max(zip(edges[::2], edges[1::2]), key=lambda run: run[1] - run[0])
    values[first + 16:last - 16] = _other(values[first + 16:last - 16], share)
    return bytes(content)
