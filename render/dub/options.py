"""What the commands that dub a video ask for.

Reads, writes: nothing.
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import click

from core.errors import InputError
from core.stage import with_options
from render.options import DEFAULTS, RenderOptions

LOOPS, TAILS = ("pingpong", "hold", "cut"), ("cut", "keep")
# Of `RenderOptions`; all else is the video's own
_OF_A_VIDEO = {"quality", "style", "expression_scale", "seed", "captions", "watermark", "sign"}


def dub_options(function: Callable) -> Callable:
    """`video`, `loop` and `tail` of a command."""
    return with_options(
        click.option("--video", type=click.Path(path_type=Path),
                     help="In place of a photo; all but its mouth stays."),
        click.option("--loop", type=click.Choice(LOOPS), default=LOOPS[0],
                     help="A video shorter than its speech goes back and forth, holds, or cuts it."),
        click.option("--tail", type=click.Choice(TAILS), default=TAILS[0],
                     help="A longer one is cut, or kept."))(function)


def check_options(options: RenderOptions, points_file: str | Path | None = None) -> None:
    """Raise InputError for an option that asks for what a video has of its own: its size, its frame rate, its head."""
    given = [field.name for field in fields(options) if field.name not in _OF_A_VIDEO
             and getattr(options, field.name) != getattr(DEFAULTS, field.name)]
    names = {"size_px": "size", "points_file": "landmarks"}
    for name in [*given, *(["points_file"] if points_file else [])]:
        raise InputError(f"--{names.get(name, name).replace('_', '-')}", "given with --video",
                         "the video's own picture, frame rate, eyes and head: with a video that option says nothing")
