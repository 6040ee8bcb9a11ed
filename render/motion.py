"""Motion of landmarks, put on another face: in time, in size, and without crossing lips.

Reads: landmarks-face .npy, and the rest face beside it. Writes: nothing.
"""

from pathlib import Path

import numpy as np

from core import artifacts, face68
from core.clock import FPS
from core.errors import InputError
from core.stage import say

_TOLERATED = (3, 0.02)  # frames, share of the clip: sound and picture of a recording rarely end together


def rest_path(landmarks) -> Path | None:
    """The rest face beside a landmarks file: rest_face.npy, or CLIP.rest.npy of CLIP.face.npy; None without one."""
    path = Path(landmarks)
    beside = [path.with_name("rest_face.npy")]
    if path.name.endswith(".face.npy"):
        beside.insert(0, path.with_name(path.name.removesuffix(".face.npy") + ".rest.npy"))
    return next((p for p in beside if p.is_file()), None)


def read_motion(path, rest=None):
    """Offsets of face-space landmarks from their rest face.

    Parameters
    ----------
    path : landmarks-face .npy
    rest : rest-face .npy; by default the one beside `path`, else the frames with the mouth least open

    Returns
    -------
    motion : float32 [frame, 68, 2], eye distances; missing frames are filled in time
    rest : float32 [68, 2]
    """
    face = artifacts.load(path, "landmarks-face").array
    if not len(face):
        raise InputError(path, "no frames", "at least one frame of landmarks")
    if np.isinf(face).any():
        raise InputError(path, "values that are infinite", "landmarks; NaN where there is no face")
    n_missing = int(np.isnan(face).any((1, 2)).sum())
    if n_missing == len(face):
        raise InputError(path, f"no face in any of {n_missing} frames", "landmarks of a face")
    if n_missing:
        say(f"{path}: {n_missing} of {len(face)} frames have no face; filled from their neighbours")
    rest = rest or rest_path(path)
    rest_points = artifacts.load(rest, "rest-face").array if rest else face68.rest_face(face)
    if not np.isfinite(rest_points).all():
        raise InputError(rest or path, "not finite", "68 points of a face at rest")
    size = float(face68.eye_distance(rest_points))
    if not 0.5 < size < 2:
        raise InputError(rest or path, f"eyes {size:.3g} apart", "face space: about 1 between the eye centres",
                         "python -m preprocess.extract_landmarks")
    return face68.fill_missing(face) - rest_points, rest_points


def check_length(path, n_frames: int, n_speech_frames: int, speech):
    """Warn when landmarks and speech differ in length; raise InputError when they cannot belong together."""
    difference = abs(n_frames - n_speech_frames)
    text = f"{n_frames} frames of landmarks, {n_speech_frames} frames of speech in {Path(speech).name}"
    if difference > max(_TOLERATED[0], _TOLERATED[1] * n_speech_frames):
        raise InputError(path, text, "landmarks made from this speech", f'python predict.py "{speech}"')
    if difference > 1:
        say(f"warning: {text}; the video lasts as long as the speech")


def n_output_frames(seconds: float, fps: float) -> int:
    """Frames of a video of `seconds` at `fps`, to the nearest, at least one."""
    return max(1, int(seconds * fps + 0.5))


def resampled(motion, fps: float, n_frames: int):
    """Motion at another frame rate: yields `n_frames` float32 [68, 2].

    Each output frame shows the motion at its own middle, interpolated; the last one is held when the motion ends early.
    """
    last = len(motion) - 1
    for k in range(n_frames):
        position = min(max((k + 0.5) * FPS / fps - 0.5, 0.0), last)
        before = int(position)
        share = np.float32(position - before)
        yield motion[before] if share == 0 else motion[before] * (1 - share) + motion[before + 1] * share


def _lids(group):
    """Pairs (upper, lower) of an eye's lid points."""
    points = list(face68.GROUPS[group])
    half = len(points) // 2
    return points[1:half], points[:half:-1]


_LIDS = [_lids(group) for group in ("right_eye", "left_eye")]


def uncrossed(face):
    """`face` [..., 68, 2] (face space) with inner lips and eyelids that passed each other brought together; a copy."""
    face = face68.uncross_lips(face)
    for upper, lower in _LIDS:
        over = np.maximum(face[..., upper, 1] - face[..., lower, 1], 0) / 2
        face[..., upper, 1] -= over
        face[..., lower, 1] += over
    return face


def on_face(motion, face, scale: float = 1.0):
    """Put `motion` (iterable of [68, 2]) on another rest face, float [68, 2]; yields float32 [68, 2] in face space."""
    for offset in motion:
        yield uncrossed(face + offset * np.float32(scale))
