"""What a training run shows of itself: measures on held-out crops, curves, a preview of the same crops each time.

Writes: RUN/curves.csv, RUN/curves.png, RUN/preview.png
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core import metrics
from core.face.draw import contact_sheet
from core.files import whole_file
from learn.layers import to_uint8

N_CHECK, N_PREVIEW = 48, 8  # held-out crops that are measured, and drawn, at each checkpoint


class Curves:
    """curves.csv and curves.png of a run: one row a checkpoint."""

    def __init__(self, run, from_step):
        self.path, self.rows = Path(run) / "curves.csv", []
        if self.path.is_file():
            with open(self.path, encoding="utf-8", newline="") as stream:
                self.rows = [row for row in csv.DictReader(stream) if int(row["step"]) <= from_step]

    def add(self, **row):
        self.rows.append({key: f"{value:.5g}" if isinstance(value, float) else value for key, value in row.items()})
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        with whole_file(self.path) as part, open(part, "w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        self._draw(columns)

    def _draw(self, columns):
        from matplotlib.figure import Figure  # slow to import, and only needed here
        names = [name for name in columns if name not in ("step", "seconds")]
        figure = Figure((4 * len(names), 3), layout="constrained")
        for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names):
            axes.plot(*zip(*((int(row["step"]), float(row[name])) for row in self.rows if row.get(name))))
            axes.set(title=name, xlabel="step")
        with whole_file(self.path.with_suffix(".png")) as part:
            figure.savefig(part, dpi=80)


@torch.no_grad()
def check(trainer: Any, val: Any, preview_path: str | Path) -> dict:
    """Measure the averaged generator on held-out crops, always the same ones, and draw some of them beside the truth."""
    numbers = np.unique(np.linspace(0, len(val) - 1, N_CHECK).astype(int))
    real, look = val.batch(numbers), trainer.average.look_of(val.batch(val.first_of_clip()[numbers]))
    drawn = to_uint8(trainer.average(torch.from_numpy(val.face[numbers]).to(trainer.device), look))
    shown = np.unique(np.linspace(0, len(numbers) - 1, N_PREVIEW).astype(int))
    save_picture(preview_path, contact_sheet([*real[shown], *drawn[shown]], len(shown)))
    return {"val_psnr_db": float(np.mean([metrics.psnr_db(a, b) for a, b in zip(drawn, real)])),
            "val_ssim": float(np.mean([metrics.ssim(a, b) for a, b in zip(drawn, real)]))}


def save_picture(path: str | Path, picture: NDArray) -> None:
    """Write uint8 [row, column, rgb] as PNG."""
    from PIL import Image
    with whole_file(path) as part:
        Image.fromarray(picture).save(part)
