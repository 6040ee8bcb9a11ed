"""What every command shares: help with a Reads/Writes footer, errors in one line, progress, one run at a time."""

import errno
import fcntl
import functools
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import click

from core.errors import NEEDS_ROOM, InputError


def stage(*, reads: str, writes: str, examples: tuple = ()):
    """Turn a function with click options into a command.

    Its docstring becomes the help page, followed by examples and what it reads and writes. Functions raise; this
    wrapper reports: one line on standard error and exit status 1 for a user's mistake, no traceback.
    """

    def wrap(function):
        @functools.wraps(function)
        def command(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except InputError as error:
                _fail(str(error))
            except KeyboardInterrupt:
                _fail("stopped; the same command goes on from here", 130)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EISDIR,
                                       errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG):
                    raise
                _fail(f"{error.filename2 or error.filename or 'output'}: {error.strerror}; expected {NEEDS_ROOM}")

        lines = ["\b", "Examples:", *(f"  {line}" for line in examples), "", "\b"] if examples else ["\b"]
        epilog = "\n".join([*lines, f"Reads:   {reads}", f"Writes:  {writes}"])
        return click.command(epilog=epilog, context_settings={
            "help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100,
            "token_normalize_func": _either_spelling})(command)

    return wrap


def _either_spelling(option: str) -> str:
    """--result_dir is --result-dir."""
    return option.replace("_", "-")


def _fail(message, status=1):
    click.echo(f"error: {message}", err=True)
    sys.exit(status)


def say(message: str):
    """Talk to the person: standard error. Standard output is for results."""
    click.echo(message, err=True)


@contextmanager
def progress(items, label: str, n_items: int | None = None):
    """A bar with the time left on standard error; vanishes when that is not a terminal."""
    with click.progressbar(items, length=n_items, label=label, file=sys.stderr, show_pos=True, width=24) as bar:
        yield bar


@contextmanager
def only_one(folder):
    """Hold `folder` for one run: a second one that would write there is refused at once."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # released by the system when the process ends
        except OSError:
            raise InputError(folder, "another run is writing here", "one run at a time",
                             "wait for it, or name another output folder") from None
        yield folder
    finally:
        os.close(handle)
