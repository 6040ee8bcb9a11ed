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

from core.errors import InputError
from core.stage import say, stage

HOST, PORT = "127.0.0.1", 7860


@stage(reads="photos, speech and texts, uploaded", writes="nothing that lasts; prints the address of the page",
       examples=("python app.py", "python app.py --port 8000"))
@click.option("--host", default=HOST, help="Who may connect: 127.0.0.1 is this machine alone, 0.0.0.0 is everybody.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, help="Where the page is.")
def main(host, port):
    """Serve the page until Ctrl-C."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container is stopped by it
    with tempfile.TemporaryDirectory(prefix="talking-face-", ignore_cleanup_errors=True) as folder:
        os.environ.update(GRADIO_TEMP_DIR=str(Path(folder) / "uploads"), GRADIO_ANALYTICS_ENABLED="False", MPLBACKEND="Agg")
        tempfile.tempdir = folder
        from starlette.middleware import Middleware

        from web.guard import Guard
        from web.job import warm_up
        from web.limits import MOST_MB
        from web.page import LOOKS, page
        try:
            _, address, _ = page().launch(
                server_name=host, server_port=port, share=False, inbrowser=False, quiet=True, prevent_thread_lock=True,
                max_file_size=f"{MOST_MB}mb", footer_links=[], run_history=False, enable_monitoring=False, ssr_mode=False,
                app_kwargs={"middleware": [Middleware(Guard)], "docs_url": None, "redoc_url": None}, **LOOKS)
        except OSError:
            raise InputError("--port", f"{port}, which is taken", "a free port", f"--port {port + 1}") from None
        click.echo(address)
        say(f"the page is ready ({time.monotonic() - began:.1f} s); Ctrl-C ends it")
        threading.Thread(target=warm_up, daemon=True).start()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
