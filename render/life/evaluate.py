"""How lively predicted faces are beside real ones: statistics of landmarks of the same voices.

Reads: LANDMARKS/index.csv, CLIP.face.npy, CLIP.pose.npy, CLIP.rest.npy, INDEX and its recordings, the models that ship.
Writes: OUT (metrics)
Each recording is predicted as `predict.py` does it, shown on the rest face of the person who spoke it, and measured as the
person was, in each style. VASA-1's column are the medians of ten published clips (Xu et al. 2024), measured in the same way.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from core import artifacts
from core.corpus import output_path
from core.errors import InputError, command_line
from core.index import read_index, source_of
from core.media.audio import write_wav
from core.stage import progress, stage
from landmarks.dataset import sound_of
from landmarks.emphasis.style import STYLES
from landmarks.predict import predict_file
from learn.measures import markdown, report
from render.life.measure import QUANTITIES, as_shown, liveliness_of, medians

STAGE = "render.life.evaluate"
NATURAL = ("first_impressions", "more_talkers")  # sources whose people speak freely


def measure_clip(row: dict, landmarks: str | Path, sound: str | Path, seed: int, styles: Sequence[str]) -> dict:
    """`liveliness_of` a clip's own landmarks, `real`, and of those predicted for its sound in each of `styles`."""
    paths = {suffix: output_path(landmarks, row, suffix) for suffix in (".face.npy", ".pose.npy", ".rest.npy")}
    kinds = "landmarks-face", "head-pose", "rest-face"
    face, pose, rest = (artifacts.load(path, kind).array for path, kind in zip(paths.values(), kinds))
    with tempfile.TemporaryDirectory(prefix="life-") as folder:
        speech = write_wav(Path(folder) / "speech.wav", sound_of(sound))
        shown = {"real": (face, pose)}
        for style in styles:
            predicted = predict_file(speech, Path(folder) / style, emotion="auto", seed=seed, style=style)
            shown[style] = as_shown(predicted, rest, seed)
        return {name: liveliness_of(*moved) for name, moved in shown.items()}


def as_text(table: dict) -> str:
    """The table, markdown; of each style also the share of what it is to reach."""
    aims = {"natural": table["real"], "vivid": {name: quantity.vasa for name, quantity in QUANTITIES.items()}}
    columns, rows = ["", "unit", "real", "VASA-1"], []
    for name, quantity in QUANTITIES.items():
        row = [quantity.what, quantity.unit, f"{table['real'][name]:.3f}", f"{quantity.vasa:.3f}"]
        for style, found in table.items():
            share = f" ({found[name] / aims[style][name]:.2f})" if style in aims else ""
            row += [] if style == "real" else [f"{found[name]:.3f}{share}"]
        rows.append(row)
    return markdown([*columns, *(name for name in table if name != "real")], rows, n_names=2)


@stage(reads="LANDMARKS, INDEX and its recordings, the models that ship", writes="OUT (metrics)",
       examples=("python -m render.life.evaluate", "python -m render.life.evaluate --source first_impressions"))
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Their recordings.")
@click.option("--split", default="val", help="Clips to measure on.")
@click.option("--source", "sources", multiple=True, default=NATURAL, help="Folders of the clips; may be repeated.")
@click.option("--style", "styles", type=click.Choice(list(STYLES)), multiple=True, default=list(STYLES),
              help="Of the predicted faces; may be repeated.  [default: all]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/life_metrics.json"), help="The measures.")
def main(landmarks, index, split, sources, styles, out) -> None:
    """Measure how lively predicted faces are, beside the people who spoke."""
    sounds = {row["clip"]: row["sound"] for row in read_index(index, "sound")}
    rows = [row for row in read_index(landmarks / "index.csv", "split") if not row.get("problem")
            and row["split"] == split and source_of(row["clip"]) in sources and row["clip"] in sounds]
    if not rows:
        raise InputError(landmarks / "index.csv", f"no clip of split {split!r} from {', '.join(sources)}", "one at least",
                         command_line("make", "inspect", f"FILE={landmarks / 'index.csv'}"))
    with progress(rows, "evaluate life") as bar:
        clips = [measure_clip(row, landmarks, sounds[row["clip"]], seed, styles) for seed, row in enumerate(bar)]
    table = {name: medians([clip[name] for clip in clips]) for name in ("real", *styles)}
    report(out, {"split": split, "clips": [row["clip"] for row in rows], "medians": table}, as_text(table),
           stage=STAGE, inputs=[landmarks / "index.csv"], options={"split": split, "sources": list(sources)})


if __name__ == "__main__":
    main()
