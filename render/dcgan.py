"""Landmarks to pictures by the DCGAN: the face it was trained on, moved.

Reads: GAN_record/default/model.safetensors (picture-model). Writes: nothing.
"""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from core import artifacts
from render.motion import on_face

MODEL = Path(__file__).resolve().parent.parent / "GAN_record" / "default" / "model.safetensors"
BATCH = 16  # faces held at a time


def frames(motion, model=None, device: str = "cpu", scale: float = 1.0, size_px: int = 0):
    """Draw each [68, 2] of `motion`, put on the model's own rest face.

    Returns
    -------
    iterator of uint8 [row, column, rgb], square: the model's own size, or `size_px`

    Raises
    ------
    InputError : no such model, or a file of another kind; before the first frame.
    """
    model = Path(model or MODEL)
    artifacts.check(model, "picture-model")
    from gan.model import generate, load_generator  # PyTorch takes seconds to import: only where it is needed
    generator = load_generator(model, device)
    return _drawn(generator, generate, on_face(motion, generator.rest_face.cpu().numpy(), scale), size_px)


def _drawn(generator, generate, faces, size_px):
    while batch := list(islice(faces, BATCH)):
        for picture in generate(generator, np.stack(batch), BATCH):
            resize = size_px and size_px != len(picture)
            yield cv2.resize(picture, (size_px, size_px), interpolation=cv2.INTER_CUBIC) if resize else picture
