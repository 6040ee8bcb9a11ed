"""Captions in a video: drawn into its frames, or laid beside them as a track that players can switch on.

Reads: words in memory; a video. Writes: the video, with a track of subtitles.
The letters are DejaVu Sans, which comes with Matplotlib: no font of the system is needed.
"""

import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import NEEDS_ROOM, InputError
from core.files import whole_file
from core.media import ffmpeg
from core.media.mp4 import tracks_of
from core.media.video import probe
from core.media.words import Word, cues, srt, transcript

if TYPE_CHECKING:
    from PIL import ImageFont

WAYS = ("none", "burn", "mux")
_DRAWN = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC"}  # scripts the font has
_HEIGHT, _WIDTH, _FOOT = 0.055, 0.90, 0.03  # of a line, of the widest one, the room below: of the video's height and width
STROKE, _PAD, _LEADING = 0.06, 0.25, 0.25  # the outline, the box around the letters, between lines: of a line's height
_BOX_OPACITY = 150  # of 255: dark enough for white letters on white, and what is behind stays to be seen
_SMALLEST_PX = 9


def lacking_script(text: str) -> str:
    """The script of the first letter of `text` that the font does not have; empty where it has all."""
    scripts = (unicodedata.name(char, "UNKNOWN").split()[0] for char in text if char.isalpha())
    return next((script.title() for script in scripts if script not in _DRAWN), "")


def check_drawable(words: Sequence[Word]) -> None:
    """Raise InputError when the font has no letters for some of the words."""
    if script := lacking_script(transcript(words)):
        raise InputError("--captions", f"burn, for {script} letters", "a script that the font DejaVu Sans has",
                         "--captions mux")


def font_of_size(px: int) -> "ImageFont.FreeTypeFont":
    """DejaVu Sans, `px` high."""
    from PIL import ImageFont
    folder = find_spec("matplotlib").submodule_search_locations[0]  # type: ignore[union-attr, index]  # it is required
    return ImageFont.truetype(Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", px)


def _font(lines, width, height):
    """The font at a size at which the widest of `lines` fits, and that size in px."""
    px = max(_SMALLEST_PX, round(_HEIGHT * height))
    widest = max(font_of_size(px).getlength(line) for line in lines)
    px = max(_SMALLEST_PX, min(px, int(px * _WIDTH * width / max(widest, 1))))
    return font_of_size(px), px


def _strip(text, font, px, width):
    """One caption, white on a translucent box: uint8 [row, column, rgb and opacity], as wide as the video."""
    from PIL import Image, ImageDraw
    stroke, pad, gap = max(1, round(STROKE * px)), round(_PAD * px), round(_LEADING * px)
    how = {"font": font, "align": "center", "stroke_width": stroke, "spacing": gap}
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, **how)
    image = Image.new("RGBA", (width, int(bottom - top) + 2 + 2 * pad), (0, 0, 0, 0))
    x, draw = (width - right - left) / 2, ImageDraw.Draw(image)
    draw.rounded_rectangle((max(0, x + left - 2 * pad), 0, min(width, x + right + 2 * pad) - 1, image.height - 1), pad,
                           fill=(0, 0, 0, _BOX_OPACITY))
    draw.multiline_text((x, 1 + pad - top), text, "white", stroke_fill=(0, 0, 0, 255), **how)
    return np.array(image)


def burnt(frames: Iterable[NDArray], words: Sequence[Word], fps: float) -> Iterator[NDArray]:
    """Yield `frames` (uint8 [row, column, rgb]) with the captions of `words` drawn at their foot; the frames are copied."""
    shown, strips, font = cues(words), {}, None
    for k, frame in enumerate(frames):
        t_s = (k + 0.5) / fps
        cue = next((cue for cue in shown if cue.start_s <= t_s < cue.end_s), None)
        if cue is None:
            yield frame
            continue
        rows, columns = frame.shape[:2]
        if font is None:
            font = _font([line for cue in shown for line in cue.text.splitlines()], columns, rows)
        if cue not in strips:
            strips = {cue: _strip(cue.text, font[0], font[1], columns)}
        strip, frame = strips[cue][-rows:], frame.copy()
        bottom = rows - min(round(_FOOT * rows), rows - len(strip))
        part, opacity = frame[bottom - len(strip):bottom], strip[..., 3:].astype(np.uint16)
        part[:] = (part * (255 - opacity) + strip[..., :3] * opacity + 127) // 255
        yield frame


def add_track(video: str | Path, words: Sequence[Word], where: str | Path | None = None) -> None:
    """Lay the captions of `words` into the .mp4 `video` as a track (mov_text); picture and sound are not encoded again.

    `where` is the file that errors name, by default `video`.
    """
    video = Path(video)
    with tempfile.TemporaryDirectory() as folder, whole_file(video) as part:
        subtitles = Path(folder) / "words.srt"
        subtitles.write_text(srt(words, probe(video).seconds), encoding="utf-8")
        failure = ffmpeg.run(["-y", "-i", ffmpeg.url(video), "-i", ffmpeg.url(subtitles), "-map", "0", "-map", "1",
                              "-c", "copy", "-c:s", "mov_text", "-movflags", "+faststart", ffmpeg.url(part)])
        if not failure and not any(track.handler == "sbtl" for track in tracks_of(part)):
            failure = "the track is not in it"
        if failure:
            raise InputError(where or video, f"no captions added ({failure})", NEEDS_ROOM)
