"""Landmarks as a moving line drawing: needs no photo and no model, and shows exactly what the landmarks say.

Reads: moves, in memory. Writes: nothing.
"""

import numpy as np

from core import draw, face68

SIZE_PX = 512
_SKULL = 1.6, 2.2  # eye distances: half the width and half the height of the ball that gives points their depth
_NOSE_DEPTH = {"nose_bridge": (0.05, 0.5), "nose_base": (0.25, 0.25)}  # eye distances before the ball, first point to last


def depth(face):
    """How far each point of `face` [68, 2] lies before the eyes, as on a ball with a nose: float [68], eye distances."""
    x, y = face[:, 0] / _SKULL[0], face[:, 1] / _SKULL[1]
    before = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1)) * _SKULL[0]
    before -= before[face68.RIGID].max()
    for name, (first, last) in _NOSE_DEPTH.items():
        points = list(face68.GROUPS[name])
        before[points] += np.linspace(first, last, len(points))
    return before


def turned(face, head):
    """`face` [68, 2] (face space) as `head` [5] shows it, turned about the middle between the eyes -> float [68, 2]."""
    yaw, pitch, roll, right, down = (float(value) for value in head)
    x, y, z = face[:, 0], face[:, 1], depth(face)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y = y * np.cos(pitch) + z * np.sin(pitch)
    return np.stack([x * np.cos(roll) - y * np.sin(roll) + right, x * np.sin(roll) + y * np.cos(roll) + down], 1)


def frames(moves, size_px: int = 0):
    """Yield one drawing per pair (face [68, 2] in face space, head [5]): uint8 [row, column, rgb], square."""
    size_px = size_px or SIZE_PX
    view = draw.face_view(size_px)
    for face, head in moves:
        yield draw.sketch_rgb(face68.to_pixel_space(turned(face, head)[None], view)[0], size_px)
