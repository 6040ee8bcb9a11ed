"""Small head rotations as a displacement field over face space: roll, and yaw and pitch of an ellipsoid.

Reads, writes: nothing. The head is half an ellipsoid with a nose; what stands out of the picture moves more. Its outline
does not move when it turns, so the background behind it need not be invented; when it leans or shifts, the field falls
softly to nothing around it, and hair and neck follow.
"""

import numpy as np
from numpy.typing import NDArray

CENTRE, HALF = np.array([0.0, 0.25]), np.array([1.45, 2.05])  # of the head's outline, eye distances; hair included
REACH = 1.75  # times the outline: beyond, nothing moves
DEPTH = 1.0  # eye distances the face stands out of the outline's plane
NOSE_AT, NOSE_DEPTH, NOSE_SIGMA = np.array([0.0, 0.62]), 0.35, 0.3


class HeadField:
    """Where the pixels of a moved head come from, at fixed places.

    Parameters
    ----------
    nodes : float [n, 2], face space
    """

    def __init__(self, nodes: NDArray):
        self.nodes = nodes.astype(np.float32)
        radius = np.linalg.norm((self.nodes - CENTRE) / HALF, axis=1)
        t = np.clip((REACH - radius) / (REACH - 1), 0, 1)
        self.follows = (t * t * (3 - 2 * t))[:, None]
        nose = NOSE_DEPTH * np.exp(-np.square(self.nodes - NOSE_AT).sum(1) / (2 * NOSE_SIGMA**2))
        bulge = np.clip(1 - radius**2, 0, 1)
        depth = (DEPTH * bulge**1.5 + nose * bulge)[:, None]
        self.basis = np.concatenate([self.nodes * self.follows, self.follows, depth], 1).astype(np.float32)

    def offsets(self, head: NDArray) -> NDArray:
        """From each node to where its pixels are on the unmoved head.

        `head` float [5]: yaw, pitch, roll (rad) about the middle between the eyes, and how far that is shifted right and
        down (eye distances) -> float32 [n, 2]
        """
        yaw, pitch, roll, right, down = (float(v) for v in head)
        cos, sin = np.cos(roll), np.sin(roll)
        back = np.array([[cos - 1, -sin], [sin, cos - 1]])  # row vectors times the inverse rotation, less one
        shift = np.array([right, down]) @ (back + np.eye(2))
        return self.basis @ np.stack([*back, -shift, -np.sin([yaw, pitch])]).astype(np.float32)


def apply_head_pose(points: NDArray, head: NDArray) -> NDArray:
    """Where points of the unmoved head, float [n, 2] in face space, are shown when it is held as `head` [5] says."""
    return points - HeadField(points).offsets(head)
