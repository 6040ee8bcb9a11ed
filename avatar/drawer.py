"""The translator on a processor, by ONNX Runtime: the network of `avatar.network` for one picture at a time, without PyTorch.

Reads: GAN_record/avatar/model.safetensors (picture-model). Writes: nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.inputs import N_INPUTS
from core import paths
from learn.onnx_graph import NEAREST, Graph, session_of
from learn.weight_file import read_weights

NETWORK, VERSION = "gan.avatar_model.Translator", 1  # as files name it, from when it lay there
CURE = "python -m avatar.train, or take the model that came with the program"
SQUARE = 2  # pixels a side that the network sees as one
SLOPE = 0.2  # of leaky rectifiers below zero, as in `learn.layers`


class _Translator(Graph):
    """The layers of `avatar.network.Translator`."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def layer(self, name, x, stride=1):
        kernel, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        if name == "start":  # PyTorch's squares come channel by channel
            kernel = kernel[:, np.arange(SQUARE**2 * N_INPUTS).reshape(N_INPUTS, -1).T.ravel()]
        size = kernel.shape[-1]
        return self.node("Conv", [x, self.array(kernel), self.array(bias)], kernel_shape=[size] * 2, strides=[stride] * 2,
                         pads=[size // 2] * 4)

    def act(self, x):
        return self.node("LeakyRelu", [x], alpha=SLOPE)

    def add(self, x, other):
        return self.node("Add", [x, other])

    def residual(self, name, x):
        return self.act(self.add(self.layer(f"{name}.layer", x), x))

    def frames(self, x, first, last):
        """Frames from `first` to before `last` of [frame, ...]."""
        return self.node("Slice", [x, *(self.array(np.array([n], np.int64)) for n in (first, last, 0))])

    def in_time(self, number, x, has_past):
        """`TemporalConvolution` of one frame, and the frames that the next one needs: it, and those before."""
        reach, name = number + 1, f"in_time.{number}"
        shape = (2 * reach, "channel", f"row {number}", f"column {number}")
        before = self.given(f"past {number}", shape) if has_past else self.node("Concat", [x] * 2 * reach, axis=0)
        seen = self.node("Concat", [before, x], axis=0)
        taps = self.weights[f"{name}.taps"].reshape(3, 1, -1, 1, 1)
        parts = [self.node("Mul", [self.frames(seen, at, at + 1), self.array(tap)])
                 for at, tap in zip((0, reach, 2 * reach), taps)]
        self.taken(f"kept {number}", shape, of=self.frames(seen, 1, 2 * reach + 1))
        return self.act(self.add(x, self.layer(f"{name}.mix", self.add(self.add(*parts[:2]), parts[2]))))


def graph(weights: dict[str, NDArray], n_scales: int, has_past: bool) -> bytes:
    """A model that draws: `inputs` float32 [1, N_INPUTS, row, column] to `drawn` [1, rgb, row, column].

    It also takes, if it `has_past`, `past 0` and `past 1`, and gives `kept 0` and `kept 1` for the next call.
    """
    ops = _Translator(weights)
    inputs = ops.given("inputs", (1, N_INPUTS, "rows", "columns"))
    x, maps = ops.act(ops.layer("start", ops.node("SpaceToDepth", [inputs], blocksize=SQUARE))), []
    for i in range(n_scales):
        x = ops.residual(f"before.{i}", x)
        if i < n_scales - 1:
            maps.append(x)
            x = ops.act(ops.layer(f"down.{i}", x, 2))
    for number in range(2):
        x = ops.in_time(number, x, has_past)
    for i in range(2):
        x = ops.residual(f"deepest.{i}", x)
    for i in reversed(range(n_scales - 1)):
        large = ops.node("Resize", [ops.layer(f"up.{i}", x), "", ops.array(np.array([1, 1, 2, 2], np.float32))], **NEAREST)
        x = ops.residual(f"after.{i}", ops.act(ops.add(large, maps[i])))
    changed = ops.node("DepthToSpace", [ops.layer("to_picture", x)], blocksize=SQUARE, mode="CRD")
    ink = ops.node("Slice", [inputs, *(ops.array(np.array([n], np.int64)) for n in (0, 3, 1))])
    ops.taken("drawn", (1, 3, "rows", "columns"), of=ops.add(changed, ink))
    return ops.model()


class Drawer:
    """A translator, ready to draw. Raises InputError for a file that is none."""

    def __init__(self, path: str | Path = paths.AVATAR_MODEL):
        settings, weights = read_weights(path, NETWORK, VERSION, CURE)
        self._sessions = [session_of(graph(weights, len(settings["widths"]), has_past)) for has_past in (False, True)]

    def __call__(self, inputs: NDArray, past: Sequence[NDArray] | None = None) -> tuple[NDArray, list[NDArray]]:
        """Draw one picture.

        Parameters
        ----------
        inputs : of `as_inputs`, float32 [N_INPUTS, row, column]
        past : of the frame before, from the call before; None for a photo

        Returns
        -------
        float32 [rgb, row, column], around -1..1; the next call's `past`
        """
        given = {"inputs": inputs[None], **{f"past {i}": each for i, each in enumerate(past or ())}}
        session = self._sessions[past is not None]
        drawn, *kept = session.run(["drawn", "kept 0", "kept 1"], given)
        return drawn[0], kept
