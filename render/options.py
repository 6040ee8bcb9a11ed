"""The options that `main.py` and `render.render` share.

Reads: nothing. Writes: nothing. Each is a keyword of `render.render.render_video`.
"""

from pathlib import Path

import click

from core.clock import FPS
from core.media.captions import WAYS
from core.media.video import CRF
from render.avatar import AVATARS
from render.liveliness import BLINK_RATE
from render.photo import FRAMINGS

_PATH = click.Path(path_type=Path)

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


def shared_options(command):
    """Decorate a command with all of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command



def evaluation_options(function):
    """What both commands that measure the renderer ask for: where, and on which clips."""
    for option in reversed((
            click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"),
                         help="Folder of the landmarks."),
            click.option("--split", default="val", help="Clips to measure on."),
            click.option("--every-clip", type=click.IntRange(1), default=1, help="Take every Nth clip."),
            click.option("--picture", type=click.Path(path_type=Path),
                         help="Also draw photo, truth and methods into this PNG."))):
        function = option(function)
    return function



def face_options(function):
    """Click options of every command that takes a photo: `which` and `points_file` of `check_photo`."""
    function = click.option("--landmarks", "points_file", type=_PATH, metavar="FACE.JSON",
                            help="68 points or a box placed by hand, as the photo check writes them.")(function)
    return click.option("--face", "which", metavar="largest|N|x,y",
                        help="Face of the photo: the Nth from the left, or the one at a pixel.  [default: largest]")(function)
