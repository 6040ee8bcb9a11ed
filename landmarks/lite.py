"""A landmark-model file, loaded: LiteRT, no TensorFlow needed.

Reads: any landmark-model; by default CNN_record/default/model.tflite, which reads the speech encoder's features, and
CNN_record/fft/model.tflite, which does not: their offsets are added. Writes: nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths
from core.cache import cached
from core.models import Runner, read_model
from landmarks.ear.encoder import Encoder, is_installed, require_encoder, say_missing
from landmarks.ear.layers import N_LAYERS
from landmarks.features import loud_power

EAR_MODEL, FFT_MODEL = paths.LANDMARK_MODEL, paths.FFT_LANDMARK_MODEL
WEIGHTS = 0.75, 0.3  # of their offsets in the shipped model: docs/experiments.md
_BLOCK = 256  # frames given to the network at a time


@dataclass
class Model:
    """A loaded landmark-model: `mel`, `encode` and `step` as functions, and what its shapes say."""

    mel: Callable
    encode: Callable
    step: Callable
    context: int  # frames of sound the encoder takes beside its own, half of them ahead
    n_code: int
    n_state: int
    rest_face: np.ndarray  # [68, 2]
    reads: tuple[str, ...] = ("features",)  # what of a sound: log-mel `features`, those of the `ear`, or both
    encoder: Encoder | None = None  # of a model that reads the ear
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)  # an interpreter has one set of tensors

    @property
    def n_layers(self) -> int | None:
        """How many layers of the encoder it reads, the first ones; None without."""
        return self.encoder.n_layers if self.encoder else None

    @property
    def look_ahead(self) -> int:
        """Frames of sound needed after a frame before it can be predicted."""
        return self.context // 2

    def power(self, spectrum):
        """FFT magnitudes [frame, hop, bin] -> mel power, float32 [frame, hop, mel]."""
        blocks = [spectrum[t:t + _BLOCK].astype(np.float32) for t in range(0, len(spectrum), _BLOCK)]
        return np.concatenate([self.mel(spectrum=block)["power"] for block in blocks])

    def ear(self, sound: NDArray, power: NDArray) -> NDArray | None:
        """Ear features of a recording, its sound [sample] and mel power, if this model reads them; see `Encoder.features`."""
        return self.encoder.features(sound, loud_power(power.sum((1, 2)))) if self.encoder else None

    def codes(self, **sound: NDArray) -> NDArray:
        """Features [frame + context, hop, mel] and ear features [frame + context, half * value] -> codes [frame, code]."""
        blocks = [{name: sound[name][t:t + _BLOCK + self.context] for name in self.reads}
                  for t in range(0, len(sound[self.reads[0]]) - self.context, _BLOCK)]
        return np.concatenate([self.encode(**block)["code"] for block in blocks])


def signatures(path: str | Path, *names: str, plain: bool = False) -> list:
    """The functions of these names in a LiteRT file, see `core.models.Runner`. Raises what LiteRT raises.

    Each has an interpreter of its own. In a common one, about every fifth head-model gave other values from its second use
    on (LiteRT 2.3.0 with XNNPACK, which is its default): the signatures spoil each other's memory.
    """
    return [Runner(name, plain, model_path=str(path)) for name in names]


def sum_of(one: Model, other: Model, weights: tuple[float, float]) -> Model:
    """Both side by side, used like a single one: the sum of their offsets from rest, weighed.

    Source: Hansen and Salamon 1990, Neural network ensembles.
    """
    n_code, rest_face = one.n_code, (one.rest_face + other.rest_face) / 2

    def encode(**sound):
        return {"code": np.concatenate([model.encode(**{name: sound[name] for name in model.reads})["code"]
                                        for model in (one, other)], 1)}

    def step(code, state):
        first = one.step(code=code[:, :n_code], state=state[:, :one.n_state])
        second = other.step(code=code[:, n_code:], state=state[:, one.n_state:])
        offset = weights[0] * first["offset"] + weights[1] * second["offset"]
        return {"offset": offset, "face": rest_face + offset, "state": np.concatenate([first["state"], second["state"]], 1)}

    return Model(one.mel, encode, step, one.context, n_code + other.n_code, one.n_state + other.n_state,
                 rest_face, tuple(sorted({*one.reads, *other.reads})), one.encoder or other.encoder)


def model_files(path: str | Path | None = None) -> tuple[Path, Path | None]:
    """The landmark-model `path`; by default the two files of the shipped model, or without the speech encoder the simpler."""
    if path:
        return Path(path), None
    return (EAR_MODEL, FFT_MODEL) if is_installed() else (FFT_MODEL, None)


def load_model(path: str | Path | None = None, ear: str | Path | None = None) -> Model:
    """Load a landmark-model, by default the shipped one, and the speech encoder if it reads its features.

    Where that is not installed, the shipped one is the simpler of its two, which is said.

    Parameters
    ----------
    ear : folder of another speech encoder

    Raises
    ------
    InputError : missing, damaged, or of another version; the model reads an encoder that is not there.
    """
    _say_which(path)
    return _load_files(*model_files(path), ear)


def kept_model(path: str | Path | None = None, ear: str | Path | None = None) -> Model:
    """`load_model`, once a process; hold its lock `one_at_a_time` while you use it."""
    _say_which(path)
    return _load_once(*model_files(path), ear)


def _say_which(path):
    if not path and not is_installed():
        say_missing()


def _load_files(path, other, ear) -> Model:
    model = _load_file(path, ear)
    return sum_of(model, _load_file(other, ear), WEIGHTS) if other else model


_load_once = cached(_load_files)


def _load_file(path, ear):
    model = read_model(path, "landmark-model", _load, "make train-cnn, or leave --model away")
    if "ear" in model.reads:
        options = artifacts.read_sidecar(path).get("options") or {}
        model.encoder = require_encoder(ear, n_layers=options.get("layers", N_LAYERS))
    return model


def _load(path, _about) -> Model:
    mel, encode, step = signatures(path, "mel", "encode", "step")
    shapes = {name: detail["shape"] for name, detail in encode.get_input_details().items()}
    probe = 16  # frames: what the encoder gives back for them tells its context
    n_codes = len(encode(**{name: np.zeros((probe, *shape[1:]), np.float32) for name, shape in shapes.items()})["code"])
    inputs = step.get_input_details()
    n_code, n_state = (int(inputs[name]["shape"][-1]) for name in ("code", "state"))
    first = step(code=np.zeros((1, n_code), np.float32), state=np.zeros((1, n_state), np.float32))
    rest_face = (first["face"] - first["offset"])[0]
    return Model(mel, encode, step, probe - n_codes, n_code, n_state, rest_face, tuple(sorted(shapes)))
