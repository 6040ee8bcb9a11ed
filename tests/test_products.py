"""Kokoro's 8-bit convolutions as products of matrices: the same numbers, exactly."""

import numpy as np
import pytest

from learn import onnx_message as onnx
from speech.voices import products

ort = pytest.importorskip("onnxruntime")
needs_exact = pytest.mark.skipif(not products.multiplies_exactly(), reason="such products overflow on this processor")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def convolution(sound, kernel, output, n_taps, pads, dilation, stride):
    return onnx.node("ConvInteger", [sound, kernel, "zero", "kernel zero"], output, dilations=[dilation], group=1,
                     kernel_shape=[n_taps], pads=pads, strides=[stride])


def model_of(rng, *shapes_pads_and_steps):
    """Convolutions of one input, each with its own output; the zero of the input is given."""
    graph = [onnx.content(onnx.INPUT, onnx.value("sound", 1, 6, "time", kind=onnx.UINT8)),
             onnx.content(onnx.INPUT, onnx.value("zero", kind=onnx.UINT8)), onnx.constant("kernel zero", onnx.UINT8, 117)]
    for n, (shape, pads, dilation, stride) in enumerate(shapes_pads_and_steps):
        kernel = rng.integers(0, 256, shape).astype(np.uint8)
        graph += [onnx.tensor(f"kernel {n}", onnx.UINT8, shape, kernel.tobytes()),
                  convolution("sound", f"kernel {n}", f"out {n}", shape[2], pads, dilation, stride),
                  onnx.content(onnx.OUTPUT, onnx.value(f"out {n}", 1, shape[0], f"time {n}", kind=onnx.INT32))]
    return onnx.model_of(*graph)


def run(model, sound, zero):
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"sound": sound, "zero": np.array(zero, np.uint8)})


def kinds(model):
    graph = next(field.bytes for field in onnx.fields(memoryview(model)) if field.number == onnx.GRAPH)
    return [onnx.texts(field.bytes, 4)[0] for field in onnx.fields(graph) if field.number == onnx.NODE]


@needs_exact
@pytest.mark.parametrize("zero", [0, 3, 128, 255])
def test_products_are_the_convolutions(rng, zero):
    model = model_of(rng, ((4, 6, 1), [0, 0], 1, 1), ((5, 6, 3), [1, 1], 1, 1), ((3, 6, 7), [9, 9], 3, 1),
                     ((3, 6, 4), [0, 2], 2, 1), ((2, 6, 3), [1, 1], 1, 2))
    changed = products.as_products(model)
    assert kinds(model) == ["ConvInteger"] * 5
    assert kinds(changed).count("MatMulInteger") == 4 and kinds(changed).count("ConvInteger") == 1
    for n_steps in (40, 41, 400):
        sound = rng.integers(0, 256, (1, 6, n_steps)).astype(np.uint8)
        there, here = (run(one, sound, zero) for one in (model, changed))
        assert [one.shape for one in there] == [one.shape for one in here]
        assert all((one == other).all() for one, other in zip(there, here))


@needs_exact
def test_weights_are_kept_once(rng):
    model = model_of(rng, ((64, 6, 64), [0, 63], 1, 1))
    assert len(products.as_products(model)) < 1.5 * len(model) + 64 * 200


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_what_is_cut_off_is_no_model(rng, cut):
    model = model_of(rng, ((4, 6, 3), [1, 1], 1, 1))
    with pytest.raises(ValueError, match="Protocol Buffers"):
        products.as_products(model[:-cut])


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2 ** 40, -1])
def test_numbers_are_read_as_they_were_written(number):
    field, = onnx.fields(memoryview(onnx.whole(5, number)))
    assert (field.number, field.integer) == (5, number % 2 ** 64)
