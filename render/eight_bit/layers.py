"""The layers of a painter, told once for any kind of numbers.

Reads, writes: nothing.
They are those of `render.parts.network.Painter`. `ops` makes each: `layer(name, x, stride)`, a convolution; `add` and `act`, of
which values with a name are told apart by it; `twice` as large, and the `mean` of a map.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.parts.part import Part

HALF = 127.5  # of the range of bytes
N_MAPS = 3  # of a photo


def layer_of(weights: dict[str, NDArray], name: str, part: Part) -> tuple[NDArray, NDArray]:
    """Weights [out, in, row, column] and biases [out] of a layer, for squares of bytes in the order of memory.

    Colours and masks come as bytes, and go as steps of a byte and as logits.
    """
    kernel, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    kernel = kernel if kernel.ndim == 4 else kernel[..., None, None]
    bias = np.zeros(len(kernel), np.float32) if bias is None else bias
    n = part.square**2
    order = np.arange(4 * n).reshape(4, n).T.ravel()  # of PyTorch's squares, channel by channel
    if name.endswith("start"):
        return kernel[:, order] / np.float32(HALF), bias - kernel.sum((1, 2, 3))
    if name == "to_picture":
        scale = np.tile(np.array([HALF, HALF, HALF, 1], np.float32), n)
        return kernel[order] * scale[:, None, None, None], bias[order] * scale
    return kernel, bias


def look(ops: Any, photo: Any) -> list:
    """The layers of `PhotoEncoder`: squares of a photo to its maps."""
    x = ops.act("", ops.layer("encoder.start", photo))
    maps = []
    for i in range(N_MAPS):
        x = ops.act("", ops.layer(f"encoder.down.{i - 1}", x, 2)) if i else x
        for k in range(2):
            x = _residual(ops, f"encoder.blocks.{i}.{k}", x)
        maps.append(ops.layer(f"encoder.out.{i}", x))
    maps[-1] = ops.add("", maps[-1], ops.layer("encoder.overall", ops.mean(x)))
    return maps


def _residual(ops, name, x):
    return ops.act(f"{name}, out", ops.add(f"{name}, sum", ops.layer(f"{name}.layer", x), x))


def draw(ops: Any, x: Any, maps: Sequence) -> Any:
    """The layers of `Painter.draw`: squares, and the maps of the photo, to squares."""
    def join(name, x, other):
        return ops.act(f"{name}, out", ops.add(f"{name}, sum", x, other))

    fine = _residual(ops, "first", join("start", ops.layer("start", x), maps[0]))
    middle = _residual(ops, "second", join("down.0", ops.layer("down.0", fine, 2), maps[1]))
    x = join("down.1", ops.layer("down.1", middle, 2), maps[2])
    for i in range(4):
        x = _residual(ops, f"deepest.{i}", x)
    x = _residual(ops, "third", join("up.0", ops.twice(ops.layer("up.0", x)), middle))
    x = join("up.1", ops.twice(ops.layer("up.1", x)), fine)
    for i in range(2):
        x = _residual(ops, f"last.{i}", x)
    return ops.layer("to_picture", x)
