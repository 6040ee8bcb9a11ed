"""Measure the photo renderer: one frame of a held-out clip is the photo, the clip's landmarks move it, the clip is the truth.

Reads: LANDMARKS/index.csv, LANDMARKS/CLIP.{face,pose}.npy, the recordings' pictures, MODEL (picture-model).
Writes: metrics.json beside MODEL; with --picture, a sheet of photo, truth, painted and warp alone
Beside the renderer stand its own warp without the mouth model, the photo held still, and the clip itself: what the measures
would say of a perfect renderer. The photo is the frame of the stretch whose mouth is least open. Identity: distance of
dlib's face embeddings (King, 2017; below 0.6 is the same person).
"""

from pathlib import Path

import click
import cv2

from core.errors import InputError
from core.face import face68
from core.face.draw import contact_sheet
from core.stage import progress, say, stage
from learn.measures import report
from render.measure import FEWEST_FRAMES, METHODS, as_markdown, means, measure, render_clip, rows_of, source_of
from render.options import evaluation_options

STAGE = "render.evaluate"


@stage(reads="LANDMARKS/, the recordings, MODEL (picture-model)", writes="metrics.json beside MODEL, PICTURE",
       examples=("python -m render.evaluate", "python -m render.evaluate --every-clip 5 --picture sheet.png"))
@click.option("--model", type=click.Path(path_type=Path), help="The mouth model.  [default: the one that ships]")
@evaluation_options
def main(model, landmarks, split, every_clip, picture):
    """Measure the photo renderer on held-out recordings, beside its warp alone and the photo held still."""
    from render.parts.painted import MODELS, MOUTH
    model, rows = Path(model or MODELS[MOUTH]), rows_of(landmarks, split, every_clip)
    found, tiles = [], []
    with progress(rows, "evaluate") as bar:
        for row in bar:
            rendered, truth, points, unit_px, still = render_clip(row, landmarks, model)
            if len(truth) < FEWEST_FRAMES:
                say(f"left out: {row['clip']}: {len(truth)} frames in a row with a face; expected {FEWEST_FRAMES} or more")
                continue
            for method, frames in rendered.items():
                found.append({"source": source_of(row["clip"]), "method": method,
                              **measure(frames, rendered["warp alone"], truth, points, unit_px, still)})
            widest = int(face68.mouth_opening(points).argmax())
            shown = (truth[still], truth[widest], rendered["painted"][widest], rendered["warp alone"][widest])
            tiles += [cv2.resize(tile, (256, 256), interpolation=cv2.INTER_AREA) for tile in shown]
    if not found:
        raise InputError(landmarks / "index.csv", f"no clip of split {split!r} is long enough", "clips with a face",
                         f"make inspect FILE={landmarks / 'index.csv'}")
    table = means(found)
    report(model.with_name("metrics.json"), {"split": split, "clips": len(found) // len(METHODS), "sources": table},
           as_markdown(table), stage=STAGE, options={"split": split, "every_clip": every_clip},
           inputs=[model, landmarks / "index.csv"], picture=picture, sheet=contact_sheet(tiles, 8))


if __name__ == "__main__":
    main()
