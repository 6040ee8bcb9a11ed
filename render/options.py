"""How a talking video looks and moves: one dataclass, and what the commands call each of its fields.

Reads: nothing. Writes: nothing. `render_video` takes it; `animator`, `main.py`, `render.render` and the page build it.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import click

from core.clock import FPS
from core.errors import InputError
from core.media.captions import WAYS
from core.media.formats import QUALITIES
from core.media.marks import watermark
from core.stage import completing, with_options
from landmarks.emphasis.style import STYLES
from render.avatar import AVATARS
from render.background import BLUR, KEEP, NONE
from render.life.gaze import GAZES
from render.liveliness import BLINK_RATE
from render.photo import FRAMINGS


@dataclass(frozen=True)
class RenderOptions:
    """How a talking video looks and moves.

    Parameters
    ----------
    preprocess : what of the photo is shown, one of FRAMINGS: `full`, `crop` to the face, `resize`
    size_px : longer side of the photo's video, side of the square pictures of `sketch` and `dcgan`; None is the picture's own
    fps : frames per second of the video; landmarks are resampled in time, the sound never is
    quality : of the encoding, one of QUALITIES: `low`, `medium`, `high`
    background : behind the person in the photo: `keep`, `blur`, `none` (see-through), a colour #rrggbb, or a picture's path
    style : how far face and head move, one of `landmarks.emphasis.style.STYLES`; None is `natural`, or what the landmarks were
        made in
    gaze : where the eyes look, one of `life.gaze.GAZES`: `natural`, at the camera and away now and then, `camera`, at it alone,
        `still`, as in the photo; still where the irises are not found, behind glasses, in a comic
    expression_scale, head_scale : factors on the motion of face and head on top of it
    seed : of the blinks, and of the head's sway where its motion is not known
    blink_rate : blinks a minute; None is the usual rate; none where the motion was measured with its own, behind glasses, or
        by the dcgan
    still : the head does not move
    preview : write OUT.preview.png first
    captions : `burn` draws the words into the frames, `mux` adds them as a track of subtitles, `none` leaves them away
    watermark : a text that is seen in every frame, such as "synthetic"; empty: none
    sign : certificate and private key, with which content credentials of an .mp4 are signed; None: it has none
    avatar : `none`, or `comic` when the face is one (`avatar.as_comic`): mouth and lids are drawn as comics have them

    Raises
    ------
    InputError : a number that is not finite, a watermark that cannot be drawn.
    """

    preprocess: str = "full"
    size_px: int | None = None
    fps: float = FPS
    quality: str = "medium"
    background: str = KEEP
    style: str | None = None
    gaze: str = "natural"
    expression_scale: float = 1.0
    head_scale: float = 1.0
    seed: int = 0
    blink_rate: float | None = None
    still: bool = False
    preview: bool = False
    captions: str = "none"
    watermark: str = ""
    sign: tuple[str, str] | None = None
    avatar: str = "none"

    def __post_init__(self):
        for name in ("fps", "expression_scale", "head_scale", "blink_rate"):  # click's ranges let NaN through
            if not math.isfinite(getattr(self, name) or 0):
                raise InputError(f"--{name.replace('_', '-')}", f"{getattr(self, name)}", "a number")
        watermark.check_mark(self.watermark)

    def as_made(self) -> dict[str, Any]:
        """What a sidecar keeps: no folders."""
        return {**asdict(self), "background": Path(self.background).name, "sign": self.sign is not None}


DEFAULTS = RenderOptions()
_NAMES = {"size_px": ("--size",), "seed": ("--seed", "--pose-style")}  # all others are named after their field
_ASKED: dict[str, dict[str, Any]] = {  # field -> what click is told of it; the order is that of the help page
    "preprocess": {"type": click.Choice(FRAMINGS), "help": "Whole photo, or face alone."},
    "size_px": {"type": click.IntRange(64, 4096), "help": "Longer side in px.  [default: the picture's own]"},
    "background": {"metavar": "keep|blur|none|#rrggbb|FILE", "shell_complete": completing(KEEP, BLUR, NONE, files=True),
                   "help": "Behind the person, who is cut out (see --preview); none: nothing, in a .webm or .webp."},
    "avatar": {"type": click.Choice(AVATARS),
               "help": "A comic of the photo speaks; no picture of the face is left."},
    "fps": {"type": click.FloatRange(1, 120), "help": "Frames a second."},
    "quality": {"type": click.Choice(QUALITIES), "help": "Of the encoding."},
    "style": {"type": click.Choice(list(STYLES)),
              "help": "How far the face moves.  [default: natural, or that of --motion]"},
    "gaze": {"type": click.Choice(GAZES),
             "help": "Where the eyes look: as people's, at the camera alone, or as in the photo."},
    "expression_scale": {"type": click.FloatRange(0, 3), "help": "Bolder above 1, subtler below."},
    "head_scale": {"type": click.FloatRange(0, 3), "help": "Factor on the head's motion; 0: still."},
    "seed": {"type": click.IntRange(0), "metavar": "N", "help": "Another number: other motion of the head, other blinks."},
    "blink_rate": {"type": click.FloatRange(0, 60),
                   "help": f"Blinks a minute.  [default: {BLINK_RATE:g}; 0 behind glasses, or with a --motion that has eyes]"},
    "still": {"is_flag": True, "help": "The head holds still; the eyes blink."},
    "captions": {"type": click.Choice(WAYS),
                 "help": "The words that are said: drawn, or a track for players."},
    "watermark": watermark.OPTION,
    "sign": {"type": click.Path(), "nargs": 2, "metavar": "CERT KEY", "help": "Sign content credentials (C2PA) in an .mp4."},
    "preview": {"is_flag": True, "help": "First write OUT.preview.png, two frames."},
}


def render_options(command: Callable) -> Callable:
    """Give a command all of them; it is called with `options`, a `RenderOptions`."""

    @functools.wraps(command)
    def called(*args, **kwargs):
        options = RenderOptions(**{field.name: kwargs.pop(field.name) for field in fields(RenderOptions)})
        return command(*args, options=options, **kwargs)

    for name, asked in reversed(_ASKED.items()):
        names = _NAMES.get(name, (f"--{name.replace('_', '-')}",))
        called = click.option(*names, name, default=getattr(DEFAULTS, name), **asked)(called)
    return called


def evaluation_options(function: Callable) -> Callable:
    """What both commands that measure the renderer ask for: where, and on which clips."""
    return with_options(
        click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"),
                     help="Folder of the landmarks."),
        click.option("--split", default="val", help="Clips to measure on."),
        click.option("--every-clip", type=click.IntRange(1), default=1, help="Take every Nth clip."),
        click.option("--picture", type=click.Path(path_type=Path),
                     help="Also draw photo, truth and methods into this PNG."))(function)


def face_options(function: Callable) -> Callable:
    """Click options of every command that takes a photo: `which` and `points_file` of `check_photo`."""
    return with_options(
        click.option("--face", "which", metavar="largest|N|x,y",
                     help="Which face: the Nth from the left, or at a pixel.  [default: largest]"),
        click.option("--landmarks", "points_file", type=click.Path(path_type=Path), metavar="FACE.JSON",
                     help="Points placed by hand, as check writes them."))(function)
