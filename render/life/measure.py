"""How lively a face is: how far and how fast mouth, brows, lids and head move, the same of real and of predicted landmarks.

Reads: landmarks .npy, the rest face and head.npy beside it. Writes: nothing.
Predicted landmarks are measured as a video would show them: on a face of the person's own, with blinks and a gaze, moved by
the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.face.head import apply_head_pose
from render import liveliness, motion
from render.life.gaze import gaze_of, lids_follow, on_somebody


@dataclass(frozen=True)
class Quantity:
    """One line of the table: what it is, its unit, and what ten published clips of VASA-1 have in the median."""

    what: str
    unit: str
    vasa: float


QUANTITIES = {
    "opening": Quantity("opening, 5th to 95th percentile", "eye distances", 0.32),
    "opening_speed": Quantity("opening speed", "eye distances a second", 0.76),
    "width": Quantity("mouth width, sd", "eye distances", 0.081),
    "corners": Quantity("height of the lip corners, sd", "eye distances", 0.053),
    "brows": Quantity("height of the brows, sd", "eye distances", 0.039),
    "lids": Quantity("opening of the lids, sd", "eye distances", 0.030),
    "head_speed": Quantity("head speed", "eye distances a second", 0.70),
    "head_roll": Quantity("head roll, sd", "degrees", 3.6),
}
_SIZE_PX = 100.0  # of an eye distance: any will do


def liveliness_of(face: NDArray, pose: NDArray) -> dict:
    """Each of QUANTITIES of a clip, name -> number.

    Parameters
    ----------
    face : float [frame, 68, 2], landmarks-face; NaN where there was no face, not everywhere
    pose : float [frame, 4], head-pose
    """
    face, pose = face68.fill_missing(face), face68.fill_missing(pose)
    opening, place = face68.mouth_opening(face), pose[:, 2:] / np.median(pose[:, 0])
    return {"opening": float(np.subtract(*np.percentile(opening, [95, 5]))),
            "opening_speed": float(np.abs(np.diff(opening)).mean()) * FPS,
            "width": float(face68.mouth_width(face).std()), "corners": float(face68.mouth_middle(face)[:, 1].std()),
            "brows": float(face68.brow_height(face).std()), "lids": float(face68.eye_opening(face).std()),
            "head_speed": float(np.linalg.norm(np.diff(place, axis=0), axis=1).mean()) * FPS,
            "head_roll": float(np.degrees(np.unwrap(pose[:, 1]).std()))}


def as_shown(landmarks: str | Path, person: NDArray, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Predicted landmarks as a video shows them on a person's rest face, float [68, 2]: face [frame, 68, 2], pose [frame, 4].

    Raises
    ------
    InputError : `landmarks` is no file of landmarks.
    """
    moves, _ = motion.read_motion(landmarks)
    n_frames = len(moves)
    lids, where = liveliness.blinks(n_frames, seed=seed), gaze_of(n_frames, seed=seed)
    shown = motion.apply_to_face(zip(moves.face, moves.head), face68.closed_mouth(person))
    looking = ((lids_follow(face, on_somebody(to, head)), head) for (face, head), to in zip(shown, where))
    points = [apply_head_pose(face, head) for face, head in liveliness.add_blinks(looking, lids)]
    return face68.to_face_space(_SIZE_PX * np.array(points))


def medians(clips: Sequence[dict]) -> dict:
    """Medians over clips, measures of `liveliness_of`: name -> number."""
    return {name: float(np.median([clip[name] for clip in clips])) for name in QUANTITIES}
