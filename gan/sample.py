"""Draw a sheet of faces with a trained generator: chosen landmarks, or chosen looks.

Reads: a picture-model of gan.train; landmarks-face .npy, or a folder of landmarks.
Writes: OUT, a PNG: landmarks above, pictures below
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths
from core.face import face68
from core.face.draw import contact_sheet, sketch_rgb
from core.stage import stage
from learn.curves import save_picture

if TYPE_CHECKING:
    import torch

    from gan.model import Generator

N_COLUMNS = 8


def choose_faces(landmarks: Path, n: int, rng: np.random.Generator, speakers: Collection[str] = ()) -> NDArray:
    """Faces to draw: `n` frames spread over a landmark file, or random frames of the `val` clips of a folder.

    `speakers`: only these, when the folder has them; the face of another does not fit.

    Returns
    -------
    float32 [n, 68, 2], face space, without missing frames
    """
    if landmarks.is_dir():
        from gan.dataset import rows_of
        rows = [row for row in rows_of(landmarks / "index.csv", "val") if not row.get("problem")]
        rows = [row for row in rows if row.get("speaker") in speakers] or rows
        files = [landmarks / f"{rows[i]['clip']}.face.npy" for i in rng.choice(len(rows), n)]
        clips = [face68.fill_missing(artifacts.load(path, "landmarks-face").array) for path in files]
        return np.stack([clip[rng.integers(len(clip))] for clip in clips])
    face = face68.fill_missing(artifacts.load(landmarks, "landmarks-face").array)
    return face[np.linspace(0, len(face) - 1, n).round().astype(int)]


def sample_sheet(generator: "Generator", face: NDArray, looks: "torch.Tensor") -> NDArray:
    """Sketches over pictures, `N_COLUMNS` in a row.

    `face` float32 [n, 68, 2]; `looks` float32 tensor [n, n_look] -> uint8 [row, column, rgb]
    """
    from gan.model import generate
    size_px = generator.settings["size_px"]
    tiles, points = [], face68.to_pixel_space(face, generator.view.numpy())
    for start in range(0, len(face), N_COLUMNS):
        part = slice(start, start + N_COLUMNS)
        tiles += [sketch_rgb(p, size_px) for p in points[part]]
        tiles += [next(generate(generator, f[None], look=look)) for f, look in zip(face[part], looks[part])]
    return contact_sheet(tiles, min(N_COLUMNS, len(face)))


@stage(reads="MODEL (picture-model), LANDMARKS", writes="OUT (PNG)",
       examples=("python -m gan.sample",
                 "python -m gan.sample --landmarks predict_landmark/speech/landmarks.npy --out frames.png",
                 "python -m gan.sample --random-looks --seed 3"))
@click.option("--model", type=click.Path(path_type=Path), default=paths.DCGAN_MODEL, show_default="the one that ships",
              help="The generator.")
@click.option("--landmarks", type=click.Path(path_type=Path), default=None,
              help="A landmarks-face file, or a folder of landmarks: random held-out frames. Without: the face at rest.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("GAN_record/sample.png"), help="The picture.")
@click.option("--n", type=click.IntRange(1, 512), default=16, help="Faces.")
@click.option("--random-looks", is_flag=True, help="A random look each, not the mean of all.")
@click.option("--seed", type=int, default=0, help="Of the random choices.")
def main(model, landmarks, out, n, random_looks, seed) -> None:
    """Draw a sheet of faces from landmarks."""
    import torch

    from gan.model import load_generator
    generator, rng = load_generator(model), np.random.default_rng(seed)
    speakers = artifacts.read_sidecar(model).get("speakers", ())
    n = n if landmarks or random_looks else 1  # the face at rest, always the same
    face = choose_faces(landmarks, n, rng, speakers) if landmarks else np.repeat(generator.rest_face[None].numpy(), n, 0)
    looks = torch.zeros(n, generator.settings["n_look"])
    if random_looks:
        looks = torch.from_numpy(rng.standard_normal(looks.shape).astype(np.float32))
    save_picture(out, sample_sheet(generator, face, looks))
    click.echo(out)


if __name__ == "__main__":
    main()
