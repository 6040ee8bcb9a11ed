"""A landmark-model file, loaded: LiteRT, no TensorFlow needed.

Reads: CNN_record/default/model.tflite, or any landmark-model. Writes: nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core import paths
from core.media.audio import HOPS_PER_FRAME
from core.models import read_model

DEFAULT_MODEL = paths.LANDMARK_MODEL
_BLOCK = 256  # frames given to the network at a time


@dataclass
class Model:
    """A loaded landmark-model: `mel`, `encode` and `step` as functions, and what its shapes say."""

    mel: Callable
    encode: Callable
    step: Callable
    context: int  # frames of sound the encoder takes beside its own, half of them ahead
    n_state: int
    rest_face: np.ndarray  # [68, 2]
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)  # an interpreter has one set of tensors

    @property
    def look_ahead(self) -> int:
        """Frames of sound needed after a frame before it can be predicted."""
        return self.context // 2

    def power(self, spectrum):
        """FFT magnitudes [frame, hop, bin] -> mel power, float32 [frame, hop, mel]."""
        blocks = [spectrum[t:t + _BLOCK].astype(np.float32) for t in range(0, len(spectrum), _BLOCK)]
        return np.concatenate([self.mel(spectrum=block)["power"] for block in blocks])

    def codes(self, features):
        """Features [frame + context, hop, mel] -> codes [frame, code]."""
        starts = range(0, len(features) - self.context, _BLOCK)
        return np.concatenate([self.encode(features=features[t:t + _BLOCK + self.context])["code"] for t in starts])


def signatures(path: str | Path, *names: str) -> list:
    """The functions of these names in a LiteRT file. Raises what LiteRT raises; see `core.models.read_model`.

    Each has an interpreter of its own. In a common one, about every fifth head-model gave other values from its second use
    on (LiteRT 2.3.0 with XNNPACK, which is its default): the signatures spoil each other's memory.
    """
    from ai_edge_litert.interpreter import Interpreter
    return [Interpreter(model_path=str(path), num_threads=1).get_signature_runner(name) for name in names]  # frames are small


def load_model(path: str | Path | None = None) -> Model:
    """Load a landmark-model (the shipped one by default).

    Raises
    ------
    InputError : missing, damaged, or of another version.
    """
    return read_model(path or DEFAULT_MODEL, "landmark-model", _load, "make train-cnn, or leave --model away")


def _load(path, _about) -> Model:
    mel, encode, step = signatures(path, "mel", "encode", "step")
    probe = 16  # frames: what the encoder gives back for them tells its context
    n_mels = encode.get_input_details()["features"]["shape"][-1]
    n_codes = len(encode(features=np.zeros((probe, HOPS_PER_FRAME, n_mels), np.float32))["code"])
    inputs = step.get_input_details()
    n_code, n_state = (int(inputs[name]["shape"][-1]) for name in ("code", "state"))
    first = step(code=np.zeros((1, n_code), np.float32), state=np.zeros((1, n_state), np.float32))
    return Model(mel, encode, step, probe - n_codes, n_state, (first["face"] - first["offset"])[0])
