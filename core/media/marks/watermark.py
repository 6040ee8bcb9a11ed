"""A mark that is seen in every frame of a video: a short text at the right, above.

Reads, writes: nothing. It is drawn into the planes that the encoder takes, or into RGB, with or without transparency; captions,
at the foot, stay clear of it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.media import nv12
from core.media.captions import STROKE, font_of_size, lacking_script

DEFAULT = "synthetic"
MOST_CHARS = 60
_HEIGHT, _SMALLEST_PX = 0.05, 11  # of a letter's body: of the shorter side; what can still be read
_WIDEST, _AWAY = 0.6, 0.025  # of the video's width; of its shorter side, from the edges
_OPACITY = 0.8  # of letters and outline: one of the two stands out from whatever is behind
_NONE = 128  # colour differences of a grey


class _Text(click.ParamType):
    """A click type: the text; true, as a preset may say, is the default one."""

    name = "text"

    def convert(self, value, param, ctx):
        return {True: DEFAULT, False: "", "true": DEFAULT, "false": ""}.get(value, value)


OPTION: dict[str, Any] = {  # what click is told of --watermark
    "type": _Text(), "is_flag": False, "flag_value": DEFAULT, "show_default": False, "metavar": "[TEXT]",
    "help": f"A text in every frame; without one: {DEFAULT}."}


watermark_option = click.option("--watermark", default="", **OPTION)  # `watermark`, for `check_mark`; empty without one


def check_mark(text: str) -> None:
    """Raise InputError for a text that cannot be drawn as a mark: of several lines, too long, of letters the font lacks."""
    expected = f"a line of {MOST_CHARS} letters at most"
    if len(text) > MOST_CHARS:
        raise InputError("--watermark", f"{len(text)} letters", expected)
    if text and (not text.isprintable() or not text.strip()):
        raise InputError("--watermark", repr(text), expected)
    if script := lacking_script(text):
        raise InputError("--watermark", f"{script} letters", "a script that the font DejaVu Sans has")


def _strip(text, width, height) -> tuple[NDArray, NDArray]:
    """The mark on nothing: how light, and how much of it is seen, uint8 [row, column], even sides."""
    from PIL import Image, ImageDraw
    px = max(_SMALLEST_PX, round(_HEIGHT * min(width, height)))
    n_px = font_of_size(px).getlength(text)
    px = max(_SMALLEST_PX, min(px, int(px * _WIDEST * width / n_px)))
    font, stroke = font_of_size(px), max(1, round(STROKE * px))
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font=font, stroke_width=stroke)
    n_columns, n_rows = (-(-int(side + 1) // 2) * 2 for side in (right - left, bottom - top))
    if n_columns > width or n_rows > height:
        raise InputError("--watermark", f"{len(text)} letters, in a video of {width}x{height} px", "fewer, or a larger --size")
    image = Image.new("LA", (n_columns, n_rows), (0, 0))
    ImageDraw.Draw(image).text((-left, -top), text, (255, 255), font, stroke_width=stroke, stroke_fill=(0, 255))
    light, seen = np.moveaxis(np.array(image), 2, 0)
    return light, (seen * _OPACITY).astype(np.uint8)


def _over(under, value, seen):
    """`value` (uint8) laid over `under`, uint8 [row, column, channel], by `seen`, uint8 [row, column]; `under` is changed."""
    share = seen[..., None].astype(np.uint16)
    under[:] = (under * (255 - share) + value * share + 127) // 255


class Mark:
    """A text, ready to be laid over frames of one size.

    Parameters
    ----------
    text : as `check_mark` takes it
    width, height : of the frames, px

    Raises
    ------
    InputError : there is no room for it.
    """

    def __init__(self, text: str, width: int, height: int):
        light, self.seen = _strip(text, width, height)
        away, (rows, columns) = round(_AWAY * min(width, height)), light.shape
        top, left = (max(0, side) // 2 * 2 for side in (min(away, height - rows), width - columns - away))
        self.light = light[..., None]
        self.half = cv2.resize(self.seen, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        self.place = slice(top, top + rows), slice(left, left + columns)

    def __call__(self, frame: NDArray) -> NDArray:
        """A copy of a frame with the mark; `frame` is any that `core.media.video.encode` takes."""
        frame = frame.copy()
        if frame.ndim == 2:
            light, colour = nv12.views(frame)
            _over(light[self.place], self.light, self.seen)
            _over(colour[tuple(slice(side.start // 2, side.stop // 2) for side in self.place)], np.uint8(_NONE), self.half)
            return frame
        part = frame[self.place]
        if frame.shape[2] == 4:
            before, own = part[..., 3:].astype(float), self.seen[..., None].astype(float)
            through = before * (255 - own) / 255
            part[..., :3] = (part[..., :3] * through + self.light * own) / np.maximum(through + own, 1) + 0.5
            part[..., 3:] = through + own + 0.5
        else:
            _over(part, self.light, self.seen)
        return frame


def marked(frames: Iterable[NDArray], text: str) -> Iterator[NDArray]:
    """Yield `frames` with the mark `text`; as they are, where it is empty."""
    mark: Any = None
    for frame in frames:
        if text and mark is None:
            rows, columns = frame.shape[:2]
            mark = Mark(text, columns, rows * 2 // 3 if frame.ndim == 2 else rows)
        yield mark(frame) if mark else frame
