"""The options that `main.py` and `render.render` share: how a talking video looks and moves. They stand here, once.

Reads: nothing. Writes: nothing. Each is a keyword of `render.render.render_video`.
"""

from collections.abc import Callable

import click

from core.clock import FPS
from core.media.captions import WAYS
from core.media.video import CRF
from render.avatar import AVATARS
from render.liveliness import BLINK_RATE
from render.photo import FRAMINGS

_OPTIONS = (
    click.option("--preprocess", type=click.Choice(FRAMINGS), default="full", help="Whole photo, or face alone."),
    click.option("--size", "size_px", type=click.IntRange(64, 4096), help="Longer side in px.  [default: the picture's own]"),
    click.option("--background", default="keep", metavar="keep|blur|#rrggbb|FILE",
                 help="Behind the person in the photo. Who has no alpha channel is cut out by landmarks and colours, "
                      "which may take off a hat or leave a rim: look at the --preview."),
    click.option("--avatar", type=click.Choice(AVATARS), default="none",
                 help="A comic of the photo speaks in its place, and no picture of the real face is left."),
    click.option("--fps", type=click.FloatRange(1, 120), default=FPS, help="Frames a second; the sound stays as it is."),
    click.option("--quality", type=click.Choice(list(CRF)), default="medium", help="Of the encoding."),
    click.option("--expression-scale", type=click.FloatRange(0, 3), default=1.0, help="Bolder above 1, subtler below."),
    click.option("--head-scale", type=click.FloatRange(0, 3), default=1.0, help="Factor on the head's motion; 0: still."),
    click.option("--seed", "--pose-style", "seed", type=click.IntRange(0), default=0,
                 help="Another motion of the head and other blinks; the same number, the same ones."),
    click.option("--blink-rate", type=click.FloatRange(0, 60),
                 help=f"Blinks a minute.  [default: {BLINK_RATE:g}; 0 with a motion that has a head and eyes of its own, "
                      "and with the dcgan]"),
    click.option("--still", is_flag=True, help="The head holds still; the eyes go on blinking."),
    click.option("--captions", type=click.Choice(WAYS), default="none",
                 help="The words that are said: drawn into the picture, or a track that players can switch on."),
    click.option("--preview", is_flag=True, help="First write OUT.preview.png: the first frame, and one with open mouth."),
)


def shared_options(command: Callable) -> Callable:
    """Decorate a command with all of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
