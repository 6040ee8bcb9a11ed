"""How tables are read for `viewer.inspect`: an index of clips, the curves of a run.

Reads: .csv, TensorBoard files; functions (path, sidecar) -> facts, and a function that draws them. Writes: nothing.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from core.errors import InputError
from viewer import draw as picture


def table(path: Path, about: dict) -> tuple[list, Callable]:
    """.csv: an index of clips, or the curves of a run."""
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or "clip" not in rows[0]:
        return _curves(path, read_curves(path))
    problems = Counter(re.sub(r"\d+", "N", row["problem"].split(": ", 1)[-1]) for row in rows if row.get("problem"))
    counts = {column: Counter(row.get(column) or "none" for row in rows) for column in ("split", "speaker")}
    facts = [("columns", " ".join(rows[0])),
             ("clips", f"{len(rows)}, of them {problems.total()} failed; {len(counts['speaker'])} speakers"),
             ("split", ", ".join(f"{name} {n}" for name, n in counts["split"].most_common()))]
    facts += [("problem", f"{n} x {text}") for text, n in problems.most_common(5)]
    charts = {f"clips by {name}": count for name, count in (*counts.items(), ("problem", problems)) if count}
    return facts, partial(picture.bars, charts)


def read_curves(path: Path) -> dict:
    """Curves of a .csv (first column: step) or a TensorBoard file -> {name: (steps, values)}."""
    if ".tfevents." in path.name:
        return _event_curves(path)
    with open(path, encoding="utf-8", newline="") as stream:
        names, *rows = [row for row in csv.reader(stream) if row] or [[]]
    curves = {}
    for i, name in enumerate(names):
        try:
            curves[name] = [float(row[i] or "nan") for row in rows]
        except (ValueError, IndexError):
            continue  # a column of text is not a curve
    steps = curves.pop(names[0], None) if names else None
    return {name: (steps, values) for name, values in curves.items()} if steps else {}


def _event_curves(path) -> dict:
    """`read_curves` of a TensorBoard file; its own reader would load TensorFlow.

    Format: records of length (8 bytes), checksum (4), an Event message, checksum (4).
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.util.tensor_util import make_ndarray
    curves = {}
    with open(path, "rb") as stream:
        while len(header := stream.read(12)) == 12:
            n_bytes = int.from_bytes(header[:8], "little")
            if stream.tell() + n_bytes > path.stat().st_size:
                break  # the run was stopped while it wrote
            event = Event.FromString(stream.read(n_bytes))
            stream.seek(4, 1)
            for item in event.summary.value:
                value = make_ndarray(item.tensor) if item.HasField("tensor") else np.float32(item.simple_value)
                if value.size == 1:
                    steps, values = curves.setdefault(item.tag, ([], []))
                    steps.append(event.step)
                    values.append(float(value))
    return curves


def _curves(path, curves):
    if not curves:
        raise InputError(path, "no column `clip` and no columns of numbers", "an index of clips, or curves of a run")
    facts = [(name, f"{len(y)} values, {y[0]:.4g} at first, {y[-1]:.4g} at last") for name, (_, y) in curves.items()]
    return facts, partial(picture.curves, dict(islice(curves.items(), 12)), "step")


def events(path: Path, about: dict) -> tuple[list, Callable]:
    """A TensorBoard file: the curves of a run."""
    return _curves(path, read_curves(path))
