"""Points of a face that are measured while it is still followed, so that its video need not be decoded twice.

Reads, writes: nothing.
A smoothed box hangs on the detections before and behind it. Frames wait until those behind are known, and are measured in the
box of the only face of the shot. Who was followed is known at the end: what lay in another box is measured anew.
"""

from collections import deque
from collections.abc import Iterator
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import covered, face68
from core.face import face_detector as fd
from core.media.footage import Footage, read_planes
from preprocess.landmarks_of_video import BOX_SIGMA, smooth_boxes

REACH = round(4 * BOX_SIGMA)  # frames from which a box is smoothed, on either side
MOST_BYTES = 96 * 2**20  # of frames that wait; where fewer than are needed fit in, nothing is measured ahead
MOST_CHOSEN = 256  # frames that are asked for one by one
_NOTHING = np.full((face68.N_POINTS, 2), np.nan, np.float32), np.zeros((covered.ROWS, covered.COLUMNS, 3), np.uint8)
_FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)

Measured = tuple[NDArray, NDArray]  # of a frame: its 68 points, float32 [68, 2] px, NaN without a face; its look


def light_of(frame: NDArray) -> NDArray:
    """The light of a frame in NV12 as a grey picture: uint8 [row, column], 0..255."""
    return cv2.LUT(frame[:len(frame) * 2 // 3], _FULL_RANGE)


def _measured(frame, box):
    points = fd.landmarks_in(light_of(frame), box)
    return points.astype(np.float32), covered.look(frame, points)


class Ahead:
    """Measures frames that wait for their boxes."""

    def __init__(self):
        self._waiting: deque[tuple[int, NDArray]] = deque()
        self._found: dict[int, tuple[NDArray, Measured]] = {}

    def add(self, t: int, frame: NDArray) -> None:
        """Frame number `t` waits."""
        self._waiting.append((t, frame))
        if len(self._waiting) * frame.nbytes > MOST_BYTES:
            self._waiting.popleft()

    def go_on(self, seen: dict[int, NDArray], start: int, stop: int | None = None) -> None:
        """Measure the frames whose boxes no later detection changes; where the shot ends with `stop`, all.

        seen : of the only face since frame `start`, which begins the shot: frame -> box, in order
        """
        end = next(reversed(seen)) + 1 if stop is None else stop
        ready = []
        while self._waiting and self._waiting[0][0] < (end - REACH if stop is None else end):
            ready.append(self._waiting.popleft())
        if not ready:
            return
        near = {}
        for t in reversed(seen):
            near[t] = seen[t]
            if t <= ready[0][0] - REACH:
                start = t
                break
        boxes = np.full((end - start, 4), np.nan)
        boxes[np.array(list(near)) - start] = list(near.values())
        boxes = smooth_boxes(boxes)
        for t, frame in ready:
            if np.isfinite(boxes[t - start, 0]):
                self._found[t] = boxes[t - start], _measured(frame, boxes[t - start])

    def clear(self) -> None:
        """No frame waits any more."""
        self._waiting.clear()

    def take(self, t: int, box: NDArray) -> Measured | None:
        """What was measured of frame `t` in this box, and is kept no longer; None where that is still to be done."""
        own, found = self._found.pop(t, (None, None))
        return found if own is not None and np.array_equal(own, box) else None


def measure(footage: Footage, boxes: NDArray, ahead: Ahead) -> Iterator[Measured]:
    """Yield of each frame what is `Measured` within `boxes` [frame, 4].

    The video is read again for frames that were not measured `ahead`.
    """
    found = [ahead.take(t, box) for t, box in enumerate(boxes)]
    left = [t for t, box in enumerate(boxes) if found[t] is None and np.isfinite(box[0])]
    wanted, few = set(left), left if len(left) <= MOST_CHOSEN else None
    frames = zip(few or count(), read_planes(footage, few)) if left else ()
    again = (_measured(frame, boxes[t]) for t, frame in frames if t in wanted)
    for known, box in zip(found, boxes):
        yield known or (next(again) if np.isfinite(box[0]) else _NOTHING)
