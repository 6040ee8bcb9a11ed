"""Landmarks as the 52 blendshapes of ARKit, a row a frame, as Live Link Face writes them, and back.

Reads, writes: .csv. Each shape is a motion of groups of points, set by looking; weights are fitted to landmarks by
non-negative least squares. What 68 points do not show (tongue, cheeks, where the eyes look) is 0.
Source: Apple, ARFaceAnchor.BlendShapeLocation; column names and order of Epic's Live Link Face.
"""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.face import face68
from core.files import whole_file

_SIDES = "Left", "Right"


def _both(*names):
    return tuple(f"{name}{side}" for name in names for side in _SIDES)


_EYE = ["EyeBlink", "EyeLookDown", "EyeLookIn", "EyeLookOut", "EyeLookUp", "EyeSquint", "EyeWide"]
NAMES = (*(f"{name}{side}" for side in _SIDES for name in _EYE), "JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose",
         "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft",
         *_both("MouthSmile", "MouthFrown", "MouthDimple", "MouthStretch"),
         "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper",
         *_both("MouthPress", "MouthLowerDown", "MouthUpperUp", "BrowDown"), "BrowInnerUp", *_both("BrowOuterUp"), "CheekPuff",
         *_both("CheekSquint", "NoseSneer"), "TongueOut")
HEAD = "HeadYaw", "HeadPitch", "HeadRoll"  # rad
_REST = *HEAD, "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll"
# Of each group in face68.HALF_FACE: (outwards, upwards), eye distances at weight 1; without a side in its name, of both halves
MOVES: dict[str, dict[str, tuple[float, float]]] = {
    "EyeBlink": {"upper_lid": (0, -0.16), "lower_lid": (0, 0.02)}, "EyeWide": {"upper_lid": (0, 0.05)},
    "EyeSquint": {"lower_lid": (0, 0.05)}, "JawOpen": {"jaw": (0, -0.5), "upper_lip": (0, 0.5)},
    "MouthFunnel": {"lip_corner": (-0.11, 0), "upper_edge": (0, 0.05), "lower_edge": (0, -0.05)},
    "MouthPucker": {"lip_corner": (-0.16, 0)}, "MouthSmile": {"lip_corner": (0.09, 0.11)},
    "MouthFrown": {"lip_corner": (0, -0.12)}, "MouthStretch": {"lip_corner": (0.1, -0.02)},
    "MouthUpperUp": {"upper_edge": (0, 0.08)}, "MouthLowerDown": {"lower_edge": (0, -0.09)},
    "BrowDown": {"inner_brow": (-0.05, -0.1), "outer_brow": (0, -0.05)}, "BrowInnerUp": {"inner_brow": (0, 0.14)},
    "BrowOuterUp": {"outer_brow": (0, 0.12)}, "NoseSneer": {"nostril": (0.01, 0.05)}}
_COST = 0.005  # eye distances a unit of weight costs: one shape rather than three that sum up to it


def _half(moves):
    """Offsets [68, 2] of the right half, the left in the picture."""
    half = np.zeros((face68.N_POINTS, 2), np.float32)
    for group, (out, up) in moves.items():
        for point, share in face68.HALF_FACE[group].items():
            half[point] += share * np.array([-out, -up], np.float32)
    return half


def _offsets(name):
    """What a blendshape does at weight 1, float32 [68, 2]; 0 where points do not show it."""
    for side in (*_SIDES, ""):
        if name.endswith(side) and (moves := MOVES.get(name.removesuffix(side))) is not None:
            right = _half(moves)
            return right if side == "Right" else face68.mirror(right) if side == "Left" else right + face68.mirror(right)
    return np.zeros((face68.N_POINTS, 2), np.float32)


BASIS = np.stack([_offsets(name) for name in NAMES])  # [shape, 68, 2]
_COUNT = np.ones((face68.N_POINTS, 1))  # how much each point counts in a fit: most where lips or lids meet
for _group in ("inner_lips", "right_eye", "left_eye"):
    _COUNT[list(face68.GROUPS[_group])] = 3
SHOWN = [i for i, moves in enumerate(BASIS) if moves.any()]


def weights_of(offsets: NDArray) -> NDArray:
    """Weights of offsets from rest, float [frame, 68, 2] (face space) -> float32 [frame, 52], 0..1, in the order of NAMES."""
    from scipy.optimize import nnls
    basis = np.concatenate([(BASIS[SHOWN] * _COUNT).reshape(len(SHOWN), -1),
                            np.full((len(SHOWN), 1), _COST)], axis=1).T
    weights = np.zeros((len(offsets), len(NAMES)), np.float32)
    for t, offset in enumerate(offsets):
        weights[t, SHOWN] = nnls(basis, np.append((offset * _COUNT).ravel(), 0))[0]
    return weights.clip(0, 1)


def offsets_of(weights: NDArray) -> NDArray:
    """Offsets from rest of weights, float [frame, 52] -> float32 [frame, 68, 2]."""
    return np.tensordot(weights.astype(np.float32), BASIS, 1)


def write_blendshapes(path: str | Path, weights: NDArray, head: NDArray | None = None) -> Path:
    """Write a row a frame: time code at FPS, 52 weights, the head's angles.

    Parameters
    ----------
    weights : float [frame, 52]
    head : float [frame, 5] or more, yaw, pitch, roll in rad first; None: 0
    """
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["Timecode", "BlendShapeCount", *NAMES, *_REST])
    angles = np.zeros((len(weights), len(_REST)), np.float32)
    if head is not None:
        angles[:, :len(HEAD)] = head[:, :len(HEAD)]
    for t, values in enumerate(np.concatenate([weights, angles], axis=1)):
        minutes, seconds = divmod(t // FPS, 60)
        time = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}:{t % FPS:02d}.000"
        writer.writerow([time, len(NAMES) + len(_REST), *(f"{value:.6f}" for value in values)])
    with whole_file(path) as part:
        part.write_text(rows.getvalue(), encoding="utf-8")
    return Path(path)


def _seconds(codes: Sequence[str]) -> NDArray:
    """Time codes HH:MM:SS:FF.fff as seconds from the first; frames a second are told by the largest FF."""
    parts = np.array([[float(part) for part in re.split(":", code)] for code in codes])
    rate = next((rate for rate in (24, 25, 30, 48, 50, 60, 120) if parts[:, 3].max() < rate), 120)
    times = parts @ [3600, 60, 1, 1 / rate]
    return times - times[0]


def read_blendshapes(path: str | Path, fps: float = 60) -> tuple[NDArray, NDArray | None]:
    """Weights and head of a .csv, at FPS.

    Parameters
    ----------
    fps : rows a second, where there is no column Timecode

    Returns
    -------
    weights : float32 [frame, 52], 0..1; 0 where a column is missing
    head : float32 [frame, 3], yaw, pitch, roll in rad; None without its columns

    Raises
    ------
    InputError : no blendshapes, or values that are no numbers.
    """
    path, expected = Path(path), "a .csv with columns such as EyeBlinkLeft and JawOpen, a row a frame"
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            header, *rows = [row for row in csv.reader(stream) if row]
        place = {name.strip().casefold(): i for i, name in enumerate(header)}
        columns = [place.get(name.casefold()) for name in (*NAMES, *HEAD)]
        if not rows or all(column is None for column in columns):
            raise InputError(path, f"{len(rows)} rows, {sum(column is not None for column in columns)} known columns", expected)
        values = np.array([[0.0 if column is None else float(row[column]) for column in columns] for row in rows])
        times = _seconds([row[place["timecode"]] for row in rows]) if "timecode" in place else np.arange(len(rows)) / fps
    except (UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise InputError(path, str(error).splitlines()[0][:80], expected) from None
    if not np.isfinite(values).all() or (np.diff(times) < 0).any():
        raise InputError(path, "values that are not finite, or time that goes back", expected)
    frames = np.arange(max(1, round(float(times[-1]) * FPS) + 1)) / FPS
    sampled = np.stack([np.interp(frames, times, column) for column in values.T], axis=1).astype(np.float32)
    has_head = any(column is not None for column in columns[len(NAMES):])
    return sampled[:, :len(NAMES)].clip(0, 1), sampled[:, len(NAMES):] if has_head else None
