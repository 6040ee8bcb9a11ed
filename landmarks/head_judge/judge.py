"""The head judge: which of several sounds does the motion of a head and its brows go with.

Reads: a head-judge-model (LiteRT), made by landmarks.head_judge.train. Writes: nothing.
Two encoders, of sound and of motion; `similarity` is the correlation of what they make of a window. Lips lend a little to the
points that a head is measured by; `landmarks.head.beat.without_lips` takes that away, so that the judge does not read lips.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.models import read_model
from landmarks.head.beat import gestures_in
from landmarks.head.knots import N_CHANNELS
from landmarks.lite import signatures

WINDOW_S = 4.0
N_FRAMES = round(WINDOW_S * FPS)
N_MOTION = 3 * N_CHANNELS + 1
SIZE = np.array([0.08, 0.06, 0.05, 0.12, 0.08, 0.02, 0.02], np.float32)  # rad, eye distances: about a deviation each
PER_FRAME = (8.0, 32.0)  # what speed and acceleration are multiplied with, to be as large as places
LEAST_SPEED = 0.1
_ABOUT = 1e-9
OF = {"all": range(N_CHANNELS), "head": range(3), "turn and lean": (0, 2), "nod": (1,), "brows": (5, 6)}


@dataclass
class HeadJudge:
    """A loaded head-judge-model: functions that embed sound [frame, N_SOUND] and motion [frame, N_MOTION]."""

    embed_sound: Callable  # `hear` in the file
    embed_motion: Callable  # `see`
    of: str  # a key of OF: the channels it looks at
    keeps_lips: bool  # whether it learnt from heads as they were measured


def load_head_judge(path: str | Path) -> HeadJudge:
    """Load a head-judge-model. Raises InputError when it is missing or damaged."""
    return read_model(path, "head-judge-model", _load, "make train-head-judge")


def _load(path, about) -> HeadJudge:
    hear, see = signatures(path, "hear", "see")
    options = about.get("options") or {}
    return HeadJudge(lambda sound: hear(sound=sound)["heard"], lambda motion: see(motion=motion)["shown"],
                     options.get("of", "all"), bool(options.get("keep_lips", False)))


def motion_features(motion: NDArray, of: str = "all") -> NDArray:
    """What the motion encoder takes: place, speed and acceleration of the channels `of`, and how fast the head turns.

    motion : float [frame, channel], as `knots.CHANNELS` -> float32 [frame, N_MOTION]; channels not asked for are 0
    """
    moved = np.zeros(motion.shape, np.float32)
    moved[:, list(OF[of])] = (gestures_in(motion) / SIZE)[:, list(OF[of])]
    speed = PER_FRAME[0] * np.gradient(moved, axis=0)
    more = PER_FRAME[1] / PER_FRAME[0] * np.gradient(speed, axis=0)
    fast = np.sqrt(np.square(speed).sum(1, keepdims=True) + LEAST_SPEED**2)
    return np.concatenate([moved, speed, more, fast], 1).astype(np.float32)


def windows_of(n_frames: int) -> list:
    """First frames of the windows of a clip: every half window."""
    return list(range(0, n_frames - N_FRAMES + 1, N_FRAMES // 2))


def similarity(sound: NDArray, motion: NDArray) -> NDArray:
    """Correlations [motion, sound] of embeddings, float [window, frame, size] each, every value about its mean."""
    sound, motion = (part - part.mean(1, keepdims=True) for part in (sound, motion))
    sound, motion = (part.reshape(len(part), -1) for part in (sound, motion))
    return (motion @ sound.T) / (np.linalg.norm(motion, axis=1)[:, None] * np.linalg.norm(sound, axis=1) + _ABOUT)
