"""The one error a user can cause: what file, what was found, what was expected, what cures it."""

from pathlib import Path

NEEDS_ROOM = "a place that can be written, with room"


def absent(path) -> str:
    """What is at `path`, in words, when it is not the file that was expected."""
    path = Path(path)
    return "a folder" if path.is_dir() else "not a plain file" if path.exists() else "no such file"


class InputError(Exception):
    """A user's mistake, said in one line; commands print it and exit with status 1.

    Parameters
    ----------
    where : the file or option at fault
    found : what is there
    expected : what should be there
    cure : a command or step that mends it
    """

    def __init__(self, where, found: str, expected: str = "", cure: str = ""):
        parts = [f"{where}: {found}"]
        if expected:
            parts.append(f"expected {expected}")
        if cure:
            parts.append(f"try: {cure}")
        super().__init__("; ".join(parts).replace("\n", " "))
        self.where, self.found, self.expected, self.cure = str(where), found, expected, cure

    def __reduce__(self):  # worker processes send errors home
        return InputError, (self.where, self.found, self.expected, self.cure)
