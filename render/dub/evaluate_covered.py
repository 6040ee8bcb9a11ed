"""Measure how often something before the lips is seen: held-out clips as they are, and with a thing laid over the mouth.

Reads: LANDMARKS/index.csv and the recordings it names. Writes: OUT (metrics); with --picture, a sheet.
The thing is a hand of the person's own colour, a dark microphone or a grey bar. It comes from the side in 8 frames, moves a
little, and goes. Landmarks are measured anew under it: it misleads them, too.
"""

import tempfile
from itertools import islice
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.face import face68
from core.face.draw import contact_sheet
from core.media import nv12
from core.media.footage import open_footage, read_planes
from core.media.video import encode
from core.stage import progress, say, stage
from learn.measures import markdown, report
from render.dub.clip import Clip, see
from render.dub.dub import SEEN
from render.measure import rows_of
from render.options import evaluation_options

STAGE = "render.dub.evaluate_covered"
THINGS = ("hand", "microphone", "bar")
LONGEST, STAYS, COMES = 160, 40, 8  # frames of a clip, of the thing at its place, and of its way there
HIDDEN = 0.25  # of the lips, from where on they count as covered
_NEAR = 3  # frames around it that count as neither
_TILE = 192  # px


def _colour_of(frame, points, unit_px):
    """The skin of a cheek: float [rgb]."""
    x, y = points[[list(face68.GROUPS["jaw"])[2], list(face68.GROUPS["nose_bridge"])[-1]]].mean(0).astype(int)
    reach = max(2, int(0.1 * unit_px))
    return np.median(frame[max(0, y - reach):y + reach, max(0, x - reach):x + reach].reshape(-1, 3), 0)


def _laid(frame, thing, middle, unit_px, skin):
    """A frame with a thing over it, uint8 [row, column, rgb], and how much of each pixel it hides, float [row, column]."""
    mask = np.zeros(frame.shape[:2], np.uint8)
    y, x = np.mgrid[:frame.shape[0], :frame.shape[1]].astype(np.float32)
    dx, dy = (x - middle[0]) / unit_px, (y - middle[1]) / unit_px
    if thing == "hand":
        finger = (dy + 0.52) / 0.26
        across = np.square(2 * (finger % 1) - 1)  # of each finger, 0 in its middle, 1 at its edges
        mask[(np.abs(dx) < 0.9 * np.sqrt(1 - across)) & (finger >= 0) & (finger < 4)] = 255
        colour = skin * (1.05 - 0.25 * across)[..., None]
    elif thing == "microphone":
        mask[np.hypot(dx / 0.45, dy / 0.38) < 1] = mask[(np.abs(dx - 0.3 * dy) < 0.15) & (dy > 0)] = 255
        colour = np.repeat((40 + 50 * np.clip(1 - np.hypot(dx, dy) / 0.45, 0, 1))[..., None], 3, 2)
    else:
        mask[(np.abs(dx) < 1.2) & (np.abs(dy) < 0.3)] = 255
        colour = np.full(frame.shape, 155.0)
    share = cv2.GaussianBlur(mask, (0, 0), max(0.8, 0.01 * unit_px)).astype(np.float32) / 255
    return np.clip(frame + (colour - frame) * share[..., None], 0, 255).astype(np.uint8), share


def with_thing(frames: list[NDArray], points: NDArray, thing: str) -> tuple[list[NDArray], NDArray]:
    """Frames, uint8 [row, column, rgb], with one of THINGS before the lips for a while, and how much of these it hides."""
    n, hidden, made = len(frames), np.zeros(len(frames)), []
    first = int(0.3 * n)
    last = first + min(STAYS, int(0.4 * n))
    units = face68.eye_distance(points)
    skin = _colour_of(frames[0], points[0], float(units[0]))
    for t, (frame, at, unit) in enumerate(zip(frames, points, units)):
        away = float(np.clip(max(first - t, t - last) / COMES, 0, 1))
        if away < 1:
            off = 3 * away + 0.05 * np.sin(t / 3), (0 if thing == "bar" else 2 * away) + 0.05 * np.cos(t / 4)
            frame, share = _laid(frame, thing, at[face68.MOUTH].mean(0) + unit * np.array(off), float(unit), skin)
            outline = np.round(at[list(face68.GROUPS["outer_lips"])]).astype(np.int32)
            lips = cv2.fillPoly(np.zeros(share.shape, np.uint8), [outline], 1)
            hidden[t] = share[lips > 0].mean() if lips.any() else 0
        made.append(frame)
    return made, hidden


def _left_alone(clip: Clip) -> NDArray:
    return clip.own.strength == 0


def _measure(row, thing, folder):
    """Of a clip: frames, those left alone; hidden ones, those left alone, those beside it, of these left alone; and tiles."""
    footage = open_footage(row["picture"])
    frames = [nv12.to_rgb(frame) for frame in islice(read_planes(footage), LONGEST)]
    encode(folder / "plain.mp4", frames, fps=footage.fps)
    plain = see(folder / "plain.mp4", folder / f"plain_{SEEN}")
    points = face68.to_pixel_space(plain.own.face, plain.own.pose)
    if not np.isfinite(points).all():
        raise InputError(row["picture"], "frames without a face", "a face in all of them")
    laid, hidden = with_thing(frames, points, thing)
    encode(folder / "laid.mp4", laid, fps=footage.fps)
    other = see(folder / "laid.mp4", folder / f"laid_{SEEN}")
    real, beside = hidden > HIDDEN, np.convolve(hidden > 0, np.ones(2 * _NEAR + 1), "same") == 0
    alone = _left_alone(other)
    tiles = [cv2.resize(laid[t], (_TILE, _TILE), interpolation=cv2.INTER_AREA) for t in (0, int(hidden.argmax()))]
    return [len(frames), plain.own.covered, int(real.sum()), int((alone & real).sum()), int(beside.sum()),
            int((alone & beside & (plain.own.strength > 0)).sum())], tiles


@stage(reads="LANDMARKS/index.csv, the recordings", writes="OUT (metrics), PICTURE",
       examples=("python -m render.dub.evaluate_covered --every-clip 5",))
@evaluation_options
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/covered_metrics.json"), help="The measures.")
def main(landmarks, split, every_clip, picture, out) -> None:
    """Measure how often a hand, a microphone or a bar before the lips is seen, and how often there is none."""
    rows, counts, tiles = rows_of(landmarks, split, every_clip), {thing: np.zeros(7, int) for thing in THINGS}, []
    with progress(rows, "evaluate") as bar, tempfile.TemporaryDirectory(prefix="dub-") as folder:
        for number, row in enumerate(bar):
            thing, own = THINGS[number % len(THINGS)], Path(folder) / str(number)
            own.mkdir()
            try:
                found, seen = _measure(row, thing, own)
            except InputError as error:
                say(f"left out: {error}")
                continue
            counts[thing] += [1, *found]
            tiles += seen
    names = "clips", "frames", "taken for covered", "covered", "left alone", "beside it", "left alone beside it"
    table = {thing: dict(zip(names, values.tolist())) for thing, values in counts.items() if values[0]}
    if not table:
        raise InputError(landmarks / "index.csv", f"no clip of split {split!r} with a face in all frames", "such clips")
    text = markdown(("thing", *names), [(thing, *values.values()) for thing, values in table.items()])
    report(out, table, text, stage=STAGE, options={"split": split, "every_clip": every_clip},
           inputs=[landmarks / "index.csv"], picture=picture, sheet=contact_sheet(tiles, 8))


if __name__ == "__main__":
    main()
