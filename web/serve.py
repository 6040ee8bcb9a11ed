"""Serve a page on a port of this machine.

Reads: closed.html beside this file. Writes: nothing; prints the address.
"""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import click

from core.errors import InputError

PAGE_PORT, LIVE_PORT = 7860, 7861
LOOPBACK = "127.0.0.1"
KNOCK_S = 0.3
_CLOSED = Path(__file__).with_name("closed.html")
GOODBYE_S = 2  # for what is under way when the server is ended


def answers(port: int) -> bool:
    """True when something listens at a port of this machine."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), KNOCK_S):
        return True
    return False


def door(port: int, what: str, command: str) -> Callable:
    """An endpoint that leads to another page of this machine, at `port`, or says by which `command` it is begun.

    Parameters
    ----------
    what : the other page, in words
    """
    from starlette.responses import HTMLResponse, RedirectResponse

    def enter(request):
        if answers(port) and request.client and ipaddress.ip_address(request.client.host).is_loopback:
            return RedirectResponse(f"http://{LOOPBACK}:{port}/", 303)
        page = _CLOSED.read_text(encoding="utf-8").replace("WHAT", escape(what)).replace("COMMAND", escape(command))
        return HTMLResponse(page, 503)

    return enter


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises InputError when the port is taken, or the host is not this machine's."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except socket.gaierror:
        raise InputError("--host", f"{host}, which is no address of this machine", "127.0.0.1, or 0.0.0.0: everybody") from None
    except OSError:
        raise InputError("--port", f"{port}, which cannot be had on {host}", "a free port", f"--port {port + 1}") from None


def serve(app: Any, ours: socket.socket, host: str) -> None:
    """Print the address and serve `app` on the socket `ours` until Ctrl-C."""
    import uvicorn
    place = f"[{host}]" if ":" in host else host
    click.echo(f"http://{place}:{ours.getsockname()[1]}/")
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=GOODBYE_S,
                            proxy_headers=False)  # anybody could write another address into them
    uvicorn.Server(config).run(sockets=[ours])
