"""One way to write the files that stages exchange, one way to read them.

Reads: any payload of `core.kinds`, and the sidecar ``NAME.ext.json`` beside it.
Writes: the payload through a ``.part`` file and a rename, then its sidecar.
A payload without a sidecar is a user's own file: it is accepted when its type and shape fit. A payload that no
longer matches its sidecar is refused. Idea: BIDS sidecars, encodec's self-describing header.

A process can be killed between the two renames. So the sidecar is written first, as a hidden `pending_path`; a pending one
whose hash is that of the payload is its sidecar, any other belongs to a payload that never came, and is not looked at.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError, absent, command_line, in_one_line, readable
from core.files import as_json, input_hash, locked, named_after, part_of, read_json, sha256, short_name
from core.kinds import KINDS, Kind, shape_text
from core.pretrained import check_shipped
from core.renamed import present_name

PREPROCESS = "make preprocess CORPUS=folder"  # what makes most of them
_SCRIPTS = {"landmarks.predict": "python predict.py"}  # stages whose command is a root script


@dataclass
class Artifact:
    """An array that knows what it is; `sidecar` is empty for a user's own file."""

    array: np.ndarray
    kind: Kind
    path: Path
    sidecar: dict = field(default_factory=dict)


def sidecar_path(path: str | Path) -> Path:
    """NAME.ext.json, beside NAME.ext."""
    return named_after(path, ".json")


def pending_path(path: str | Path) -> Path:
    """Where a sidecar waits, hidden, for its payload to get its name; see the top of this file."""
    path = Path(path)
    return path.with_name(f".{short_name(path)}.pending")


def _hashes(inputs) -> dict:
    """Name -> hash of each input file; files of one name are told apart by their folder.

    A stage names its inputs, models of megabytes, for each file it writes: they are read once a process while unchanged.
    """
    paths = [Path(path) for path in inputs]
    names = [path.name for path in paths]
    return {in_one_line(f"{path.parent.name}/{path.name}" if names.count(path.name) > 1 else path.name):
            input_hash(path) for path in paths}


@contextmanager
def described(path: str | Path, kind_name: str, *, stage: str, options: dict | None = None, inputs: Iterable[str | Path] = (),
              **facts: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Like `whole_file`, for a payload with a sidecar: both get their names together, see the top of this file.

    Parameters
    ----------
    path : where; parent folders are made
    kind_name : of `KINDS`
    stage, options : which command makes it, and how
    inputs : files it is made from; their hashes are kept, their folders are not
    **facts : further JSON values worth keeping (seconds, frame step, ...)

    Yields
    ------
    part : where to write
    facts : a dict, for facts that are known only once it is written
    """
    kind, path = KINDS[kind_name], Path(path)
    about = {"kind": kind.name, "version": kind.version, "what": kind.what, "sha256": "", "stage": stage,
             "options": options or {}, "inputs": _hashes(inputs)}
    with part_of(path) as part:
        yield part, facts
        about |= {"sha256": sha256(part), **facts}
        if kind.unit:
            about["unit"] = kind.unit
        if kind.is_sequence:
            about.setdefault("fps", FPS)
        pending = pending_path(path)
        with locked():
            pending.write_text(as_json(about), encoding="utf-8")
            part.replace(path)
            pending.replace(sidecar_path(path))


def save_described_json(path: str | Path, data: object, kind_name: str, **about: Any) -> Path:
    """Write `data` as a JSON of the named kind, with its sidecar; `about` as for `described`. Return its path."""
    with described(path, kind_name, **about) as (part, _):
        part.write_text(as_json(data), encoding="utf-8")
    return Path(path)


def made_with(*kinds: Kind) -> str:
    """The commands that make files of these kinds, for a cure."""
    makers = dict.fromkeys(maker for kind in kinds for maker in kind.made_by.split(", ") if "." in maker)
    return " or ".join(f"{_SCRIPTS.get(maker, f'python -m {maker}')} --help" for maker in makers) or PREPROCESS


def shape_error(kind: Kind, array: NDArray) -> str:
    """Say how `array` departs from `kind`, or return an empty string."""
    if array.dtype != np.dtype(kind.dtype):
        return f"{array.dtype} values"
    if array.ndim != len(kind.axes) or any(n not in (None, m) for (_, n), m in zip(kind.axes, array.shape)):
        return f"shape {list(array.shape)}"
    return ""


def save(path: str | Path, array: NDArray, kind_name: str, *, stage: str, options: dict | None = None,
         inputs: Iterable[str | Path] = (), **facts: Any) -> Path:
    """Write `array` as a `.npy` of the named kind, with its sidecar.

    Parameters
    ----------
    path : where; parent folders are made
    array : values whose dtype and shape fit `KINDS[kind_name]`
    stage, options : which command made it, and how
    inputs : files it was made from; their hashes are kept, their folders are not
    **facts : further JSON values worth keeping (seconds, frame step, ...)
    """
    kind, array = KINDS[kind_name], np.ascontiguousarray(array)
    if error := shape_error(kind, array):
        raise ValueError(f"{path}: {kind_name} takes {shape_text(kind)}, got {error}")
    if array.dtype.kind == "f" and kind.is_sequence:
        facts = {"missing_frames": int(np.isnan(array).reshape(len(array), -1).any(1).sum()), **facts}
    with described(path, kind_name, stage=stage, options=options, inputs=inputs, dtype=str(array.dtype),
                   shape=list(array.shape), axes=[name for name, _ in kind.axes], **facts) as (part, _):
        np.save(part, array, allow_pickle=False)
    return Path(path)


def _pending_sidecar(path) -> dict:
    """The sidecar that a killed run could not name any more, when it belongs to the payload that is there; else empty."""
    try:
        about = json.loads(pending_path(path).read_text(encoding="utf-8"))
        return about if about["sha256"] == sha256(path) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def read_sidecar(path: str | Path) -> dict:
    """Return the sidecar of `path`, or an empty dict when there is none."""
    if about := _pending_sidecar(path):
        return about
    beside = sidecar_path(path)
    cure = f"delete it to use {Path(path).name} as it is, or make the file again"
    if not beside.exists():
        return {}
    about = read_json(beside, "the description written with the file", cure)
    fields = {"kind": str, "options": dict, "inputs": dict, "stage": str, "sha256": str}
    if not isinstance(about, dict) or not all(isinstance(about.get(name, kind()), kind) for name, kind in fields.items()):
        raise InputError(beside, "not a description", "the description written with the file", cure)
    return about | {"stage": present_name(about["stage"])} if "stage" in about else about


def check(path: str | Path, *kind_names: str, cure: str = "") -> dict:
    """Check `path` against its sidecar and the kinds wanted; return the sidecar (empty for a user's own file).

    Raises
    ------
    InputError : no such file (`cure` makes it), another kind, another version, contents changed since they were described,
        or a model that ships and is not the listed one.
    """
    path, found = Path(path), check_shipped(path)
    if not path.is_file():
        raise InputError(path, absent(path), " or ".join(kind_names), cure or made_with(*map(KINDS.__getitem__, kind_names)))
    about = read_sidecar(path)
    if not about:
        return about
    name = about.get("kind")
    wanted = [KINDS[k] for k in kind_names] or ([KINDS[name]] if name in KINDS else [])
    kind = next((k for k in wanted if k.name == name), None)
    if kind is None:
        raise InputError(path, f"a file of kind {name!r}", " or ".join(k.name for k in wanted) or "a known kind",
                         command_line("make", "inspect", f"FILE={path}"))
    if about.get("version") != kind.version:
        raise InputError(path, f"{name} version {about.get('version')}", f"version {kind.version}",
                         f"make it again: {made_with(kind)}")
    if about.get("sha256") != (found or sha256(path)):
        raise InputError(path, "does not match its description", f"the contents described in {sidecar_path(path).name}",
                         f"make it again, or delete {sidecar_path(path).name} to use the file as it is")
    return about


def read_array(path: str | Path) -> NDArray:
    """The array of a `.npy`. A header may ask for any size: the file must be as long as the array it promises."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)  # NumPy refuses to map more than there is
    if isinstance(array, np.ndarray):
        return np.array(array)
    array.close()
    raise ValueError("several arrays in a zip file")


def load(path: str | Path, *kind_names: str) -> Artifact:
    """Read a `.npy` that must be of one of the named kinds (any known kind when none is named).

    Raises
    ------
    InputError : missing, damaged, of another kind, version, type or shape.
    """
    path = Path(path)
    about = check(path, *kind_names)
    with readable(path, "a NumPy array", " or ".join(kind_names)):
        array = read_array(path)
    candidates = [KINDS[about["kind"]]] if about else [k for k in map(KINDS.__getitem__, kind_names or KINDS) if k.dtype]
    for kind in candidates:
        if isinstance(array, np.ndarray) and not shape_error(kind, array):
            return Artifact(array, kind, path, about)
    kind = candidates[0]
    raise InputError(path, f"{getattr(array, 'dtype', 'several')} array of shape {list(getattr(array, 'shape', []))}",
                     " or ".join(f"{k.name}: {shape_text(k)}" for k in candidates[:3]), made_with(*candidates[:3]))


def is_current(path: str | Path, kind_name: str, *, stage: str, options: dict | None = None,
               inputs: Iterable[str | Path] = ()) -> bool:
    """True when `path` was made whole by this stage with these options from these very inputs."""
    if not Path(path).is_file():
        return False
    try:
        about = read_sidecar(path)
    except InputError:
        return False
    return (about.get("kind"), about.get("version")) == (kind_name, KINDS[kind_name].version) \
        and about.get("stage") == stage and about.get("options") == json.loads(as_json(options or {})) \
        and about.get("inputs") == _hashes(inputs)
