"""The emotion recogniser: CNN + LSTM over log-mel, pitch and voicing, several networks averaged; NumPy alone.

Reads: CNN_record/emotion/model.npz (emotion-model), made by landmarks.emotion.train. Writes: nothing.
Convolutions go from 50 steps to 25 frames a second, an LSTM both ways (Hochreiter and Schmidhuber 1997) makes the speech
embedding; attentive statistics of pieces as long as those of the training (Okabe et al. 2018) give the emotion of a stretch,
together with linear discriminants of the moments of all of it (landmarks.emotion.moments) and, where there is one, of what a
pretrained speech encoder says (landmarks.emotion.ear). Two more tell how near the speech is to acted speech: what is not near
is neutral or calm.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import paths
from core.cache import cached
from core.clock import FPS
from core.media.audio import HOPS_PER_FRAME, spectrum_of
from core.models import read_model
from landmarks.ear.layers import N_LAYERS
from landmarks.emotion.ear import EarMoments
from landmarks.emotion.moments import Moments, averaged
from landmarks.features import FLOOR, VOICED, log_mel, loud_power, mel_power
from landmarks.head.prosody import pitch_and_voicing
from preprocess.ravdess import EMOTIONS

DEFAULT_MODEL = paths.EMOTION_MODEL
NEUTRAL = np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index("neutral")]
IS_MILD = np.isin(EMOTIONS, ("neutral", "calm"))
LEAST = 0.02  # chance of neutral beside calm where neither had any
STEPS_PER_FRAME = 2
PIECE, PIECE_STRIDE = 52, 8  # frames of a piece, and from the beginning of one to that of the next
N_BANDS = 32
N_FEATURES, SURE = N_BANDS + 5, N_BANDS + 2  # the column that says how sure the pitch is
MIDDLE, SPREAD = -2.5, 1.5  # log-mel to what the network takes
VOICE, VOICE_SPREAD = 0.4, 0.4  # voicing that counts for nothing, and how much more for a whole
PITCH_MIDDLE = 1.3  # octaves above the lowest pitch
EVERY = round(0.2 * FPS)  # frames from one moment that is judged to the next
AROUND_S = 2.0  # before and after a moment: what its emotion is judged by
EAR_PIECE, EAR_STRIDE = round(2 * AROUND_S * FPS), FPS  # the same of what the speech encoder says: a sentence of the training
NETWORK = ("first", "first_bias", "second", "second_bias", "kernel", "recurrent", "bias", "attention", "out", "out_bias")
SILENT = 1e-4  # least weight of a frame in a stretch; and of a variance


def sounds_of(sound: NDArray, filters: NDArray | None = None,
              spectrum: NDArray | None = None) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Mel power and pitch of a recording, STEPS_PER_FRAME to a frame.

    Parameters
    ----------
    sound : float32 [sample], 16 kHz
    filters : float32 [bin, mel], two mel bands for each of N_BANDS; `mel_filters` by default
    spectrum : float16 [frame, hop, bin] of the sound, where it is known

    Returns
    -------
    power : float32 [step, N_BANDS]
    octaves, voicing : float32 [step], as of `pitch_and_voicing`; of the more regular hop of each step
    frames : float32 [frame, hop, mel], the mel power itself
    """
    frames = mel_power(spectrum_of(sound) if spectrum is None else spectrum, filters)
    n_hops = HOPS_PER_FRAME // STEPS_PER_FRAME
    power = frames.reshape(-1, n_hops, N_BANDS, frames.shape[-1] // N_BANDS).sum((1, 3))
    octaves, voicing = (values.reshape(-1, n_hops) for values in pitch_and_voicing(sound))
    best = voicing.argmax(1)[:, None]
    return power, np.take_along_axis(octaves, best, 1)[:, 0], voicing.max(1), frames


def emotion_features(power: NDArray, octaves: NDArray, voicing: NDArray) -> tuple[NDArray, NDArray]:
    """What the networks take: float32 [step, N_FEATURES], and in which steps there is sound, bool [step].

    The recording's level is taken away, its microphone is not. After the bands: pitch, pitch about the voice's own middle,
    how sure the pitch is, voicing, power.
    """
    total = power.sum(1)
    loud = loud_power(total)
    sounding = total > VOICED * loud
    weight = np.clip((voicing - VOICE) / VOICE_SPREAD, 0, 1) * sounding
    middle = (octaves * weight).sum() / max(weight.sum(), 1e-3)
    bands = (log_mel(power, loud) - MIDDLE) / SPREAD
    rest = [(octaves - PITCH_MIDDLE) * weight, 2 * (octaves - middle) * weight, 2 * weight - 1, 2 * voicing - 1,
            np.log10(total / loud + FLOOR) / 2 + 1]
    return np.concatenate([bands, np.stack(rest, 1)], 1).astype(np.float32), sounding


def per_frame(sounding: NDArray) -> NDArray:
    """Steps that sound, bool [step] -> weight of each frame in a stretch, float32 [frame]."""
    return np.maximum(sounding.reshape(-1, STEPS_PER_FRAME).max(1), SILENT).astype(np.float32)


def moments_of(power: NDArray, octaves: NDArray, voicing: NDArray, features: NDArray, sounding: NDArray) -> Moments:
    """The statistics of a recording and of what was `heard` of it."""
    return Moments(power, octaves, voicing, (features[:, SURE] + 1) / 2, sounding)


def likely(scores: NDArray) -> NDArray:
    """Scores [..., class] -> probabilities."""
    chances = np.exp(scores - scores.max(-1, keepdims=True))
    return chances / chances.sum(-1, keepdims=True)


def as_far_as_acted(chances: NDArray, acted: NDArray) -> NDArray:
    """Chances [..., 8] of which the IS_MILD ones take over what the others have in speech that is not `acted` [...], 0..1."""
    strong = chances * acted[..., None] * ~IS_MILD
    mild = (chances + LEAST * NEUTRAL) * IS_MILD
    return strong + mild / mild.sum(-1, keepdims=True) * (1 - strong.sum(-1, keepdims=True))


def _convolved(x, kernel, bias, stride):
    """float32 [time, channel] -> [time / stride, channel], padded as Keras' "same" for whole multiples; ReLU."""
    width = len(kernel)
    before = (width - stride) // 2
    padded = np.pad(x, ((before, width - stride - before), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[::stride]  # [time, channel, width]
    return np.maximum(np.tensordot(windows, kernel, ((2, 1), (0, 1))) + bias, 0)


def _recurrent(x, kernel, recurrent, bias):
    """LSTMs side by side, as Keras builds them: x [lstm, frame, channel] -> float32 [lstm, frame, unit]."""
    given = x @ kernel + bias[:, None]
    n_units = recurrent.shape[1]
    given[..., 2 * n_units:3 * n_units] *= 2  # tanh(x) = 2 sigmoid(2 x) - 1: one function for all gates
    recurrent = recurrent.copy()
    recurrent[..., 2 * n_units:3 * n_units] *= 2
    state = cell = np.zeros((len(x), 1, n_units), np.float32)
    out = np.empty((*given.shape[:2], n_units), np.float32)
    for t in range(given.shape[1]):
        gates = 0.5 + 0.5 * np.tanh(0.5 * (given[:, t:t + 1] + state @ recurrent))
        take, keep, new, give = (gates[..., i * n_units:(i + 1) * n_units] for i in range(4))
        cell = keep * cell + take * (2 * new - 1)
        state = give * np.tanh(cell)
        out[:, t] = state[:, 0]
    return out


@dataclass(frozen=True)
class Heard:
    """What a `Recogniser` makes of a recording; everything else is drawn from it.

    Parameters
    ----------
    states : float32 [network, frame, 2 * unit + channel], values of LSTMs and convolutions
    weight : float32 [frame], in a stretch
    moments : `Moments`
    ear : `EarMoments`, or None without the speech encoder
    """

    states: np.ndarray
    weight: np.ndarray
    moments: Moments
    ear: EarMoments | None = None

    def __len__(self):
        return len(self.weight)


class Recogniser:
    """A loaded emotion-model; `arrays` are those of the file, each with a network a row.

    `takes_ear`: whether it reads the speech encoder, and `layers` after which of its layers.
    """

    def __init__(self, arrays):
        self.arrays = {name: values.astype(np.float32) for name, values in arrays.items()}
        self.filters, self.takes_ear = self.arrays["mel"], "ear" in self.arrays
        self.layers = tuple(int(n) for n in arrays.get("ear_layers", (N_LAYERS,)))

    def listen(self, power, octaves, voicing, ear=None) -> Heard:
        """Take a recording in, as of `sounds_of`, and of `ear_steps` where the speech encoder is there."""
        a, codes = self.arrays, []
        features, sounding = emotion_features(power, octaves, voicing)
        for first, first_bias, second, second_bias in zip(a["first"], a["first_bias"], a["second"], a["second_bias"]):
            codes.append(_convolved(_convolved(features, first, first_bias, STEPS_PER_FRAME), second, second_bias, 1))
        shaped = [a[name].reshape(-1, *a[name].shape[2:]) for name in ("kernel", "recurrent", "bias")]
        both = _recurrent(np.stack([way for code in codes for way in (code, code[::-1])]), *shaped)
        states = np.concatenate([both[::2], both[1::2, ::-1], np.stack(codes)], -1)
        return Heard(states, per_frame(sounding), moments_of(power, octaves, voicing, features, sounding),
                     EarMoments(ear, sounding) if self.takes_ear and ear is not None else None)

    def embedding(self, found: Heard):
        """The speech embedding, the LSTMs' part of the states: float32 [frame, value]."""
        states = found.states[..., :2 * self.arrays["recurrent"].shape[-2]]
        return np.ascontiguousarray(states.transpose(1, 0, 2).reshape(len(found), -1))

    def whole(self, found: Heard):
        """Probabilities of a whole recording: float32 [8]."""
        return self._judged(found, np.array([0]), np.array([len(found)]))[0]

    def over_time(self, found: Heard, around_s: float = AROUND_S):
        """Probabilities of each frame by what is `around_s` before and after: float32 [frame, 8]."""
        n_frames, reach = len(found), round(around_s * FPS)
        at = np.unique(np.r_[np.arange(0, n_frames, EVERY), n_frames - 1])
        first = np.clip(at - reach, 0, max(0, n_frames - 2 * reach))  # at the ends, as long as elsewhere
        judged = self._judged(found, first, np.minimum(first + 2 * reach, n_frames))
        return np.stack([np.interp(np.arange(n_frames), at, column) for column in judged.T], 1).astype(np.float32)

    def _judged(self, found, first, last):
        by_networks, by_moments, acted, by_ear = self.scores(found, first, last)
        chances = likely(self.together(by_networks, by_moments, by_ear if found.ear else None))
        return as_far_as_acted(chances, 1 / (1 + np.exp(-np.clip(acted, -50, 50)))).astype(np.float32)

    def together(self, by_networks, by_moments, by_ear=None):
        """Logarithms of probabilities, but for a constant, of what `scores` gives; `by_ear` is None without the encoder."""
        a, scores = self.arrays, by_networks + self.arrays["share"] * by_moments
        return scores / a["temperature"] if by_ear is None else (scores + a["ear_share"] * by_ear) / a["ear_temperature"]

    def scores(self, found: Heard, first, last):
        """Scores of stretches of frames, each from `first` to before `last` [stretch].

        By the networks and by the discriminant, float [stretch, 8] each, of speech with an emotion in it, float [stretch], and
        by the speech encoder, float [stretch, 8], all 0 without it.
        """
        a = self.arrays
        by_networks = averaged(partial(self._by_networks, found), found.weight, first, last, PIECE, PIECE_STRIDE)
        moments, by_ear = found.moments(STEPS_PER_FRAME * first, STEPS_PER_FRAME * last), np.zeros_like(by_networks)
        acted = moments @ a["acted"] + a["acted_bias"]
        if found.ear:
            by_ear = averaged(partial(self._by_ear, found), found.weight, first, last, EAR_PIECE, EAR_STRIDE)
            acted, by_ear = acted + by_ear[:, len(EMOTIONS):].sum(1), by_ear[:, :len(EMOTIONS)]  # newer models have the former
        return by_networks, moments @ a["discriminant"] + a["discriminant_bias"], acted, by_ear

    def _by_ear(self, found, first, last):
        return found.ear(STEPS_PER_FRAME * first, STEPS_PER_FRAME * last) @ self.arrays["ear"] + self.arrays["ear_bias"]

    def _by_networks(self, found, first, last):
        """Scores of the networks, their mean, for frames from `first` to before `last` [piece]: float [piece, 8]."""
        a, states = self.arrays, found.states
        attention = np.exp(states @ a["attention"][..., None]) * found.weight[:, None]
        sums = np.concatenate([attention, attention * states, attention * np.square(states)], -1, dtype=np.float64)
        sums = np.cumsum(np.pad(sums, ((0, 0), (1, 0), (0, 0))), 1)
        stretch = sums[:, last] - sums[:, first]
        mean, square = np.split(stretch[..., 1:] / stretch[..., :1], 2, axis=-1)
        spread = np.sqrt(np.maximum(square - np.square(mean), 0) + SILENT)
        return (np.concatenate([mean, spread], -1) @ a["out"] + a["out_bias"][:, None]).mean(0)


def load_recogniser(path: str | Path = DEFAULT_MODEL) -> Recogniser:
    """Load an emotion-model. Raises InputError when it is missing or damaged."""
    return read_model(path, "emotion-model", _load, "make train-emotion")


def _load(path, _about) -> Recogniser:
    with np.load(path, allow_pickle=False) as arrays:
        return Recogniser(dict(arrays))


kept_recogniser = cached(load_recogniser)
