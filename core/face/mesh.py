"""468 points of a face by MediaPipe's mesh, and the 68 of them that landmarks are: what dlib's are checked against.

Reads: the model file, whose package is installed for this alone. Writes: nothing.
Source: Kartynnik et al. 2019, Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs. Which of its points are
the 68, and how far chins lie apart, was measured on faces that both find: docs/experiments.md, "Finding faces".
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.face import face68
from core.models import Network
from core.pretrained import FACE_MESH, find

SIDE_PX, SIDE, BELOW = 192, 3.3, 0.6  # of what the mesh looks at: px; eye distances; its middle lies below the eyes
AS_68 = (127, 227, 177, 215, 172, 136, 149, 148, 152, 377, 378, 365, 397, 435, 401, 447, 356,
         70, 63, 105, 65, 55, 285, 295, 334, 293, 300, 168, 197, 5, 4, 75, 97, 2, 326, 305,
         33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
         61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)
CHIN, CHIN_LOWER = np.r_[5:12], 0.13  # points whose place dlib puts lower, eye distances
FAR = 0.15  # eye distances, mean over the points: of 98 faces that both find the two are 0.06 apart, 0.094 at most
PRESENT = 0.5  # least of what the mesh says of there being a face at all


def mesh_file() -> Path:
    """Where the face mesh lies. Raises InputError when its package is not installed."""
    folder = find(FACE_MESH)
    if folder is None:
        raise InputError(FACE_MESH.what, "not installed", f"the package {FACE_MESH.package}", FACE_MESH.cure)
    return folder / FACE_MESH.sha256[0][0]


@cache
def _load_mesh() -> Network:
    return Network(mesh_file())


def upright_face(frame: NDArray, pose: NDArray) -> NDArray:
    """What the mesh looks at, uint8 [SIDE_PX, SIDE_PX, rgb]: `frame` [row, column, rgb] turned upright by a head `pose` [4]."""
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]) * SIDE / 2 + [0.0, BELOW]
    at = face68.to_pixel_space(corners[None], pose[None])[0].astype(np.float32)
    size = SIDE_PX - 1.0
    turn = cv2.getAffineTransform(at, np.array([[0, 0], [size, 0], [0, size]], np.float32))
    return cv2.warpAffine(frame, turn, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)


def _run(face):
    """The arrays that the mesh makes of a picture by `upright_face`: points and presence."""
    outputs = [output.ravel() for output in _load_mesh()(face[None].astype(np.float32) / 255)]
    return max(outputs, key=len).reshape(-1, 3), float(min(outputs, key=len)[0])


def mesh_points(face: NDArray) -> NDArray:
    """468 points of a picture by `upright_face`, float [468, xyz], its pixels."""
    return _run(face)[0]


def landmarks_by_mesh(picture: NDArray, pose: NDArray) -> tuple[NDArray, float]:
    """68 points of the face that has about this head `pose` [4] in `picture`, uint8 [row, column, rgb].

    Returns
    -------
    points : float32 [68, 2], px
    presence : 0..1, how sure the mesh is that there is a face
    """
    points, presence = _run(upright_face(picture, pose))
    face = (points[list(AS_68), :2] / (SIDE_PX - 1) - 0.5) * SIDE + (0, BELOW)
    face[CHIN, 1] += CHIN_LOWER
    return face68.to_pixel_space(face[None], pose)[0], 1 / (1 + float(np.exp(-np.clip(presence, -50, 50))))


def apart(points: NDArray, others: NDArray) -> float:
    """Mean distance of two sets of 68 points [68, 2] px, in eye distances of the second."""
    return float(np.linalg.norm(points - others, axis=1).mean() / max(float(face68.eye_distance(others)), 1e-6))

