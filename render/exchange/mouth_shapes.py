"""Landmarks as the mouth shapes A to F and X of Rhubarb Lip Sync, and its files as landmarks.

Reads, writes: .tsv, .xml, .json. G (teeth on the lip) and H (tongue) are read, but not told apart in 68 points.
Source: the output formats and the chart of mouth shapes in the documentation of Rhubarb Lip Sync (Wolf), after Preston Blair.
"""

import json
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.face import face68
from core.files import whole_file
from core.smooth import gaussian_filter
from render.exchange.blendshapes import NAMES, offsets_of

SUFFIXES = ".tsv", ".xml", ".json"
# What each shape is in blendshapes
WEIGHTS = {"X": {}, "A": {}, "B": {"JawOpen": 0.14, "MouthStretchLeft": 0.25, "MouthStretchRight": 0.25}, "C": {"JawOpen": 0.4},
           "D": {"JawOpen": 0.75}, "E": {"JawOpen": 0.36, "MouthFunnel": 0.5}, "F": {"JawOpen": 0.16, "MouthPucker": 0.8},
           "G": {"JawOpen": 0.1}, "H": {"JawOpen": 0.36}}
_SHUT, _SLIGHT, _OPEN = 0.025, 0.09, 0.2  # eye distances the lips are further apart than at rest
_ROUND, _NARROW = 0.93, 0.86  # of the width at rest
_IDLE_S, _SHORTEST_S = 0.3, 0.08  # a mouth shut for so long idles; a shape is shown for so long, but for A
_STEADY_S = 0.04  # of Gaussian smoothing in time
_EXPECTED = "a file of Rhubarb Lip Sync, .tsv, .xml or .json"


@dataclass(frozen=True)
class Cue:
    """A mouth shape, A to H or X, and when."""

    start_s: float
    end_s: float
    shape: str


def cues_of(face: NDArray, rest: NDArray) -> list[Cue]:
    """The shapes of landmarks, float [frame, 68, 2], of a person whose face at rest is `rest` [68, 2] (face space)."""
    gap = face68.mouth_opening(face) - face68.mouth_opening(rest)
    width = face68.mouth_width(face) / face68.mouth_width(rest)
    shapes = np.select([gap < _SHUT, (width < _NARROW) & (gap < _OPEN / 2), (width < _ROUND) & (gap < _OPEN), gap < _SLIGHT,
                        gap < _OPEN], list("AFEBC"), "D")
    runs = [[shape, len(list(same))] for shape, same in groupby(shapes.tolist())]
    shown: list[list] = []
    for shape, n_frames in runs:
        if shape == "A" and n_frames >= _IDLE_S * FPS:
            shape = "X"
        if shown and (shape == shown[-1][0] or (n_frames < _SHORTEST_S * FPS and shape != "A")):
            shown[-1][1] += n_frames
        else:
            shown.append([shape, n_frames])
    ends = np.cumsum([n_frames for _, n_frames in shown]) / FPS
    return [Cue(float(end) - n_frames / FPS, float(end), shape) for end, (shape, n_frames) in zip(ends, shown)]


def write_cues(path: str | Path, cues: list[Cue], sound: str = "") -> Path:
    """Write `cues` in the format of the ending of `path`, one of SUFFIXES; `sound` is the name of the recording."""
    path, last_s = Path(path), cues[-1].end_s
    if path.suffix.lower() == ".tsv":
        text = "".join(f"{cue.start_s:.2f}\t{cue.shape}\n" for cue in [*cues, Cue(last_s, last_s, "X")])
    elif path.suffix.lower() == ".json":
        rows = [{"start": round(cue.start_s, 2), "end": round(cue.end_s, 2), "value": cue.shape} for cue in cues]
        text = json.dumps({"metadata": {"soundFile": sound, "duration": round(last_s, 2)}, "mouthCues": rows}, indent=2) + "\n"
    else:
        root = xml.Element("rhubarbResult")
        about = xml.SubElement(root, "metadata")
        xml.SubElement(about, "soundFile").text = sound
        xml.SubElement(about, "duration").text = f"{last_s:.2f}"
        inside = xml.SubElement(root, "mouthCues")
        for cue in cues:
            xml.SubElement(inside, "mouthCue", start=f"{cue.start_s:.2f}", end=f"{cue.end_s:.2f}").text = cue.shape
        xml.indent(root)
        text = '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def _parse(text, suffix) -> list[Cue]:
    if suffix == ".json":
        return [Cue(float(row["start"]), float(row["end"]), str(row["value"])) for row in json.loads(text)["mouthCues"]]
    if suffix == ".xml":
        if "<!" in text:  # entities could grow without end
            raise ValueError("a document type or a comment in it")
        return [Cue(float(one.attrib["start"]), float(one.attrib["end"]), one.text or "")
                for one in xml.fromstring(text).iter("mouthCue")]
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    starts = [float(start) for start, _ in rows]
    return [Cue(start, end, shape) for start, end, (_, shape) in zip(starts, starts[1:], rows)]


def read_cues(path: str | Path) -> list[Cue]:
    """The cues of a .tsv, .xml or .json of Rhubarb.

    Raises
    ------
    InputError : another file, an unknown shape, time that goes back.
    """
    path = Path(path)
    try:
        cues = _parse(path.read_text(encoding="utf-8-sig"), path.suffix.lower())
    except (ValueError, KeyError, TypeError, xml.ParseError, RecursionError) as error:
        raise InputError(path, (str(error).splitlines() or ["no cues"])[0][:80], _EXPECTED) from None
    wrong = next((cue for cue in cues if cue.shape not in WEIGHTS or not 0 <= cue.start_s <= cue.end_s < np.inf), None)
    backwards = any(later.start_s < earlier.start_s for earlier, later in zip(cues, cues[1:]))
    if not cues or wrong or backwards:
        found = "time that goes back" if cues else "no cues"
        raise InputError(path, f"{wrong.shape!r} from {wrong.start_s:g} to {wrong.end_s:g} s" if wrong else found, _EXPECTED)
    return cues


def offsets_of_cues(cues: list[Cue]) -> NDArray:
    """What `cues` do to a face, float32 [frame, 68, 2]: offsets from rest, each shape passing softly into the next."""
    weights = np.zeros((max(1, round(cues[-1].end_s * FPS)), len(NAMES)), np.float32)
    for cue in cues:
        for name, weight in WEIGHTS[cue.shape].items():
            weights[round(cue.start_s * FPS):round(cue.end_s * FPS), NAMES.index(name)] = weight
    return offsets_of(gaussian_filter(weights, _STEADY_S * FPS))
