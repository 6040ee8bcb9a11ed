"""By how many frames the sound of a clip is late: ridge regression from sound to lips, correlated at every lag.

Reads: spectra and landmarks of clips; CNN_record/offsets/model.npz. Writes: nothing.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core import paths
from core.clock import FPS, SAMPLE_RATE
from core.errors import command_line
from core.face.face68 import fill_missing, mouth_opening
from core.media.audio import N_BINS
from core.metrics import peak_of
from core.models import read_arrays, read_model

SURE = 0.1  # confidence above which an offset can be acted on

MODEL = paths.OFFSET_MODEL
FRAME_MS = 1000 // FPS
N_BANDS = 24
BAND_RANGE_HZ = (80.0, 7600.0)
CONTEXT = 8  # frames on either side; differences in time are in there, the regression finds them itself
FLOOR = 1e-4  # of the loud frames: 40 dB below them is silence
MAX_LAG = 400 // FRAME_MS  # frames
ELSEWHERE = 200 // FRAME_MS  # frames from the peak beyond which a correlation is a rival
LEAST_DEVIATION = 1e-4  # eye distances: a mouth whose opening deviates less does not move
FEWEST = 25  # frames with a face that a lag must be judged on


@cache
def _band_matrix():
    """Triangles on the mel scale (O'Shaughnessy 1987): float32 [bin, band], each of sum 1."""
    low, high = 2595 * np.log10(1 + np.array(BAND_RANGE_HZ) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, N_BANDS + 2) / 2595) - 1)
    hz = np.linspace(0, SAMPLE_RATE / 2, N_BINS)[:, None]
    rise, fall = (hz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hz) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rise, fall))
    return (triangles / triangles.sum(0)).astype(np.float32)


def sound_features(spectrum: NDArray) -> NDArray:
    """Band energies around each frame, without the recording's level and tone.

    Parameters
    ----------
    spectrum : float16 [frame, hop, bin], magnitudes

    Returns
    -------
    float32 [frame, (2 CONTEXT + 1) N_BANDS], decades; beyond either end the sound goes on as it ended
    """
    power = np.square(spectrum.astype(np.float32)).mean(1) @ _band_matrix()
    loud = max(float(np.percentile(power.sum(1), 95)), 1e-9)
    bands = np.log10(power / loud * N_BANDS + FLOOR)
    padded = np.pad(bands - bands.mean(0), ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * CONTEXT + 1, axis=0)
    return windows.transpose(0, 2, 1).reshape(len(bands), -1)


def mouth_signals(face: NDArray) -> tuple[NDArray, NDArray]:
    """Opening of the mouth and its speed, each with mean 0 and deviation 1: float [frame, 2], and where a face is.

    A clip with fewer than two frames of a face, or with a still mouth, gives zeros.
    """
    seen = np.isfinite(face).all((1, 2))
    opening = mouth_opening(face).astype(np.float64)
    if seen.sum() < 2 or opening[seen].std() < LEAST_DEVIATION:
        return np.zeros((len(face), 2)), seen
    opening = fill_missing(opening[:, None])[:, 0]
    signals = np.stack([opening, np.gradient(opening)], 1)
    return (signals - signals[seen].mean(0)) / signals[seen].std(0), seen


@cache
def _model():
    cure = command_line("git", "-C", MODEL.parent, "checkout", "--", MODEL.name, f"{MODEL.name}.json")
    return read_model(MODEL, "offset-model", read_arrays, cure)["coefficients"]


def correlations(predicted: NDArray, measured: NDArray, seen: NDArray) -> NDArray:
    """Mean correlation of the [frame, 2] signals at each lag, -MAX_LAG..MAX_LAG frames of late sound; NaN: too few frames."""
    n, found = min(len(predicted), len(measured)), np.full(2 * MAX_LAG + 1, np.nan)
    for i, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
        own, other = slice(max(0, lag), n + min(0, lag)), slice(max(0, -lag), n - max(0, lag))
        ok = seen[other]
        if ok.sum() >= FEWEST:
            a, b = predicted[own][ok], measured[other][ok]
            a, b = a - a.mean(0), b - b.mean(0)
            scale = np.sqrt(np.square(a).sum(0) * np.square(b).sum(0))
            found[i] = np.mean((a * b).sum(0) / np.maximum(scale, 1e-9))
    return found


def at_lags(spectrum: NDArray, face: NDArray) -> NDArray:
    """How well sound and mouth fit at each lag.

    Parameters
    ----------
    spectrum : float16 [frame, hop, bin], magnitudes
    face : float [frame, 68, 2], landmarks in face space; NaN without a face

    Returns
    -------
    correlations, float [lag], -MAX_LAG..MAX_LAG frames of late sound; NaN where there are too few frames, or the mouth is still
    """
    measured, seen = mouth_signals(face)
    if not measured.any() or not np.any(spectrum):
        return np.full(2 * MAX_LAG + 1, np.nan)
    return correlations(sound_features(spectrum) @ _model(), measured, seen)


def offset_in(found: NDArray) -> tuple[float, float]:
    """How late the sound is by `at_lags`.

    Returns
    -------
    offset_ms : time of the sound minus time of the picture; NaN when it cannot be told
    confidence : peak correlation minus the best one more than 200 ms away; above SURE nine answers in ten are
        within a frame on clips of three seconds, more on longer ones
    """
    if not np.isfinite(found).any():
        return float("nan"), 0.0
    at = peak_of(found) - MAX_LAG
    far = np.abs(np.arange(-MAX_LAG, MAX_LAG + 1) - at) > ELSEWHERE
    rival = np.nanmax(found[far]) if np.isfinite(found[far]).any() else np.nanmax(found)
    return at * FRAME_MS, float(np.nanmax(found) - rival)


def offset_of(spectrum: NDArray, face: NDArray) -> tuple[float, float]:
    """`offset_in` what `at_lags` finds."""
    return offset_in(at_lags(spectrum, face))

