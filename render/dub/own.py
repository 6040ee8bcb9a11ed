"""What a person's face does in a video, parted: where the mouth would rest in each frame, and what it said.

Reads: landmarks of a video (landmarks-pixel), in memory. Writes: nothing.
Face space leaves yaw and pitch of a head in the points. How the resting mouth follows them is fitted to the clip itself, by
ridge regression on points that speech does not move, beside the mouth's shape, so that speech is not taken for a turn of the
head. What is left is speech: a few principal components of it hold the motion, and leave the detector's noise behind.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.clock import FPS
from core.face import face68
from core.smooth import gaussian_filter, savitzky_golay
from render.photo_check import NOSE_DEPTH

PROFILE_DEG = 38  # of yaw, as `render.photo_check.yaw_deg` measures it: beyond it a face is left alone
LEAST_PX = 24  # of an eye distance
FADE_S = 0.2  # over which the person's own mouth comes and goes where a face is lost
POSE_S, TURN_S = 0.04, 0.08  # of Gaussian smoothing in time
SMOOTH_S = 0.2  # of the Savitzky-Golay filter on the points
N_MODES = 6  # of speech
TURN_NOISE, SHAPE_NOISE = 0.02, 0.01  # eye distances: what moves less counts as still
SHUT_GAP = 0.015  # eye distances between the lips at rest
JUMP = 0.4  # eye distances from frame to frame: no head is so fast
_BLOCK = 4096  # frames brought to face space at a time
_STEADY = [[list(face68.GROUPS["nose_bridge"])[-1]], list(face68.GROUPS["nose_base"]), [list(face68.GROUPS["jaw"])[0]],
           [list(face68.GROUPS["jaw"])[-1]]]


@dataclass(frozen=True)
class Own:
    """A person's face in a video.

    Parameters
    ----------
    face : float32 [frame, 68, 2], face space; NaN without a face
    pose : float32 [frame, 4]
    rest : float32 [frame, 68, 2], the same face with the mouth at rest
    shift : float32 [frame, 2], where the resting mouth is, about its usual place: pitch and yaw move it
    turn : float32 [frame, 8], where points are that turns of the head move and speech does not
    strength : float32 [frame], 0..1, how far another mouth is shown: 0 where the face is lost, small, or in profile, and where
        something stands before the lips
    lost, profile, covered : frames without a face, seen from the side, and with covered lips
    """

    face: np.ndarray
    pose: np.ndarray
    rest: np.ndarray
    shift: np.ndarray
    turn: np.ndarray
    strength: np.ndarray
    lost: int
    profile: int
    covered: int = 0

    def __len__(self):
        return len(self.face)


def stretches(seen: NDArray, cuts: list[int]) -> list[slice]:
    """Runs of frames that are `seen` (bool [frame]), none of them across one of the `cuts`."""
    begin = np.zeros(len(seen) + 1, bool)
    begin[[0, *cuts, len(seen)]] = True
    begin[1:-1] |= seen[1:] != seen[:-1]
    edges = np.flatnonzero(begin).tolist()
    return [slice(a, b) for a, b in zip(edges, edges[1:]) if seen[a]]


def _odd(frames):
    return max(3, round(frames) // 2 * 2 + 1)


def strength_of(usable: NDArray, cuts: list[int], n_fade: float) -> NDArray:
    """1 in the midst of a run of usable frames (bool [frame]), falling over `n_fade` frames towards those that are not.

    A cut, and an end of the clip, needs no fading.
    """
    strength = np.zeros(len(usable), np.float32)
    for run in stretches(usable, cuts):
        ramp = np.ones(run.stop - run.start)
        up = np.minimum(1, np.arange(1, len(ramp) + 1) / (n_fade + 1))
        if run.start not in cuts and run.start:
            ramp = np.minimum(ramp, up)
        if run.stop not in cuts and run.stop < len(usable):
            ramp = np.minimum(ramp, up[::-1])
        strength[run] = ramp
    return strength


def _ridge(inputs, noise, outputs):
    """Coefficients of centred `inputs` [n, a] for centred `outputs` [n, b], each input penalised by its noise."""
    return np.linalg.solve(inputs.T @ inputs + len(inputs) * np.diag(np.square(noise)), inputs.T @ outputs)


def _jumps(points):
    """Frames in which a face is elsewhere than in the one before, by JUMP: a cut that shows the same room."""
    eyes = points[:, face68.RIGID].mean(1)
    with np.errstate(invalid="ignore"):
        far = np.linalg.norm(np.diff(eyes, axis=0), axis=1) > JUMP * face68.eye_distance(points[1:])
    return (np.flatnonzero(far) + 1).tolist()


def _yaw_deg(points):
    """How far the head is turned in each frame, as `render.photo_check.yaw_deg` measures it; by its own eyes alone."""
    z = points[..., 0] + 1j * points[..., 1]
    right, left = (z[:, list(face68.GROUPS[f"{side}_eye"])].mean(1) for side in ("right", "left"))
    with np.errstate(invalid="ignore"):
        tip = (z[:, list(face68.GROUPS["nose_bridge"])[-1]] - (left + right) / 2) / (left - right)
    return np.degrees(np.arctan(tip.real / NOSE_DEPTH))


@threadpool_limits.wrap(limits=1, user_api="blas")  # as `core.face.covered.covered_frames`
def part_motion(points: NDArray, fps: float, cuts: list[int], covered: NDArray | None = None) -> Own:
    """Part the motion of a face, float [frame, 68, 2] px of a video with `fps` frames a second; NaN without a face.

    Where the lips are `covered`, bool [frame], their points tell of nothing.
    """
    seen = np.isfinite(points).all((1, 2))
    template, cuts = face68.rigid_template(points), sorted({*cuts, *_jumps(points)})
    runs, width = stretches(seen, cuts), _odd(SMOOTH_S * fps)
    smooth = points.astype(np.float32)
    for run in runs:
        smooth[run] = savitzky_golay(points[run], width)
    blocks = [face68.to_face_space(smooth[t:t + _BLOCK], template) for t in range(0, len(smooth), _BLOCK)]
    face, pose = (np.concatenate(part) for part in zip(*blocks))
    turn = np.stack([face[:, group].mean(1) for group in _STEADY], 1).reshape(len(face), -1)
    for run in runs:
        pose[run] = gaussian_filter(pose[run], POSE_S * fps)
        turn[run] = gaussian_filter(turn[run], TURN_S * fps)
    usable = seen & (np.abs(np.nan_to_num(_yaw_deg(smooth), nan=90)) < PROFILE_DEG) & (np.nan_to_num(pose[:, 0]) >= LEAST_PX)
    behind = usable & (np.zeros(len(seen), bool) if covered is None else covered)
    usable &= ~behind
    rest, spoken = face.copy(), usable if usable.sum() > 2 else seen
    lower = face[:, face68.LOWER_FACE].reshape(len(face), -1)
    shape = np.column_stack([face68.mouth_opening(face), face68.mouth_width(face)])
    closed = face68.closed_frames(np.where(spoken, shape[:, 0], np.nan))
    centre = turn[closed].mean(0)
    known = np.column_stack([turn - centre, shape - shape[spoken].mean(0)])
    noise = np.r_[np.full(turn.shape[1], TURN_NOISE), np.full(shape.shape[1], SHAPE_NOISE)]
    middle = lower[spoken].mean(0)
    inputs = known[spoken] - known[spoken].mean(0)
    follows = _ridge(inputs, noise, lower[spoken] - middle)[:turn.shape[1]]
    still = face[closed].mean(0)
    still[face68.LOWER_FACE] -= (known[closed, :turn.shape[1]].mean(0) @ follows).reshape(-1, 2)
    still = face68.closed_mouth(still, SHUT_GAP)
    at_rest = (still[face68.LOWER_FACE].reshape(-1) + (turn - centre) @ follows).astype(np.float32)
    said = lower - at_rest
    _, _, modes = np.linalg.svd(said[spoken][:: max(1, int(spoken.sum()) // 4096)], full_matrices=False)
    modes = modes[:N_MODES]
    rest[:, face68.LOWER_FACE] = at_rest.reshape(len(face), -1, 2)
    face[:, face68.LOWER_FACE] = (at_rest + (said @ modes.T) @ modes).reshape(len(face), -1, 2)
    middle = face68.mouth_middle(rest)
    shift = middle - np.median(middle[closed], 0)
    face, rest, shift, turn = (values.astype(np.float32) for values in (face, rest, shift, turn))
    return Own(face, pose, rest, shift, turn,
               strength_of(usable, cuts, FADE_S * fps), int((~seen).sum()), int((seen & ~usable & ~behind).sum()),
               int(behind.sum()))


def steadied(own: Own, number: int, face: NDArray) -> tuple[NDArray, NDArray]:
    """`face` [68, 2] of a frame, and its pose, in a space in which the resting mouth has the same place in all frames."""
    pose, shift = own.pose[number].copy(), own.shift[number]
    turn = pose[0] * np.exp(1j * pose[1]) * complex(*shift)
    pose[2:] += (turn.real, turn.imag)
    return face - shift, pose


def put_in_place(own: Own, number: int, offset: NDArray) -> tuple[NDArray, NDArray]:
    """The face of a frame, and as it says something else: `offset` [68, 2] from a face at rest -> two float32 [68, 2]."""
    face, share = own.face[number], own.strength[number]
    target, lower = face.copy(), face68.LOWER_FACE
    target[lower] += share * (own.rest[number, lower] + offset[lower] - face[lower])
    return face, face68.uncross_lips(target)


assert FPS * SMOOTH_S == 5  # as clips of a corpus are smoothed
