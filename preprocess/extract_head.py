"""Extract the motion of head and brows from landmarks.

Reads: data/landmarks/index.csv, CLIP.face.npy and CLIP.pose.npy.
Writes: data/heads/CLIP.head.npy (head-motion), CLIP.brows.npy (brow-motion) and data/heads/index.csv
"""

from pathlib import Path
from typing import Any

import click
import numpy as np

from core import artifacts
from core.clock import FPS
from core.corpus import jobs_option, output_path, run_stage
from core.errors import InputError
from core.stage import stage
from preprocess.head_fit import STEADY_S, head_and_brows

STAGE = "preprocess.extract_head"
KINDS = {".head.npy": "head-motion", ".brows.npy": "brow-motion"}
MOST_MISSING = 0.2  # share of a clip's frames that may have no face


def extract_clip(row: dict, out: str | Path, options: dict) -> dict:
    """Write one clip's two files; return how fast its head turns, degrees a second."""
    sources = [output_path(options["landmarks"], row, suffix) for suffix in (".face.npy", ".pose.npy")]
    paths = {suffix: output_path(out, row, suffix) for suffix in KINDS}
    about: dict[str, Any] = {"stage": STAGE, "options": {"steady_s": STEADY_S}, "inputs": sources}
    if not all(artifacts.is_current(paths[suffix], kind, **about) for suffix, kind in KINDS.items()):
        face, pose = (artifacts.load(path, kind).array for path, kind in zip(sources, ("landmarks-face", "head-pose")))
        missing = float(np.isnan(face).any((1, 2)).mean())
        if missing > MOST_MISSING:
            raise InputError(sources[0], f"{missing:.0%} of the frames without a face", f"at most {MOST_MISSING:.0%}")
        for suffix, values in zip(KINDS, head_and_brows(face, pose)):
            artifacts.save(paths[suffix], values, KINDS[suffix], **about)
    head = artifacts.load(paths[".head.npy"], KINDS[".head.npy"]).array
    speed = np.linalg.norm(np.diff(head[:, :3], axis=0), axis=1)
    return {"head_frames": len(head), "turns_deg_s": round(float(np.degrees(speed.mean())) * FPS, 2) if len(speed) else 0.0}


@stage(reads="LANDMARKS/index.csv, CLIP.face.npy, CLIP.pose.npy", writes="OUT/CLIP.head.npy, CLIP.brows.npy, OUT/index.csv",
       examples=("python -m preprocess.extract_head",))
@click.option("--landmarks", type=click.Path(path_type=Path), default=Path("data/landmarks"), help="Folder of the landmarks.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/heads"), help="Folder of the motions.")
@jobs_option
def main(landmarks, out, jobs) -> None:
    """Measure how head and brows move in every clip."""
    click.echo(run_stage(extract_clip, landmarks / "index.csv", out, stage=STAGE, options={"landmarks": str(landmarks)},
                         jobs=jobs, columns=("clip",)))


if __name__ == "__main__":
    main()
