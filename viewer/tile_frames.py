"""One picture of a whole video: frames spread evenly over it, the time under each, the widest open mouth marked.

Reads: a video of any kind ffmpeg knows; its landmarks (landmarks-face or landmarks-pixel), where they are given.
Writes: OUT.png (contact-sheet) and its sidecar, which lists the frames that are shown.
The video is read twice, as a stream: a header may say another number of frames than there are. Memory holds those shown.
The opening of a mouth is that of `core.face.face68`, in eye distances, so that a face that comes nearer opens no wider.
"""

from itertools import islice
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import FPS
from core.errors import InputError
from core.face import draw, face68
from core.files import fitting
from core.media import video
from core.media.out.place import check_place
from core.media.provenance import png_marks, source_type
from core.stage import progress, stage
from viewer.draw import N_TILES, spread_indices, tile, with_time

STAGE = "viewer.tile_frames"
KIND = "contact-sheet"
READS = "landmarks-face", "landmarks-pixel"  # kinds
MOST_COLUMNS = 6
_TOLERATED = (3, 0.02)  # frames, share of the video: its sound, and so its landmarks, may end a little earlier or later
MOST_FRAMES = 120


def widest_frame(landmarks: Path, source: Path, n_frames: int) -> tuple[int, float]:
    """The frame of the widest open mouth in a file of landmarks of the video `source`, and the opening, eye distances.

    Raises
    ------
    InputError : not landmarks, no face in them, or not those of a video of `n_frames`.
    """
    points = artifacts.load(landmarks, *READS).array
    if abs(len(points) - n_frames) > max(_TOLERATED[0], _TOLERATED[1] * n_frames):
        raise InputError(landmarks, f"{len(points)} frames", f"about the {n_frames} of {source.name}, {FPS} a second",
                         "leave --landmarks away")
    points = points[:n_frames]
    opening = face68.mouth_opening(points) / face68.eye_distance(points)
    if not np.isfinite(opening).any():
        raise InputError(landmarks, f"no face in any of {len(points)} frames", "landmarks of a face", "leave --landmarks away")
    widest = int(np.nanargmax(np.where(np.isfinite(opening), opening, np.nan)))
    return widest, float(opening[widest])


def sheet(source: Path, shown: list[int], widest: int | None = None) -> NDArray:
    """The frames `shown` of a video, numbers at the clock's rate that ascend, on one sheet: uint8 [row, column, rgb]."""
    wanted = set(shown)
    tiles = [with_time(tile(frame), t / FPS, "widest" if t == widest else "")
             for t, frame in enumerate(islice(video.read_frames(source), shown[-1] + 1)) if t in wanted]
    n_rows = -(-len(tiles) // MOST_COLUMNS)
    return draw.contact_sheet(tiles, -(-len(tiles) // n_rows))


def count_frames(source: Path) -> int:
    """How many frames a video has at the clock's rate; all are read."""
    with progress(video.read_frames(source), "frames", max(1, round(video.probe(source).seconds * FPS))) as frames:
        return sum(1 for _ in frames)


def write_sheet(source: Path, out: Path, landmarks: Path | None = None, n_wanted: int = N_TILES, force: bool = False) -> Path:
    """Write the contact sheet of a video, unless it is there: `n_wanted` frames, and that of the widest open mouth."""
    from PIL import Image
    video.probe(source)
    check_place(out, (".png",), KIND, force, (source, landmarks))
    if landmarks:
        artifacts.check(landmarks, *READS)
    options, inputs = {"frames": n_wanted}, [source, *([landmarks] if landmarks else [])]
    if artifacts.is_current(out, KIND, stage=STAGE, options=options, inputs=inputs):
        return out
    n_frames, widest, opening = count_frames(source), None, None
    if landmarks:
        widest, opening = widest_frame(landmarks, source, n_frames)
    shown = sorted({*spread_indices(n_frames, n_wanted).tolist(), *([] if widest is None else [widest])})
    is_synthetic = source_type(source) or artifacts.read_sidecar(source).get("kind") == "talking-video"
    with artifacts.described(out, KIND, stage=STAGE, options=options, inputs=inputs, frames=shown, of_frames=n_frames) as (
            part, facts):
        if opening is not None:
            facts |= {"widest_frame": widest, "widest_opening": round(opening, 4)}
        Image.fromarray(sheet(source, shown, widest)).save(part, pnginfo=png_marks() if is_synthetic else None)
    return out


@stage(reads="VIDEO; --landmarks (landmarks-face or landmarks-pixel)",
       writes="results/VIDEO_frames.png or --out (contact-sheet)",
       examples=("make frames VIDEO=results/demo.mp4", "python -m viewer.tile_frames me.mp4 --frames 24 --out me.png",
                 "python -m viewer.tile_frames me.mp4 --landmarks predict_landmark/speech/landmarks.npy"))
@click.argument("source", metavar="VIDEO", type=click.Path(path_type=Path))
@click.option("--landmarks", type=click.Path(path_type=Path), help="Its landmarks: the widest open mouth is shown too.")
@click.option("--frames", "n_wanted", type=click.IntRange(1, MOST_FRAMES), default=N_TILES, help="Frames, evenly spread.")
@click.option("--out", type=click.Path(path_type=Path), help="The sheet.  [default: results/VIDEO_frames.png]")
@click.option("--force", is_flag=True, help="Overwrite a file that this tool did not write.")
def main(source, landmarks, n_wanted, out, force) -> None:
    """Show frames spread over a video on one picture, with the time under each."""
    click.echo(write_sheet(source, out or Path("results") / f"{fitting(source.stem)}_frames.png", landmarks, n_wanted, force))


if __name__ == "__main__":
    main()
