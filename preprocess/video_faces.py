"""One person through a video at its own frame rate: shots, boxes, 68 points a frame.

Reads: a video (`core.media.footage`). Writes: its landmarks (landmarks-pixel).
As `preprocess.landmarks_of_video` measures clips of a corpus, but the frames are the video's own, and nothing is interpolated
or smoothed across a cut between shots. All faces are followed; who comes, leaves and comes back is known again by the face.
Who is seen most is the person, whoever came first: where that one is not, there is no face.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError
from core.events import Warned
from core.face import covered
from core.face import face_detector as fd
from core.face.choice import choose_face
from core.media import nv12
from core.media.footage import Footage, read_planes
from core.metrics import correlation
from core.stage import progress, tell
from preprocess.ahead import Ahead, light_of, measure
from preprocess.landmarks_of_video import DETECT_EVERY, LONGEST_GAP, smooth_boxes

CUT, CUT_TIMES, ALIKE = 12.0, 4.0, 0.7  # of 255, by which thumbnails of two frames differ at a cut; times what they did
# before; and their correlation, below which it is one
_THUMBNAIL = (32, 18)
_RECENT = 25  # frames
SAME_PERSON = 0.6  # distance of dlib's embeddings, as its author gives it (King 2017)
FAR = 1.0  # box widths that a face moves at most between two detections; further off is another one
KNOWN_BY = (1, 4, 12)  # detections of a face at which it is looked at closely: the first may be at the edge of the picture

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


@dataclass(eq=False)
class _Track:
    """A face that is followed through a shot without a gap: frame -> box, and what it is known by."""

    seen: dict[int, NDArray]
    looks: list[NDArray]

    @property
    def last(self) -> tuple[int, NDArray]:
        t = next(reversed(self.seen))
        return t, self.seen[t]

    @property
    def area(self) -> float:
        return float(sum(np.prod(box[2:] - box[:2]) for box in self.seen.values()))


def _assign(found, live):
    """Which of the `live` tracks each box goes on with, the nearest first: row of a box -> track, None where a face is new."""
    off = sorted((float(np.abs(box - track.last[1]).mean()), row, number) for row, box in enumerate(found)
                 for number, track in enumerate(live) if np.abs(box - track.last[1]).mean() < FAR * np.ptp(track.last[1][::2]))
    of: dict = {}
    for _, row, number in off:
        if row not in of and live[number] not in of.values():
            of[row] = live[number]
    return [of.get(row) for row in range(len(found))]


def _apart(person, track):
    """Distance of the embeddings of a track and of a person, who is not in two places at once."""
    if any(other.seen.keys() & track.seen.keys() for other in person):
        return np.inf
    return min((float(np.linalg.norm(a - b)) for other in person for a in other.looks for b in track.looks), default=np.inf)


def _persons(tracks):
    """Tracks of the same person together, in the order in which they are first seen."""
    persons: list[list[_Track]] = []
    for track in tracks:
        nearest = min(persons, key=lambda person: _apart(person, track), default=[])
        if nearest and _apart(nearest, track) < SAME_PERSON:
            nearest.append(track)
        else:
            persons.append([track])
    return persons


def follow(frames: Iterable[NDArray], choose: Choose | None = None, ahead: Ahead | None = None) -> Seen:
    """Follow one person through frames in NV12: who is seen most, or whose face `choose` takes where first there is one.

    `ahead` measures frames meanwhile.
    """
    shots, cuts, tracks, live, unlooked = _Shots(), [], [], [], []
    chosen, most_faces, n_frames, side_px = None, 0, 0, float(fd.DETECT_SIDE_PX)

    def end_shot():
        if ahead and len(live) == 1:
            ahead.go_on(live[0].seen, cuts[-1], n_frames)
        if ahead:
            ahead.clear()

    for t, frame in enumerate(frames):
        if shots.begins(frame):
            end_shot()
            cuts.append(t)
            live, side_px = [], float(fd.DETECT_SIDE_PX)
        n_frames = t + 1
        if ahead:
            ahead.add(t, frame)
        if (t - cuts[-1]) % DETECT_EVERY:
            continue
        light = light_of(frame)
        found = fd.detect(light, side_px)
        if not len(found):
            found = fd.detect_any(light) if live or (t - cuts[-1]) % (4 * DETECT_EVERY) == 0 else found
        found, most_faces = _leftmost_first(found), max(most_faces, len(found))
        going_on = _assign(found, live)
        for row, (box, track) in enumerate(zip(found, going_on)):
            if track is None:
                going_on[row] = track = _Track({}, [])
                tracks.append(track)
                live.append(track)
            track.seen[t] = box
            if len(track.seen) in KNOWN_BY:
                unlooked.append((track, frame, box))
        if len(tracks) > 1:  # before, there is nobody to be told apart from
            for track, picture, box in unlooked:
                track.looks.append(fd.embedding_in(nv12.to_rgb(picture), box))
            unlooked.clear()
        if choose and chosen is None and len(found):
            chosen = going_on[choose(found, *light.shape[::-1])]
        live = [track for track in live if t - track.last[0] <= LONGEST_GAP]
        if ahead and len(live) == 1:
            ahead.go_on(live[0].seen, cuts[-1])
        smallest = min((np.ptp(track.last[1][::2]) for track in live), default=0)
        side_px = min(fd.DETECT_SIDE_PX, max(light.shape) * fd.DETECT_FACE_PX / smallest) if smallest else fd.DETECT_SIDE_PX
    end_shot()
    persons = _persons(tracks)
    person = next((one for one in persons if chosen in one), None) or \
        max(persons, key=lambda one: sum(track.area for track in one), default=[])
    boxes = np.full((n_frames, 4), np.nan)
    for track in person:
        boxes[list(track.seen)] = list(track.seen.values())
    others, within = [], list(zip(cuts, [*cuts[1:], n_frames]))
    for start, stop in within:
        theirs = [track for track in tracks if start <= track.last[0] < stop]
        if theirs and not any(track in person for track in theirs):
            others.append(start)
        boxes[start:stop] = smooth_boxes(boxes[start:stop])
    return Seen(boxes, cuts, others, most_faces)


def write_seen(footage: Footage, path: str | Path, *, stage: str, which: str | None = None) -> Path:
    """Measure one person in a video and write the landmarks (landmarks-pixel), a row a frame of the video itself.

    Parameters
    ----------
    which : as for `core.face.choice.choose_face`, of the first frame with faces; by default who is seen most
    stage : that is named in the sidecar, which also says `fps`, `cuts` and `others`, see `Seen`, and in `covered` where the
        lips are: pairs of a first frame and the one after the last

    Raises
    ------
    InputError : no face in any frame.
    """
    about: dict[str, Any] = {"stage": stage, "options": {"face": which, "size": list(footage.size), "fps": footage.fps},
                             "inputs": [footage.path]}
    if artifacts.is_current(path, "landmarks-pixel", **about):
        return Path(path)

    def choose(boxes, columns, rows):
        return choose_face(boxes, which, footage.path, columns, rows)

    ahead = Ahead()
    with progress(read_planes(footage), "faces of the video", max(1, round(footage.seconds * footage.fps))) as bar:
        seen = follow(bar, choose if which else None, ahead)
    n_frames = len(seen.boxes)
    if n_frames == 1:
        raise InputError(footage.path, "a single picture", "a video; a photo is given with --image")
    if not np.isfinite(seen.boxes).any():
        raise InputError(footage.path, f"no face in any of {n_frames} frames",
                         "a video of a face, seen from the front, 80 px or more")
    if seen.most_faces > 1 and not which:
        tell(Warned(f"up to {seen.most_faces} faces; who is seen most speaks; --face chooses", footage.path))
    with progress(measure(footage, seen.boxes, ahead), "landmarks of the video", n_frames) as bar:
        points, looks = (np.stack(values) for values in zip(*bar))
    behind = covered.covered_frames(looks, np.isfinite(points).all((1, 2)), footage.fps)
    runs = np.flatnonzero(np.diff(np.r_[0, behind, 0].astype(int))).reshape(-1, 2).tolist()
    return artifacts.save(path, points, "landmarks-pixel", **about, fps=footage.fps, cuts=seen.cuts, others=seen.others,
                          most_faces=seen.most_faces, covered=runs)
