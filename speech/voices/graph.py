"""Kokoro's network with handles of our own: how long each sound lasts, how high it is, and both told back.

Reads: the bytes of a model in ONNX. Writes: nothing.
A message of Protocol Buffers may be followed by more of its fields, which are merged into it: so nodes, inputs and outputs are
added without a library for ONNX. Two names are exchanged in place, for others of the same length.
Source: names of the export by kokoro-onnx, version 1.0 of the model.
"""

from learn.onnx_message import FLOAT, GRAPH, INPUT, INT64, OUTPUT, constant, content, node, value

DURATIONS, PITCH = "/encoder/Clip_output_0", "/encoder/F0_proj/Conv_output_0"  # [1, symbol] frames; [1, 1, 2 frame] Hz
_UNROUNDED, _FRAMES_OF = "/encoder/Div_output_0", "/encoder/Cast_4_output_0"  # of DURATIONS; [symbol, frame], 0 or 1
_MIDDLE = 2.0  # times above and below the voice's middle, within which its range is scaled: silence stays silent


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
        was = content(1, name)
        if was not in model:
            raise ValueError(f"no {name} in it")
        model = model.replace(was, content(1, _others(name)), 1)  # what took it takes ours; the second is a note on its type
    ours = b"".join((
        content(INPUT, value("stretch", 1, "sequence_length")), content(INPUT, value("pitch", 1, "sequence_length")),
        content(INPUT, value("centre", 1)), content(INPUT, value("power", 1)),
        constant("one last axis", INT64, -1), constant("a row of rows", INT64, 1, 1, -1),
        constant("lowest", FLOAT, 1 / _MIDDLE), constant("highest", FLOAT, _MIDDLE),
        node("Mul", (_UNROUNDED, "stretch"), _others(_UNROUNDED)),
        node("MatMul", ("pitch", _FRAMES_OF), "of frames"), node("Unsqueeze", ("of frames", "one last axis"), "once"),
        node("Concat", ("once", "once"), "twice", axis=2), node("Reshape", ("twice", "a row of rows"), "of half frames"),
        node("Div", (PITCH, "centre"), "from the middle"), node("Clip", ("from the middle", "lowest", "highest"), "near"),
        node("Pow", ("near", "power"), "farther"), node("Mul", (PITCH, "farther"), "ranging"),
        node("Mul", ("ranging", "of half frames"), _others(PITCH)),
        content(OUTPUT, value(DURATIONS, 1, "sequence_length")), content(OUTPUT, value(PITCH, 1, 1, "half frames"))))
    return model + content(GRAPH, ours)
