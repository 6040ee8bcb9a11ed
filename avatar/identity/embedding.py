"""Identity embeddings of faces: near for one person, far for two.

Reads: the encoder (picture-model). Writes: nothing.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.identity.network import DEFAULT_MODEL, face_view, load_encoder
from core.cache import cached
from core.face import face68

_encoder = cached(load_encoder)


def identity_of(picture: NDArray, points: NDArray, model: str | Path | None = None) -> NDArray:
    """The embedding of a face: `points` float [68, 2] px in `picture` -> float32 [number], of length 1."""
    from avatar.identity.measure import embed
    view = face_view(picture, face68.to_face_space(np.asarray(points)[None])[1][0])
    return embed(_encoder(model or DEFAULT_MODEL), view[None])[0]
