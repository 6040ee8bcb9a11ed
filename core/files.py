"""Files appear whole or not at all: written under a temporary name beside the place, then renamed.

Writes: what it is asked to. Removes: temporary files of runs that were killed, an hour after the last byte was written to them.
"""

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock

from core.errors import NEEDS_ROOM, InputError, readable

LONGEST_NAME = 255  # bytes: what file systems take
_LONGEST_ENDING = 16  # bytes of a temporary file's
MOST_JSON_BYTES = 50_000_000
ABANDONED_S = 3600  # a temporary file that nobody wrote to for so long belongs to a run that was killed
MOST_LOCKED_S = 10  # renaming takes milliseconds: who holds the lock for longer is stopped
_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.\d+-\d+\.part")  # how the names begin that `part_of` gives
_swept = set()  # folders this process has cleared of abandoned files


def short_name(path: str | Path) -> str:
    """A name for a temporary file beside `path`, short even where the path's own name is as long as a name may be."""
    return hashlib.sha256(os.fsencode(Path(path).name)).hexdigest()[:12]


def fitting(name: str, most_bytes: int = 100) -> str:
    """The start of `name` that fits into `most_bytes`: what is named after a file whose name is as long as a name may be."""
    while len(os.fsencode(name)) > most_bytes:
        name = name[:-1]
    return name


def cut_name(name: str, most_bytes: int = LONGEST_NAME) -> str:
    """`name`, or one of `most_bytes` with a hash in place of what does not fit: two long names stay two."""
    if len(os.fsencode(name)) <= most_bytes:
        return name
    mark = f"~{short_name(name)}"
    return fitting(name, most_bytes - len(mark)) + mark


def named_after(path: str | Path, ending: str) -> Path:
    """The place beside `path` whose name is that of `path` and `ending`, cut where it would be too long for a file."""
    path = Path(path)
    return path.with_name(cut_name(path.name, LONGEST_NAME - len(os.fsencode(ending))) + ending)


def _sweep(folder):
    """Remove temporary files that killed runs left in `folder`, once a process."""
    if folder in _swept:
        return
    _swept.add(folder)
    with suppress(OSError):
        for path in folder.glob(".*.part*"):
            with suppress(OSError):  # another run may sweep too
                if _TEMPORARY.match(path.name) and time.time() - path.stat().st_mtime > ABANDONED_S:
                    path.unlink()


@contextmanager
def locked() -> Iterator[None]:
    """Hold all runs of this person while a payload and its sidecar get their names: two with one output do not mix theirs."""
    user = getattr(os, "getuid", int)()  # on Windows the temporary folder is a person's own
    lock = FileLock(Path(tempfile.gettempdir()) / f"talking-face-{user}.lock", timeout=MOST_LOCKED_S)
    with suppress(OSError):  # too long, or a temporary folder that takes no lock: do without (a Timeout is an OSError)
        lock.acquire(poll_interval=0.005)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which is gone afterwards; a full disk is said in our words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    unique = f"{os.getpid()}-{time.monotonic_ns()}"
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_ENDING else ""
    part = path.with_name(f".{short_name(path)}.{unique}.part{suffix}")  # the suffix stays last: writers look at it
    try:
        yield part
    except OSError as error:
        if error.filename is None and error.errno is None:  # NumPy and HDF5 say a full disk in words alone
            raise InputError(path, f"not written ({str(error).splitlines()[0][:80]})", NEEDS_ROOM) from None
        if error.filename is None:
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it on success, remove it on failure: no half-written output."""
    path = Path(path)
    with part_of(path) as part:
        yield part
        part.replace(path)


@contextmanager
def own_folder(parent: str | Path, name: str) -> Iterator[Path]:
    """Make the folder PARENT/NAME for one run, or NAME-2, NAME-3 ... when another run has it.

    Yields
    ------
    its path; it goes again when nothing was put into it
    """
    parent = Path(parent)
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
            break
        except FileExistsError:
            continue
    try:
        yield folder
    finally:
        for path in (folder, *missing):
            with suppress(OSError):  # something is in it
                path.rmdir()


def as_json(data: object) -> str:
    """The text of a JSON file; a byte of a name that is no UTF-8 stands in it as U+FFFD."""
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    return text.encode(errors="surrogateescape").decode(errors="replace")


def save_json(path: str | Path, data: object) -> None:
    """Write `data` as JSON, without a sidecar."""
    with whole_file(path) as part:
        part.write_text(as_json(data), encoding="utf-8")


def read_json(path: str | Path, expected: str = "", cure: str = "") -> Any:
    """What a JSON file holds. Raises InputError when it is damaged, too large, or holds halves of characters."""
    with readable(path, "JSON", expected, cure):
        if (n_bytes := Path(path).stat().st_size) > MOST_JSON_BYTES:
            raise ValueError(f"{n_bytes} bytes")
        text = Path(path).read_text(encoding="utf-8")
        data = json.loads(text)
        if "\\u" in text:  # an escaped half of a character is JSON, and can be written nowhere
            json.dumps(data, ensure_ascii=False).encode()
        return data


def sha256(path: str | Path) -> str:
    """Hash of the contents of a file, in hexadecimal; it is read in pieces."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(64)
def _hash_of_input(path, _size, _changed_ns) -> str:
    return sha256(path)


def input_hash(path: Path) -> str:
    """`sha256` of a file that is asked for again and again: it is read once a process while unchanged."""
    return _hash_of_input(path, path.stat().st_size, path.stat().st_mtime_ns)


_AROUND = 2**17  # bytes of an HDF5 file beside its arrays


def reserve(path: str | Path, n_bytes: int) -> None:
    """Raise OSError unless a file of so many bytes has room at `path`, where the system can tell; leaves an empty one."""
    with open(path, "wb") as file:
        if hasattr(os, "posix_fallocate") and n_bytes:
            os.posix_fallocate(file.fileno(), 0, n_bytes)
            file.truncate(0)


@contextmanager
def new_hdf5(path: str | Path, n_bytes: int) -> Iterator[Any]:
    """An HDF5 file, open to be written, of about `n_bytes`.

    Raises OSError where there is no room. That is seen to first, since HDF5 may crash when it meets it (1.14), and where
    others took the room meanwhile, h5py's RuntimeError tells it in words alone.
    """
    import h5py
    try:
        reserve(path, n_bytes + n_bytes // 64 + _AROUND)
        with h5py.File(path, "w") as file:
            yield file
    except (RuntimeError, OSError) as error:
        if told := re.search(r"errno = (\d+)", str(error)):
            number = int(told[1])
            raise OSError(number, os.strerror(number), str(path)) from None
        if isinstance(error, OSError) and error.errno and not error.filename:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
        raise


def write_hdf5(path: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write `arrays`, by their names, to an HDF5 file. Raises OSError where there is no room."""
    with new_hdf5(path, sum(array.nbytes for array in arrays.values())) as file:
        for name, array in arrays.items():
            file[name] = array
