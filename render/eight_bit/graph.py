"""A painter as a graph for ONNX Runtime: in floats whose ranges are noted, or in 8-bit numbers.

Reads, writes: nothing.
In bytes each value is a whole number, 0 to 255, times the scale of its
layer; the weights are symmetric, with a scale for each channel that leaves a layer.
Source: Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference, CVPR 2018.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learn import onnx_message as onnx
from learn.onnx_graph import NEAREST, Graph
from render.eight_bit.layers import draw, layer_of, look
from render.parts.part import Part

SLOPE = 0.2  # of leaky rectifiers below zero, as in `learn.layers`
LOGIT_STEPS, MASK_ZERO = 16, 128  # of 1 of a mask's logit; the byte of 0: from -8 to 8 it is told, beyond it is 0 or 1
LARGEST = 63  # a weight: the products of two with bytes are summed in 16 bits by processors without VNNI (AVX2)

Ranges = dict[str, tuple[float, float]]


class _Layers(Graph):
    """A graph whose layers are told by name: weights and biases."""

    def __init__(self, layer: Callable[[str], tuple[NDArray, NDArray]]):
        super().__init__()
        self._layer = layer


class _Floats(_Layers):
    """Layers in floats, [n, channel, row, column]; `seen` are the values whose ranges count, by name."""

    def __init__(self, layer):
        super().__init__(layer)
        self.seen: dict[str, str] = {}

    def _see(self, name, value):
        if name:
            self.seen[name] = value
        return value

    def squares(self, name, shape):
        floats = self.node("Cast", [self.given(name, shape, onnx.UINT8)], to=onnx.FLOAT)
        return self.node("Transpose", [floats], perm=[0, 3, 1, 2])

    def layer(self, name, x, stride=1):
        kernel, bias = self._layer(name)
        if name == "to_picture":  # masks are no colours
            shown = np.arange(len(kernel)) % 4 != 3
            kernel, bias = kernel[shown], bias[shown]
        size = kernel.shape[-1]
        return self._see(name, self.node("Conv", [x, self.array(kernel), self.array(bias)], kernel_shape=[size] * 2,
                                         strides=[stride] * 2, pads=[size // 2] * 4))

    def add(self, name, x, other):
        return self._see(name, self.node("Add", [x, other]))

    def act(self, name, x):
        return self._see(name, self.node("LeakyRelu", [x], alpha=SLOPE))

    def twice(self, x):
        return self.node("Resize", [x, "", self.array(np.array([1, 1, 2, 2], np.float32))], **NEAREST)

    def mean(self, x):
        return self.node("GlobalAveragePool", [x])


def in_floats(weights: dict[str, NDArray], part: Part) -> tuple[bytes, list[str]]:
    """A model that looks at a photo and draws examples, and the names of the values whose ranges it tells.

    Inputs `photo` uint8 [1, row, column, channel] and `examples` [n, ...], squares of bytes. Outputs the photo's maps, `map 0`
    on, float32 [1, channel, row, column]; then `ranges`, float32 [value, least and most].
    """
    ops, shape = _Floats(lambda name: layer_of(weights, name, part)), _squares(part)
    maps = look(ops, ops.squares("photo", (1, *shape)))
    ops.seen = {f"map {i}": value for i, value in enumerate(maps)}
    draw(ops, ops.squares("examples", ("n", *shape)), maps)
    one = ops.array(np.array([1], np.int64))
    ends = [ops.node("Concat", [ops.node("Reshape", [ops.node(kind, [value], keepdims=0), one])
                                for value in ops.seen.values()], axis=0) for kind in ("ReduceMin", "ReduceMax")]
    columns = [ops.node("Reshape", [end, ops.array(np.array([-1, 1], np.int64))]) for end in ends]
    for i, value in enumerate(maps):
        ops.taken(f"map {i}", (1, f"channels {i}", f"rows {i}", f"columns {i}"), of=value)
    ops.fields.append(onnx.node("Concat", columns, "ranges", axis=1))
    ops.taken("ranges", ("value", 2), onnx.FLOAT)
    return ops.model(), list(ops.seen)


def _squares(part):
    """Rows, columns, channels of a part's view in squares."""
    return part.rows // part.square, part.columns // part.square, 4 * part.square**2


class _Value(NamedTuple):
    """Bytes [n, row, column, channel]: a byte less `zero`, times `scale`, is the value."""

    name: str
    scale: float
    zero: int
    about: tuple[str, str]  # both as arrays


class _Bytes(_Layers):
    """Layers in bytes, `ranges` of their values by name."""

    def __init__(self, layer, ranges: Ranges):
        super().__init__(layer)
        self.ranges = ranges

    def value(self, name, scale, zero):
        return _Value(name, scale, zero, (self.array(np.float32(scale)), self.array(np.uint8(zero))))

    def _of_range(self, name):
        """A value that is still to be made, by the range of its name."""
        low, high = self.ranges[name]
        scale = max((high - low) / 255, 1e-6)
        return self.value("", scale, round(-low / scale))

    def _made(self, out, kind, inputs, more=(), **about):
        """`out`, made by one of ONNX Runtime's own operations on bytes."""
        return out._replace(name=self.node(kind, [*inputs, *out.about, *more], domain=onnx.RUNTIME, **about))

    def constant(self, name, values):
        """Floats [1, channel, row, column] as a value."""
        out = self._of_range(name)
        values = np.round(values.transpose(0, 2, 3, 1) / np.float32(out.scale)) + out.zero
        return out._replace(name=self.array(np.clip(values, 0, 255).astype(np.uint8)))

    def layer(self, name, x, stride=1):
        kernel, bias = self._layer(name)
        if name != "to_picture":
            return self._convolution(self._of_range(name), x, kernel, bias, stride)
        step, zero = colour_steps(self.ranges)
        is_mask = np.arange(len(kernel)) % 4 == 3
        scale = np.where(is_mask, LOGIT_STEPS, 1 / step).astype(np.float32)
        bias = bias * scale + np.where(is_mask, MASK_ZERO - zero, 0)
        return self._convolution(self.value("", 1.0, zero), x, kernel * scale[:, None, None, None], bias)

    def _convolution(self, out, x, kernel, bias, stride=1):
        largest = np.abs(kernel).reshape(len(kernel), -1).max(1)
        scale = np.maximum(largest / LARGEST, np.abs(bias) / (x.scale * 2.0**30)).clip(1e-12).astype(np.float32)
        whole = np.round(kernel / scale[:, None, None, None]).astype(np.int8)
        added = np.round(bias / (x.scale * scale.astype(np.float64))).astype(np.int32)
        size = kernel.shape[-1]
        inputs = [x.name, *x.about, *map(self.array, (whole, scale, np.zeros(len(kernel), np.int8)))]
        return self._made(out, "QLinearConv", inputs, [self.array(added)], channels_last=1, kernel_shape=[size] * 2,
                          strides=[stride] * 2, pads=[size // 2] * 4)

    def add(self, name, x, other):
        return self._made(self._of_range(name), "QLinearAdd", [x.name, *x.about, other.name, *other.about])

    def act(self, name, x):
        return self._made(self._of_range(name), "QLinearLeakyRelu", [x.name, *x.about], alpha=SLOPE)

    def twice(self, x):
        return x._replace(name=self.node("Resize", [x.name, "", self.array(np.array([1, 2, 2, 1], np.float32))], **NEAREST))


def colour_steps(ranges: Ranges) -> tuple[float, int]:
    """How many levels of a colour a step of `in_bytes` is, and the byte that changes nothing."""
    low, high = ranges["to_picture"]
    step = max(1.0, (high - low) / 255)
    return step, round(np.clip(-low / step, 0, 255))


def in_bytes(weights: dict[str, NDArray], part: Part, maps: Sequence[NDArray], ranges: Ranges) -> bytes:
    """A model that draws: `squares` uint8 [n, row, column, channel] to `drawn`, of the same shape.

    `drawn` holds steps of colours, see `colour_steps`, and of the mask's logits, LOGIT_STEPS of 1 about MASK_ZERO.

    Parameters
    ----------
    maps : of the photo, from the model of `in_floats`
    ranges : least and most of each value, 0 within
    """
    ops, shape = _Bytes(lambda name: layer_of(weights, name, part), ranges), ("n", *_squares(part))
    photo = [ops.constant(f"map {i}", values) for i, values in enumerate(maps)]
    x = ops.value(ops.given("squares", shape, onnx.UINT8), 1.0, 0)
    ops.taken("drawn", shape, onnx.UINT8, draw(ops, x, photo).name)
    return ops.model()
