"""Measure avatars and photos that speak, side by side: one frame of a held-out clip is the photo, the clip's landmarks move it.

Reads: LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose}.npy, the recordings' pictures, MODEL (picture-model, of the translator).
Writes: metrics-video.json and metrics-video.png beside MODEL; with --picture, a sheet of frames
The truth of a photo is the clip; that of its comic, the clip with each frame made a comic. Beside the moved comic stand the
comics of each frame, with the frames before them and alone, and both pictures held still. LPIPS is not measured: the weights of
its network come with torchvision alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from core import metrics, paths
from core.face import face68, face_detector
from core.face.draw import contact_sheet
from core.files import whole_file
from core.index import source_of
from core.stage import progress, stage
from learn.measures import report
from render.measure import (
    EVERY,
    EVERY_IDENTITY,
    as_markdown,
    identity,
    mean_psnr_db,
    mouth_box,
    moves_of,
    render_clip,
    rows_of,
    shake,
)
from render.measure import means as means_by_source

if TYPE_CHECKING:
    from avatar.comics import Avatars

STAGE = "render.evaluate_avatar"
TRUTH_OF = {"photo, moved": "the clip", "photo held still": "the clip", "the clip": "the clip",
            "comic, moved": "comics in time", "comic held still": "comics in time", "comics in time": "comics in time",
            "comics one by one": "comics in time"}


def comics_of(avatars: "Avatars", frames: Sequence[NDArray], points: NDArray, in_time: bool) -> list[NDArray]:
    """Each frame of a clip as a comic; with `in_time` each knows those before it."""
    past, drawn = None, []
    for frame, at in zip(frames, points):
        comic, past = avatars(frame, at, past if in_time else None)
        drawn.append(comic)
    return drawn


def draw_by_each_method(row: dict, landmarks: str | Path, avatars: "Avatars") -> tuple[dict, NDArray, float, int]:
    """A clip by each method: method -> frames; its points [frame, 68, 2] px; eye distance, px; number of the photo."""
    from render import portrait
    from render.parts.drawn import drawn_parts
    from render.parts.painted import MODELS, MOUTH
    from render.photo import Photo
    rendered, truth, points, unit_px, still = render_clip(row, landmarks, MODELS[MOUTH])
    comics = comics_of(avatars, truth, points, in_time=True)
    comic = Photo(Path(row["picture"]), avatars(truth[still], points[still])[0], points[still])
    face, pose = face68.to_face_space(points)
    moved = list(portrait.frames(comic, moves_of(comic.face, face, pose, still), drawn_parts(comic)))
    return {"photo, moved": rendered["painted"], "photo held still": rendered["photo held still"], "the clip": truth,
            "comic, moved": moved, "comic held still": [comic.picture] * len(truth), "comics in time": comics,
            "comics one by one": comics_of(avatars, truth, points, in_time=False)}, points, unit_px, still


def drift(frames: Sequence[NDArray], points: NDArray, unit_px: float) -> float:
    """How far the landmarks that are seen in frames are from those that moved them, eye distances."""
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    seen = [face_detector.landmarks_in(face_detector.grey(f), b) for f, b in zip(frames[::EVERY], boxes[::EVERY])]
    return metrics.landmark_drift(np.stack(seen), points[::EVERY]) / unit_px


def measure(frames: Sequence[NDArray], truth: Sequence[NDArray], clip: Sequence[NDArray], points: NDArray, unit_px: float,
            still: int) -> dict:
    """Measures of one method on one clip; `clip` the real frames."""
    size = clip[0].shape[:2]
    shown = [i for i in range(0, len(frames), EVERY) if i != still]
    boxes = [mouth_box(p, size, unit_px) for p in points]
    middle, face = boxes[still], mouth_box(points[still], size, 3 * unit_px)
    mouths = [(frames[i][boxes[i]], truth[i][boxes[i]]) for i in shown]
    whole = [(frames[i], truth[i]) for i in shown]
    return {"mse": np.mean([metrics.mse(a / 127.5, b / 127.5) for a, b in whole]), "psnr_db": mean_psnr_db(whole),
            "ssim": np.mean([metrics.ssim(*pair) for pair in whole]), "mouth_psnr_db": mean_psnr_db(mouths),
            "mouth_ssim": np.mean([metrics.ssim(*pair) for pair in mouths]), "drift": drift(frames, points, unit_px),
            "mouth_flicker": shake([f[middle] for f in frames]) / shake([t[middle] for t in clip]),
            "face_flicker": shake([f[face] for f in frames]) / shake([t[face] for t in clip]),
            "identity": identity(clip[still], frames[::EVERY_IDENTITY])}


def draw_bars(table: dict, path: str | Path) -> None:
    """Measures of each method as bars."""
    from matplotlib.figure import Figure
    names = list(next(iter(table.values())))
    figure = Figure((2.6 * len(names), 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), sharey=True), names):
        axes.barh(list(table), [row[name] or 0 for row in table.values()])
        axes.set(title=name)
    with whole_file(path) as part:
        figure.savefig(part, dpi=80)


_PATH = click.Path(path_type=Path)


@stage(reads="LANDMARKS/, the recordings, MODEL (picture-model)",
       writes="metrics-video.json, metrics-video.png beside MODEL, PICTURE",
       examples=("python -m render.evaluate_avatar", "python -m render.evaluate_avatar --every-clip 20 --picture sheet.png"))
@click.option("--model", type=_PATH, help="The translator.  [default: the one that ships]")
@click.option("--landmarks", type=_PATH, default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--split", default="val", help="Clips to measure on.")
@click.option("--every-clip", type=click.IntRange(1), default=10, help="Take every Nth clip.")
@click.option("--picture", type=_PATH, help="Also draw clip, photo and comics into this PNG.")
def main(model, landmarks, split, every_clip, picture) -> None:
    """Measure photos and comics that speak, side by side, on held-out recordings."""
    from avatar.comics import Avatars
    model = Path(model or paths.AVATAR_MODEL)
    avatars, rows, found, tiles = Avatars(model, privacy=0), rows_of(landmarks, split, every_clip), [], []
    with progress(rows, "evaluate") as bar:
        for row in bar:
            drawn, points, unit_px, still = draw_by_each_method(row, landmarks, avatars)
            clip = drawn["the clip"]
            found += [{"source": source_of(row["clip"]) or "clips", "method": method,
                       **measure(frames, drawn[TRUTH_OF[method]], clip, points, unit_px, still)}
                      for method, frames in drawn.items()]
            widest = int(face68.mouth_opening(points).argmax())
            shown = [clip[still], clip[widest], *(drawn[m][widest] for m in ("photo, moved", "comics in time", "comic, moved"))]
            tiles += [cv2.resize(tile, (256, 256), interpolation=cv2.INTER_AREA) for tile in shown]
    table, out = means_by_source(found), model.with_name("metrics-video.json")
    draw_bars(table["all clips"], out.with_suffix(".png"))
    report(out, {"split": split, "clips": len(rows), "lpips": "not available", "sources": table}, as_markdown(table),
           stage=STAGE, options={"split": split, "every_clip": every_clip}, inputs=[model, landmarks / "index.csv"],
           picture=picture, sheet=contact_sheet(tiles, 5))


if __name__ == "__main__":
    main()
