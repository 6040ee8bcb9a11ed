"""How each type of file is read for `viewer.inspect`: functions (path, sidecar) -> facts, and a function that draws them.

Reads: one file at a time; nothing in it is run. Libraries are imported where they are needed.
Writes: nothing.
"""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.kinds import KINDS, Kind, shape_text
from core.media.words import load_words
from viewer import draw as picture

_BLOCK_BYTES = 2**26  # of an array that are looked at together
_MOST_MEMBERS, _MOST_CLIPS = 500, 10**6  # of a file that are told
_NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
MOST_CURVES = 12  # one below the other; more values are drawn as a picture
FACE_REACH = 8.0  # eye distances; landmarks that reach further are pixels


def _table(facts):
    """Draw the facts themselves, for files that hold nothing else to draw."""
    return facts, partial(picture.text, [f"{label:<12} {value}" for label, value in facts])


def _shape(shape, names=()):
    return "[" + ", ".join(f"{a} {b}".strip() for a, b in zip(names or [""] * len(shape), shape, strict=True)) + "]"


def kind_of_array(array: NDArray, name: str = "") -> Kind | None:
    """The kind called `name` when `array` fits it, else the kind its type, shape and range speak for, else None."""
    fitting = {kind.name: kind for kind in KINDS.values()
               if kind.dtype == str(array.dtype) and len(kind.axes) == array.ndim
               and all(n in (None, m) for (_, n), m in zip(kind.axes, array.shape, strict=True))}
    if name not in fitting and "landmarks-pixel" in fitting:
        name = "landmarks-face" if np.nanmax(np.abs(array), initial=0) < FACE_REACH else "landmarks-pixel"
    return fitting.get(name) or max(fitting.values(), key=lambda kind: sum(n is not None for _, n in kind.axes), default=None)


def array(path: Path, about: dict) -> tuple[list, Callable]:
    """.npy of any kind."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(values, np.ndarray):
        raise InputError(path, "several arrays in a zip file", "one array", f"{path.with_suffix('.npz').name} as its name")
    kind = kind_of_array(values, about.get("kind", "")) if values.size else None
    if kind is None:
        known = [shape_text(k) for k in KINDS.values() if k.dtype]
        raise InputError(path, f"{values.dtype} array of shape {list(values.shape)}", "one of " + ", ".join(known))
    names = [name for name, _ in kind.axes]
    facts = [] if about else [("kind", f"by its shape and range {kind.name}: {kind.what}")]
    facts.append(("array", f"{values.dtype} {_shape(values.shape, names)}, {kind.unit}"))
    if names[0] == "frame" and (about or kind.name != "face-crops"):
        fps = (about.get("fps") or FPS) / about.get("every", 1)  # face crops are taken every Nth frame
        facts.append(("time", f"{len(values)} frames at {fps:g} a second: {len(values) / fps:.2f} s"))
    if values.dtype.kind == "f":
        n_missing = sum(int(np.isnan(block).reshape(len(block), -1).any(1).sum()) for block in _blocks(values))
        facts.append(("missing", f"{n_missing} of {len(values)} {names[0]}s are NaN"))
    low, high, mean = _spread(values)
    return [*facts, ("values", f"{low:.4g} to {high:.4g}, mean {mean:.4g}")], partial(_draw_array, values, names, kind)


def _blocks(values):
    """An array that may be larger than memory, piece by piece along its first axis."""
    n = max(1, _BLOCK_BYTES * len(values) // max(values.nbytes, 1))
    return (values[start:start + n] for start in range(0, len(values), n))


def _spread(values):
    """Least, greatest and mean value of an array without its NaN."""
    low, high, total, n_total = np.inf, -np.inf, 0.0, 0
    for block in _blocks(values):
        known = block[~np.isnan(block)] if values.dtype.kind == "f" else block
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
            total, n_total = total + float(known.sum(dtype=np.float64)), n_total + known.size
    return (low, high, total / n_total) if n_total else (np.nan,) * 3


def _draw_array(values, names, kind):
    """Choose the drawing by the names of the axes."""
    if names == ["frame", "hop", "bin"]:
        return picture.spectrogram(values)
    if names == ["frame", "point", "xy"]:
        return picture.landmarks(np.asarray(values), kind.unit != "px", kind.unit)
    if names == ["point", "xy"]:
        return picture.one_face(np.asarray(values))
    if len(names) == 1:
        return picture.curves({names[0]: (np.arange(len(values)), np.asarray(values))}, "number")
    if names[1:] == ["row", "column", "rgb"]:
        shown = picture.spread_indices(len(values))
        return picture.sheet([picture.tile(values[i]) for i in shown], "frames " + " ".join(map(str, shown)))
    if names[1] == "value" or values.shape[1] > MOST_CURVES:
        return picture.carpet(np.asarray(values), FPS * (2 if names[0] == "half frame" else 1))
    units = kind.unit.split(", ") if kind.unit.count(", ") == values.shape[1] - 1 else [kind.unit] * values.shape[1]
    x, label = (np.arange(len(values)) / FPS, "s") if names[0] == "frame" else (np.arange(len(values)), names[0])
    titles = kind.columns or [f"{names[1]} {i}" for i in range(len(units))]
    return picture.curves({f"{title}, {unit}": (x, values[:, i]) for i, (title, unit) in enumerate(zip(titles, units))}, label)


def archive(path: Path, about: dict) -> tuple[list, Callable]:
    """.npz: several arrays."""
    import zipfile
    facts = []
    with zipfile.ZipFile(path) as members:
        for name in members.namelist()[:_MOST_MEMBERS]:
            with members.open(name) as member:  # the header alone: what follows may unpack to any size
                read_header = _NPY_HEADERS.get(np.lib.format.read_magic(member))
                if read_header is None:
                    raise ValueError(f"{name} is no NumPy array")
                shape, _, dtype = read_header(member)
            facts.append((name.removesuffix(".npy"), f"{dtype} {_shape(shape)}"))
    return _table(facts)


def hdf5(path: Path, about: dict) -> tuple[list, Callable]:
    """.h5: a training pack, or any other datasets."""
    import h5py
    facts = []
    with h5py.File(path) as file:
        def note(name, item):
            if isinstance(item, h5py.Dataset):
                facts.append((name, f"{'text' if h5py.check_string_dtype(item.dtype) else item.dtype} {_shape(item.shape)}"))

        file.visititems(note)
        if not {"n_frames", "split", "speaker"} <= file.keys():
            return _table(facts[:_MOST_MEMBERS])
        if max(file[name].size for name in ("n_frames", "split", "speaker")) > _MOST_CLIPS:
            raise ValueError(f"more than {_MOST_CLIPS} clips")
        n_frames, split, speaker = file["n_frames"][:], file["split"].asstr()[:], file["speaker"].asstr()[:]
    clips, frames, charts = Counter(split), Counter(), {}
    for name, n in zip(split, n_frames, strict=True):
        frames[name] += int(n)
    for name, n in clips.items():
        n_speakers = len(set(speaker[split == name]))
        facts.append((f"{name or 'no split'}:", f"{n} clips of {n_speakers} speakers, {frames[name]} frames, "
                                                f"{frames[name] / FPS / 60:.1f} min"))
    facts.append(("a clip", f"{n_frames.min()} to {n_frames.max()} frames, median {np.median(n_frames):g}"))
    charts = {"clips": clips, "minutes": {name: round(n / FPS / 60, 2) for name, n in frames.items()},
              "clips of a speaker": Counter(speaker)}
    return facts, partial(picture.bars, charts)


def _flat(value, name=""):
    """Nested JSON as (dotted name, value) pairs."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _flat(item, f"{name}.{key}" if name else key)]
    return [(name or "value", f"{value:.5g}" if isinstance(value, float) else str(value)[:200])]


def lines(path: Path, about: dict) -> tuple[list, Callable]:
    """.srt, .vtt: its lines."""
    text = path.read_text(encoding="utf-8").splitlines()
    return _table([("lines", str(len(text))), *(("", line) for line in text[:60])])


def json_file(path: Path, about: dict) -> tuple[list, Callable]:
    """.json: measures, words, a sidecar, or a timeline."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if about.get("kind") == "words":
        return _table([(f"{word.start_s:.2f} s", word.word + ("" if word.probability is None else f"  {word.probability:.2f}"))
                       for word in load_words(path)])
    facts = _flat(data)
    if isinstance(data, dict) and {"kind", "sha256", "stage"} <= data.keys():
        facts.insert(0, ("sidecar of", path.stem))
    return _table(facts[:60])


def tflite(path: Path, about: dict) -> tuple[list, Callable]:
    """.tflite: what each signature takes and gives."""
    from ai_edge_litert.interpreter import Interpreter
    model = Interpreter(model_path=str(path), num_threads=1)
    facts = [("size", f"{path.stat().st_size / 1e6:.2f} MB")]
    for signature in model.get_signature_list():
        runner = model.get_signature_runner(signature)
        for verb, details in (("takes", runner.get_input_details()), ("gives", runner.get_output_details())):
            facts += [(signature, f"{verb} {name}: {np.dtype(tensor['dtype'])} {_shape(tensor['shape_signature'])}")
                      for name, tensor in details.items()]
    return _table(facts)


def safetensors(path: Path, about: dict) -> tuple[list, Callable]:
    """.safetensors: the settings in the header, and the tensors."""
    from safetensors import SafetensorError, safe_open
    try:
        with safe_open(path, framework="np") as file:
            settings, names = file.metadata() or {}, list(file.keys())
            slices = {name: file.get_slice(name) for name in names}
            shapes = {name: (part.get_dtype(), part.get_shape()) for name, part in slices.items()}
    except SafetensorError as error:
        raise ValueError(error) from None
    n_values = {name: int(np.prod(shape)) for name, (_, shape) in shapes.items()}
    facts = [*_flat(settings), ("tensors", f"{len(names)} with {sum(n_values.values()):,} values, "
                                           f"{path.stat().st_size / 1e6:.2f} MB")]
    facts += [(name, f"{dtype} {_shape(shape)}") for name, (dtype, shape) in list(shapes.items())[:40]]
    return facts, partial(picture.bars, {"values of a tensor": n_values})
