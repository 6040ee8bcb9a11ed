"""Measure everything that ships on held-out clips, clip by clip, beside its baselines, in one report.

Reads: PACK (training-pack), EAR (ear-pack), INDEX and the recordings it names, LANDMARKS; the models that ship and the
metrics.json beside them; --also FILE, measures of other commands.
Writes: OUT/evaluation.json (metrics): every measure of every clip, and means with spreads; OUT/index.html with its pictures.
"""

from html import escape
from pathlib import Path

import click

from core import artifacts, paths
from core.errors import InputError
from core.files import read_json
from core.index import read_index
from core.stage import progress, stage
from evaluation.lips import FIT, MODEL, curves, predictors, rows_of_lips, sheet
from evaluation.lips import MEASURES as LIP_MEASURES
from evaluation.page import Part, write_report
from evaluation.pictures import FIT as PICTURE_FIT
from evaluation.pictures import PAINTED, rows_of_pictures
from evaluation.spread import table_of, worst
from landmarks.dataset import load_clips, with_sound
from landmarks.lite import load_model
from landmarks.measure import mean_offset_of
from render.measure import rows_of

STAGE = "evaluation.evaluate"
LARGE = "pictures_val"  # the split of sharp clips of people never seen
_LIPS = """Landmarks predicted from the sound, on the rest face of each clip's speaker, beside those measured in the picture.
Methods with * have seen the clip. Opening and width of the mouth: correlation with the measured, 1 is right; amplitude and
speed: ratio to the measured, 1 is right; late: ms after the measured; drift: eye distances."""
_PICTURES = """One frame of each clip is the photo, the clip's landmarks move it, the clip is the truth. PSNR in dB; opening
gain: how far the rendered mouth opens for each unit of the landmarks; identity: distance of face embeddings, below 0.6 is the
same person."""
_ABOUT = """<p>Split {}. Numbers are means over clips; below each, where 95 % of the means of clips drawn anew lie, and the
clips' standard deviation. Every clip: <a href="evaluation.json">evaluation.json</a>. Again: <code>make evaluate</code>.</p>"""


def lips_part(pack: Path, ear: Path, index: Path, landmarks: Path, split: str) -> Part:
    """The chapter on predicted lips."""
    clips = load_clips(pack, split, ear=ear, n_layers=load_model(None).n_layers)
    by = predictors(clips, {clip.name: sound for clip, sound in with_sound(clips, index)})
    with progress(clips, "lips") as bar:
        rows = rows_of_lips(bar, by, mean_offset_of(load_clips(pack, "train")))
    kept = [{name: row[name] for name in ("clip", "source", "method", *LIP_MEASURES) if name in row} for row in rows]
    named = {clip.name: clip for clip in clips}
    videos = {row["clip"]: row["picture"] for row in read_index(landmarks / "index.csv", "picture")}
    part = Part("Lips", _LIPS, kept, table_of(kept), FIT, worst(kept, MODEL, FIT))
    for row in part.worst:
        clip = named[row["clip"]]
        face = by[MODEL](clip)
        part.pictures[clip.name] = [sheet(clip, face, videos[clip.name], landmarks), curves(clip, face)]
    return part


def pictures_part(name: str, landmarks: Path, split: str, every_clip: int, model: Path) -> Part:
    """A chapter on rendered mouths."""
    with progress(rows_of(landmarks, split, every_clip), name) as bar:
        rows, sheets = rows_of_pictures(bar, landmarks, model)
    if not rows:
        raise InputError(landmarks / "index.csv", f"no clip of split {split!r} is long enough", "clips with a face",
                         "make preprocess")
    return Part(name, _PICTURES, rows, table_of(rows), PICTURE_FIT, worst(rows, PAINTED, PICTURE_FIT), sheets)


def measures_beside_models() -> dict:
    """The measures that ship: name of a model, or NAME-what -> metrics."""
    found = {}
    for name, model in paths.MODELS.items():
        for path in sorted(model.parent.glob("metrics*.json")) if model.stem == "model" else ():
            if not path.name.endswith(".json.json"):
                found[name + path.stem.removeprefix("metrics")] = read_json(path, "measures of a model")
    return found


@stage(reads="PACK, EAR, LANDMARKS, INDEX and its recordings, the models that ship, FILE",
       writes="OUT/evaluation.json, OUT/index.html",
       examples=("make evaluate", "python -m evaluation.evaluate --every-clip 20"))
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips to measure lips on.")
@click.option("--ear", type=click.Path(path_type=Path), default=Path("data/ear.h5"), help="Their ear-pack.")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Their recordings.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--split", default="val", help="Clips to measure on.")
@click.option("--every-clip", type=click.IntRange(1), default=5, help="Render every Nth clip; lips are measured on all.")
@click.option("--also", type=click.Path(path_type=Path), multiple=True, help="A metrics.json to show, too; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/evaluation"), help="Folder of the report.")
def main(pack, ear, index, landmarks, split, every_clip, also, out) -> None:
    """Measure what ships on held-out clips, clip by clip, and write one report.

    The numbers in tables are means over clips; below each, where 95 % of the means of clips drawn anew lie, and the clips'
    standard deviation.
    """
    others = {path.stem.removesuffix("_metrics"): read_json(path, "measures") for path in also}
    parts = [lips_part(pack, ear, index, landmarks, split),
             pictures_part("Mouths of photos", landmarks, split, every_clip, paths.MOUTH_MODEL)]
    if any(row["split"] == LARGE and not row.get("problem") for row in read_index(landmarks / "index.csv", "split")):
        parts.append(pictures_part("Large mouths", landmarks, LARGE, 1, paths.LARGE_MOUTH_MODEL))
    measures = {"split": split, "parts": {part.name: {"table": part.table, "clips": part.rows} for part in parts}}
    measured = artifacts.save_described_json(
        out / "evaluation.json", measures, "metrics", stage=STAGE, options={"split": split, "every_clip": every_clip},
        inputs=[pack, ear, landmarks / "index.csv", *also])
    about = _ABOUT.format(escape(split))
    click.echo(write_report(out, "What ships, measured", parts, others | measures_beside_models(), about))
    click.echo(measured)


if __name__ == "__main__":
    main()
