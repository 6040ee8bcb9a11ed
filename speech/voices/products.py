"""8-bit convolutions of Kokoro's network as products of matrices: the same numbers in two thirds of the time.

Reads: the bytes of a model in ONNX. Writes: nothing.
ONNX Runtime multiplies unsigned by signed bytes about twice as fast as the unsigned by unsigned ones of its ConvInteger, on
processors that can (AVX-512 or AVX with VNNI). On others that product overflows, so `multiplies_exactly` asks first.
"""

import numpy as np

from learn import onnx_message as onnx

_TO_SIGNED = "top bit"  # 128: exchanging that bit and subtracting 128 are the same
_ALONG = "time axis"
_NO_END = 2 ** 62


def multiplies_exactly() -> bool:
    """Whether this machine's product of unsigned and signed bytes is right where sums are largest."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    left, right = np.full((64, 64), 255, np.uint8), np.full((64, 64), 127, np.int8)
    model = onnx.model_of(onnx.node("MatMulInteger", ["left", "right"], "product"),
                          onnx.tensor("left", onnx.UINT8, left.shape, left.tobytes()),
                          onnx.content(onnx.INPUT, onnx.value("right", 64, 64, kind=onnx.INT8)),
                          onnx.content(onnx.OUTPUT, onnx.value("product", 64, 64, kind=onnx.INT32)))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    product, = session.run(None, {"right": right})
    return bool((product == left.astype(np.int32) @ right.astype(np.int32)).all())


def _unfolded(source, zero, output, n_taps, step, before, after) -> bytes:
    """Nodes that lay the values under each tap of a kernel below each other: [1, channel, t] -> [1, tap * channel, t]."""
    pads, padded = f"{output} pads", f"{output} padded"
    made = [onnx.constant(pads, onnx.INT64, 0, 0, before, 0, 0, after), onnx.node("Pad", [source, pads, zero], padded)]
    for tap in range(n_taps):
        first, last = tap * step, (tap - n_taps + 1) * step
        made += [onnx.constant(f"{output} from {tap}", onnx.INT64, first),
                 onnx.constant(f"{output} to {tap}", onnx.INT64, last or _NO_END),
                 onnx.node("Slice", [padded, f"{output} from {tap}", f"{output} to {tap}", _ALONG], f"{output} {tap}")]
    return b"".join(made) + onnx.node("Concat", [f"{output} {tap}" for tap in range(n_taps)], output, axis=1)


def _weights(message) -> np.ndarray:
    """Unsigned bytes of a TensorProto, [output channel, input channel, tap]."""
    raw = next(field.bytes for field in onnx.fields(message) if field.number == 9)
    return np.frombuffer(raw, np.uint8).reshape(onnx.ints(message, 1))


def as_products(model: bytes) -> bytes:
    """The model with each ConvInteger of stride 1 along one axis written as MatMulInteger.

    Raises
    ------
    ValueError : not a model.
    """
    around = list(onnx.fields(memoryview(model)))
    graph = [field for part in around if part.number == onnx.GRAPH for field in onnx.fields(part.bytes)]
    tensors = {onnx.texts(field.bytes, 8)[0]: field.bytes for field in graph if field.number == onnx.INITIALIZER}
    constants = [onnx.constant(_TO_SIGNED, onnx.UINT8, 128), onnx.constant(_ALONG, onnx.INT64, 2)]
    kept, made, signed, replaced = [], constants, set(), set()
    for field in graph:
        about = onnx.attributes(field.bytes) if field.number == onnx.NODE and b"ConvInteger" in bytes(field.whole) else {}
        if (about.get("strides"), about.get("group")) != ([1], [1]):
            kept.append(field)
            continue
        (sound, kernel, zero, kernel_zero), (output,) = onnx.texts(field.bytes, 1), onnx.texts(field.bytes, 2)
        for name in {sound, zero} - signed:
            made += [onnx.node("BitwiseXor", [name, _TO_SIGNED], f"{name} less 128"),
                     onnx.node("Cast", [f"{name} less 128"], f"{name} signed", to=onnx.INT8)]
            signed.add(name)
        weights, source, (step,) = _weights(tensors[kernel]), f"{sound} signed", about["dilations"]
        if weights.shape[2] > 1:
            source = f"{output} unfolded"
            made.append(_unfolded(f"{sound} signed", f"{zero} signed", source, weights.shape[2], step, *about["pads"]))
        if kernel not in replaced:
            matrix = weights.transpose(0, 2, 1).reshape(len(weights), -1)
            made.append(onnx.tensor(f"{kernel} matrix", onnx.UINT8, matrix.shape, matrix.tobytes()))
            replaced.add(kernel)
        made.append(onnx.node("MatMulInteger", [f"{kernel} matrix", source, kernel_zero, f"{zero} signed"], output))
    still = [field.whole for field in kept if field.number != onnx.INITIALIZER or onnx.texts(field.bytes, 8)[0] not in replaced]
    return b"".join(field.whole for field in around if field.number != onnx.GRAPH) + onnx.content(
        onnx.GRAPH, b"".join([*still, *made]))
