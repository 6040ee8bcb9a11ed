"""Voice activity detection: a small recurrent network over mel power, in NumPy, and the gate that lets the face rest.

Reads: CNN_record/voice/model.npz (voice-model), made by landmarks.voice.train. Writes: nothing.
`Voice` judges what it hears and looks `LAG` frames ahead; `WholeVoice` knows the recording from end to end.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core import paths
from core.clock import FPS
from core.models import read_arrays, read_model
from core.stage import say
from landmarks.features import N_MELS, log_mel
from landmarks.hearing import Loudness

MODEL = paths.VOICE_MODEL
LAG = 4  # frames of sound heard after a frame before it is judged
MIDDLE, SPREAD, LOWEST = -2.5, 1.5, -2.0  # log-mel to what the network takes
KEPT = 1 - 1 / round(0.5 * FPS)  # of the past, a frame: what stays as it is for half a second is no change
SHUT, OPEN = 0.25, 0.5  # probability of a voice below which the face rests, above which it is free
HARDLY = 0.01  # of the frames: no voice was found
HOLD = round(0.12 * FPS)  # frames the face stays free after a voice
BREATH, OPENING = round(0.4 * FPS), round(0.2 * FPS)  # frames before a voice that are free; frames it takes to get there
PAUSE = 2 * round(0.4 * FPS) + 1  # frames: in shorter pauses of a recording nobody comes to rest
RISE, LEAST = 0.55, 0.1  # a frame: of the way that is left to being free, and so much at least: four frames, without a jump
FALL = 1 / round(0.24 * FPS)  # a frame: at rest in a quarter of a second


@cache
def voice_model() -> dict:
    """The network's weights, and `typical`, the mean log-mel of a voice [mel]. Raises InputError when damaged."""
    return read_model(MODEL, "voice-model", read_arrays, "make train-voice")


class Features:
    """What the network takes of mel power, frame by frame: the log-mel, and how far it is from that of the past.

    `loudness` may have heard something before.
    """

    def __init__(self, loudness: Loudness):
        self._loudness, self._past = loudness, np.full(N_MELS, LOWEST)

    def push(self, power: NDArray) -> NDArray:
        """Mel power [frame, hop, mel] -> float32 [frame, (hop + 1) * mel]."""
        loud = np.array([self._loudness.push(float(frame.sum())) for frame in power])
        values = np.maximum((log_mel(power, loud[:, None, None]) - MIDDLE) / SPREAD, LOWEST)
        changes = np.empty((len(power), 1, power.shape[-1]))
        for change, now in zip(changes, values.mean(1)):
            change[:] = now - self._past
            self._past = KEPT * self._past + (1 - KEPT) * now
        return np.concatenate([values, changes], 1).reshape(len(power), -1).astype(np.float32)


class Voice:
    """How free the face is, 0 (at rest) to 1, frame by frame; the first `LAG` frames pushed give nothing yet.

    `loudness` may have heard something before.
    """

    def __init__(self, model=None, loudness=None):
        self._model, self._features = model or voice_model(), Features(loudness or Loudness())
        self._state = np.zeros(self._model["recurrent"].shape[0], np.float32)
        self._n_heard, self._free, self._held = 0, 0.0, 0

    def push(self, power):
        """Mel power [frame, hop, mel] -> freedom of the frames that can be judged by now, float32 [frame]."""
        judged = []
        for values in self._features.push(power):
            probability = self._step(values)
            self._n_heard += 1
            if self._n_heard > LAG:
                judged.append(self.freedom(probability))
        return np.array(judged, np.float32)

    def finish(self, shape):
        """Freedom of the frames that are left, as if silence [hop, mel] = `shape` followed."""
        n_left = min(LAG, self._n_heard)
        return self.push(np.zeros((LAG, *shape), np.float32))[-n_left:] if n_left else np.empty(0, np.float32)

    def _step(self, values) -> float:
        """One frame through dense layer and GRU (Cho et al. 2014, as Keras builds it) -> probability of a voice."""
        m, size = self._model, len(self._state)
        given = np.maximum(values @ m["dense"] + m["dense_bias"], 0) @ m["kernel"] + m["bias"][0]
        past = self._state @ m["recurrent"] + m["bias"][1]
        update, reset = np.split(_sigmoid(given[:2 * size] + past[:2 * size]), 2)
        new = np.tanh(given[2 * size:] + reset * past[2 * size:])
        self._state = update * self._state + (1 - update) * new
        return float(_sigmoid(self._state @ m["out"][:, 0] + m["out_bias"][0]))

    def freedom(self, probability: float) -> float:
        """How free the next frame is: soon free when a voice is likely, held a while after it, then softly back to rest."""
        wanted = min(1.0, max(0.0, (probability - SHUT) / (OPEN - SHUT)))
        if wanted >= self._free:
            step = max(RISE * (wanted - self._free), LEAST)
            self._free, self._held = min(wanted, self._free + step), HOLD
        elif self._held:
            self._held -= 1
        else:
            self._free = max(wanted, self._free - FALL)
        return self._free


class WholeVoice:
    """`Voice` for mel power [frame, hop, mel] of a whole recording; to be pushed once more, in pieces of any size.

    Its loudness is known, a mouth may open before the voice is heard, as people do when they draw breath, and stays free in
    short pauses. `free` is all of it, float32 [frame].
    """

    def __init__(self, power):
        voice = Voice(loudness=loudness_of(power))
        self.free = self._left = with_hindsight(np.concatenate([voice.push(power), voice.finish(power.shape[1:])]))

    def push(self, power):
        """Mel power [frame, hop, mel] -> how free the face is in these frames, float32 [frame]."""
        now, self._left = self._left[:len(power)], self._left[len(power):]
        return now

    def finish(self, _shape):
        """Nothing is left."""
        return self._left


class Free:
    """A face that never has to rest."""

    def push(self, power):
        """Mel power [frame, hop, mel] -> ones [frame]."""
        return np.ones(len(power), np.float32)

    def finish(self, _shape):
        """Nothing is left."""
        return np.empty(0, np.float32)


def with_hindsight(free: NDArray) -> NDArray:
    """Freedom [frame], float32, of a recording of which all is known."""
    return through_pauses(with_breath(free))


def with_breath(free: NDArray) -> NDArray:
    """Freedom [frame], float32, that begins before the voice does."""
    weight = np.minimum(1, np.arange(BREATH + OPENING, 0, -1) / OPENING)
    coming = np.lib.stride_tricks.sliding_window_view(np.pad(free, (0, len(weight) - 1)), len(weight))
    return (coming * weight).max(1).astype(np.float32)


def through_pauses(free: NDArray) -> NDArray:
    """Freedom [frame], float32, as high in pauses shorter than `PAUSE` as on the less free side of them (a closing)."""
    def around(values, of):
        return of(np.lib.stride_tricks.sliding_window_view(np.pad(values, PAUSE // 2), PAUSE), 1)

    return np.maximum(free, around(around(free, np.max), np.min))


def say_if_silent(free: NDArray) -> None:
    """Tell the person when hardly a frame of a recording has a voice; `free` [frame], as `WholeVoice` has it."""
    share = np.mean(free > OPEN)
    if share < HARDLY:
        say(f"a voice in {100 * share:.0f} % of {round(len(free) / FPS, 1):g} s: the face rests")


def loudness_of(power: NDArray) -> Loudness:
    """A loudness that has heard mel power [frame, hop, mel]."""
    loudness = Loudness()
    for frame in power:
        loudness.push(float(frame.sum()))
    return loudness


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))
