"""Paint a part of a photo's face in 8-bit numbers, by ONNX Runtime.

Reads: GAN_record/{mouth,large_mouth,eyes}/model.safetensors (picture-model). Writes: nothing.
How far the values of each layer go is seen once a photo, on faces that are made up of its own: what goes farther is cut off.
"""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from learn.onnx_graph import session_of
from learn.weight_file import read_weights
from render.eight_bit.graph import LOGIT_STEPS, MASK_ZERO, colour_steps, in_bytes, in_floats
from render.parts.part import MOUTH, NETWORK, PARTS, VERSION, Part, cure_of

ROOM = 1.25  # times as far as on the made-up faces
FRAME = 3  # squares: as `render.parts.network.FRAME`


def is_installed() -> bool:
    """Whether ONNX Runtime is there; nothing is imported."""
    return find_spec("onnxruntime") is not None


def to_squares(pictures: NDArray, square: int) -> NDArray:
    """Squares of pixels side by side: uint8 [n, row, column, 4] -> [n, row / square, column / square, 4 * square²]."""
    n, rows, columns, _ = pictures.shape
    lines = pictures.reshape(n, rows // square, square, columns // square, 4 * square).view(f"V{4 * square}")[..., 0]
    return np.ascontiguousarray(lines.transpose(0, 1, 3, 2)).view(np.uint8).reshape(n, rows // square, columns // square, -1)


def from_squares(squares: NDArray, square: int) -> NDArray:
    """The way back from `to_squares`."""
    n, rows, columns, _ = squares.shape
    lines = squares.reshape(n, rows, columns, square, 4 * square).view(f"V{4 * square}")[..., 0]
    return np.ascontiguousarray(lines.transpose(0, 1, 3, 2)).view(np.uint8).reshape(n, rows * square, columns * square, 4)


class BytePainter:
    """A painter, ready for photos.

    Parameters
    ----------
    part : what it paints
    weights : name -> array, of a `render.parts.network.Painter`
    """

    def __init__(self, part: Part, weights: dict[str, NDArray]):
        self.part, self.weights = part, weights
        model, self.names = in_floats(weights, part)
        self._floats = session_of(model)
        edge = FRAME * part.square
        border = np.zeros(part.size, np.float32)
        border[edge:-edge, edge:-edge] = 255
        border = cv2.blur(border, (2 * edge + 1,) * 2, borderType=cv2.BORDER_CONSTANT)
        self.border = np.round(border).astype(np.uint8)

    def for_photo(self, photo: NDArray, examples: Iterable[NDArray]) -> Callable[[NDArray, NDArray], NDArray]:
        """What paints one photo.

        Parameters
        ----------
        photo : its view and the mask of the part, uint8 [row, column, rgb and part]
        examples : views of it, moved as far as it will be, alike

        Returns
        -------
        draw : moved views, uint8 [n, row, column, rgb and part], and what lies near the part, uint8 [n, row, column],
            to uint8 [n, row, column, rgb and mask]
        """
        square = self.part.square
        views = [to_squares(np.stack(pictures), square) for pictures in ([photo], list(examples))]
        *maps, ends = self._floats.run(None, dict(zip(("photo", "examples"), views)))
        ranges = dict(zip(self.names, (ROOM * np.clip(ends, (-np.inf, 0), (0, np.inf))).tolist()))
        session = session_of(in_bytes(self.weights, self.part, maps, ranges), 1)  # others move frames, and encode
        (step, zero), logits = colour_steps(ranges), (np.arange(256) - MASK_ZERO) / LOGIT_STEPS
        share = np.round(255 / (1 + np.exp(-logits))).astype(np.uint8)

        def draw_one(view, near):
            drawn, = session.run(None, {"squares": to_squares(view[None], square)})
            drawn = from_squares(drawn, square)[0]
            mask = cv2.LUT(cv2.extractChannel(drawn, 3), share)
            painted = cv2.addWeighted(view, 1, drawn, step, -zero * step)
            cv2.insertChannel(cv2.multiply(mask, cv2.multiply(near, self.border, scale=1 / 255), scale=1 / 255), painted, 3)
            return painted

        return lambda views, near: np.stack([draw_one(*each) for each in zip(views, near)])


def load_byte_painter(path: str | Path, part: Part | None = MOUTH) -> BytePainter:
    """Read a painter of a part, or of any. Raises InputError as `render.parts.network.load_painter` does."""
    cure = cure_of(part or MOUTH)
    settings, weights = read_weights(path, NETWORK, VERSION, cure)
    found = PARTS[settings.get("part", MOUTH.name)]
    if part and found is not part:
        raise InputError(path, f"a painter of {found.name}", f"one of {part.name}", cure)
    return BytePainter(found, weights)
