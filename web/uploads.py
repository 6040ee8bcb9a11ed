"""Uploads of visitors: owner, quota, and that a video is made of one's own uploads alone.

Reads, writes: nothing; the files are Gradio's.
A request names a photo by its path on the server. It counts when this very client was told that path in answer to an upload;
any other path, link, address or spelling gets one and the same refusal, which says nothing of what exists.
"""

import json
import os
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from web.guard import NOT_HERE, Refusal

COOKIE = "talking-face"
KEPT_S = 3600  # uploads and results are removed after so long
MOST_MB_CLIENT, MOST_MB_SERVER = 300, 2000  # of uploads that are kept
MOST_UPLOADS = 100  # of a client, that are kept
NOT_YOURS = Refusal(403, "no such upload of yours; choose the file again")
_TOO_MUCH = Refusal(429, f"too many uploads: at most {MOST_MB_CLIENT} MB and {MOST_UPLOADS} files an hour")
_FULL = Refusal(503, "the server holds as many uploads as it may; come back in an hour")
_UPLOAD, _FILE = "/gradio_api/upload", "/gradio_api/file="
_MB = 1_000_000


@dataclass
class _Upload:
    when: float
    client: str
    owner: str
    n_bytes: int
    paths: tuple = ()


def _client(scope) -> str:
    return (scope.get("client") or ("?",))[0]


def _cookie(scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                return SimpleCookie(value.decode("latin-1"))[COOKIE].value
            except (KeyError, CookieError):
                pass
    return ""


class Uploads:
    """ASGI middleware that keeps the ledger, inside of `Guard`; `allow` and `count` are rules of it.

    Parameters
    ----------
    app : Gradio's
    folder : the one that Gradio puts uploads and results in
    file_inputs : {number of an event: positions of its inputs that are files; path of an API function: their names}
    shared : paths that everybody may name: the examples
    """

    def __init__(self, app, folder, file_inputs: dict, shared: Collection = ()):
        self.app, self.folder, self.file_inputs, self.held = app, Path(os.path.realpath(folder)), file_inputs, []
        self.shared = frozenset(shared)

    def _owner(self, scope) -> str:
        """Who asks: the holder of our cookie, else the address."""
        return _cookie(scope) or f"address {_client(scope)}"

    def _forget(self):
        self.held = [upload for upload in self.held if time.monotonic() - upload.when < KEPT_S]

    def allow(self, scope, body):
        """Refuse a request that names files which this client did not upload, and files outside of the folder."""
        if scope["path"].startswith(_FILE):
            path = scope["path"].removeprefix(_FILE)
            if "\0" in path or not Path(os.path.realpath(path)).is_relative_to(self.folder):
                raise NOT_HERE
        given = self._given(scope["path"].rstrip("/"), body)
        self._forget()
        mine = {path for upload in self.held if upload.owner == self._owner(scope) for path in upload.paths} | self.shared
        for value, is_file in given:
            if is_file and value is not None and not self._is_mine(value, mine):
                raise NOT_YOURS
            if not is_file and isinstance(value, (dict, list)):
                raise NOT_YOURS

    def _given(self, path, body) -> list:
        """What an event or an API function is given, (value, whether it is to be a file)."""
        if path in self.file_inputs:
            if not isinstance(body, dict):
                raise NOT_YOURS
            return [(value, name in self.file_inputs[path]) for name, value in body.items()]
        if not isinstance(body, dict) or "data" not in body:
            return []
        data, number = body["data"], body.get("fn_index")
        positions = self.file_inputs.get(number, ()) if isinstance(number, int) else ()
        if not isinstance(data, list):
            raise NOT_YOURS
        return [(value, position in positions) for position, value in enumerate(data)]

    def _is_mine(self, value, mine) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("path"), str) or value["path"] not in mine:
            return False
        path = Path(value["path"])
        return path.is_file() and Path(os.path.realpath(path)).is_relative_to(self.folder)

    def count(self, scope, body):
        """Refuse an upload beyond the limits of a client, or of the server."""
        if scope["path"] != _UPLOAD:
            return
        self._forget()
        announced = dict(scope["headers"]).get(b"content-length", b"")
        self._check_room(_client(scope), int(announced) if announced.isdigit() else 0, 1)

    def _check_room(self, client, n_bytes, n_more=0):
        mine = [upload for upload in self.held if upload.client == client]
        if sum(upload.n_bytes for upload in mine) + n_bytes > MOST_MB_CLIENT * _MB or len(mine) + n_more > MOST_UPLOADS:
            raise _TOO_MUCH
        if sum(upload.n_bytes for upload in self.held) + n_bytes > MOST_MB_SERVER * _MB:
            raise _FULL

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        owner, new = self._owner(scope), ""
        if not _cookie(scope) and scope["method"] == "GET" and scope["path"] == "/":
            new = secrets.token_urlsafe(24)

        async def send_with_cookie(message):
            if new and message["type"] == "http.response.start":
                crumb = f"{COOKIE}={new}; Path=/; HttpOnly; SameSite=Strict".encode()
                message = {**message, "headers": [*message["headers"], (b"set-cookie", crumb)]}
            await send(message)

        if scope["path"] == _UPLOAD and scope["method"] == "POST":
            await self._upload(scope, receive, send, owner)
        else:
            await self.app(scope, receive, send_with_cookie)

    async def _upload(self, scope, receive, send, owner):
        """Pass an upload on, counted as it comes, and note the paths that it was given."""
        upload, said, good = _Upload(time.monotonic(), _client(scope), owner, 0), b"", False
        self.held.append(upload)

        async def counted():
            message = await receive()
            upload.n_bytes += len(message.get("body", b""))
            try:
                self._check_room(upload.client, 0)
            except Refusal:
                return {"type": "http.disconnect"}  # more came than was announced: the server hears no more of it
            return message

        async def noted(message):
            nonlocal said, good
            if message["type"] == "http.response.start":
                good = message["status"] == 200
            elif message["type"] == "http.response.body":
                said += message.get("body", b"")
                if good and not message.get("more_body"):
                    upload.paths = tuple(path for path in json.loads(said) if isinstance(path, str))
            await send(message)

        await self.app(scope, counted, noted)
