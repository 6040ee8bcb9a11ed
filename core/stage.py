"""What every command shares: help with a Reads/Writes footer, errors in one line, progress, one run at a time."""

import contextvars
import errno
import functools
import io
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem
from filelock import FileLock, Timeout

from core.errors import NEEDS_ROOM, STOPPED, InputError
from core.events import Event, Failed, Message, Progress, StageStarted, Warned
from core.processes.child import start_in_child

# Of this thread; None: a person at a terminal
_LISTENER: contextvars.ContextVar[Callable[[Event], None] | None] = contextvars.ContextVar("listener", default=None)
REPORT_EVERY_S = 0.25
# Packages of the extras
NOT_IN_BASE = ("distributed", "gradio", "h5py", "imageio", "librosa", "tensorboard", "tensorflow", "torch", "websockets")
_QUIET = click.option("--quiet", is_flag=True, help="Say nothing but warnings and errors.")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # our own lines only


def is_dashed_path(word: str) -> bool:
    """Whether a word that begins with a dash, and is no option, is a path: such a file is there, or it has an ending."""
    return len(word) > 1 and word.startswith("-") and (os.path.lexists(word) or bool(Path(word.partition("=")[0]).suffix))


class PathCommand(click.Command):
    """A command in which a path is a path, also where its name begins with a dash and no `--` stands before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the command line, names that begin with a dash written as ./-NAME."""
        options = {name: part for part in self.get_params(ctx) if isinstance(part, click.Option)
                   for name in (*part.opts, *part.secondary_opts)}
        end, takes_value, told = args.index("--") if "--" in args else len(args), False, []
        for word in args[:end]:
            option = options.get(_either_spelling(word.partition("=")[0]))
            told.append(f"./{word}" if not takes_value and not option and is_dashed_path(word) else word)
            takes_value = option is not None and not (takes_value or "=" in word or option.is_flag or option.count)
        return super().parse_args(ctx, told + args[end:])


def with_options(*options: Callable[[Callable], Callable]) -> Callable[[Callable], Callable]:
    """Decorate a command with click options, in this order."""
    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def completing(*words: str, files: bool = False) -> Callable[[Any, Any, str], list[CompletionItem]]:
    """The `shell_complete` of a click option that takes one of `words`, or a file too."""
    def complete(_context, _parameter, incomplete):
        found = [CompletionItem(word) for word in words if word.startswith(incomplete)]
        return [CompletionItem(incomplete, type="file"), *found] if files else found  # a file last makes bash forget the others

    return complete


def stage(*, reads: str, writes: str, examples: tuple = ()) -> Callable[[Callable], click.Command]:
    """Turn a function with click options into a command.

    Its docstring becomes the help page, followed by examples and what it reads and writes. Functions raise; this
    wrapper reports: one line on standard error and exit status 1 for a user's mistake, no traceback. Each command has --quiet.
    """

    def wrap(function):
        def run(args, kwargs, quiet):
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="surrogateescape")  # names that are no UTF-8 are printed as they are
            if quiet:
                listen(_tell_what_matters)
            try:
                return function(*args, **kwargs)
            except InputError as error:
                _fail(str(error))
            except ModuleNotFoundError as error:
                package = (error.name or "").partition(".")[0]
                if package not in NOT_IN_BASE:
                    raise
                _fail(str(InputError(package, "not installed", "what this needs beside the base", f"pip install {package}")))
            except KeyboardInterrupt:
                _fail(STOPPED, 130)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EISDIR,
                                       errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG):
                    raise
                _fail(f"{error.filename2 or error.filename or 'output'}: {error.strerror}; expected {NEEDS_ROOM}")

        @functools.wraps(function)
        def command(*args, quiet, **kwargs):
            with _unwind_on_signal(), warnings.catch_warnings():
                if not sys.warnoptions:  # our own lines only, of processes that are started too
                    warnings.simplefilter("ignore")
                    os.environ.setdefault("PYTHONWARNINGS", "ignore")
                # a listener of one command is not the next one's
                return contextvars.copy_context().run(run, args, kwargs, quiet)

        lines = ["\b", "Examples:", *(f"  {line}" for line in examples), "", "\b"] if examples else ["\b"]
        epilog = "\n".join([*lines, f"Reads:   {reads}", f"Writes:  {writes}"])
        return click.command(cls=PathCommand, epilog=epilog, context_settings={
            "help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100,
            "token_normalize_func": _either_spelling})(_QUIET(command))

    return wrap


@contextmanager
def _unwind_on_signal():
    """While a command runs, being told to end (SIGTERM, SIGHUP) unwinds it: temporary files go, children end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number, _frame):
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _either_spelling(option: str) -> str:
    """--result_dir is --result-dir."""
    return option.replace("_", "-")


def _tell_what_matters(event):
    """The listener of --quiet: warnings and errors alone are told."""
    if isinstance(event, (Warned, Failed)):
        click.echo(str(event), err=True)


def _fail(message, status=1):
    tell(Failed(message))
    sys.exit(status)


def tell(event: Event) -> None:
    """Hand one of `core.events` to who listens in this thread; when nobody does, a person reads it on standard error."""
    if listener := _LISTENER.get():
        listener(event)
    else:
        click.echo(str(event), err=True)


def listen(listener: Callable[[Event], None] | None) -> None:
    """From now on hand all talk of this thread to `listener`, and write none to standard error; None ends it.

    `listener` is a function of an event, see `core.events`.
    """
    _LISTENER.set(listener)


def overheard(work: Callable[[], Any]) -> tuple[Any, list[Event]]:
    """What `work()` returns, and what it told meanwhile, which nobody else has heard; all of it is told if it fails."""
    told: list[Event] = []

    def run():
        listen(told.append)
        return work()

    try:
        return contextvars.copy_context().run(run), told
    except InputError:
        for event in told:
            tell(event)
        raise


def retell(overheard_result: tuple[Any, list[Event]]) -> Any:
    """Tell now what `overheard` heard; the result of the work."""
    result, told = overheard_result
    for event in told:
        tell(event)
    return result


def start_aside(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin `work()` as `start_in_child`; a function that waits, tells all, and returns what came of it."""
    wait = start_in_child(overheard, work)
    return lambda: retell(wait())


def say(message: str) -> None:
    """Talk to the person: standard error. Standard output is for results."""
    tell(Message(message))


def begin(name: str, number: int, n_stages: int) -> None:
    """Say that stage `number` of `n_stages` begins."""
    tell(StageStarted(name, number, n_stages))


def _report_progress(items, label, n_items, listener):
    """Pass `items` on, and tell `listener` how many have been used."""
    began = reported = time.monotonic()
    for i, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - reported >= REPORT_EVERY_S or i == n_items:
            reported, done = now, min(1.0, i / n_items)  # how many there are may be a guess
            listener(Progress(label, round(done, 4), round((now - began) * (1 / done - 1), 1)))


@contextmanager
def progress(items: Any, label: str, n_items: int | None = None) -> Iterator[Any]:
    """A bar with the time left on standard error; nothing at all when that is not a terminal."""
    if listener := _LISTENER.get():
        yield _report_progress(items, label, n_items or len(items), listener)
        return
    shown = sys.stderr if sys.stderr.isatty() else io.StringIO()  # where click would leave the bare label
    with click.progressbar(items, length=n_items, label=label, file=shown, show_pos=True, width=24) as bar:
        yield bar


@contextmanager
def only_one(folder: str | Path) -> Iterator[Path]:
    """Hold `folder` for one run: a second one that would write there is refused at once."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / ".lock", timeout=0).acquire()  # released by the system when the process ends
    except Timeout:
        raise InputError(folder, "another run is writing here", "one run at a time",
                         "wait for it, or name another output folder") from None
    with lock:
        yield folder
