"""Where a video goes: a file, a folder of pictures (NAME/), standard output (-), or a server (a URL).

Reads, writes: nothing.
"""

import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from core import artifacts
from core.errors import InputError
from core.files import read_json
from core.media.formats import FORMATS, RAW, Format, format_of
from core.stage import with_options

PICTURES = Format((), {}, see_through=True)  # written by Pillow, see `core.media.out.pictures`
LIST = "frames.json"  # in a folder of pictures: what they are
_LIVE = replace(FORMATS[".mp4"], options=("-vcodec", "libx264", "-preset", "veryfast", "-tune", "zerolatency"))
_CONTAINERS = {"rtmp": "flv", "rtmps": "flv", "rtsp": "rtsp", "srt": "mpegts", "tcp": "mpegts", "udp": "mpegts"}  # of schemes
_FILES = {".ts": "mpegts", ".flv": "flv", ".mkv": "matroska", ".mp4": "mp4"}  # of file: URLs, the endings
_URLS = f"{', '.join(f'{scheme}://' for scheme in _CONTAINERS)} and a host, or file: and a name in {' '.join(_FILES)}"


@dataclass(frozen=True)
class Frames:
    """A folder of one .png a frame, 000001.png the first; without sound."""

    path: Path
    form: Format = PICTURES

    def __str__(self):
        return f"{self.path}/"


@dataclass(frozen=True)
class Stream:
    """Standard output, `url` empty, `descriptor` its own; or a server or file, at the speed at which it is watched.

    `container` is ffmpeg's name.
    """

    url: str = ""
    container: str = "mp4"
    form: Format = _LIVE
    descriptor: int = 1

    def __str__(self):
        """Without what follows the host: keys of streams are secret."""
        if not self.url or self.url.startswith("file:"):
            return self.url or "standard output"
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{(parts.netloc.rpartition('@')[2])}"


Target = Path | Frames | Stream


def target_of(given: str | Target) -> Target:
    """What `--output` names: - is standard output, NAME/ a folder of pictures, any other name a file."""
    if not isinstance(given, str):
        return given
    if given == "-":
        return Stream()
    return Frames(Path(given)) if given.endswith("/") else Path(given)


def stream_to(url: str) -> Stream:
    """What `--stream` names.

    Raises
    ------
    InputError : not one of these protocols, no host, no port that is one.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise InputError("--stream", f"no URL ({error})", _URLS) from None
    suffix = Path(parts.path).suffix.lower()
    if parts.scheme == "file" and not parts.netloc and suffix in _FILES:
        return Stream(url, _FILES[suffix])
    if parts.scheme in ("tcp", "udp", "srt") and not port:
        host = None
    if parts.scheme not in _CONTAINERS or not host or any(not letter.isprintable() or letter.isspace() for letter in url):
        raise InputError("--stream", repr(str(Stream(url)) if host else url), _URLS)
    return Stream(url, _CONTAINERS[parts.scheme])


def form_of(target: Target) -> Format:
    """How its pictures are written."""
    return format_of(target) if isinstance(target, Path) else target.form


def kind_of(target: Target) -> str:
    """What it is, for a message."""
    if isinstance(target, Path):
        return f"a {target.suffix}"
    return "a folder of .png" if isinstance(target, Frames) else "a stream"


def place_of(target: Target) -> Path:
    """The path that files beside a target are named after."""
    return target if isinstance(target, Path) else target.path if isinstance(target, Frames) else Path("results/stream")


def files_of(target: Target) -> Path:
    """The folder of the files in between, where none is named."""
    place = place_of(target)
    return place.with_suffix("") if isinstance(target, Path) else place.with_name(f"{place.name}_files")


def check_target(target: Frames | Stream, force: bool = False) -> None:
    """Raise InputError for a folder that holds other things than our frames, and for a stream that cannot be one."""
    if isinstance(target, Frames):
        above = next((one for one in (target.path, *target.path.parents) if one.exists() and not one.is_dir()), None)
        if above:
            raise InputError(target, f"{above} is a file", "a folder that can be made")
        if target.path.is_dir() and (others := _others(target.path)):
            raise InputError(target, f"{others[0].name} is in it", "a new or empty folder, or frames of this tool")
    elif not target.url:
        if sys.stdout.isatty():
            raise InputError("--output", "-, and standard output is a terminal", "a pipe or a file, as in -o - | ffplay -")
    elif target.url.startswith("file:"):
        path = Path(target.url.removeprefix("file:"))
        if path.exists() and not stat.S_ISFIFO(path.stat().st_mode) and not force:
            raise InputError(target, "exists", "a new name", "--force to overwrite it")


def numbered(number: int) -> str:
    """The name of the picture of a frame, counted from 0."""
    return f"{number + 1:06d}.png"


def frames_of(folder: Path) -> list[Path]:
    """What this tool left in a folder, its list first; empty when it did not fill it. Raises InputError for a damaged list."""
    listed = folder / LIST
    if not listed.is_file() or artifacts.read_sidecar(listed).get("kind") != "talking-frames":
        return []
    n_frames = read_json(listed, "the list of the frames beside it").get("frames", 0)
    there = (folder / numbered(number) for number in range(n_frames))
    return [listed, artifacts.sidecar_path(listed), *(path for path in there if path.is_file())]


def _others(folder):
    ours = set(frames_of(folder))
    return sorted(path for path in folder.iterdir() if path not in ours)


class _TargetType(click.ParamType):
    """A click type: the text of `--output`."""

    name = "path"

    def convert(self, value, param, ctx):
        return target_of(value)

    def shell_complete(self, ctx, param, incomplete):
        from click.shell_completion import CompletionItem
        return [CompletionItem(incomplete, type="file")]


TARGET = _TargetType()
_CONTAINER_OF = {"mp4": "mp4", "y4m": "yuv4mpegpipe", "rawvideo": "rawvideo"}  # of what goes through a pipe
_stream_option = click.option("--stream", metavar="URL",
                             help="In place of --output: send it to rtmp://, srt://, ... as it is made.")
_format_option = click.option("--format", "piped", type=click.Choice(list(_CONTAINER_OF)), default="mp4",
                              help="Of --output -; y4m and rawvideo (rgb24) are pixels, silent.")


def stream_options(command: Callable) -> Callable:
    """`stream` and `piped` of a command, see `chosen`."""
    return with_options(_stream_option, _format_option)(command)


def chosen(output: Target | None, stream: str | None, piped: str = "mp4") -> Target | None:
    """What `--output` or `--stream` names, if one does; a pipe is in the format `piped`.

    Raises
    ------
    InputError : both are given, or what is no URL; or a format of a pipe, and none is there.
    """
    if output and stream:
        raise InputError("--output, --stream", "both given", "one of the two")
    if piped != "mp4":
        if not isinstance(output, Stream):
            raise InputError("--format", f"{piped}, without a pipe", "--output -", "the name of a file says its format")
        return replace(output, container=_CONTAINER_OF[piped], form=RAW[piped])
    return stream_to(stream) if stream else output
