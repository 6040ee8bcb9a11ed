"""A folder of pictures, one a frame, for programs that take nothing else, and for what is laid over other films.

Writes: FOLDER/000001.png ..., each marked as synthetic; FOLDER/frames.json (talking-frames): how many, how many a second.
"""

import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.files import short_name
from core.media.out.target import LIST, Frames, frames_of, numbered
from core.media.provenance import png_marks

_COMPRESSION = 1  # of zlib's nine: three times as fast as its usual one, a tenth larger


def write_frames(target: Frames, frames: Iterable[NDArray], *, fps: float, stage: str, **about: Any) -> Path:
    """Write `frames`, uint8 [row, column, rgb] or [.., rgb and how much is seen], into a folder; return its path.

    They lie in a hidden folder beside it until the last one is there. Frames that this tool left in the folder are replaced.

    Parameters
    ----------
    **about : of the sidecar, see `core.artifacts.described`
    """
    from PIL import Image
    folder, marked = target.path, png_marks()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{short_name(folder)}.", suffix=".part", dir=folder.parent) as hidden:
        made: list[Path] = []
        size = [0, 0]
        for number, frame in enumerate(frames):
            with closing(Image.fromarray(np.ascontiguousarray(frame))) as image:
                image.save(part := Path(hidden) / numbered(number), pnginfo=marked, compress_level=_COMPRESSION)
                size = list(image.size)
            made.append(part)
        folder.mkdir(exist_ok=True)
        for old in frames_of(folder):
            old.unlink()
        for part in made:
            part.replace(folder / part.name)
    listed = {"frames": len(made), "fps": fps, "size_px": size, "names": [numbered(0), numbered(max(0, len(made) - 1))]}
    artifacts.save_described_json(folder / LIST, listed, "talking-frames", stage=stage, **about)
    return folder
