"""Landmarks as a moving line drawing: needs no photo and no model, and shows exactly what the landmarks say.

Reads: motion and rest face, in memory. Writes: nothing.
"""

from core import draw, face68
from render.motion import on_face

SIZE_PX = 512


def frames(motion, rest, scale: float = 1.0, size_px: int = 0):
    """Yield one drawing per [68, 2] of `motion` on the face `rest` [68, 2]: uint8 [row, column, rgb], square."""
    size_px = size_px or SIZE_PX
    view = draw.face_view(size_px)
    for face in on_face(motion, rest, scale):
        yield draw.sketch_rgb(face68.to_pixel_space(face[None], view)[0], size_px)
