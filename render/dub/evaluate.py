"""Measure dubbing on held-out clips: their own sound over themselves, and another's sound.

Reads: LANDMARKS/index.csv and the recordings it names; the models that ship.
Writes: OUT (metrics); with --picture, a sheet: each clip, and the clip with another's voice.
With its own sound a clip is its own truth. `dub, moved as the clip` takes the clip's own motion in place of a prediction: what
is lost by painting alone. The baselines: the clip untouched, and a rectangle pasted over the mouth. With another's sound the
sync judge says whether the new speech is there, within a frame, and whether the old one still is.
"""

import tempfile
from pathlib import Path

import click
import cv2
import numpy as np

from core.errors import InputError, command_line
from core.face import face68
from core.face.draw import contact_sheet
from core.index import source_of
from core.media import nv12
from core.stage import progress, say, stage
from landmarks.dataset import sound_of
from landmarks.sync.judge import load_judge
from learn.measures import cell, markdown, report
from render.dub.measure import FOUND_MS, METHODS, against_truth, dubbed, judged, offsets_of, open_trial, own_offsets, pasted
from render.measure import FEWEST_FRAMES, known_mean, rows_of
from render.options import evaluation_options

STAGE = "render.dub.evaluate"
_TILE = 192  # px
_NAMES = METHODS[0], METHODS[2], METHODS[3]


def _tile(frame):
    return cv2.resize(nv12.to_rgb(frame), (_TILE, _TILE), interpolation=cv2.INTER_AREA)


def _means(rows, keys):
    return {key: known_mean([row[key] for row in rows]) for key in keys}


def _measure(trial, folder):
    """Measures of each method with the clip's own sound."""
    clip, n = trial.clip, len(trial)
    own = offsets_of(trial.sound, clip.footage.fps, n, folder)
    points = face68.to_pixel_space(clip.own.face[:n], clip.own.pose[:n])
    made = {METHODS[0]: dubbed(trial, own), METHODS[1]: dubbed(trial, own_offsets(clip, n)), METHODS[2]: pasted(trial, own)}
    unit_px = float(np.nanmedian(clip.own.pose[:n, 0]))
    return {name: against_truth(frames, trial.frames, points, unit_px) for name, frames in made.items()}


def _judge(judge, trial, sound, folder):
    """What the judge finds with another's `sound`: method -> (of the new sound, of the old one), and the frames dubbed."""
    clip, n = trial.clip, min(len(trial), round(len(sound) / 16000 * trial.clip.footage.fps))
    offsets = offsets_of(sound, clip.footage.fps, n, folder)
    trial.frames = trial.frames[:n]
    points = face68.to_pixel_space(clip.own.face[:n], clip.own.pose[:n])
    made = {METHODS[0]: dubbed(trial, offsets), METHODS[2]: pasted(trial, offsets), METHODS[3]: trial.frames}
    sounds = {"new": sound, "old": trial.sound}
    return {name: judged(judge, frames, points, clip.footage.fps, sounds) for name, frames in made.items()}, made[METHODS[0]]


def _judged_table(found):
    """Of each method: how often the new and the old sound is found within a frame, and the mean confidences."""
    table = {}
    for name in _NAMES:
        table[name] = {}
        for which in ("new", "old"):
            verdicts = [clip[name][which] for clip in found]
            table[name] |= {f"{which}_found": float(np.mean([abs(offset) <= FOUND_MS for offset, _ in verdicts])),
                            f"{which}_confidence": float(np.mean([confidence for _, confidence in verdicts]))}
    return table


def _text(measures):
    parts = []
    for title in ("truth known", "another's sound"):
        table = measures[title]
        columns = list(next(iter(table.values())))
        parts.append(markdown((title, *columns), [(name, *(cell(row[c]) for c in columns)) for name, row in table.items()]))
    return "\n\n".join(parts)


@stage(reads="LANDMARKS/index.csv, the recordings, the models that ship", writes="OUT (metrics), PICTURE",
       examples=("python -m render.dub.evaluate", "python -m render.dub.evaluate --every-clip 5 --picture sheet.png"))
@evaluation_options
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/dub_metrics.json"), help="The measures.")
def main(landmarks, split, every_clip, picture, out) -> None:
    """Measure dubbing: the clip's own sound over itself, and another's sound over it."""
    rows, judge, found, spoken, tiles = rows_of(landmarks, split, every_clip), load_judge(), [], [], []
    with progress(rows, "evaluate") as bar, tempfile.TemporaryDirectory(prefix="dub-") as folder:
        for number, row in enumerate(bar):
            other = rows[(number + len(rows) // 2) % len(rows)]  # of somebody else, mostly
            try:
                trial = open_trial(row["picture"], row["sound"], Path(folder) / str(number))
                measured = _measure(trial, Path(folder))
                another = sound_of(other["sound"])[:len(trial.sound)]
                verdict, frames = _judge(judge, trial, another, Path(folder))
            except InputError as error:
                say(f"left out: {error}")
                continue
            if len(trial) < FEWEST_FRAMES:
                continue
            found += [{"source": source_of(row["clip"]) or "clips", "method": name, **values}
                      for name, values in measured.items()]
            spoken.append(verdict)
            k = int(face68.mouth_opening(trial.clip.own.face[:len(trial)]).argmax())
            tiles += [_tile(trial.frames[k]), _tile(frames[k])]
    if not found:
        raise InputError(landmarks / "index.csv", f"no clip of split {split!r} can be dubbed", "clips with a face",
                         command_line("make", "inspect", f"FILE={landmarks / 'index.csv'}"))
    keys = [key for key in found[0] if key not in ("source", "method")]
    table = {name: _means([row for row in found if row["method"] == name], keys) for name in METHODS[:3]}
    measures = {"split": split, "clips": len(spoken), "truth known": table, "another's sound": _judged_table(spoken)}
    report(out, measures, _text(measures), stage=STAGE, options={"split": split, "every_clip": every_clip},
           inputs=[landmarks / "index.csv"], picture=picture, sheet=contact_sheet(tiles, 8))


if __name__ == "__main__":
    main()
