"""A trained network as one LiteRT file that says everything needed to use it.

Reads: a SpeechToLandmarks in memory. Writes: model.tflite (landmark-model).
Signatures: `mel` (FFT magnitudes to mel power), `encode` (a stretch of features to codes), `step` (one frame: code and
GRU state in, face, offset and next state out). The state is explicit, so a stream and a file give the same numbers.
Frames stand on the batch axis and ExportArchive does the tracing: a tf.Module around Keras layers converts to NaN.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf
from keras.export import ExportArchive

from core import artifacts
from core.media.audio import HOPS_PER_FRAME, N_BINS
from landmarks.features import N_MELS


def export(model: Any, path: str | Path, *, stage: str, options: dict, inputs: Iterable[str | Path] = (),
           **facts: object) -> Path:
    """Write `model` (SpeechToLandmarks) to `path` as LiteRT with its sidecar."""
    width, hidden = model.settings["width"], model.settings["hidden"]
    archive = ExportArchive()
    archive.track(model)
    archive.add_endpoint("mel", lambda spectrum: {"power": model.mel(spectrum)},
                         input_signature=[tf.TensorSpec((None, HOPS_PER_FRAME, N_BINS), name="spectrum")])
    archive.add_endpoint("encode", lambda features: {"code": model.encode(features)},
                         input_signature=[tf.TensorSpec((None, HOPS_PER_FRAME, N_MELS), name="features")])
    archive.add_endpoint("step", lambda code, state: model.step(code, state),
                         input_signature=[tf.TensorSpec((1, width), name="code"), tf.TensorSpec((1, hidden), name="state")])
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["mel", "encode", "step"])
        content = converter.convert()
    with artifacts.described(path, "landmark-model", stage=stage, options=options, inputs=inputs,
                             settings=model.settings, **facts) as (part, _):
        part.write_bytes(content)
    return Path(path)
