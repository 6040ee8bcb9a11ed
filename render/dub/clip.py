"""A video that is to be dubbed, with what its face does in it.

Reads: a video, and its landmarks (landmarks-pixel), which are measured where there are none. Writes: these.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import artifacts
from core.clock import FPS
from core.errors import InputError
from core.events import Warned
from core.media.footage import Footage, open_footage
from core.stage import tell
from preprocess.video_faces import write_seen
from render.dub.own import Own, part_motion


@dataclass(frozen=True)
class Clip:
    """A video that is to be dubbed, and what its face does."""

    footage: Footage
    own: Own
    cuts: list[int]
    others: list[int]
    seen: Path


def open_clip(video: str | Path | Footage, seen: str | Path) -> Clip:
    """A video with its landmarks, a landmarks-pixel .npy at the video's frame rate or at another. Raises InputError."""
    footage = video if isinstance(video, Footage) else open_footage(video)
    landmarks = artifacts.load(seen, "landmarks-pixel")
    points, about = landmarks.array, landmarks.sidecar
    if not np.isfinite(points).all((1, 2)).any():
        raise InputError(seen, f"no face in any of {len(points)} frames", "landmarks of a face")
    fps = float(about.get("fps") or FPS)
    cuts, others, edges = ([int(cut) for cut in np.ravel(about.get(name, []))] for name in ("cuts", "others", "covered"))
    if abs(fps - footage.fps) > 1e-3:
        at = np.clip((np.arange(round(len(points) * footage.fps / fps)) + 0.5) * fps / footage.fps - 0.5, 0, len(points) - 1)
        before, share = at.astype(int), (at % 1)[:, None, None]
        points = points[before] * (1 - share) + points[np.minimum(before + 1, len(points) - 1)] * share
        cuts, others, edges = ([round(cut * footage.fps / fps) for cut in numbers] for numbers in (cuts, others, edges))
    cuts, covered = sorted({0, *cuts}), np.zeros(len(points), bool)
    for start, stop in zip(edges[::2], edges[1::2]):
        covered[start:stop] = True
    return Clip(footage, part_motion(points, footage.fps, cuts, covered), cuts, others, Path(seen))


def see(video: str | Path, path: str | Path, which: str | None = None) -> Clip:
    """`open_clip` of landmarks that are measured now, and written to `path`."""
    footage = open_footage(video)
    for note in footage.notes:
        tell(Warned(note, footage.path))
    return open_clip(footage, write_seen(footage, path, stage="preprocess.extract_landmarks", which=which))
