"""Landmarks as a moving line drawing: needs no photo and no model, and shows exactly what the landmarks say.

Reads: moves, in memory. Writes: nothing.
"""

from collections.abc import Iterable, Iterator

from numpy.typing import NDArray

from core.face import draw, face68
from core.face.head import apply_head_pose

SIZE_PX = 512


def frames(moves: Iterable[tuple[NDArray, NDArray]], size_px: int = 0) -> Iterator[NDArray]:
    """Yield one drawing per pair (face [68, 2] in face space, head [5]): uint8 [row, column, rgb], square."""
    size_px = size_px or SIZE_PX
    view = draw.face_view(size_px)
    for face, head in moves:
        yield draw.sketch_rgb(face68.to_pixel_space(apply_head_pose(face, head)[None], view)[0], size_px)
