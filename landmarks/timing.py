"""Timing of predicted mouths: lag to the measured ones, and the sync judge's offsets.

Reads, writes: nothing; used by landmarks.evaluate.
Predicted and measured openings are slid along each other. Where a recording's own sound and picture are apart, the
prediction is rightly apart from the picture: the judge, which hears the sound and sees one mouth, tells the two cases.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.metrics import correlation, lag_of
from landmarks.dataset import Clip
from landmarks.sync.judge import FRAME_MS, Judge, judge_power, load_judge

LONG_ENOUGH = round(2.8 * FPS)  # frames a clip must have to be judged in time: a sentence of GRID is 2.9 s
LARGEST_LAG = 10  # frames


def times_of(clip: Clip, face: NDArray, judge: Judge) -> dict:
    """How well the opening of `face` goes with the measured one, and how late both are.

    The correlation, ms by which it comes after the measured one, and by which the judge finds the sound late, of both.
    """
    seen = np.isfinite(clip.face).all((1, 2))
    predicted, measured = face68.mouth_opening(face[seen]), face68.mouth_opening(clip.face[seen])
    lag = lag_of(predicted, measured, LARGEST_LAG)
    return {"correlation": correlation(predicted, measured),
            "late_ms": FRAME_MS * float(np.nan_to_num(lag, nan=LARGEST_LAG)),
            "predicted_ms": judge_power(judge, clip.power, face).offset_ms,
            "measured_ms": judge_power(judge, clip.power, clip.face).offset_ms}


def timing(clips: Sequence[Clip], predict: Callable[[Clip], NDArray]) -> dict:
    """`times_of` the clips of LONG_ENOUGH, by source. A still mouth counts as LARGEST_LAG late.

    Returns
    -------
    source -> clips; within_frame, the share whose prediction is within a frame of the measured mouth; median_ms of that;
    judged_predicted, judged_measured: the share the judge finds within a frame of the sound; agreement: correlation over
    the clips of late_ms and of what the judge says of the measured mouth; and of the recordings it finds within a frame
    alone: in_time_within_frame, and in_time_correlation, the mean over clips of that of the opening
    """
    judge, rows, found = load_judge(), {}, {}
    for clip in clips:
        if np.isfinite(clip.face).all((1, 2)).sum() >= LONG_ENOUGH:
            rows.setdefault(clip.source, []).append(times_of(clip, predict(clip), judge))
    rows["all clips"] = [row for source in rows.values() for row in source]
    for source, times in rows.items():
        if times:
            fits, late, predicted, measured = (np.array([row[name] for row in times]) for name in times[0])
            within = {name: float((np.abs(ms) <= FRAME_MS).mean()) for name, ms in (
                ("within_frame", late), ("judged_predicted", predicted), ("judged_measured", measured))}
            both, in_time = np.isfinite(measured), np.abs(measured) <= FRAME_MS
            alone = {"in_time_within_frame": (np.abs(late) <= FRAME_MS)[in_time], "in_time_correlation": fits[in_time]}
            found[source] = {"clips": len(times), **within, "median_ms": float(np.median(late)),
                             **{name: float(values.mean()) if len(values) else 0.0 for name, values in alone.items()},
                             "agreement": correlation(late[both], measured[both]) if both.any() else 0.0}
    return found


def lip_gains(table: dict) -> dict:
    """By which share the model's lips are nearer than those of the mean face: source -> share; `table` of `summary`."""
    return {source: 1 - methods["model"]["lip_drift"] / methods["mean_face"]["lip_drift"] for source, methods in table.items()}


def as_text(gains: dict, found: dict) -> str:
    """`lip_gains` and `timing` as a table to paste into the documents."""
    lines = ["| source | lips nearer than the mean face's | clips | within a frame of the measured mouth | median ms | judge: "
             "prediction in time | judge: recording in time | agreement | of recordings in time: within a frame | opening "
             "correlation |", "|---" + "|---:" * 9 + "|"]
    for source, t in found.items():
        lines.append(f"| {source} | {gains[source]:.0%} | {t['clips']} | {t['within_frame']:.0%} | {t['median_ms']:+.0f} | "
                     f"{t['judged_predicted']:.0%} | {t['judged_measured']:.0%} | {t['agreement']:.2f} | "
                     f"{t['in_time_within_frame']:.0%} | {t['in_time_correlation']:.3f} |")
    return "\n".join(lines)
