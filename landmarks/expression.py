"""What an emotion does to a face: offsets of brows, lids and lips that are added to what speech does.

Reads, writes: nothing.
The table says which muscles move, after Ekman and Friesen, Facial Action Coding System, 1978 (action units, AU) and its
list of emotions, EMFACS, 1983; how far, was set by looking. Upper and lower inner lip move alike: lips that speech shuts stay
shut, and the mouth opens as far as it did.
"""

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.face import face68
from core.smooth import gaussian_filter
from preprocess.ravdess import EMOTIONS

AUTO = "auto"  # what the voice says, see landmarks.emotion
MOST = 2.0  # strength: beyond it faces break
STEADY_S = 0.4  # of Gaussian smoothing in time: an emotion comes and goes in about a second

# Of each group in face68.HALF_FACE: (outwards, upwards), eye distances at strength 1.
MOVES = {
    "neutral": {},
    "calm": {"lip_corner": (0.012, 0.015), "upper_lid": (0, -0.008)},
    "happy": {"lip_corner": (0.06, 0.075), "lower_lid": (0, 0.02), "upper_lid": (0, -0.008),  # AU 6, 12
              "outer_brow": (0, 0.015), "nostril": (0.01, 0.01), "lower_edge": (0, 0.01), "upper_edge": (0, -0.01)},
    "sad": {"inner_brow": (-0.015, 0.085), "outer_brow": (0, -0.025), "upper_lid": (0, -0.022),  # AU 1, 4, 15, 17
            "lip_corner": (-0.015, -0.07), "lower_edge": (0, 0.012)},
    "angry": {"inner_brow": (-0.045, -0.085), "outer_brow": (-0.01, -0.02), "upper_lid": (0, -0.012),  # AU 4, 7, 23
              "lower_lid": (0, 0.02), "lip_corner": (-0.03, -0.045), "upper_edge": (0, -0.018), "lower_edge": (0, 0.012),
              "nostril": (0.015, 0.005)},
    "fearful": {"inner_brow": (-0.03, 0.1), "outer_brow": (-0.005, 0.04), "upper_lid": (0, 0.03),  # AU 1, 2, 4, 5, 20
                "lower_lid": (0, 0.006), "lip_corner": (0.035, -0.045)},
    "disgust": {"inner_brow": (-0.03, -0.075), "outer_brow": (0, -0.025), "upper_lid": (0, -0.015),  # AU 9, 10, 15
                "lower_lid": (0, 0.025), "nostril": (0.015, 0.035), "lips": (0, 0.02), "upper_edge": (0, 0.025),
                "lip_corner": (-0.01, -0.045)},
    "surprised": {"inner_brow": (0, 0.12), "outer_brow": (0, 0.11), "upper_lid": (0, 0.035),  # AU 1, 2, 5
                  "lower_lid": (0, -0.008), "lip_corner": (-0.04, -0.015)},
}
# How a head is held: yaw, pitch (> 0 down), roll, rad, at strength 1.
N_ANGLES = 3
HEAD = {"sad": (0.0, 0.06, 0.03), "angry": (0.0, 0.04, 0.0), "fearful": (0.0, -0.03, 0.0), "happy": (0.0, -0.02, 0.02),
        "disgust": (0.03, -0.03, 0.0), "surprised": (0.0, -0.04, 0.0)}


def _face(moves):
    """Offsets [68, 2] of groups and their (outwards, upwards)."""
    half = np.zeros((face68.N_POINTS, 2), np.float32)
    for group, (out, up) in moves.items():
        for point, share in face68.HALF_FACE[group].items():
            half[point] += share * np.array([-out, -up], np.float32)  # the right half lies left in the picture, y down
    return half + face68.mirror(half)


FACES = np.stack([_face(MOVES[name]) for name in EMOTIONS])  # [emotion, 68, 2]


def parse_emotion(text: str) -> tuple[str, float]:
    """`auto`, `NAME` or `NAME:strength` as (name, strength). Raises InputError."""
    name, colon, strength = str(text).strip().lower().partition(":")
    if name not in (AUTO, *EMOTIONS):
        raise InputError("--emotion", repr(text), f"{AUTO} or one of {', '.join(EMOTIONS)}, as NAME or NAME:1.5")
    try:
        size = float(strength) if colon else 1.0
    except ValueError:
        size = np.nan
    if not 0 <= size <= MOST:
        raise InputError("--emotion", f"strength {strength!r}", f"0 to {MOST:g}, as {name}:1.5")
    return name, size


def emotion_vector(name: str, strength: float = 1.0) -> NDArray:
    """One emotion as a vector, float32 [8], in the order of EMOTIONS."""
    return np.float32(strength) * np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index(name)]


def smooth_emotion(values: NDArray, seconds: float = STEADY_S) -> NDArray:
    """`values` [frame, ...] smoothed in time, ends held: no emotion jumps."""
    return gaussian_filter(values, seconds * FPS, truncate=3).astype(np.float32)


def offsets(emotion: NDArray) -> NDArray:
    """What to add to landmarks in face space.

    Parameters
    ----------
    emotion : float [..., 8]: how much of each of EMOTIONS; probabilities give the expected face, so that doubt is neutral

    Returns
    -------
    float32 [..., 68, 2], eye distances
    """
    return np.tensordot(np.asarray(emotion, np.float32), FACES, 1)


def head_pose(emotion: NDArray) -> NDArray:
    """How the head is held: float [..., 8] -> float32 [..., 3], yaw, pitch, roll, rad."""
    table = np.array([HEAD.get(name, (0,) * N_ANGLES) for name in EMOTIONS], np.float32)
    return np.asarray(emotion, np.float32) @ table
