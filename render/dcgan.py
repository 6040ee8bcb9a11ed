"""Landmarks to pictures by the DCGAN: the face it was trained on, moved. It knows upright faces only: the head is still.

Reads: GAN_record/default/model.safetensors (picture-model). Writes: nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths

MODEL = paths.DCGAN_MODEL
BATCH = 16  # faces held at a time


def load(model: str | Path | None = None, device: str = "cpu") -> tuple[Any, NDArray]:
    """The generator in `model`, the one that ships by default, and its rest face, float32 [68, 2].

    Raises
    ------
    InputError : no such model, or a file of another kind.
    """
    model = Path(model or MODEL)
    artifacts.check(model, "picture-model")
    from gan.model import load_generator  # PyTorch takes seconds to import: only where it is needed
    generator = load_generator(model, device)
    return generator, generator.rest_face.cpu().numpy()


def frames(moves: Iterable[tuple[NDArray, NDArray]], generator: Any, size_px: int = 0) -> Iterator[NDArray]:
    """Draw each pair (face float32 [68, 2] on the model's own rest face, head) of `moves`, without the head's motion.

    Yields
    ------
    uint8 [row, column, rgb], square: the model's own size, or `size_px`
    """
    from gan.model import generate
    faces = (face for face, _ in moves)
    while batch := list(islice(faces, BATCH)):
        for picture in generate(generator, np.stack(batch), BATCH):
            resize = size_px and size_px != len(picture)
            yield cv2.resize(picture, (size_px, size_px), interpolation=cv2.INTER_CUBIC) if resize else picture
