"""InputError: what file, what was found, what was expected, and the command that cures it."""

import errno
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDS_ROOM = "a place that can be written, with room"


def command_line(*words: object) -> str:
    """A command line for a cure, each word quoted as a shell wants it: `command_line("make", "inspect", f"FILE={path}")`.

    A `Path` that begins with a dash is written as ./-NAME: never an option.
    """
    return shlex.join(f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else str(word) for word in words)


def absent(path: str | Path) -> str:
    """What is at `path`, in words, when it is not the file that was expected."""
    path = Path(path)
    return "a folder" if path.is_dir() else "not a plain file" if path.exists() else "no such file"


_OF_THE_SYSTEM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE, errno.ENFILE}


class InputError(Exception):
    """A user's mistake, said in one line; commands print it and exit with status 1.

    Parameters
    ----------
    where : the file or option at fault
    found : what is there
    expected : what should be there
    cure : a command or step that mends it
    """

    def __init__(self, where: object, found: str, expected: str = "", cure: str = ""):
        parts = [f"{where}: {found}"]
        if expected:
            parts.append(f"expected {expected}")
        if cure:
            parts.append(f"try: {cure}")
        super().__init__("; ".join(parts).replace("\n", " "))
        self.where, self.found, self.expected, self.cure = str(where), found, expected, cure

    def __reduce__(self):  # worker processes send errors home
        return InputError, (self.where, self.found, self.expected, self.cure)


@contextmanager
def readable(path: str | Path, what: str, expected: str = "", cure: str = "") -> Iterator[None]:
    """The gate of every reader: whatever a library raises over the contents of `path` becomes one `InputError`.

    Libraries raise anything on a damaged file, AssertionError and struct.error too, so nothing but the call of the library
    belongs inside. What the system refuses (rights, room) passes: it is not the file's fault.

    Parameters
    ----------
    what : what the file is read as: "a NumPy array", "JSON"
    expected, cure : of the `InputError`
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0].replace(str(path), Path(path).name)[:80]
        if isinstance(error, MemoryError):
            reason = "more than memory holds"
        elif "pickle" in reason:  # NumPy's advice for whatever it does not know
            reason = "something else is in it"
        raise InputError(path, f"not readable as {what} ({reason})", expected or "a whole file", cure) from error
