"""Retarget motion of a face and its head to another face: frame rate, size, and no crossing lips.

Reads: landmarks .npy (landmarks-face or landmarks-pixel), the rest face and the head pose or head.npy beside it.
Writes: nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import FPS
from core.errors import InputError, command_line
from core.events import Warned
from core.face import face68
from core.smooth import gaussian_filter
from core.stage import say, tell
from landmarks.emphasis.style import STYLES, enlarge, move_more, style_of

READS = "landmarks-face", "landmarks-pixel"  # kinds
_TOLERATED = (3, 0.02)  # frames, share of the clip: sound and picture of a recording rarely end together
_STEADY_S = 0.06  # of Gaussian smoothing in time: the detector trembles faster than a head can move
_ROLL_REACH, _SHIFT_REACH = 0.5, 1.0  # rad, eye distances: a shown head gets no further than its neck lets it
_BLOCK = 4096  # frames of pixel landmarks turned into face space at a time


@dataclass(frozen=True)
class Motion:
    """What a face and its head do, `FPS` frames a second.

    Parameters
    ----------
    face : float32 [frame, 68, 2], offsets from rest, eye distances
    head : float32 [frame, 5]: yaw (> 0 turns the nose right in the picture), pitch (> 0 down), roll (> 0 clockwise), rad;
        then shift right and down, eye distances
    measured : True when the head was seen in a video: its motion is its own, and so are the blinks in `face`
    has_head : True when the head's motion is known, seen or predicted
    """

    face: np.ndarray
    head: np.ndarray
    measured: bool = False
    has_head: bool = False

    def __len__(self):
        return len(self.face)


class Move(NamedTuple):
    """All that changes from one frame to the next: frames may be drawn in any order, and each by another process.

    Parameters
    ----------
    face : float [68, 2], face space
    head : float [5], see `Motion`
    gaze : float [2], where the eyes look, eye distances right and down from where the photo has them; None: as there
    """

    face: NDArray
    head: NDArray
    gaze: NDArray | None = None


def _beside(landmarks, ending) -> Path | None:
    """CLIP`ending` beside CLIP.face.npy or CLIP.pixel.npy; None without one."""
    path = Path(landmarks)
    clip = next((path.name.removesuffix(end) for end in (".face.npy", ".pixel.npy") if path.name.endswith(end)), None)
    return path.with_name(clip + ending) if clip and path.with_name(clip + ending).is_file() else None


def rest_path(landmarks: str | Path) -> Path | None:
    """The rest face beside a landmarks file: CLIP.rest.npy of CLIP.face.npy, or rest_face.npy; None without one."""
    path = Path(landmarks).with_name("rest_face.npy")
    return _beside(landmarks, ".rest.npy") or (path if path.is_file() else None)


def _in_face_space(pixel):
    """Landmarks in px, float32 [frame, 68, 2] -> face space and pose, a block at a time."""
    template = face68.rigid_template(pixel) if np.isfinite(pixel).all((1, 2)).any() else None
    parts = [face68.to_face_space(pixel[t:t + _BLOCK], template) for t in range(0, len(pixel), _BLOCK)]
    return tuple(map(np.concatenate, zip(*parts)))


def head_of_pose(pose: NDArray) -> NDArray:
    """How a head in a video moved about its median pose.

    Parameters
    ----------
    pose : float32 [frame, 4] (head-pose); NaN where there was no face, not everywhere

    Returns
    -------
    float32 [frame, 5], as `Motion.head`; yaw and pitch are 0: face space leaves them in the points
    """
    pose = face68.fill_missing(pose).astype(np.float64)
    middle = np.median(pose, axis=0)
    turn = np.exp(1j * pose[:, 1])
    roll = np.angle(turn / complex(np.median(turn.real), np.median(turn.imag)))
    shift = (pose[:, 2:] - middle[2:]) / middle[0]
    steady = gaussian_filter(np.column_stack([roll / _ROLL_REACH, shift / _SHIFT_REACH]), _STEADY_S * FPS)
    head = np.zeros((len(pose), 5), np.float32)
    head[:, 2:] = np.tanh(steady) * (_ROLL_REACH, _SHIFT_REACH, _SHIFT_REACH)
    return head


def _head_beside(landmarks, n_frames: int):
    """head.npy beside predicted landmarks, float32 [frame, 5]; None without one. Raises InputError for one that cannot be."""
    path = Path(landmarks).with_name("head.npy")
    if not path.is_file():
        return None
    head = artifacts.load(path, "head-motion").array
    if len(head) != n_frames or not np.isfinite(head).all():
        found = f"{len(head)} frames" if len(head) != n_frames else "values that are not finite"
        raise InputError(path, found, f"the {n_frames} of {Path(landmarks).name}", "python predict.py speech.wav")
    return head


def read_motion(path: str | Path, rest: str | Path | None = None) -> tuple[Motion, NDArray]:
    """Offsets of landmarks from their rest face, and the head's own motion when it is known.

    Parameters
    ----------
    path : landmarks-face .npy; with head.npy (head-motion) beside it, or CLIP.pose.npy (head-pose) beside CLIP.face.npy, the
        head moves too. Or landmarks-pixel .npy, which hold both.
    rest : rest-face .npy; by default the one beside `path`, else the frames with the mouth least open

    Returns
    -------
    motion : `Motion`; missing frames are filled in time; a head that is not known is still
    rest : float32 [68, 2]
    """
    landmarks, pose = artifacts.load(path, *READS), None
    face = landmarks.array
    if not len(face):
        raise InputError(path, "no frames", "at least one frame of landmarks")
    if np.isinf(face).any():
        raise InputError(path, "values that are infinite", "landmarks; NaN where there is no face")
    n_missing = int(np.isnan(face).any((1, 2)).sum())
    if n_missing == len(face):
        raise InputError(path, f"no face in any of {n_missing} frames", "landmarks of a face")
    if n_missing:
        say(f"{path}: {n_missing} of {len(face)} frames have no face; filled from their neighbours")
    if landmarks.kind.name == READS[1]:
        face, pose = _in_face_space(face)
    elif pose_path := _beside(path, ".pose.npy"):
        pose = artifacts.load(pose_path, "head-pose").array
        if len(pose) != len(face):
            raise InputError(pose_path, f"{len(pose)} frames", f"the {len(face)} of {Path(path).name}",
                             "python -m preprocess.extract_landmarks")
    rest = rest or rest_path(path)
    rest_points = artifacts.load(rest, "rest-face").array if rest else face68.rest_face(face)
    if not np.isfinite(rest_points).all():
        raise InputError(rest or path, "not finite", "68 points of a face at rest")
    size = float(face68.eye_distance(rest_points))
    if not 0.5 < size < 2:
        raise InputError(rest or path, f"eyes {size:.3g} apart", "face space: about 1 between the eye centres",
                         "python -m preprocess.extract_landmarks")
    known = pose is not None and bool(np.isfinite(pose).all(1).any())
    head = head_of_pose(pose) if pose is not None and known else _head_beside(path, len(face)) if pose is None else None
    has_head, still = head is not None, np.zeros((len(face), 5), np.float32)
    return Motion(face68.fill_missing(face) - rest_points, still if head is None else head, known, has_head), rest_points


def in_style(moves: Motion, rest: NDArray, landmarks: str | Path, name: str | None) -> Motion:
    """`moves` of a file of landmarks about the face `rest`, in the style `name`; None, or the one it was made in: as they are.

    Predicted landmarks say their style; others count as natural. Raises InputError for a name that is none.
    """
    told = (artifacts.read_sidecar(landmarks).get("options") or {}).get("style")
    made_in = style_of(told if told in list(STYLES) else None)
    if name is None or style_of(name) == made_in:
        return moves
    style = style_of(name).over(made_in)
    return replace(moves, face=enlarge(rest + moves.face, rest, style) - rest, head=move_more(moves.head, style))


def check_length(path: str | Path, n_frames: int, n_speech_frames: int, speech: str | Path) -> None:
    """Warn when landmarks and speech differ in length; raise InputError when they cannot belong together."""
    difference = abs(n_frames - n_speech_frames)
    text = f"{n_frames} frames of landmarks, {n_speech_frames} frames of speech in {Path(speech).name}"
    if difference > max(_TOLERATED[0], _TOLERATED[1] * n_speech_frames):
        raise InputError(path, text, "landmarks made from this speech", command_line("python", "predict.py", speech))
    if difference > 1:
        tell(Warned(f"{text}; the video lasts as long as the speech"))


def n_output_frames(seconds: float, fps: float) -> int:
    """Frames of a video of `seconds` at `fps`, to the nearest, at least one."""
    return max(1, int(seconds * fps + 0.5))


def resample(motion: Motion, fps: float, frames: Iterable[int]) -> Iterator[tuple[NDArray, ...]]:
    """A `Motion` at another frame rate: yields (offsets float32 [68, 2], head float32 [5]) for each number in `frames`.

    Each output frame shows the motion at its own middle, interpolated; the last one is held when the motion ends early.
    """
    last = len(motion) - 1
    for k in frames:
        position = min(max((k + 0.5) * FPS / fps - 0.5, 0.0), last)
        before = int(position)
        after, share = min(before + 1, last), np.float32(position - before)
        yield tuple(values[before] + (values[after] - values[before]) * share for values in (motion.face, motion.head))


def uncross(face: NDArray) -> NDArray:
    """`face` [..., 68, 2] (face space) with inner lips and eyelids that passed each other closed; a copy."""
    face = face68.uncross_lips(face)
    for upper, lower in face68.EYE_LIDS:
        over = np.maximum(face[..., upper, 1] - face[..., lower, 1], 0) / 2
        face[..., upper, 1] -= over
        face[..., lower, 1] += over
    return face


def apply_to_face(moves: Iterable[tuple[NDArray, ...]], face: NDArray, expression_scale: float = 1.0,
            head_scale: float = 1.0) -> Iterator[tuple[NDArray, NDArray]]:
    """Put `moves`, pairs of offsets [68, 2] and head [5], on another rest face, float [68, 2].

    Yields
    ------
    face : float32 [68, 2], face space, ready to be shown
    head : float32 [5]
    """
    for offset, head in moves:
        yield uncross(face + offset * np.float32(expression_scale)), head * np.float32(head_scale)
