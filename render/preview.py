"""Two pictures of a video before it is made: the first frame, and one with open mouth.

Reads: nothing. Writes: OUT.preview.png.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from numpy.typing import NDArray

from core.errors import InputError
from core.face.draw import contact_sheet
from core.files import named_after, whole_file
from core.media.picture import open_picture
from core.stage import say

_MARK = "talking-face preview"  # in the PNG itself: by it a preview that was made here is known, and made anew


def preview_path(out: str | Path) -> Path:
    """Where the preview of the video `out` lies."""
    return named_after(Path(out).with_suffix(""), ".preview.png")


def check_preview(out: str | Path, force: bool = False) -> None:
    """Raise InputError when the place of the preview of the video `out` holds a file made by somebody else."""
    path, mark = preview_path(out), None
    if not path.exists() or force:
        return
    with suppress(InputError), open_picture(path) as image:
        mark = image.info.get("Software")
    if mark != _MARK:
        raise InputError(path, "exists, and was not written by this tool", "room for the preview", "--force to overwrite it")


def write_preview(out: str | Path, pictures: Sequence[NDArray]) -> None:
    """Write two pictures (uint8 [row, column, rgb]) side by side beside the video `out`, and say so."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo
    about = PngInfo()
    about.add_text("Software", _MARK)
    with whole_file(preview_path(out)) as part:
        Image.fromarray(contact_sheet(pictures, 2)).save(part, pnginfo=about)
    say(f"preview: {preview_path(out)}")
