"""The guard of every file that a command writes: no input is overwritten, and nothing that somebody else made.

Reads: the sidecar of what is there. Writes: nothing.
"""

from collections.abc import Iterable
from pathlib import Path

from core import artifacts
from core.errors import InputError


def check_place(path: str | Path, suffixes: Iterable[str], kind: str = "", force: bool = False,
                sources: Iterable[str | Path | None] = (), *, expected: str = "", cure: str = "") -> None:
    """Refuse a name of another kind of file, one of the inputs, and the place of a folder or of somebody's file.

    Parameters
    ----------
    suffixes : endings that are taken
    kind : files that this tool described as of this kind are made anew; without one only `force` overwrites what is there
    sources : the inputs, which not even `force` overwrites
    expected, cure : of the error of another ending

    Raises
    ------
    InputError : the path is one of these.
    """
    path = Path(path)
    if any(source and path.exists() and Path(source).exists() and path.samefile(source) for source in sources):
        raise InputError(path, "one of the inputs", "another name")
    if path.suffix.lower() not in (endings := tuple(suffixes)):
        raise InputError(path, f"a {path.suffix or 'nameless'} file", expected or f"a name that ends in {' or '.join(endings)}",
                         cure)
    if path.is_dir():
        raise InputError(path, "a folder", "the name of a file")
    if above := next((folder for folder in path.parents if folder.exists() and not folder.is_dir()), None):
        raise InputError(path, f"{above} is a file", "a folder that can be made")
    if path.exists() and not force and not (kind and artifacts.read_sidecar(path).get("kind") == kind):
        raise InputError(path, "exists, and was not written by this tool" if kind else "already there", "a new name",
                         "--force to overwrite it")
