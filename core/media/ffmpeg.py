"""The one place that starts ffmpeg: how a path is given to it, and whether it ended well.

Reads, writes: what its arguments say. The program comes with the package imageio-ffmpeg.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_GAP_S = 600  # in a .ts; ffmpeg takes a longer one for a joint of two recordings, and closes it up
PIPE_BYTES = 2**20  # large pieces: who writes and who reads wait for each other less often
SAID_CHARS = 100  # of its last line are told


@dataclass
class Process:
    """A running ffmpeg. Once it has ended, `failure` says why it failed, "" when it did not, and `said` is all it said."""

    stdin: Any  # a binary stream where one was asked for
    stdout: Any
    failure: str = ""
    said: str = ""


def url(path: str | Path) -> str:
    """A path as ffmpeg takes it: never an option, a protocol, or a pattern, whatever characters are in it."""
    return f"file:{path}"


def _reason(said: str, status: int) -> str:
    """The last line ffmpeg said, without its addresses."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    if not lines:
        return f"ffmpeg was ended by signal {-status}" if status < 0 else f"ffmpeg ended with status {status}"
    return re.sub(r"\[[^]]*\] *", "", lines[-1]).replace("file:", "")[:SAID_CHARS]


@contextmanager
def running(arguments: Sequence[str], *, stdin: int | None = None, stdout: int | None = None) -> Iterator[Process]:
    """Run ffmpeg with `arguments` beside the block; wait for its end after it.

    It is not interrupted by Ctrl-C: the caller is, closes the pipes, and so ends it. What it says goes to a file, not a pipe: a
    damaged recording fills a pipe with complaints, and both sides wait.

    Yields
    ------
    `Process`; `failure` is set once the block has ended
    """
    from imageio_ffmpeg import get_ffmpeg_exe
    command = [get_ffmpeg_exe(), "-v", "error", "-dts_delta_threshold", str(LONGEST_GAP_S), *([] if stdin else ["-nostdin"]),
               *arguments]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=stdout or subprocess.DEVNULL, stderr=said,
                                   process_group=0, pipesize=PIPE_BYTES)
        about = Process(process.stdin, process.stdout)
        try:
            yield about
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):  # what was still to be written is lost; its exit status says so
                        pipe.close()
            status = process.wait()
            said.seek(0)
            about.said = said.read().decode(errors="replace")
            about.failure = _reason(about.said, status) if status else ""


def run(arguments: Sequence[str]) -> str:
    """Run ffmpeg to its end; return why it failed, "" when it did not."""
    with running(arguments) as process:
        pass
    return process.failure
