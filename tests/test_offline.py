"""Nothing opens a connection out of this machine: what Python audits of sockets, in processes that do the work.

What makes videos is guarded so in `test_front.py`, which imports `GUARD`; here it is the page: its framework would phone home.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import ROOT

GUARD = """
import sys
def _watch(event, arguments):
    if event == "socket.connect":
        place = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        place = arguments[:1]
    else:
        return
    host = place[0] if isinstance(place, tuple) else place  # a path: a socket of this machine
    if isinstance(host, bytes):
        host = host.decode()
    if isinstance(place, tuple) and host not in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None):
        with open(TRIED, "a") as file:
            file.write(f"{event} {place}\\n")
        raise OSError(f"no connection out: {place}")
sys.addaudithook(_watch)
"""
QUIET = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO_", "HF_"))}


@pytest.mark.parametrize("code, told", [
    ("import socket; socket.create_connection(('192.0.2.1', 80), 0.1)", "192.0.2.1"),
    ("import urllib.request as u; u.urlopen('http://nowhere.example/')", "nowhere.example"),
    ("import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())", "")])
def test_the_guard_sees_connections_out_and_no_others(tmp_path, code, told):
    tried = tmp_path / "tried"
    subprocess.run([sys.executable, "-c", f"TRIED = {str(tried)!r}\n{GUARD}\n{code}"], capture_output=True)
    assert (told in tried.read_text()) if told else not tried.exists()


def test_the_page_opens_no_connection_out(tmp_path):
    pytest.importorskip("gradio")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tried = tmp_path / "tried"
    code = f"TRIED = {str(tried)!r}\n{GUARD}\nimport app; app.main(['--port', '{port}'])"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env={**QUIET, "PYTHONPATH": str(ROOT)}) as process:
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=120) as answer:
            assert b"Talking face" in answer.read()
        time.sleep(1)  # what phones home does so from a thread
        process.terminate()
    assert not tried.exists(), tried.read_text()
