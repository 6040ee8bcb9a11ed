"""Fetch RAVDESS: acted speech of 24 actors, sound and picture.

Reads: Zenodo record 1188976: its list of files with sizes and MD5 sums, then the files.
Writes: OUT/ARCHIVE.zip and OUT/Actor_NN/*.wav *.mp4. An archive that was cut short lies in OUT/ARCHIVE.zip.part; the
same command goes on from there, and leaves alone what is whole.
Source: Livingstone & Russo 2018, PLoS ONE 13(5); CC BY-NC-SA 4.0.
"""

import hashlib
import http.client
import json
import re
import shutil
import ssl
import urllib.error
import urllib.request
import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from core.errors import InputError
from core.files import whole_file
from core.stage import only_one, progress, say, stage
from preprocess.ravdess import parse_ravdess

RECORD = 1188976
N_ACTORS = 24
AUDIO_ARCHIVE = re.compile(r"Audio_Speech_Actors_01-24\.zip")
VIDEO_ARCHIVE = re.compile(r"Video_Speech_Actor_(\d\d)\.zip")
BLOCK = 1 << 20
TIMEOUT_S = 60
SPARE_BYTES = 100 << 20  # left free on the disk
AGAIN = "the same command goes on from here"


@dataclass(frozen=True)
class Archive:
    """A file of the record: `md5` in hexadecimal, `url` where it is fetched from."""

    name: str
    n_bytes: int
    md5: str
    url: str


def parse_actors(text: str) -> set:
    """Turn "1-3,7" into {1, 2, 3, 7}. Raises InputError outside 1-24."""
    actors = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= N_ACTORS:
            raise InputError(f"--actors {text}", f"{part.strip()!r}", f"numbers and ranges in 1-{N_ACTORS}, like 1-3,7")
        actors |= set(range(first, last + 1))
    return actors


def _open(url, start: int = 0):
    """Ask for `url` from byte `start` on. Raises InputError in one line for every way the network can fail."""
    if not url.startswith(("https://", "http://")):
        raise InputError(url, "not a web address", "https://...")
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left from `start` on
            return None
        raise InputError(url, f"the server answers {error.code} {error.reason}", "the file", f"later; {AGAIN}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise InputError(url, f"not reached ({reason})", "a network connection", f"later; {AGAIN}") from None


def list_archives(base: str) -> list:
    """The files of the record as `Archive`s."""
    url = f"{base.rstrip('/')}/api/records/{RECORD}"
    try:
        with _open(url) as answer:
            files = json.loads(answer.read())["files"]
        return [Archive(f["key"], int(f["size"]), f["checksum"].removeprefix("md5:"), f["links"]["self"]) for f in files]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        raise InputError(url, "not the record of a Zenodo server", "JSON with a list of files",
                         "--base https://zenodo.org") from None


def wanted_archives(archives: Iterable[Archive], actors: Collection[int], *, audio: bool = True, video: bool = True) -> list:
    """Those of `archives` that hold speech of `actors`."""
    def fits(name):
        match = VIDEO_ARCHIVE.fullmatch(name)
        return (video and int(match[1]) in actors) if match else (audio and AUDIO_ARCHIVE.fullmatch(name) is not None)
    return sorted((a for a in archives if fits(a.name)), key=lambda a: a.name)


def _fetch_rest(archive, part):
    """One connection: append to `part` what the server sends, until it ends or breaks; return the bytes gained."""
    start = part.stat().st_size if part.exists() else 0
    answer = _open(archive.url, start)
    if answer is None:
        return 0
    whole = start and answer.status != 206
    if whole:
        say(f"{archive.name}: the server cannot go on in the middle; starting over")
    with answer, open(part, "wb" if whole else "ab") as stream, \
            progress(None, archive.name, archive.n_bytes) as bar:
        bar.update(0 if whole else start)
        try:
            while block := answer.read(BLOCK):
                stream.write(block)
                bar.update(len(block))
        except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError):
            pass  # what came is kept; the caller asks for the rest
    return part.stat().st_size - start


def _md5(path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def fetch(archive: Archive, folder: str | Path) -> Path:
    """Bring `archive` into `folder`, going on where an earlier call stopped; return its path.

    Raises
    ------
    InputError : network gone, or a wrong checksum (then the part is deleted).
    """
    path = Path(folder) / archive.name
    if path.is_file() and path.stat().st_size == archive.n_bytes:
        return path  # it was checked before it got this name
    part = path.with_name(path.name + ".part")
    if part.is_file() and part.stat().st_size > archive.n_bytes:
        part.unlink()
    while (size := part.stat().st_size if part.exists() else 0) < archive.n_bytes:
        if _fetch_rest(archive, part) <= 0:
            raise InputError(path, f"the connection ended after {size} of {archive.n_bytes} bytes", "the whole file",
                             f"later; {AGAIN}")
    if (found := _md5(part)) != archive.md5:
        part.unlink()
        raise InputError(path, f"MD5 sum {found}; what was fetched is deleted", archive.md5,
                         "the same command fetches it again")
    part.replace(path)
    return path


def unpack(path: str | Path, folder: str | Path, actors: Collection[int]) -> int:
    """Unzip the recordings of `actors` from the archive `path` into `folder`; return how many were not there yet."""
    n_new, folder = 0, Path(folder).resolve()
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                about = parse_ravdess(Path(member.filename).stem)
                if not about or about["actor"] not in actors:
                    continue
                target = (folder / member.filename).resolve()
                if not target.is_relative_to(folder):
                    raise InputError(path, f"a member outside the folder: {member.filename}", "members inside",
                                     f"delete {path} and fetch it again")
                if target.is_file() and target.stat().st_size == member.file_size:
                    continue
                with archive.open(member) as source, whole_file(target) as part, open(part, "wb") as stream:
                    shutil.copyfileobj(source, stream, BLOCK)
                n_new += 1
    except (zipfile.BadZipFile, EOFError) as error:
        raise InputError(path, f"not readable as a ZIP archive ({error})", "the archive as published",
                         f"delete {path} and fetch it again") from None
    return n_new


def check_room(archives: Iterable[Archive], folder: str | Path) -> None:
    """Raise InputError when `folder` has no room for what is still to come: each archive, and its contents."""
    def missing(archive):
        path = Path(folder) / archive.name
        if path.is_file() and path.stat().st_size == archive.n_bytes:
            return 0
        part = path.with_name(path.name + ".part")
        return 2 * archive.n_bytes - (part.stat().st_size if part.is_file() else 0)  # videos do not shrink in a ZIP
    needed, free = sum(map(missing, archives)), shutil.disk_usage(folder).free
    if needed and needed + SPARE_BYTES > free:
        raise InputError(folder, f"{free / 1e9:.1f} GB free", f"{(needed + SPARE_BYTES) / 1e9:.1f} GB",
                         "fewer --actors, or --audio-only")


@stage(reads=f"Zenodo record {RECORD}", writes="OUT/ARCHIVE.zip, OUT/Actor_NN/*.wav, *.mp4",
       examples=("python -m preprocess.fetch_ravdess --actors 1 --dry-run", "python -m preprocess.fetch_ravdess --actors 1-3,7",
                 "python -m preprocess.fetch_ravdess --audio-only"))
@click.option("--actors", default="1-24", help="Numbers and ranges, like 1-3,7.")
@click.option("--audio-only", "wanted", flag_value="audio", help="Fetch the speech without the videos.")
@click.option("--videos", "wanted", flag_value="video", help="Fetch the videos, which have sound, without the audio files.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/raw"), help="Folder of the recordings.")
@click.option("--base", default="https://zenodo.org", help="Server that holds the record.")
@click.option("--dry-run", is_flag=True, help="List what would be fetched, with sizes, and stop.")
def main(actors, wanted, out, base, dry_run) -> None:
    """Fetch the RAVDESS recordings and unzip them; run it again to go on after a break."""
    actors = parse_actors(actors)
    archives = wanted_archives(list_archives(base), actors, audio=wanted != "video", video=wanted != "audio")
    if not archives:
        raise InputError(base, f"no archive of these actors in record {RECORD}", "RAVDESS", "--base https://zenodo.org")
    if dry_run:
        for archive in archives:
            click.echo(f"{archive.n_bytes / 1e6:9.1f} MB  {archive.name}")
        click.echo(f"{sum(a.n_bytes for a in archives) / 1e6:9.1f} MB  in all; about as much again once unzipped")
        return
    with only_one(out):
        check_room(archives, out)
        for archive in archives:
            n_new = unpack(fetch(archive, out), out, actors)
            say(f"{archive.name}: {n_new} new recordings")
    click.echo(out)


if __name__ == "__main__":
    main()
