"""Middleware of both servers: hosts, origins, an allow-list of routes, security headers.

Reads, writes: nothing.
A page of another site that is open in the visitor's browser must get nothing and change nothing here, under whatever name it
reaches this machine (DNS rebinding): the Host is one of ours, an Origin is the Host itself, and no header lets others read.
"""

import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

NAMES = ("localhost",)  # beside IP addresses, which no other site's name can stand for
MOST_BODY_BYTES = 1_000_000  # of a request that is no upload
_POLICY = ("default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
           "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
           "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'")
_ADDED = ((b"content-security-policy", _POLICY.encode()), (b"x-frame-options", b"DENY"),
          (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"),
          (b"cross-origin-resource-policy", b"same-origin"))
_UPLOAD_TYPE = b"multipart/form-data"  # whatever else is sent may be read as JSON, by whichever name it goes
_READABLE_BY_OTHERS = b"access-control-"
_OURS_ALONE = {b"same-origin", b"none"}  # values of Sec-Fetch-Site: by our own page, or typed by the visitor


@dataclass(frozen=True)
class Refusal(Exception):
    """An answer in place of the one that was asked for."""

    status: int
    detail: str


NOT_HERE = Refusal(404, "not found")
_WRONG_HOST, _FOREIGN = Refusal(400, "this server has another name"), Refusal(403, "asked by a page of another site")
_TOO_LARGE = Refusal(413, "too much in one request")


@dataclass
class Guard:
    """ASGI middleware.

    Parameters
    ----------
    app : what is guarded
    names : host names the server answers to, beside IP addresses
    open_paths : paths that exist, beginnings of paths where they end in `*`; None: all
    rules : functions (scope, body) that raise `Refusal`; `body` is the JSON of a POST, None of others
    """

    app: Callable
    names: tuple = NAMES
    open_paths: tuple | None = None
    rules: tuple = field(default=())

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            self._check_asker(scope)
            if scope["type"] == "http":
                receive = await self._checked(scope, receive)
        except Refusal as refusal:
            await _refuse(scope, send, refusal)
            return

        async def send_safely(message):
            if message["type"] == "http.response.start":
                given = [pair for pair in message.get("headers", ()) if not pair[0].lower().startswith(_READABLE_BY_OTHERS)]
                message = {**message, "headers": [*given, *_ADDED]}
            await send(message)

        await self.app(scope, receive, send_safely)

    def _check_asker(self, scope):
        headers = scope["headers"]
        hosts, origins, sites = ([value for name, value in headers if name == wanted]
                                 for wanted in (b"host", b"origin", b"sec-fetch-site"))
        if len(hosts) != 1 or not _is_ours(hosts[0].decode("latin-1"), self.names):
            raise _WRONG_HOST
        if origins and [urlsplit(origin.decode("latin-1")).netloc for origin in origins] != [hosts[0].decode("latin-1")]:
            raise _FOREIGN
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if (scope["type"] == "websocket" and not origins) or (changes and set(sites) - _OURS_ALONE):
            raise _FOREIGN
        if self.open_paths is not None and not any(_fits(scope["path"], path) for path in self.open_paths):
            raise NOT_HERE

    async def _checked(self, scope, receive):
        """Let the rules look at a request; return what gives its body to the app."""
        types = [value for name, value in scope["headers"] if name == b"content-type"]
        if scope["method"] != "POST" or (types and all(value.startswith(_UPLOAD_TYPE) for value in types)):
            for rule in self.rules:
                rule(scope, None)
            return receive
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return receive
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > MOST_BODY_BYTES:
                raise _TOO_LARGE
        try:
            content = json.loads(body or b"null")
        except (ValueError, RecursionError):
            raise Refusal(400, "no JSON") from None
        for rule in self.rules:
            rule(scope, content)
        told = False

        async def again():
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        return again


def _fits(path, pattern) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _is_ours(host, names) -> bool:
    """True for an IP address, or one of `names`, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return urlsplit(f"//{host}").hostname in names if "[" not in host else False


async def _refuse(scope, send, refusal):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
        return
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_ADDED]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
