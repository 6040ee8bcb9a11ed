"""Measure shut eyes: a held-out clip's open-eyed frame is the photo, its lids are closed; a frame of shut eyes is the truth.

Reads: LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose}.npy, the recordings' pictures, MODEL (picture-model).
Writes: metrics.json beside MODEL; with --picture, a sheet of photo, truth, painted, own lids and warp alone
Both are compared upright, each under its own head pose, in the eyes' surroundings. Beside the painter stand the photo's own
lids, slid over its eyes, the warp alone and the photo held still, eyes open.
"""

import zlib
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts, metrics
from core.errors import InputError
from core.face import face68
from core.face.crop import align_face
from core.face.draw import contact_sheet
from core.index import source_of
from core.media.video import read_frames
from core.stage import progress, stage
from learn.measures import report
from render import portrait
from render.life.lids import LidPart
from render.measure import as_markdown, means, rows_of
from render.options import evaluation_options
from render.parts.pair_choice import choose_eyes, shut_shares
from render.parts.part import EYES
from render.photo import Photo

STAGE = "render.parts.evaluate_eyes"
METHODS = ("painted", "own lids", "warp alone", "photo held still")
SHUT = 0.8  # share from which eyes count as shut
MOST = 12  # frames of a clip
STILL_HEAD = np.zeros(5, np.float32)  # a head held still


def shut_frames(row: dict, landmarks: str | Path) -> tuple[dict, NDArray, NDArray, tuple[NDArray, NDArray, NDArray], int]:
    """Frames of shut eyes, and photos for them.

    Returns
    -------
    pictures : by frame number
    face, pose : of the clip
    pairs : photo, shown, moved, as `choose_eyes` gives them
    n_shut : frames of the clip whose eyes are shut
    """
    face, pose = (artifacts.load(Path(landmarks) / f"{row['clip']}.{name}.npy", kind).array for name, kind in
                  (("face", "landmarks-face"), ("pose", "head-pose")))
    share = shut_shares(face)
    n_shut = 0 if share is None else int((share > SHUT).sum())
    photo, shown, moved = choose_eyes(face, len(face), np.random.default_rng(zlib.crc32(row["clip"].encode())))
    if share is not None and len(shown):
        chosen = np.flatnonzero(share[shown] > SHUT)[:MOST]
        photo, shown, moved = photo[chosen], shown[chosen], moved[chosen]
    wanted = {*photo.tolist(), *shown.tolist()}
    pictures = {t: frame for t, frame in enumerate(read_frames(row["picture"])) if t in wanted} if wanted else {}
    return pictures, face, pose, (photo, shown, moved), n_shut


def measure_eyes(row: dict, landmarks: str | Path, model: str | Path | None = None) -> tuple[dict, int, int, NDArray | None]:
    """Measures of each method on a clip, means over its frames.

    Returns
    -------
    measured : method -> dict; empty without a frame of shut eyes
    n_shut, n_used : such frames in the clip, and measured
    tile : of the last one, photo, truth, painted, own lids, warp alone: uint8 [row, column, rgb]; or None
    """
    from render.parts.painted import PaintedPart
    pictures, face, pose, pairs, n_shut = shut_frames(row, landmarks)
    found, tile = {method: {"eye_psnr_db": [], "eye_ssim": []} for method in METHODS}, None
    for number in np.unique(pairs[0]):
        own = np.flatnonzero(pairs[0] == number)
        photo = Photo(Path(row["picture"]), pictures[int(number)], face68.to_pixel_space(face[number][None], pose[number])[0])
        eyes, moves = PaintedPart(photo, EYES, model), [(pairs[2][i], STILL_HEAD) for i in own]
        rendered = {"painted": list(portrait.frames(photo, moves, [eyes])),
                    "own lids": list(portrait.frames(photo, moves, [LidPart(photo)])),
                    "warp alone": list(portrait.frames(photo, moves)),
                    "photo held still": [photo.picture] * len(own)}
        for k, i in enumerate(own):
            t = int(pairs[1][i])
            truth = align_face(pictures[t], pose[t], eyes.view.view, EYES.size)
            rows, columns = (slice(n.min(), n.max() + 1) for n in np.nonzero(eyes.view.masks(pairs[2][i])[..., 1] > 127))
            views = {m: align_face(frames[k], photo.pose, eyes.view.view, EYES.size) for m, frames in rendered.items()}
            for method, view in views.items():
                found[method]["eye_psnr_db"].append(metrics.psnr_db(view[rows, columns], truth[rows, columns]))
                found[method]["eye_ssim"].append(metrics.ssim(view[rows, columns], truth[rows, columns]))
            tile = np.concatenate([views["photo held still"], truth, views["painted"], views["own lids"], views["warp alone"]])
    measured = {m: {k: float(np.mean(v)) for k, v in values.items()} for m, values in found.items()} if tile is not None else {}
    return measured, n_shut, len(pairs[0]), tile


@stage(reads="LANDMARKS/, the recordings, MODEL (picture-model)", writes="metrics.json beside MODEL, PICTURE",
       examples=("python -m render.parts.evaluate_eyes",
                 "python -m render.parts.evaluate_eyes --every-clip 5 --picture sheet.png"))
@click.option("--model", type=click.Path(path_type=Path), help="The painter of eyes.  [default: the one that ships]")
@evaluation_options
def main(model, landmarks, split, every_clip, picture) -> None:
    """Measure the painted lids of blinks in held-out recordings, beside the warp alone and the photo held still."""
    from render.parts.painted import MODELS
    model, rows = Path(model or MODELS[EYES]), rows_of(landmarks, split, every_clip)
    found, tiles, counts = [], [], {}
    with progress(rows, "evaluate eyes") as bar:
        for row in bar:
            measured, n_shut, n_used, tile = measure_eyes(row, landmarks, model)
            source = source_of(row["clip"]) or "clips"
            counts[source] = counts.get(source, np.zeros(2, int)) + (n_shut, n_used)
            found += [{"source": source, "method": method, **values} for method, values in measured.items()]
            tiles += [] if tile is None else [tile]
    if not found:
        raise InputError(landmarks / "index.csv", f"no clip of split {split!r} shuts its eyes", "clips with blinks")
    counts = {source: dict(zip(("shut", "measured"), n.tolist())) for source, n in counts.items()}
    table = means(found)
    used = "frames of shut eyes, measured of all: " + ", ".join(f"{source} {n['measured']} of {n['shut']}"
                                                                for source, n in counts.items())
    report(model.with_name("metrics.json"), {"split": split, "clips": len(tiles), "frames": counts, "sources": table},
           f"{as_markdown(table)}\n{used}", stage=STAGE, options={"split": split, "every_clip": every_clip},
           inputs=[model, landmarks / "index.csv"], picture=picture, sheet=contact_sheet(tiles, 8))


if __name__ == "__main__":
    main()
