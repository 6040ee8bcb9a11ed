"""The 68 points of every frame of a video, in pixels: detected, interpolated and smoothed in time.

Reads: a video. Writes: nothing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import blocks
from core.face import face68
from core.face import face_detector as fd
from core.media.video import read_frames
from core.smooth import gaussian_filter, savitzky_golay

DETECT_EVERY = 4  # frames; the boxes between are interpolated
LONGEST_GAP = 8  # frames without a detection that are bridged; longer ones are missing
BOX_SIGMA = 2.0  # frames
SMOOTH_WINDOW = 5  # frames, second-order Savitzky-Golay: removes jitter, keeps the peaks of an /a/


def face_boxes(frames: Iterable[NDArray]) -> tuple[NDArray, int]:
    """Follow one face through a stream.

    Parameters
    ----------
    frames : iterable of uint8 [row, column, rgb]

    Returns
    -------
    boxes : float [frame, 4] px (left, top, right, bottom), smoothed; NaN where there is no face
    most_faces : the most faces seen in one frame
    """
    seen, last, n_frames, most_faces, side_px = {}, None, 0, 0, fd.DETECT_SIDE_PX
    for t, frame in enumerate(frames):
        n_frames = t + 1
        if t % DETECT_EVERY:
            continue
        grey = fd.grey(frame)
        found = fd.detect(grey, side_px)
        if not len(found):
            found = fd.detect_any(grey)
        if not len(found):
            continue
        most_faces = max(most_faces, len(found))
        seen[t] = last = fd.largest(found) if last is None else found[np.argmin(np.abs(found - last).sum(1))]
        side_px = min(fd.DETECT_SIDE_PX, max(grey.shape) * fd.DETECT_FACE_PX / (last[2] - last[0]))
    boxes = np.full((n_frames, 4), np.nan)
    if seen:
        boxes[list(seen)] = list(seen.values())
    return smooth_boxes(boxes), most_faces


def smooth_boxes(boxes: NDArray) -> NDArray:
    """Boxes float [frame, 4] seen now and then, NaN between: interpolated and smoothed; NaN where none is near."""
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    if not len(known):
        return boxes
    filled = gaussian_filter(face68.fill_missing(boxes), BOX_SIGMA)
    t = np.arange(len(boxes))
    after = np.searchsorted(known, t).clip(max=len(known) - 1)
    before = (np.searchsorted(known, t, side="right") - 1).clip(min=0)
    gap = np.maximum(known[after] - t, 0) + np.maximum(t - known[before], 0)  # 0 on a detection
    at_end = (t > known[-1]) | (t < known[0])
    filled[(gap > LONGEST_GAP) | (at_end & (gap >= DETECT_EVERY))] = np.nan
    return filled


def smooth_in_time(points: NDArray) -> NDArray:
    """`points` [frame, ...] without the detector's jitter; NaN where they were."""
    return savitzky_golay(points, SMOOTH_WINDOW)


def measure_in_blocks(path: str | Path, boxes: NDArray) -> Iterator[NDArray]:
    """Landmarks of a video as measured, within `boxes` [frame, 4]: yields float32 [<= block, 68, 2] px, NaN without a face."""
    frames = read_frames(path)
    for start in range(0, len(boxes), blocks.N_FRAMES):
        part = boxes[start:start + blocks.N_FRAMES]
        points = np.full((len(part), face68.N_POINTS, 2), np.nan, np.float32)
        for t, (box, frame) in enumerate(zip(part, frames)):
            if np.isfinite(box[0]):
                points[t] = fd.landmarks_in(fd.grey(frame), box)
        yield points


def smooth_blocks(pixel: str | Path) -> Iterator[NDArray]:
    """The blocks of a landmarks-pixel .npy, smoothed in time as if it were whole."""
    for block, own in blocks.each(pixel, around=SMOOTH_WINDOW):
        yield smooth_in_time(block)[own]
