"""Measures of landmarks and pictures, each with its unit and source."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.face import face68


def mse(a: NDArray, b: NDArray) -> float:
    """Mean squared error, in the square of the inputs' unit."""
    return float(np.mean(np.square(np.asarray(a, np.float64) - b)))


def psnr_db(a: NDArray, b: NDArray, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB of two pictures with values 0..`peak`."""
    error = mse(a, b)
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(a: NDArray, b: NDArray) -> float:
    """Structural similarity of two uint8 [row, column, rgb] pictures (Wang et al. 2004: Gaussian window, sigma 1.5)."""
    from skimage.metrics import structural_similarity
    return float(structural_similarity(a, b, channel_axis=-1, data_range=255, gaussian_weights=True, sigma=1.5,
                                       use_sample_covariance=False))


def scale_to_box(points: NDArray) -> NDArray:
    """Scale each frame of `points` [frame, 68, 2] to its own bounding box, 0..1, as the RAVDESS recipe does.

    Only for comparison with its published number: this divides the jaw drop out of the signal.
    """
    low, high = points.min(1, keepdims=True), points.max(1, keepdims=True)
    return (points - low) / (high - low)


def landmark_drift(predicted: NDArray, measured: NDArray) -> float:
    """Mean Euclidean distance of [frame, 68, 2] landmarks, in their own unit (eye distances in face space)."""
    return float(np.linalg.norm(predicted - measured, axis=-1).mean())


def correlation(a: NDArray, b: NDArray) -> float:
    """Pearson correlation of two [frame] signals; 0 when one is constant."""
    a, b = a - np.mean(a), b - np.mean(b)
    scale = np.sqrt(np.sum(a * a) * np.sum(b * b))
    return float(np.sum(a * b) / scale) if scale > 1e-12 else 0.0


def peak_of(found: NDArray) -> float:
    """Where [sample] is highest, between samples by a parabola; NaN samples are passed over."""
    i = int(np.nanargmax(found))
    if 0 < i < len(found) - 1 and (curve := found[i - 1] - 2 * found[i] + found[i + 1]) < 0:
        return i + float(0.5 * (found[i - 1] - found[i + 1]) / curve)
    return float(i)


def lag_of(signal: NDArray, reference: NDArray, max_lag: int = 10) -> float:
    """By how many frames `signal` [frame] comes after `reference` [frame]: where they correlate best.

    Between frames by a parabola. NaN when one is constant, or no longer than twice `max_lag`.
    """
    n = min(len(signal), len(reference))
    if n <= 2 * max_lag:
        return float("nan")
    found = np.array([correlation(signal[max(0, lag):n + min(0, lag)], reference[max(0, -lag):n - max(0, lag)])
                      for lag in range(-max_lag, max_lag + 1)])
    return peak_of(found) - max_lag if found.max() > 0 else float("nan")


def amplitude_ratio(predicted: NDArray, measured: NDArray) -> float:
    """Standard deviation of `predicted` over that of `measured`, both [frame]; 1 is right, 0 is a dead mouth."""
    return float(np.std(predicted) / max(np.std(measured), 1e-9))


def jitter(signal: NDArray) -> float:
    """Mean absolute second difference of a [frame] signal: what trembles from frame to frame."""
    return float(np.abs(np.diff(signal, 2)).mean()) if len(signal) > 2 else 0.0


def lip_measures(predicted: NDArray, measured: NDArray) -> dict:
    """Mouth measures of face-space [frame, 68, 2] landmarks beside the measured ones."""
    opening = face68.mouth_opening(predicted), face68.mouth_opening(measured)
    width = face68.mouth_width(predicted), face68.mouth_width(measured)
    return {"opening_correlation": correlation(*opening), "opening_amplitude": amplitude_ratio(*opening),
            "width_correlation": correlation(*width),
            "opening_speed_ratio": amplitude_ratio(np.diff(opening[0]), np.diff(opening[1])),
            "opening_jitter_ratio": jitter(opening[0]) / max(jitter(opening[1]), 1e-9),
            "lip_drift": landmark_drift(predicted[:, face68.MOUTH], measured[:, face68.MOUTH])}


def n_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out or exchanged between two lists of words: their edit distance."""
    before = np.arange(len(heard) + 1)
    for i, word in enumerate(said, 1):
        row = np.empty_like(before)
        row[0] = i
        for j, other in enumerate(heard, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other))
        before = row
    return int(before[-1])
