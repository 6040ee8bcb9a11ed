"""Identity embeddings of faces: near for one person, far for two.

Reads: a photo, the encoder (picture-model). Writes: nothing.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.identity.network import DEFAULT_MODEL, face_view, load_encoder
from core.cache import cached
from core.errors import InputError, command_line
from core.face import face68
from core.media.picture import read_photo

_encoder = cached(load_encoder)


def read_face(path: str | Path) -> tuple[NDArray, NDArray]:
    """A photo and the 68 points of its largest face: uint8 [row, column, rgb], float32 [68, 2] px. Raises InputError."""
    from core.face.face_detector import landmarks_of_picture
    picture = read_photo(path)
    points, _ = landmarks_of_picture(picture)
    if points is None:
        raise InputError(path, f"no face found in {picture.shape[1]}x{picture.shape[0]} px", "a frontal face, 80 px or more",
                         command_line("python", "-m", "render.face_check", path))
    return picture, points


def identity_of(picture: NDArray, points: NDArray, model: str | Path | None = None) -> NDArray:
    """The embedding of a face: `points` float [68, 2] px in `picture` -> float32 [number], of length 1."""
    from avatar.identity.measure import embed
    view = face_view(picture, face68.to_face_space(np.asarray(points)[None])[1][0])
    return embed(_encoder(model or DEFAULT_MODEL), view[None])[0]
