"""Statistics of a stretch of speech for the emotion recogniser: of cepstra, pitch, power, and their changes.

Reads, writes: nothing.
They are sums over steps, so any stretch of a recording costs a subtraction. Nothing says how long the speech is: what is said
in how much time would be learnt from the few sentences of an acted corpus. A linear discriminant of these stands beside the
networks (landmarks.emotion.model).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from landmarks.features import FLOOR, log_mel

N_CEPSTRA = 20
LAGS = (1, 2, 5)  # steps over which pitch and power change
LEAP = 0.5  # octaves: pitch does not change by more


def _cosines(n_bands: int):
    """The orthonormal cosine transform (DCT-II), float32 [band, N_CEPSTRA]."""
    k, n = np.arange(N_CEPSTRA), np.arange(n_bands)
    wave = np.sqrt(2 / n_bands) * np.cos(np.pi * (n[:, None] + 0.5) * k / n_bands)
    wave[:, 0] /= np.sqrt(2)
    return wave.astype(np.float32)


def _change(values, lag: int):
    """`values` [step, ...] minus what they were `lag` steps before; 0 at first."""
    changed = np.zeros_like(values)
    changed[lag:] = values[lag:] - values[:-lag]
    return changed


def _and_before(weight, lag: int):
    """Weights [step] of changes: there, and `lag` steps before."""
    both = np.zeros_like(weight)
    both[lag:] = weight[lag:] * weight[:-lag]
    return both


class Moments:
    """The statistics of any stretch of one recording.

    Parameters
    ----------
    power, octaves, voicing : as of `emotion_model.sounds_of`
    sure : float [step], how sure the pitch is, 0..1
    sounding : bool [step], in which steps there is sound
    """

    def __init__(self, power, octaves, voicing, sure, sounding):
        total = power.sum(1)
        loud = max(float(total.max()), 1e-9)
        cepstra = log_mel(power, loud) @ _cosines(power.shape[1])
        level, height, sound = np.log10(total / loud + FLOOR)[:, None], octaves[:, None], sounding.astype(np.float32)
        self._parts = [(cepstra, sound, "msk"), (cepstra, sure, "msk"), (_change(cepstra, 1), sound, "s"),
                       (_change(cepstra, 3), sound, "s"), (height, sure, "msk"), (level, sound, "msk"), (level, sure, "msk"),
                       (voicing[:, None], sound, "msk"), (height, sure * np.clip(level[:, 0] + 1, 0, 1), "msk")]
        for lag in LAGS:
            step = np.clip(_change(height, lag), -LEAP, LEAP)
            self._parts += [(step, _and_before(sure, lag), "msk"), (np.abs(step), _and_before(sure, lag), "ms"),
                            (_change(level, lag), sound, "msk")]
        self._parts.append((sure[:, None], sound, "m"))

    def __call__(self, first, last):
        """Statistics of stretches of steps, each from `first` to before `last` [stretch]: float32 [stretch, n]."""
        return np.concatenate([statistics(*part, first, last) for part in self._parts], 1).astype(np.float32)


def statistics(values, weight, wanted, first, last):
    """m(ean), s(pread) and (s)k(ew) of weighted `values` [step, column] over stretches: [stretch, column * len(wanted)]."""
    raw = np.column_stack([weight, *(weight[:, None] * values**n for n in range(1, len(wanted) + 1 if "k" in wanted else 3))])
    sums = np.cumsum(np.pad(raw.astype(np.float64), ((1, 0), (0, 0))), 0)
    sums = sums[last] - sums[first]
    n_columns = values.shape[1]
    raw = sums[:, 1:] / (sums[:, :1] + 1e-3)
    mean, square = raw[:, :n_columns], raw[:, n_columns:2 * n_columns]
    spread = np.sqrt(np.maximum(square - mean**2, 0) + 1e-4)
    found = {"m": mean, "s": spread}
    if "k" in wanted:
        cube = raw[:, 2 * n_columns:]
        found["k"] = np.cbrt(cube - 3 * mean * square + 2 * mean**3) / spread
    return np.concatenate([found[name] for name in wanted], 1)


def pieces(first: int, last: int, length: int, stride: int) -> NDArray:
    """Begin and end of pieces of at most `length` frames, `stride` apart, from `first` to `last`: int [piece, 2]."""
    begin = np.unique(np.r_[np.arange(first, last - length, stride), max(first, last - length)])
    return np.stack([begin, np.minimum(begin + length, last)], 1)


def averaged(scores: Callable[[NDArray, NDArray], NDArray], weight: NDArray, first: NDArray, last: NDArray, length: int,
             stride: int) -> NDArray:
    """Scores of stretches of frames, each from `first` to before `last` [stretch]: those of their pieces, averaged.

    `scores` takes begins and ends [piece] and gives [piece, class]; `weight` [frame] says how much each frame counts.
    """
    parts = [pieces(*ends, length, stride) for ends in zip(first, last)]
    begin, end = np.concatenate(parts).T
    up_to = np.cumsum(np.pad(weight, (1, 0)))
    of_piece, of_stretch = (up_to[end] - up_to[begin])[:, None], np.cumsum([0, *map(len, parts[:-1])])
    return np.add.reduceat(of_piece * scores(begin, end), of_stretch) / np.add.reduceat(of_piece, of_stretch)


def discriminant(moments: NDArray, emotion: NDArray, n_classes: int, shrinkage: float) -> tuple[NDArray, NDArray]:
    """Linear discriminant analysis with a covariance shrunk towards its diagonal (Friedman 1989).

    Parameters
    ----------
    moments : float [item, n]
    emotion : int [item]

    Returns
    -------
    weights, bias : float32 [n, class], [class]: scores are logarithms of probabilities, but for a constant
    """
    middle, spread = moments.mean(0), moments.std(0) + 1e-6
    scaled = (moments - middle) / spread
    here = np.isin(np.arange(n_classes), emotion)
    means = np.stack([scaled[emotion == k].mean(0) if here[k] else np.zeros(scaled.shape[1]) for k in range(n_classes)])
    within = scaled - means[emotion]
    covariance = (1 - shrinkage) * within.T @ within / len(within)
    covariance[np.diag_indices_from(covariance)] += shrinkage
    weights = np.linalg.solve(covariance, means.T)
    bias = np.where(here, -0.5 * (means.T * weights).sum(0), -1e3)
    weights = weights / spread[:, None]
    return weights.astype(np.float32), (bias - middle @ weights).astype(np.float32)
