"""Fetching from a server in this process: broken connections, wrong sums, bad archives, full disks."""

import hashlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from conftest import command

from core.errors import InputError
from preprocess import fetch_ravdess
from preprocess.fetch_ravdess import RECORD, parse_actors

AUDIO, VIDEO_1, VIDEO_2 = "Audio_Speech_Actors_01-24.zip", "Video_Speech_Actor_01.zip", "Video_Speech_Actor_02.zip"


def archive(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return stream.getvalue()


def take(modality, actor, repetition=1):
    return f"Actor_{actor:02d}/{modality}-01-01-01-01-0{repetition}-{actor:02d}." + ("wav" if modality == "03" else "mp4")


class Handler(BaseHTTPRequestHandler):
    """A Zenodo of one record. `server.zenodo` says how it behaves and keeps a list of what was asked."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        zenodo, start = self.server.zenodo, 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        name = self.path.split("/files/")[-1].removesuffix("/content")
        zenodo.asked.append((name.rsplit("/", 1)[-1], start))
        if self.path == f"/api/records/{RECORD}":
            return self.answer(200, zenodo.record or json.dumps(self.listing(zenodo)).encode())
        if name not in zenodo.files or zenodo.gone:
            return self.answer(503, b"")
        content = zenodo.files[name]
        if start and zenodo.ranges:
            if start >= len(content):
                return self.answer(416, b"")
            return self.answer(206, content[start:], zenodo)
        return self.answer(200, content, zenodo)

    def listing(self, zenodo):
        base = f"http://127.0.0.1:{self.server.server_port}/api/records/{RECORD}/files"
        sums = {name: hashlib.md5(content).hexdigest() for name, content in zenodo.files.items()} | zenodo.sums
        return {"files": [{"key": name, "size": len(content), "checksum": f"md5:{sums[name]}",
                           "links": {"self": f"{base}/{name}/content"}} for name, content in zenodo.files.items()]}

    def answer(self, status, content, zenodo=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if zenodo and zenodo.cuts:  # the connection breaks in the middle
            content, self.close_connection = content[:zenodo.cuts.pop(0)], True
        self.wfile.write(content)


@pytest.fixture
def zenodo():
    """A server holding sound of three actors and videos of two."""
    files = {
        AUDIO: archive({take("03", actor): bytes([actor]) * 3000 for actor in (1, 2, 3)}),
        VIDEO_1: archive({take("01", 1): b"v" * 50_000, take("02", 1): b"w" * 40_000}),
        VIDEO_2: archive({take("01", 2): b"x" * 1000, "__MACOSX/._junk": b"junk"}),
        "Video_Song_Actor_01.zip": b"song", "Audio_Song_Actors_01-24.zip": b"song"}
    about = SimpleNamespace(files=files, sums={}, asked=[], ranges=True, cuts=[], gone=False, record=b"")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.zenodo, server.daemon_threads = about, True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    about.base = f"http://127.0.0.1:{server.server_port}"
    yield about
    server.shutdown()
    server.server_close()


def fetch(zenodo, out, *arguments):
    return command(fetch_ravdess.main, "--base", zenodo.base, "--out", out, *arguments)


def recordings(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*-*.*") if p.parent != folder)


def refused(result, *words):
    assert result.exit_code == 1 and not isinstance(result.exception, (OSError, InputError))
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and all(word in last for word in words), result.stderr


def test_actors():
    assert parse_actors("1-3,7, 24") == {1, 2, 3, 7, 24} and len(parse_actors("1-24")) == 24
    for bad in ("", "0", "25", "3-1", "a", "1-", "1;2"):
        with pytest.raises(InputError, match="--actors"):
            parse_actors(bad)


def test_it_fetches_and_unzips_and_then_rests(zenodo, tmp_path):
    result = fetch(zenodo, tmp_path, "--actors", "1-2")
    assert result.exit_code == 0 and result.stdout.strip() == str(tmp_path), result.stderr
    assert recordings(tmp_path) == sorted([take("01", 1), take("02", 1), take("03", 1), take("01", 2), take("03", 2)])
    assert (tmp_path / take("01", 1)).read_bytes() == b"v" * 50_000
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*") if p.is_file()}
    zenodo.asked.clear()
    assert fetch(zenodo, tmp_path, "--actors", "1-2").exit_code == 0
    assert zenodo.asked == [(str(RECORD), 0)], "a second call asks for the list only"
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*") if p.is_file()} == stamps
    (tmp_path / take("01", 2)).unlink()
    assert fetch(zenodo, tmp_path, "--actors", "1-2").exit_code == 0 and (tmp_path / take("01", 2)).is_file()


@pytest.mark.parametrize("option, expected", [("--audio-only", [take("03", 1)]), ("--videos", [take("01", 1), take("02", 1)])])
def test_a_part_of_it(zenodo, tmp_path, option, expected):
    assert fetch(zenodo, tmp_path, "--actors", "1", option).exit_code == 0
    assert recordings(tmp_path) == expected


def test_a_dry_run_writes_nothing(zenodo, tmp_path):
    result = fetch(zenodo, tmp_path / "out", "--dry-run")
    assert result.exit_code == 0 and not list(tmp_path.iterdir())
    assert all(name in result.stdout for name in (AUDIO, VIDEO_1, VIDEO_2)) and "Song" not in result.stdout
    assert [name for name, _ in zenodo.asked] == [str(RECORD)]


def test_a_broken_connection_is_taken_up_again(zenodo, tmp_path):
    zenodo.cuts = [20_000, 30_000]
    assert fetch(zenodo, tmp_path, "--actors", "1", "--videos").exit_code == 0
    assert [start for name, start in zenodo.asked if name == VIDEO_1] == [0, 20_000, 50_000]
    assert (tmp_path / VIDEO_1).read_bytes() == zenodo.files[VIDEO_1]


def test_a_later_call_goes_on_from_the_part(zenodo, tmp_path):
    zenodo.cuts = [20_000, 0]
    refused(fetch(zenodo, tmp_path, "--actors", "1", "--videos"), VIDEO_1, "20000 of", "goes on from here")
    assert (tmp_path / (VIDEO_1 + ".part")).stat().st_size == 20_000 and not recordings(tmp_path)
    zenodo.asked.clear()
    assert fetch(zenodo, tmp_path, "--actors", "1", "--videos").exit_code == 0
    assert (VIDEO_1, 20_000) in zenodo.asked and (VIDEO_1, 0) not in zenodo.asked
    assert (tmp_path / VIDEO_1).read_bytes() == zenodo.files[VIDEO_1] and not list(tmp_path.glob("*.part"))


def test_a_server_without_ranges_starts_over(zenodo, tmp_path):
    (tmp_path / (VIDEO_1 + ".part")).write_bytes(b"?" * 5000)
    zenodo.ranges = False
    result = fetch(zenodo, tmp_path, "--actors", "1", "--videos")
    assert result.exit_code == 0 and "starting over" in result.stderr
    assert (tmp_path / VIDEO_1).read_bytes() == zenodo.files[VIDEO_1]


def test_a_part_longer_than_the_file_is_dropped(zenodo, tmp_path):
    (tmp_path / (VIDEO_1 + ".part")).write_bytes(b"?" * 500_000)
    assert fetch(zenodo, tmp_path, "--actors", "1", "--videos").exit_code == 0
    assert (tmp_path / VIDEO_1).read_bytes() == zenodo.files[VIDEO_1]


def test_a_wrong_sum_is_said_and_deleted(zenodo, tmp_path):
    zenodo.sums[VIDEO_1] = "0" * 32
    refused(fetch(zenodo, tmp_path, "--actors", "1", "--videos"), VIDEO_1, "MD5", "deleted")
    assert not list(tmp_path.glob("*.zip*")) and not recordings(tmp_path)
    zenodo.sums.clear()
    assert fetch(zenodo, tmp_path, "--actors", "1", "--videos").exit_code == 0


def test_members_stay_inside_the_folder(zenodo, tmp_path):
    out = tmp_path / "raw"
    zenodo.files[VIDEO_1] = archive({"../" + take("01", 1): b"out"})
    refused(fetch(zenodo, out, "--actors", "1", "--videos"), VIDEO_1, "outside the folder")
    assert not recordings(tmp_path) and [p.name for p in tmp_path.iterdir()] == ["raw"]


def test_what_is_no_archive(zenodo, tmp_path):
    zenodo.files[VIDEO_1] = b"this is not a ZIP"
    refused(fetch(zenodo, tmp_path, "--actors", "1", "--videos"), VIDEO_1, "ZIP", "delete")


def test_servers_that_do_not_answer(zenodo, tmp_path):
    zenodo.gone = True
    refused(fetch(zenodo, tmp_path, "--actors", "1"), "503")
    zenodo.record = b"<html>welcome</html>"
    refused(fetch(zenodo, tmp_path), "not the record of a Zenodo server")
    refused(command(fetch_ravdess.main, "--base", "http://127.0.0.1:1", "--out", tmp_path), "not reached")
    refused(command(fetch_ravdess.main, "--base", "file:///etc", "--out", tmp_path), "not a web address")


def test_no_room(zenodo, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_ravdess.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    refused(fetch(zenodo, tmp_path, "--actors", "1"), "GB free", "--audio-only")
    assert [name for name, _ in zenodo.asked] == [str(RECORD)] and not list(tmp_path.glob("*.zip*"))
