"""Evaluate the translator on held-out people, beside baselines.

Reads: MODEL, ENCODER (picture-model), PAIRS; with --photos, pictures of people.
Writes: metrics.json beside MODEL; with --picture, a sheet of photo, methods and truth
Baselines: the photo itself; OpenCV's stylization (Gastal & Oliveira, 2011); ink and paint (`avatar.ink`), which the translator
begins with; ridge regression of each pixel's colour on the same inputs. LPIPS (Zhang et al. 2018) is not measured: the weights
of its network come with torchvision alone. In its place stands the distance in the maps of our own encoder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from avatar.alignment import STYLES
from avatar.comics import STYLE, Avatars
from avatar.data import Pairs, load_pairs
from avatar.identity.network import DEFAULT_MODEL as ENCODER
from avatar.identity.network import as_input, load_encoder
from avatar.inputs import as_inputs, read_face
from avatar.network import DEFAULT_MODEL
from avatar.trainer import perceptual_loss
from avatar.translation import SAME_PERSON, likeness
from core import metrics
from core.errors import InputError
from core.face.draw import contact_sheet
from core.stage import progress, say, stage
from learn.measures import cell, markdown, report

STAGE = "avatar.evaluate"
LEAST_DRIFT = 0.04  # eye distances: what a landmark may be off in a good avatar
METHODS = ("translator", "ridge", "ink and paint", "stylization", "photo itself")
RIDGE = 10.0
SHARES = 0.0, 0.5, 1.0  # of another face
_PIXELS_OF_PAIR = 2000
_LONGEST_PX = 1024  # of a photo that is measured


def _pixels(picture, points, style):
    """What ridge regression knows of each pixel: float64 [pixel, feature]."""
    told = as_inputs(picture, points, style).reshape(-1, picture.shape[0] * picture.shape[1]).T.astype(np.float64)
    return np.concatenate([told, told[:, :6] ** 2, np.ones((len(told), 1))], 1)


def fit_colours(pairs: Pairs) -> dict:
    """Coefficients of a ridge regression from the inputs to the comic's colours, of each style: style -> [feature, rgb]."""
    rng, found = np.random.default_rng(0), {}
    for style in sorted(set(pairs.styles)):
        xs, ys = [], []
        for pair in (p for p, s in zip(pairs.pairs, pairs.styles) if s == style):
            chosen = rng.choice(pair["photo"][..., 0].size, _PIXELS_OF_PAIR)
            xs.append(_pixels(pair["photo"], pair["points"], style)[chosen])
            ys.append(pair["comic"].reshape(-1, 3)[chosen])
        x, y = np.concatenate(xs), np.concatenate(ys)
        found[style] = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    return found


def draw_by_each_method(pair: dict, style: str, avatars: dict[str, Avatars], colours: dict) -> dict:
    """A pair's photo by each method: method -> uint8 [row, column, rgb]."""
    photo, points = pair["photo"], pair["points"]
    ridge = (_pixels(photo, points, style) @ colours[style]).clip(0, 255).astype(np.uint8).reshape(photo.shape)
    ink = ((as_inputs(photo, points, style)[:3].transpose(1, 2, 0) + 1) * 127.5).round().astype(np.uint8)
    return {"translator": avatars[style](photo, points)[0], "ridge": ridge, "ink and paint": ink,
            "stylization": cv2.stylization(photo, sigma_s=60, sigma_r=0.45), "photo itself": photo}


def measure(drawn: NDArray, pair: dict, encoder: Any) -> dict:
    """Measures of one drawing."""
    inside = slice(8, -8)  # the rim of a warped comic is its edge, repeated
    pictures = drawn[inside, inside], pair["comic"][inside, inside]
    with torch.inference_mode():
        apart = float(perceptual_loss(encoder, *(as_input(p[None].copy()) for p in pictures)))
    photo, comic = (cv2.resize(p, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for p in (pair["photo"], drawn))
    return {"mse": metrics.mse(pictures[0] / 127.5, pictures[1] / 127.5), "psnr_db": metrics.psnr_db(*pictures),
            "ssim": metrics.ssim(*pictures), "encoder": apart, **likeness(photo, comic, pair["points"] * 2 + 0.5)}


def means(rows: Sequence[dict]) -> dict:
    """Method -> measure -> mean of what is known; `face_seen` how often a face was found in it."""
    table = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own, table[method] = [row for row in rows if row["method"] == method], {}
        for name in own[0]:
            if name not in ("method", "style"):
                known = [row[name] for row in own if row[name] is not None]
                table[method][name] = float(np.mean(known)) if known else None
        table[method]["face_seen"] = float(np.mean([row["landmark_drift"] is not None for row in own]))
    return table


def privacy(folders: Sequence[str | Path], avatars: Avatars) -> dict:
    """How far comics of photos are from the people on them; photos without a face are left out and counted."""
    found, n_without = [], 0
    for path in sorted(path for folder in folders for path in Path(folder).glob("*.jpg")):
        try:
            picture, points = read_face(path)
        except InputError:
            n_without += 1
            continue
        factor = min(1.0, _LONGEST_PX / max(picture.shape[:2]))
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        found.append(likeness(picture, avatars(picture, points * factor)[0], points * factor))
    if not found:
        raise InputError("--photos", "no photo with a face", "folders of .jpg photos")
    apart, drift = ([row[name] for row in found if row[name] is not None] for name in ("identity_distance", "landmark_drift"))
    return {"photos": len(found), "without_a_face": n_without, "seen_in_avatar": len(apart),
            "identity_distance": np.quantile(apart, (0.1, 0.5, 0.9)).round(3).tolist(),
            "another_person": float(np.mean(np.array(apart) > SAME_PERSON)),
            "landmark_drift": float(np.mean(drift)), "landmarks_kept": float(np.mean(np.array(drift) < LEAST_DRIFT))}


def as_markdown(table: dict) -> str:
    """The means as a table."""
    columns = list(next(iter(table.values())))
    return markdown(("method", *columns), [(method, *(cell(row[c]) for c in columns)) for method, row in table.items()])



_PATH = click.Path(path_type=Path)


@stage(reads="PAIRS/, MODEL, ENCODER (picture-model), PHOTOS", writes="metrics.json beside MODEL, PICTURE",
       examples=("python -m avatar.evaluate", "python -m avatar.evaluate --photos my/photos --picture sheet.png"))
@click.option("--model", type=_PATH, help="The translator.  [default: the one that ships]")
@click.option("--encoder", type=_PATH, help="The identity encoder.  [default: the one that ships]")
@click.option("--pairs", type=_PATH, default=Path("data/avatar_pairs"), help="Photos with comics.")
@click.option("--photos", type=_PATH, multiple=True, help="Folder of .jpg photos: is the person told by the comic? Repeatable.")
@click.option("--picture", type=_PATH, help="Also draw photo, methods and truth into this PNG.")
def main(model, encoder, pairs, photos, picture) -> None:
    """Measure the translator of photos to comics on held-out people, beside its baselines."""
    model = Path(model or DEFAULT_MODEL)
    val, colours = load_pairs(pairs, "val"), fit_colours(load_pairs(pairs, "train"))
    avatars, judge = {style: Avatars(model, style, 0) for style in STYLES}, load_encoder(encoder or ENCODER)
    rows, tiles = [], []
    with progress(list(zip(val.pairs, val.styles)), "evaluate") as bar:
        for pair, style in bar:
            drawn = draw_by_each_method(pair, style, avatars, colours)
            rows += [{"method": method, "style": style, **measure(drawn[method], pair, judge)} for method in METHODS]
            tiles += [pair["photo"], *(drawn[method] for method in METHODS[:-1]), pair["comic"]]
    table, facts = means(rows), {}
    if photos:
        facts["photos"] = {f"{STYLE}, privacy {share}": privacy(photos, Avatars(model, STYLE, share)) for share in SHARES}
        for setting, found in facts["photos"].items():
            say(f"{setting}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
    about = {"split": "val", "pairs": len(val), "lpips": "not available", "methods": table, **facts}
    report(model.with_name("metrics.json"), about, as_markdown(table), stage=STAGE,
           inputs=[model, Path(pairs) / "index.csv"], picture=picture, sheet=contact_sheet(tiles, 12))


if __name__ == "__main__":
    main()
