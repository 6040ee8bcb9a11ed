"""One person through a video at its own frame rate: shots, boxes, 68 points a frame.

Reads: a video (`core.media.footage`). Writes: its landmarks (landmarks-pixel).
As `preprocess.landmarks_of_video` measures clips of a corpus, but the frames are the video's own, nothing is interpolated or
smoothed across a cut between shots, and in a later shot the person is known again by the face: a shot of somebody else has
no face.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError
from core.events import Warned
from core.face import face68
from core.face import face_detector as fd
from core.face.choice import choose_face
from core.media import nv12
from core.media.footage import Footage, read_planes
from core.metrics import correlation
from core.stage import progress, tell
from preprocess.landmarks_of_video import DETECT_EVERY, smooth_boxes

CUT, CUT_TIMES, ALIKE = 12.0, 4.0, 0.7  # of 255, by which thumbnails of two frames differ at a cut; times what they did
# before; and their correlation, below which it is one
_THUMBNAIL = (32, 18)
_RECENT = 25  # frames
SAME_PERSON = 0.6  # distance of dlib's embeddings, as its author gives it (King 2017)
FAR = 1.0  # box widths that a face moves at most between two detections; further off is another one
_FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)

Choose = Callable[[NDArray, int, int], int]  # boxes [face, 4] from left to right, columns, rows -> number of one


@dataclass(frozen=True)
class Seen:
    """Where one person is in a video.

    Parameters
    ----------
    boxes : float [frame, 4] px (left, top, right, bottom), smoothed; NaN where the person is not
    cuts : numbers of the frames that begin a shot, the first one too
    others : of these, the shots in which there are faces, but not the person's
    most_faces : the most faces seen in one frame
    """

    boxes: np.ndarray
    cuts: list[int]
    others: list[int]
    most_faces: int


def light_of(frame: NDArray) -> NDArray:
    """The light of a frame in NV12 as a grey picture: uint8 [row, column], 0..255."""
    return cv2.LUT(frame[:len(frame) * 2 // 3], _FULL_RANGE)


def _leftmost_first(boxes):
    return boxes[np.argsort(boxes[:, 0] + boxes[:, 2], kind="stable")]


class _Shots:
    """Says of each frame whether it begins a shot."""

    def __init__(self):
        self.before, self.recent = None, deque(maxlen=_RECENT)

    def begins(self, frame):
        rows, columns = len(frame) * 2 // 3, frame.shape[1]
        few = frame[:rows:max(1, rows // 144), :: max(1, columns // 256)]
        small = cv2.resize(few, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
        before, self.before = self.before, small
        if before is None:
            return True
        differs = float(np.abs(small - before).mean())
        usual = float(np.median(self.recent)) if self.recent else 0.0
        is_cut = differs > max(CUT, CUT_TIMES * usual) and correlation(small.ravel(), before.ravel()) < ALIKE
        if is_cut:
            self.recent.clear()
        else:
            self.recent.append(differs)
        return is_cut


def follow(footage: Footage, choose: Choose | None = None) -> Seen:
    """Follow one person through a video: the face that `choose` takes where first there is one, by default the largest."""
    shots, cuts, others, seen = _Shots(), [], [], {}
    person, last, tried, most_faces, n_frames, side_px = None, None, False, 0, 0, float(fd.DETECT_SIDE_PX)
    for t, frame in enumerate(read_planes(footage)):
        n_frames = t + 1
        if shots.begins(frame):
            cuts.append(t)
            last, tried, side_px = None, False, float(fd.DETECT_SIDE_PX)
        if (t - cuts[-1]) % DETECT_EVERY:
            continue
        light = light_of(frame)
        found = fd.detect(light, side_px)
        if not len(found):
            found = fd.detect_any(light) if last is not None or (t - cuts[-1]) % (4 * DETECT_EVERY) == 0 else found
        if not len(found):
            continue
        found, most_faces = _leftmost_first(found), max(most_faces, len(found))
        if last is not None:
            off = np.abs(found - last).mean(1)
            if off.min() < FAR * (last[2] - last[0]):
                seen[t] = last = found[off.argmin()]
        elif person is None:
            rows, columns = light.shape
            last = seen[t] = found[choose(found, columns, rows)] if choose else fd.largest(found)
            person = fd.embedding_in(nv12.to_rgb(frame), last)
        elif len(cuts) == 1 or not tried:
            apart = [np.linalg.norm(person - fd.embedding_in(nv12.to_rgb(frame), box)) for box in found]
            if min(apart) < SAME_PERSON:
                last = seen[t] = found[int(np.argmin(apart))]
            else:
                others.append(cuts[-1])
            tried = True
        if last is not None:
            side_px = min(fd.DETECT_SIDE_PX, max(light.shape) * fd.DETECT_FACE_PX / (last[2] - last[0]))
    boxes = np.full((n_frames, 4), np.nan)
    if seen:
        boxes[list(seen)] = list(seen.values())
    for start, stop in zip(cuts, [*cuts[1:], n_frames]):
        boxes[start:stop] = smooth_boxes(boxes[start:stop])
    return Seen(boxes, cuts, others, most_faces)


def measure(footage: Footage, boxes: NDArray) -> Iterator[NDArray]:
    """Yield the 68 points of each frame within `boxes` [frame, 4]: float32 [68, 2] px, NaN without a face."""
    for box, frame in zip(boxes, read_planes(footage)):
        points = fd.landmarks_in(light_of(frame), box) if np.isfinite(box[0]) else np.full((face68.N_POINTS, 2), np.nan)
        yield points.astype(np.float32)


def write_seen(footage: Footage, path: str | Path, *, stage: str, which: str | None = None) -> Path:
    """Measure one person in a video and write the landmarks (landmarks-pixel), a row a frame of the video itself.

    Parameters
    ----------
    which : as for `core.face.choice.choose_face`, of the first frame with faces
    stage : that is named in the sidecar, which also says `fps`, `cuts` and `others`, see `Seen`

    Raises
    ------
    InputError : no face in any frame.
    """
    about: dict[str, Any] = {"stage": stage, "options": {"face": which, "size": list(footage.size), "fps": footage.fps},
                             "inputs": [footage.path]}
    if artifacts.is_current(path, "landmarks-pixel", **about):
        return Path(path)
    seen = follow(footage, lambda boxes, columns, rows: choose_face(boxes, which, footage.path, columns, rows))
    n_frames = len(seen.boxes)
    if n_frames == 1:
        raise InputError(footage.path, "a single picture", "a video; a photo is given with --image")
    if not np.isfinite(seen.boxes).any():
        raise InputError(footage.path, f"no face in any of {n_frames} frames",
                         "a video of a face, seen from the front, 80 px or more")
    if seen.most_faces > 1 and not which:
        tell(Warned(f"up to {seen.most_faces} faces; the largest one speaks; --face chooses", footage.path))
    with progress(measure(footage, seen.boxes), "landmarks of the video", n_frames) as bar:
        points = np.stack(list(bar))
    return artifacts.save(path, points, "landmarks-pixel", **about, fps=footage.fps, cuts=seen.cuts, others=seen.others,
                          most_faces=seen.most_faces)
