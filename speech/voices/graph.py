"""Kokoro's network with handles of our own: how long each sound lasts, how high it is, and both told back.

Reads: the bytes of a model in ONNX. Writes: nothing.
A message of Protocol Buffers may be followed by more of its fields, which are merged into it: so nodes, inputs and outputs are
added without a library for ONNX. Two names are exchanged in place, for others of the same length.
Source: onnx.proto of ONNX 1.x; names of the export by kokoro-onnx, version 1.0 of the model.
"""

import struct

DURATIONS, PITCH = "/encoder/Clip_output_0", "/encoder/F0_proj/Conv_output_0"  # [1, symbol] frames; [1, 1, 2 frame] Hz
_UNROUNDED, _FRAMES_OF = "/encoder/Div_output_0", "/encoder/Cast_4_output_0"  # of DURATIONS; [symbol, frame], 0 or 1
_FLOAT, _INT64, _INT = 1, 7, 2  # TensorProto.FLOAT, .INT64, AttributeProto.INT
# Fields of the messages, by their numbers
_GRAPH, _NODE, _INITIALIZER, _INPUT, _OUTPUT = 7, 1, 5, 11, 12
_MIDDLE = 2.0  # times above and below the voice's middle, within which its range is scaled: silence stays silent


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def _bytes(number, content) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _int(number, value) -> bytes:
    return _varint(number << 3) + _varint(value)


def _value(name, *axes) -> bytes:
    """A ValueInfoProto: float32 of these axes."""
    shape = b"".join(_bytes(1, _int(1, axis) if isinstance(axis, int) else _bytes(2, axis)) for axis in axes)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, _FLOAT) + _bytes(2, shape)))


def _node(kind, inputs, output, **attributes) -> bytes:
    made = b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(3, f"ours {output}") + _bytes(4, kind)
    return _bytes(_NODE, made + b"".join(_bytes(5, _bytes(1, name) + _int(3, value) + _int(20, _INT))
                                         for name, value in attributes.items()))


def _constant(name, kind, *values) -> bytes:
    raw = struct.pack(f"<{len(values)}{'f' if kind == _FLOAT else 'q'}", *values)
    dims = _int(1, len(values)) if len(values) > 1 or kind == _INT64 else b""
    return _bytes(_INITIALIZER, dims + _int(2, kind) + _bytes(8, name) + _bytes(9, raw))


def _others(name) -> str:
    return name[:-1] + "N"


def with_handles(model: bytes) -> bytes:
    """The model with four more inputs, all float32, and two more outputs, DURATIONS and PITCH.

    `stretch` [1, symbol] multiplies durations, `pitch` [1, symbol] the fundamental frequency of the frames of each symbol;
    `centre` [1] is the voice's middle in Hz, and `power` [1] how much farther from it than it went its pitch goes, 0 as far.

    Raises
    ------
    ValueError : another network, or another export of it.
    """
    for name in (_UNROUNDED, PITCH):
        was = _bytes(1, name)
        if was not in model:
            raise ValueError(f"no {name} in it")
        model = model.replace(was, _bytes(1, _others(name)), 1)  # what took it takes ours; the second is a note on its type
    ours = b"".join((
        _bytes(_INPUT, _value("stretch", 1, "sequence_length")), _bytes(_INPUT, _value("pitch", 1, "sequence_length")),
        _bytes(_INPUT, _value("centre", 1)), _bytes(_INPUT, _value("power", 1)),
        _constant("one last axis", _INT64, -1), _constant("a row of rows", _INT64, 1, 1, -1),
        _constant("lowest", _FLOAT, 1 / _MIDDLE), _constant("highest", _FLOAT, _MIDDLE),
        _node("Mul", (_UNROUNDED, "stretch"), _others(_UNROUNDED)),
        _node("MatMul", ("pitch", _FRAMES_OF), "of frames"), _node("Unsqueeze", ("of frames", "one last axis"), "once"),
        _node("Concat", ("once", "once"), "twice", axis=2), _node("Reshape", ("twice", "a row of rows"), "of half frames"),
        _node("Div", (PITCH, "centre"), "from the middle"), _node("Clip", ("from the middle", "lowest", "highest"), "near"),
        _node("Pow", ("near", "power"), "farther"), _node("Mul", (PITCH, "farther"), "ranging"),
        _node("Mul", ("ranging", "of half frames"), _others(PITCH)),
        _bytes(_OUTPUT, _value(DURATIONS, 1, "sequence_length")), _bytes(_OUTPUT, _value(PITCH, 1, 1, "half frames"))))
    return model + _bytes(_GRAPH, ours)
