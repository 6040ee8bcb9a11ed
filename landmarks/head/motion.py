"""Motion of head and brows from speech and a seed: a head-model (LiteRT), no TensorFlow needed.

Reads: CNN_record/head/model.tflite (head-model), noise.npy (noise). Writes: nothing.
The same noise gives the same motion, another seed another one. Where nobody speaks the head only goes slowly from pose
to pose and the brows rest; it starts and ends at rest, and never leaves a few standard deviations.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths
from core.clock import FPS
from core.errors import InputError
from core.face import face68
from core.models import read_model
from core.smooth import gaussian_filter, taper
from landmarks.head.knots import N_CHANNELS, N_HEAD, n_knots_of, to_frames
from landmarks.lite import signatures

DEFAULT_MODEL = paths.HEAD_MODEL
N_STEPS = 4  # of the flow from noise to motion
GUIDANCE_SCALE = 2.0  # times what the speech adds to unconditional motion; 0 is motion without regard to speech
FREE, LIMIT = 1.5, 2.5  # standard deviations up to which a motion is as it comes, and that none exceeds
SWAY, HOLD_S = 0.35, 0.5  # of the head's motion, left where nobody speaks; of the Gaussian that makes it slow: poses, held
CALM_S = 0.5  # of Gaussian smoothing of the way there
FADE_S = 1.0  # from rest at the start, to rest at the end
LOWERED = 0.4  # of the way that brows go below their rest: a photo that frowns says more than a face in passing
LID_SHARE = 0.15  # of a brow's way that the upper lid follows
_OWN = 128  # knots made at a time
_BROWS = tuple(list(face68.GROUPS[name]) for name in ("right_brow", "left_brow"))


@dataclass
class HeadModel:
    """A loaded head-model: the functions `encode`, `begin`, `move`, and what it says of motion in general."""

    encode: Callable  # `hear` in the file
    begin: Callable
    move: Callable
    manner: np.ndarray  # how lively, as learnt from heads that move freely
    size: np.ndarray  # [channel], standard deviation of the noise it begins with
    sees: int  # knots to either side that a knot depends on
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)


def load_head_model(path: str | Path | None = None) -> HeadModel:
    """Load a head-model (the shipped one by default). Raises InputError: missing, damaged, or of another version."""
    return read_model(path or DEFAULT_MODEL, "head-model", _load, "make train-head")


def _load(path, _about) -> HeadModel:
    # with XNNPACK (LiteRT 2.3.0) a model gives, in some processes, other values after its first call, off by 0.01
    encode, begin, move = signatures(path, "hear", "begin", "move", plain=True)
    first = begin(noise=np.zeros((1, N_CHANNELS), np.float32))
    return HeadModel(encode, begin, move, first["manner"], first["size"], int(first["sees"]))


def seeded_noise(n_frames: int, seed: int = 0) -> NDArray:
    """What `seed` makes of a motion of `n_frames`: float32 [knot, channel]; the first ones do not depend on how many follow."""
    rng = np.random.default_rng((seed, 5))
    return rng.standard_normal((n_knots_of(n_frames), N_CHANNELS)).astype(np.float32)


def noise_for(path: str | Path, n_frames: int, seed: int = 0) -> tuple[NDArray, bool]:
    """The noise of a motion of `n_frames`: a user's own at `path`, which has no description beside it, else `seeded_noise`.

    Returns
    -------
    noise : float32 [knot, channel]
    from_file : whether it was read

    Raises
    ------
    InputError : one of another length, not finite, or changed since it was described.
    """
    path, n_knots = Path(path), n_knots_of(n_frames)
    if not path.is_file() or artifacts.check(path, "noise"):
        return seeded_noise(n_frames, seed), False
    noise = artifacts.load(path, "noise").array
    if len(noise) != n_knots or not np.isfinite(noise).all():
        found = f"{len(noise)} knots" if len(noise) != n_knots else "values that are not finite"
        raise InputError(path, found, f"{n_knots} knots for {n_frames} frames", "delete it: --seed makes another")
    return noise, True


def flow(model: HeadModel, sound: NDArray, noise: NDArray) -> NDArray:
    """Noise [knot, channel] to motion [knot, channel], by the sound [knot, ...]; in blocks that give what one would."""
    n, around = len(noise), model.sees
    spans = [(max(0, t - around), min(n, t + _OWN + around), t, min(n, t + _OWN)) for t in range(0, n, _OWN)]
    scale = np.array([GUIDANCE_SCALE], np.float32)

    def in_blocks(function):
        return np.concatenate([function(slice(a, b))[own - a:end - a] for a, b, own, end in spans])

    codes = in_blocks(lambda part: model.encode(heard=sound[part])["code"])
    motion = in_blocks(lambda part: model.begin(noise=noise[part])["motion"])

    def velocity(at, time):
        time = np.array([time], np.float32)
        return in_blocks(lambda part: model.move(motion=at[part], code=codes[part], manner=model.manner, time=time,
                                                listens=scale)["velocity"])

    for step in range(N_STEPS):  # the midpoint rule
        half = motion + velocity(motion, step / N_STEPS) / np.float32(2 * N_STEPS)
        motion = motion + velocity(half, (step + 0.5) / N_STEPS) / np.float32(N_STEPS)
    return motion


def motion_of(model: HeadModel, sound: NDArray, noise: NDArray, free: NDArray) -> tuple[NDArray, NDArray]:
    """Motion of head and brows.

    Parameters
    ----------
    model : from `load_head_model`
    sound : float32 [knot, ...], `head.sound.knot_features`
    noise : float32 [knot, channel]
    free : float [frame], 0 where nobody speaks, 1 where somebody does

    Returns
    -------
    head : float32 [frame, 5], as head-motion
    brows : float32 [frame, 2], right and left, how far they are raised, eye distances
    """
    free = gaussian_filter(np.asarray(free, np.float32), CALM_S * FPS)[:, None]
    motion = to_frames(flow(model, sound, noise), len(free))
    motion = within_limit(motion / model.size) * model.size * taper(len(free), FADE_S).astype(np.float32)[:, None]
    head = motion[:, :N_HEAD]
    poses = SWAY * gaussian_filter(head, HOLD_S * FPS).astype(np.float32)
    return poses + free * (head - poses), motion[:, N_HEAD:] * free


def within_limit(motion: NDArray) -> NDArray:
    """`motion`, in standard deviations, bent from `FREE` on so that it never exceeds `LIMIT`."""
    beyond = np.abs(motion) - FREE
    bent = np.sign(motion) * (FREE + (LIMIT - FREE) * np.tanh(beyond / (LIMIT - FREE)))
    return np.where(beyond > 0, bent, motion)


def with_brows(face: NDArray, brows: NDArray) -> NDArray:
    """`face` float32 [frame, 68, 2] with brows raised by `brows` [frame, 2], eye distances; a copy.

    All points of a brow go straight up by the same way, `LOWERED` of it when that is down; those of the upper lid by
    `LID_SHARE` of it.
    """
    face, brows = face.copy(), np.where(brows < 0, LOWERED * brows, brows).astype(np.float32)
    for side, (brow, (upper, _)) in enumerate(zip(_BROWS, face68.EYE_LIDS)):
        face[:, brow, 1] -= brows[:, side, None]
        face[:, upper, 1] -= LID_SHARE * brows[:, side, None]
    return face
