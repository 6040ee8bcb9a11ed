"""A graph for ONNX Runtime, node by node.

Reads, writes: nothing.
"""

from typing import Any

import numpy as np

from learn import onnx_message as onnx

NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


class Graph:
    """Nodes and arrays of a graph; a value is known by its name."""

    def __init__(self) -> None:
        self.fields: list[bytes] = []

    def given(self, name: str, shape: tuple, kind: int = onnx.FLOAT) -> str:
        """An input of the model, `shape` of numbers or names."""
        self.fields.append(onnx.content(onnx.INPUT, onnx.value(name, *shape, kind=kind)))
        return name

    def taken(self, name: str, shape: tuple, kind: int = onnx.FLOAT, of: str = "") -> None:
        """An output of the model; the value `of` under that name."""
        if of:
            self.fields.append(onnx.node("Identity", [of], name))
        self.fields.append(onnx.content(onnx.OUTPUT, onnx.value(name, *shape, kind=kind)))

    def node(self, kind: str, inputs: list[str], **about: Any) -> str:
        """An operation with one output, which is returned; `about` as for `onnx_message.node`."""
        output = f"value {len(self.fields)}"
        self.fields.append(onnx.node(kind, inputs, output, **about))
        return output

    def array(self, values: Any) -> str:
        """Numbers that stay."""
        name = f"array {len(self.fields)}"
        self.fields.append(onnx.array(name, np.asarray(values)))
        return name

    def model(self) -> bytes:
        """The whole, as a message."""
        return onnx.model_of(*self.fields)


def session_of(model: bytes, n_threads: int = 0, is_optimised: bool = False) -> Any:
    """What runs a model by ONNX Runtime on so many cores of the processor, 0: all; one that `is_optimised` stays as it is."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = n_threads
    if is_optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others work on the cores, too
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
