"""InputError: what file, what was found, what was expected, and the command that cures it; and what Ctrl-C is answered."""

import errno
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.paths import ROOT

# Control characters, U+009B among them, which terminals obey; line ends; what turns the direction of writing; half characters
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_INSPECT = "make inspect "
NEEDS_ROOM = "a place that can be written, with room"
STOPPED = "stopped; the same command goes on from here"


def say_stopped_in_a_line() -> None:
    """Report Ctrl-C in a line, too, while a command of ours still reads its libraries; programs of others keep their manner."""
    before = sys.excepthook

    def report(kind, error, trace):
        if issubclass(kind, KeyboardInterrupt):
            sys.stderr.write(f"error: {STOPPED}\n")
        else:
            before(kind, error, trace)

    if _is_ours(sys.orig_argv, Path(sys.argv[0] if sys.argv else "")):
        sys.excepthook = report


def _is_ours(words, script):
    """Whether a command line of Python starts a command of this toolkit."""
    if "-m" in words[:-1]:
        module = words[words.index("-m") + 1].partition(".")[0]
        return (ROOT / module).is_dir() or (ROOT / f"{module}.py").is_file()
    return script.stem == "talking-face" or script.resolve().parent == ROOT


def command_line(*words: object) -> str:
    """A command line for a cure, each word quoted as a shell wants it: `command_line("make", "inspect", f"FILE={path}")`.

    A `Path` that begins with a dash is written as ./-NAME: never an option. A line break, and other characters that no line
    shows, are written as bash and zsh read them, in $'...'; a $ for make is written twice.
    """
    first, *others = words
    return " ".join(map(_quoted, [first, *(str(word).replace("$", "$$") if first == "make" else word for word in others)]))


def _quoted(word):
    word = f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else str(word)
    if not _UNSEEN.search(word):
        return shlex.quote(word)
    escaped = word.replace("\\", r"\\").replace("'", r"\'")
    return "$'" + _UNSEEN.sub(lambda found: "".join(f"\\x{byte:02x}" for byte in os.fsencode(found[0])), escaped) + "'"


def absent(path: str | Path) -> str:
    """What is at `path`, in words, when it is not the file that was expected."""
    path = Path(path)
    return "a folder" if path.is_dir() else "not a plain file" if path.exists() else "no such file"


_OF_THE_SYSTEM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE, errno.ENFILE}


def in_one_line(text: str) -> str:
    """`text` as a line that a terminal shows: what would break it or command the terminal is escaped, as Python does."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def from_here(cure: str) -> str:
    """A cure as it works in this folder: away from the scripts and the Makefile it is a command of the installed package."""
    if Path("predict.py").is_file():
        return cure
    if cure.startswith(_INSPECT):  # FILE= may stand within quotes
        return f"talking-face inspect {cure.removeprefix(_INSPECT).replace('FILE=', '', 1).replace('$$', '$')}"
    return cure.replace("python predict.py", "talking-face predict")


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
        parts = [found]
        if expected:
            parts.append(f"expected {expected}")
        if cure:
            parts.append(f"try: {from_here(cure)}")
        super().__init__(f"{in_one_line(str(where))}: {in_one_line('; '.join(parts).replace(chr(10), ' '))}")
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
