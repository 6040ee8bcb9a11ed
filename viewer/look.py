"""What a file or a run folder is, and a function that draws it.

Reads: any file the toolkit writes, its sidecar. Writes: nothing.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core import artifacts
from core.errors import InputError, command_line, readable
from core.files import sha256
from core.kinds import KINDS
from viewer import draw as picture
from viewer import media, read, table

if TYPE_CHECKING:
    from core.media.speech import Speech

PURPOSES = {
    "run.json": "options, versions and commands of the run", "done": "mark of a run that ended as planned",
    "state.npz": "everything needed to go on with the run", "state.safetensors": "everything needed to go on with the run",
    "curves.csv": "losses and measures by step", "curves.png": "the curves, drawn", "log.txt": "what the run said",
    "preview.gif": "the same held-out clips at each save, measured and predicted",
    "preview.png": "the same held-out pictures at each save, measured and drawn",
    "trained": "the model that `make` trained last", ".corpus": "the folder that `make preprocess` read last",
    ".selection": "the speaker and the step that `make train-gan` cut crops of",
}
_LONGEST_LIST = 120  # characters of a list that is told whole
BY_SUFFIX = {
    ".npy": read.array, ".npz": read.archive, ".h5": read.hdf5, ".csv": table.table,
    ".json": read.json_file, ".srt": read.lines, ".vtt": read.lines, ".tflite": read.tflite,
    ".safetensors": read.safetensors,
    ".wav": media.sound, ".mp4": media.film, ".gif": media.animation,
    ".png": media.photo, ".jpg": media.photo, ".jpeg": media.photo,
}


def _values(options):
    return ", ".join(f"{name} {_brief(value)}" for name, value in options.items()) or "none"


def _brief(value) -> str:
    """A value as text; long lists by their length."""
    text = str(value)
    return f"({len(value)} values)" if isinstance(value, list) and len(text) > _LONGEST_LIST else text


def origin(path: Path, about: dict) -> list:
    """Facts of a sidecar: what the file is, what made it, from what, and whether it is still that file."""
    if not about:
        by_suffix = [kind.name for kind in KINDS.values() if kind.suffix == path.suffix]
        only = KINDS[by_suffix[0]] if len(by_suffix) == 1 and path.suffix not in (".json", ".png") else None
        kind = [("kind", f"by its type a {only.name}: {only.what}")] if only else []
        if path.name in PURPOSES:
            kind = [("kind", PURPOSES[path.name])]
        return [*kind, ("sidecar", "none: the file is taken as it is")]
    inputs = ", ".join(f"{name} ({digest[:8]})" for name, digest in about.get("inputs", {}).items())
    facts = [("kind", f"{about.get('kind')}, version {about.get('version')}: {about.get('what')}"),
             ("made by", f"{about.get('stage')}; options: {_values(about.get('options', {}))}"),
             ("from", inputs or "no file")]
    known = {"kind", "version", "what", "sha256", "stage", "options", "inputs", "unit", "fps", "missing_frames",
             "dtype", "shape", "axes"}
    if further := {name: value for name, value in about.items() if name not in known}:
        facts.append(("also", _values(further)))
    same = about.get("sha256") == sha256(path)
    current = KINDS.get(about.get("kind"))
    if current and about.get("version") != current.version:
        facts.append(("version", f"OLD: the program now uses {current.version}; make it again with {current.made_by}"))
    return [*facts, ("sidecar", "matches" if same else "DOES NOT MATCH: the file changed after it was described")]


def purpose(path: Path) -> str:
    """What a file without a sidecar is for, by its name or its type."""
    of_type = [kind.what for kind in KINDS.values() if kind.suffix == path.suffix]
    if ".tfevents." in path.name:
        return "curves for TensorBoard"
    return PURPOSES.get(path.name) or (of_type[0] if len(of_type) == 1 and path.suffix != ".png"
                                       else f"a {path.suffix} file; inspect it")


def look_at_run(run: Path) -> tuple[list, Callable]:
    """Facts and curves of a training run's folder."""
    from core.runs import read_run
    about = read_run(run)
    facts = [("kind", f"run folder of {about['stage']}, started {about['started']}"),
             ("options", _values(about["options"])), ("versions", _values(about["versions"])),
             ("data", f"{about['data'].get('file', 'none')} ({about['data'].get('sha256', '')[:8]})"),
             ("command", about["command"]), ("resume", about["resume"])]
    drawn = {}
    for path in sorted(p for p in run.rglob("*") if p.is_file() and not p.name.startswith(".") and not _is_sidecar(p)):
        about_file = artifacts.read_sidecar(path)
        facts.append((path.relative_to(run).as_posix(), about_file.get("what") or purpose(path)))
        if path.suffix == ".csv":
            drawn.update(table.read_curves(path))
    if drawn:
        return facts, lambda: picture.curves(dict(list(drawn.items())[:12]), "step")
    return facts, lambda: picture.text([f"{label:<14}{value}" for label, value in facts])


def look_at(path: str | Path, speech: "Speech | None" = None) -> tuple[list, Callable]:
    """Recognise a file or folder.

    Parameters
    ----------
    speech : a `core.media.speech.Speech`: when `path` is its file, it is not decoded again

    Returns
    -------
    facts : list of (label, text), in reading order
    figure : function without arguments that draws it -> matplotlib Figure

    Raises
    ------
    InputError : missing, damaged, or nothing this project knows.
    """
    path = Path(path)
    if path.is_dir():
        if (path / "run.json").is_file():
            return look_at_run(path)
        inside = sorted(p.name for p in path.iterdir() if not p.name.startswith(".") and not _is_sidecar(p))
        if "index.csv" in inside:
            return look_at(path / "index.csv")
        raise InputError(path, f"a folder with {', '.join(inside[:8]) or 'nothing in it'}", "one file, or a run folder",
                         command_line("make", "inspect", f"FILE={path / (inside[0] if inside else 'NAME')}"))
    if not path.is_file():
        raise InputError(path, "no such file", "a file of this project", "ls data CNN_record GAN_record")
    if path.name == "run.json":
        return look_at_run(path.parent)
    if path.name in PURPOSES and path.suffix not in BY_SUFFIX:
        facts = [("kind", purpose(path)), ("content", path.read_text(encoding="utf-8", errors="replace").strip()[:500])]
        return facts, partial(picture.text, [f"{label} {value}" for label, value in facts])
    reader = table.events if ".tfevents." in path.name else BY_SUFFIX.get(path.suffix.lower())
    if reader is None:
        raise InputError(path, f"nothing known by the ending {path.suffix or path.name!r}",
                         "one of " + " ".join(BY_SUFFIX), "see docs/artifacts.md")
    if not path.stat().st_size:
        raise InputError(path, "an empty file (0 bytes)", "a file of this project", "make it again")
    about = artifacts.read_sidecar(path)
    if speech and path == speech.path:
        reader = partial(media.sound, speech=speech)
    with readable(path, path.suffix, cure="make it again"):
        facts, figure = reader(path, about)
    return [*origin(path, about), *facts], figure


def _is_sidecar(path):
    return path.suffix == ".json" and path.with_suffix("").is_file()
