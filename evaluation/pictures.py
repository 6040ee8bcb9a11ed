"""The photo renderer on every clip, beside its warp alone and the photo held still, and pictures of the worst ones.

Reads: landmarks, recordings, the picture models that ship. Writes: nothing.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
from numpy.typing import NDArray

from core.face import face68
from core.face.draw import contact_sheet
from core.index import source_of
from core.stage import say
from render.measure import FEWEST_FRAMES, METHODS, measure, render_clip

PAINTED, FIT = METHODS[0], "mouth_ssim"
SIDE_PX = 320  # of a frame on the sheet


def rows_of_pictures(clips: Iterable[dict], landmarks: str | Path, model: str | Path | None = None) -> tuple[list[dict], dict]:
    """A row of `evaluation.spread` for each clip and each of METHODS, and clip -> a sheet of it.

    Parameters
    ----------
    clips : rows of `render.measure.rows_of`
    model : picture-model of the mouth; by default the one that ships

    Returns
    -------
    rows, and sheets: uint8 [row, column, rgb], the photo, then of the frame whose mouth is most open the truth, painted, warped
    """
    rows, sheets = [], {}
    for clip in clips:
        rendered, truth, points, unit_px, still = render_clip(clip, landmarks, model)
        if len(truth) < FEWEST_FRAMES:
            say(f"left out: {clip['clip']}: {len(truth)} frames in a row with a face; expected {FEWEST_FRAMES} or more")
            continue
        about = {"clip": clip["clip"], "source": source_of(clip["clip"]) or "clips"}
        for method, frames in rendered.items():
            found = measure(frames, rendered[METHODS[1]], truth, points, unit_px, still)
            rows.append({**about, "method": method, **{name: None if value is None else float(value)
                                                       for name, value in found.items()}})
        widest = int(face68.mouth_opening(points).argmax())
        sheets[clip["clip"]] = _sheet((truth[still], truth[widest], rendered[PAINTED][widest], rendered[METHODS[1]][widest]),
                                      points[widest], unit_px)
    return rows, sheets


def _sheet(frames, points, unit_px) -> NDArray:
    """The lower halves of faces, side by side."""
    x, y = points[face68.MOUTH].mean(0)
    half = 1.1 * unit_px
    (left, right), (top, bottom) = ((max(0, round(at - half)), round(at + half)) for at in (x, y))
    return contact_sheet([cv2.resize(frame[top:bottom, left:right], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
                          for frame in frames], len(frames))
