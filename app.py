"""The page in a browser: a photo and a voice become a talking video. What `main.py` does, for people who do not type commands.

Reads: uploads. Writes: a temporary folder, gone when the server ends.
"""

import os
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import click

from core.stage import say, stage
from web.guard import NAMES
from web.serve import LIVE_PORT, LOOPBACK, PAGE_PORT, bind, serve

HOST, PORT = LOOPBACK, PAGE_PORT


@stage(reads="photos, speech and texts, uploaded", writes="nothing that lasts; prints the address of the page",
       examples=("python app.py", "python app.py --port 8000", "python app.py --host 0.0.0.0 --allow-host faces.example"))
@click.option("--host", default=HOST, help="Who may connect: 127.0.0.1 is this machine alone, 0.0.0.0 is everybody.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, help="Where the page is.")
@click.option("--live-port", type=click.IntRange(1, 65535), default=LIVE_PORT, help="Where `make live` is, for the link to it.")
@click.option("--allow-host", multiple=True, metavar="NAME",
              help="A name that this server is reached by, beside localhost and IP addresses; may be repeated.")
def main(host, port, live_port, allow_host) -> None:
    """Serve the page until Ctrl-C."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container is stopped by it
    with bind(host, port) as ours, tempfile.TemporaryDirectory(prefix="talking-face-", ignore_cleanup_errors=True) as folder:
        os.environ.update(GRADIO_TEMP_DIR=str(Path(folder) / "uploads"), GRADIO_ANALYTICS_ENABLED="False", MPLBACKEND="Agg")
        tempfile.tempdir = folder
        from web.job import warm_up
        from web.page import site
        app = site(folder, (*NAMES, host, *allow_host), live_port)
        say(f"the page is ready ({time.monotonic() - began:.1f} s); Ctrl-C ends it")
        threading.Thread(target=warm_up, daemon=True).start()
        with suppress(KeyboardInterrupt):
            serve(app, ours, host)


if __name__ == "__main__":
    main()
