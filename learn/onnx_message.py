"""Messages of ONNX, written and taken apart without its library (32 MB): the few fields that our graphs need.

Reads: bytes of Protocol Buffers. Writes: nothing.
Source: onnx.proto of ONNX 1.x; the wire format of Protocol Buffers.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numpy.typing import NDArray

FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7  # of TensorProto
_KINDS = {"float32": FLOAT, "uint8": UINT8, "int8": INT8, "int32": INT32, "int64": INT64}
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7  # of AttributeProto
RUNTIME = "com.microsoft"  # the domain of ONNX Runtime's own operations
GRAPH, NODE, INITIALIZER, INPUT, OUTPUT = 7, 1, 5, 11, 12  # fields of ModelProto and GraphProto


def varint(value: int) -> bytes:
    """A whole number, seven bits a byte; negative ones as 64 bits."""
    value &= (1 << 64) - 1
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def content(number: int, value: bytes | str) -> bytes:
    """A field that holds bytes, a text or a message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def whole(number: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return varint(number << 3) + varint(value)


def value(name: str, *axes: int | str, kind: int = FLOAT) -> bytes:
    """A ValueInfoProto: values of this kind along these axes."""
    shape = b"".join(content(1, whole(1, axis) if isinstance(axis, int) else content(2, axis)) for axis in axes)
    return content(1, name) + content(2, content(1, whole(1, kind) + content(2, shape)))


def _attribute(name, given) -> bytes:
    if isinstance(given, int):
        values = whole(3, given) + whole(20, _INT)
    elif isinstance(given, float):
        values = varint(2 << 3 | 5) + struct.pack("<f", given) + whole(20, _FLOAT)
    elif isinstance(given, str):
        values = content(4, given) + whole(20, _STRING)
    else:
        values = b"".join(whole(8, one) for one in given) + whole(20, _INTS)
    return content(5, content(1, name) + values)


def node(kind: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: int | float | str | list[int]) -> bytes:
    """A field of a GraphProto: one operation, of ONNX or of another `domain`."""
    made = b"".join(content(1, name) for name in inputs) + content(2, output) + content(3, f"ours {output}") + content(4, kind)
    made += b"".join(_attribute(*one) for one in attributes.items())
    return content(NODE, made + (content(7, domain) if domain else b""))


def tensor(name: str, kind: int, dims: Sequence[int], raw: bytes) -> bytes:
    """A field of a GraphProto: values, `raw` as in memory, little-endian."""
    return content(INITIALIZER, b"".join(whole(1, n) for n in dims) + whole(2, kind) + content(8, name) + content(9, raw))


def array(name: str, values: NDArray) -> bytes:
    """A field of a GraphProto: an array of float32, uint8, int8, int32 or int64."""
    return tensor(name, _KINDS[values.dtype.name], values.shape, values.tobytes())


def constant(name: str, kind: int, *values: float) -> bytes:
    """A field of a GraphProto: numbers of kind FLOAT, UINT8 or INT64; one FLOAT or UINT8 alone has no axis."""
    code = {FLOAT: "f", UINT8: "B", INT64: "q"}[kind]
    dims = [len(values)] if len(values) > 1 or kind == INT64 else []
    return tensor(name, kind, dims, struct.pack(f"<{len(values)}{code}", *values))


def _read_varint(message, at) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = message[at]
        at, number, shift = at + 1, number | (byte & 127) << shift, shift + 7
        if byte < 128:
            return number, at


@dataclass(frozen=True)
class Field:
    """One field of a message: a whole number, or the bytes of a text or a message."""

    number: int
    integer: int
    bytes: memoryview
    whole: memoryview  # with its number and length, as it stands in the message


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message, in their order; nothing is copied.

    Raises
    ------
    ValueError : not a message.
    """
    at = 0
    while at < len(message):
        start, integer, length = at, 0, 0
        try:
            key, at = _read_varint(message, at)
            if key & 7 == 0:
                integer, at = _read_varint(message, at)
            elif key & 7 == 2:
                length, at = _read_varint(message, at)
            else:
                length = {1: 8, 5: 4}[key & 7]
        except (IndexError, KeyError):
            raise ValueError("not a message of Protocol Buffers") from None
        if at + length > len(message):
            raise ValueError("a message of Protocol Buffers that is cut off")
        yield Field(key >> 3, integer, message[at:at + length], message[start:at + length])
        at += length


def texts(message: memoryview, number: int) -> list[str]:
    """The texts in the fields of this number."""
    return [str(field.bytes, "utf-8") for field in fields(message) if field.number == number]


def ints(message: memoryview, number: int) -> list[int]:
    """The whole numbers in the fields of this number, packed into one or not."""
    found: list[int] = []
    for field in fields(message):
        if field.number == number:
            at = 0
            while at < len(field.bytes):
                one, at = _read_varint(field.bytes, at)
                found.append(one)
            found += [] if at else [field.integer]
    return found


def attributes(message: memoryview) -> dict[str, list[int]]:
    """Name -> whole numbers of a NodeProto's attributes."""
    found = [field.bytes for field in fields(message) if field.number == 5]
    return {texts(one, 1)[0]: ints(one, 8) or ints(one, 3) for one in found}


def model_of(*graph: bytes) -> bytes:
    """A model of these fields of its graph, for ONNX Runtime."""
    domains = content(8, whole(2, 20)) + content(8, content(1, RUNTIME) + whole(2, 1))
    return whole(1, 9) + domains + content(GRAPH, content(2, "ours") + b"".join(graph))
