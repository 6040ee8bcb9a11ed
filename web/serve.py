"""A server of ours on a port of this machine, for both pages.

Reads, writes: nothing; prints the address.
"""

import socket
from typing import Any

import click

from core.errors import InputError

GOODBYE_S = 2  # for what is under way when the server is ended


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
