"""A Keras network as one LiteRT file, checked against the network it was made of.

Reads: a network in memory. Writes: model.tflite with its sidecar.
ExportArchive does the tracing: a tf.Module around Keras layers converts to NaN.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from core import artifacts
from core.errors import InputError
from core.models import Runner

N_CHECKED = 40  # length of an axis that is free, in the check
TOLERANCE = 1e-3  # of the largest value of an output, or of 1


def write_litert(network: Any, path: str | Path, kind_name: str, signatures: dict, **about: Any) -> Path:
    """Write `network` to `path` as LiteRT with its sidecar.

    Parameters
    ----------
    network : keras.Model with `settings`, which the sidecar keeps
    kind_name : of `core.kinds.KINDS`
    signatures : name -> (function of tensors -> dict of tensors, list of tf.TensorSpec with the names of its arguments)
    **about : stage, options, inputs and further facts, as for `core.artifacts.described`

    Raises
    ------
    InputError : the file answers a random input otherwise than the network, or with NaN.
    """
    content = _convert(network, signatures)
    _check(path, content, signatures)
    with artifacts.described(path, kind_name, settings=network.settings, **about) as (part, _):
        part.write_bytes(content)
    return Path(path)


def _convert(network, signatures) -> bytes:
    from learn.tensorflow import ExportArchive, tf
    archive = ExportArchive()
    archive.track(network)
    for name, (function, specs) in signatures.items():
        archive.add_endpoint(name, function, input_signature=specs)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures)).convert()


def _check(path, content: bytes, signatures):
    from learn.tensorflow import tf
    rng = np.random.default_rng(0)
    for name, (function, specs) in signatures.items():
        inputs = {spec.name: rng.random([n or N_CHECKED for n in spec.shape], np.float32) for spec in specs}
        wanted = function(*map(tf.constant, inputs.values()))
        found = Runner(name, model_content=content)(**inputs)
        for key, value in wanted.items():
            value = np.asarray(value)
            if not np.isfinite(found[key]).all():
                raise InputError(path, f"the converted model answers NaN ({key} of {name})", "numbers")
            error, largest = np.abs(found[key] - value).max(), max(1.0, np.abs(value).max())
            if not error <= TOLERANCE * largest:
                raise InputError(path, f"the converted model is off by {error:.2g} of {largest:.2g} ({key} of {name})",
                                 f"what the network answers, within {TOLERANCE:g}")
