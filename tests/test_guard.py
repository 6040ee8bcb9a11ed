"""The page over HTTP, as a stranger's program asks it: no file of others, no strange host or page, no full queue or disk.

One real server, started once; nothing here is a browser.
"""

import asyncio
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import uuid
import zipfile

import numpy as np
import pytest
from conftest import ROOT, portrait
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.media.video import probe, write_video
from web import api, uploads, waiting
from web.guard import MOST_BODY_BYTES, Guard, Refusal
from web.page import OPEN_PATHS

PHOTO_AT, VIDEO_AT, SPEECH_AT = 2, 3, 6  # of the event that makes a video: its inputs that are files
EARLIER = None  # what it is told of earlier videos: nothing, they are the server's
TEXT = "Hello."
# Of the controls, in their order
VALUES = ["espeak:en-in", "auto", "natural", "natural", 160, "none", "none", "", "sphinx", False, 256, "full", "low", 1, "",
          "pingpong", "cut", 0, False]
VOICE_AT, RATE_AT, SCALE_AT, SEED_AT = 0, 4, 13, 17
PEOPLE = ["Anna", "Ben", "", "", "", ""] + ["espeak:en-us", "espeak:en-gb"] * 3  # names and voices of the faces
N_OWN = 7 + len(PEOPLE)


class Client:
    """A visitor: an address, a cookie, a session."""

    def __init__(self, port):
        self.port, self.session, self.cookie = port, uuid.uuid4().hex, ""
        _, headers, _ = self.ask("GET", "/")
        self.cookie = headers["set-cookie"].split(";")[0]
        events = json.loads(self.ask("GET", "/config")[2])["dependencies"]
        self.make = next(event["id"] for event in events if len(event["inputs"]) == N_OWN + len(VALUES))

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        if self.cookie:
            headers.setdefault("Cookie", self.cookie)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def upload(self, content, name="me.png"):
        edge = uuid.uuid4().hex
        body = (f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
                f"Content-Type: image/png\r\n\r\n").encode() + content + f"\r\n--{edge}--\r\n".encode()
        of_type = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        status, _, said = self.ask("POST", "/gradio_api/upload", body, **of_type)
        return {"path": json.loads(said)[0], "meta": {"_type": "gradio.FileData"}} if status == 200 else status

    def join(self, photo, speech=None, source="A text", values=VALUES, of_type="application/json", video=None,
             picture="A photo", text=TEXT):
        body = {"data": [EARLIER, picture, photo, video, source, text, speech, *PEOPLE, *values], "fn_index": self.make,
                "session_hash": self.session, "event_data": None, "trigger_id": None}
        return self.ask("POST", "/gradio_api/queue/join", json.dumps(body).encode(), **{"Content-Type": of_type})

    def call(self, name="make", **given):
        """Ask the API for a video."""
        return self.ask("POST", api.PATHS[name], given)

    def result(self, job, name="make"):
        """What the API says at the end: the name of the event, and its data."""
        _, _, said = self.ask("GET", f"{api.PATHS[name]}/{job}")
        event, data = said.decode().strip().split("\n\n")[-1].split("\n")
        return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def listen(self):
        """Yield the messages about this visitor's jobs, until there are no more."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", f"/gradio_api/queue/data?session_hash={self.session}", headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        for line in answer:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])
        connection.close()


@pytest.fixture(scope="module")
def server():
    """Port of a running page, and its folder of uploads."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    assert process.stdout.readline().strip()
    yield port
    process.terminate()
    process.wait(60)
    process.stdout.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "secret.png"
    Image.fromarray(portrait()).save(path)
    return path


@pytest.fixture(scope="module")
def visitor(server, photo):
    visitor = Client(server)
    visitor.photo = visitor.upload(photo.read_bytes())
    return visitor


@pytest.fixture(scope="module")
def clip(visitor, tmp_path_factory):
    """A video without a face, uploaded."""
    path = write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", [np.zeros((64, 64, 3), np.uint8)] * 5)
    return visitor.upload(path.read_bytes(), "clip.mp4")


def test_an_uploaded_video_is_looked_at(visitor, clip):
    assert visitor.join(None, video=clip, picture="A video")[0] == 200
    said = json.dumps(list(visitor.listen()))
    assert "No video yet" in said and "clip.mp4" in said


def test_an_uploaded_photo_speaks(visitor):
    assert visitor.join(visitor.photo)[0] == 200
    messages = list(visitor.listen())
    done = next(message for message in messages if message["msg"] == "process_completed")
    assert done["success"] and "talking.mp4" in json.dumps(messages)


@pytest.mark.parametrize("of_type", ["application/json", "application/vnd.a+json", "APPLICATION/JSON", "text/json", ""])
def test_a_body_is_looked_at_whatever_it_is_called(visitor, photo, of_type):
    status, _, _ = visitor.join({"path": str(photo), "meta": {"_type": "gradio.FileData"}}, of_type=of_type)
    assert status == 403


def _foreign(photo, mine):
    """Ways to name a file that this visitor did not upload: 40 and more."""
    folder, name = os.path.split(mine)
    paths = [str(photo), "/etc/passwd", "/no/such/file.png", "/proc/self/environ", "/dev/zero", "/", "", ".", "..", "~/a.png",
             str(ROOT / "docs/gallery/portrait.jpg"), "docs/gallery/portrait.jpg", f"{folder}/../../../../{photo}",
             f"{folder}/../{os.path.basename(folder)}/{name}", f"{folder}//{name}", f"{folder}/./{name}", f"{mine}/",
             f"{mine}\0", f"{mine}%00.png", f"{mine} ", f" {mine}", mine.upper(), mine.replace("/", "%2F"),
             mine.replace("/", "\\"),
             f"file:{photo}", f"file://{photo}", f"file://{mine}", f"http://127.0.0.1{photo}", "https://example.com/a.png",
             "ftp://example.com/a.png", "data:image/png;base64,iVBORw0KGgo=", f"/gradio_api/file={photo}", f"file={photo}",
             "\\\\server\\share\\a.png", "//server/share/a.png", "a" * 5000, "\ud800", "/tmp", folder,
             "../" * 20 + "etc/passwd"]
    assert len(set(paths)) >= 40
    for meta in ({}, {"meta": {}}, {"meta": None}, {"meta": {"_type": "gradio.FileData"}}):
        yield from ({"path": path, **meta} for path in paths)
    yield from ({"url": str(photo)}, {"path": None, "url": "http://127.0.0.1:1/a.png"}, str(photo), mine, [mine],
                [{"path": mine}], {}, {"path": [mine]}, {"path": {"path": mine}}, 1, True)


@pytest.mark.parametrize("position", [PHOTO_AT, VIDEO_AT, SPEECH_AT])
def test_files_of_others_are_refused_in_one_wording(visitor, photo, position):
    link = os.path.join(os.path.dirname(visitor.photo["path"]), "link.png")
    os.symlink(photo, link)
    answers = set()
    try:
        for value in [*_foreign(photo, visitor.photo["path"]), {"path": link}]:
            files = {PHOTO_AT: {"photo": value}, VIDEO_AT: {"video": value, "picture": "A video"},
                     SPEECH_AT: {"speech": value, "source": "A recording"}}[position]
            status, _, said = visitor.join(**{"photo": visitor.photo, **files})
            answers.add((status, said))
    finally:
        os.unlink(link)
    assert answers == {(403, b'{"detail": "no such upload of yours; choose the file again"}')}


def test_the_api_takes_no_file_of_others(server, visitor, photo):
    answers = set()
    for value in [*_foreign(photo, visitor.photo["path"]), Client(server).upload(photo.read_bytes() + b" ")]:
        own = {"photo": visitor.photo}
        for name, given in (("make", {"photo": value}), ("make", {**own, "recording": value}), ("dub", {"video": value}),
                            ("make", {**own, "voice": {"path": 1}}), ("dub", {"video": visitor.photo, "recording": value}),
                            ("scene", {"photo": value}), ("scene", {**own, "cast": {"path": 1}})):
            status, _, said = visitor.call(name, text=TEXT, **given)
            answers.add((status, said))
            status, _, said = visitor.ask("POST", f"{api.PATHS[name]}/", {"text": TEXT, **given})
            answers.add((status, said))
    assert answers == {(403, b'{"detail": "no such upload of yours; choose the file again"}')}


def test_the_upload_of_another_visitor_is_refused(server, visitor):
    assert Client(server).join(visitor.photo)[0] == 403


@pytest.mark.parametrize("path", ["/etc/passwd", "/no/such/file", str(ROOT / "README.md"), "/etc/../etc/passwd",
                                  "%2Fetc%2Fpasswd",
                                  "//etc/passwd", "..%2f..%2fetc/passwd", "https://example.com/a.png", "README.md"])
def test_no_file_of_the_machine_is_served(visitor, path):
    status, _, said = visitor.ask("GET", f"/gradio_api/file={path}")
    assert (status, said) == (404, b'{"detail": "not found"}')


@pytest.mark.parametrize("path", ["/openapi.json", "/gradio_api/openapi.json", "/docs", "/redoc", "/gradio_api/run/predict",
                                  "/gradio_api/call/make", "/gradio_api/call/v2/make_and_show",
                                  "/gradio_api/run/make", "/gradio_api/proxy=http://a", "/monitoring", "/gradio_api/runs",
                                  "/gradio_api/process_recording", "/gradio_api/vibe-edit", "/login",
                                  "/custom_component/a/b/c/d"])
def test_what_the_page_does_not_need_is_shut(visitor, path):
    for method in ("GET", "POST"):
        assert visitor.ask(method, path)[0] == 404


ROUTES = [("GET", "/"), ("GET", "/config"), ("POST", "/gradio_api/upload"), ("POST", "/gradio_api/queue/join"),
          ("POST", "/gradio_api/cancel"), ("POST", "/gradio_api/reset"), ("OPTIONS", "/gradio_api/upload")]


@pytest.mark.parametrize("method, path", ROUTES)
@pytest.mark.parametrize("headers, status", [
    ({"Host": "evil.com"}, 400), ({"Host": "127.0.0.1.evil.com"}, 400), ({"Host": "localhost.evil.com:80"}, 400),
    ({"Host": ""}, 400), ({"Host": "[::1"}, 400), ({"Host": "user@evil.com"}, 400),
    ({"Origin": "http://evil.com"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://127.0.0.1:1"}, 403)])
def test_strange_hosts_and_pages_get_nothing(visitor, method, path, headers, status):
    code, answered, _ = visitor.ask(method, path, **headers)
    assert code == status and not any(name.startswith("access-control") for name in answered)


def test_a_form_of_another_site_is_refused_and_no_answer_may_be_framed(visitor):
    assert visitor.ask("POST", "/gradio_api/upload", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    _, headers, _ = visitor.ask("GET", "/", Origin=f"http://127.0.0.1:{visitor.port}", Host=f"127.0.0.1:{visitor.port}")
    assert headers["x-frame-options"] == "DENY" and "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("at, value", [(RATE_AT, float("nan")), (SCALE_AT, float("inf")), (SCALE_AT, "1"), (SEED_AT, 1e400),
                                       (SEED_AT, -1), (RATE_AT, True), (VOICE_AT, "nobody"), (SEED_AT, 10**30)])
def test_a_value_that_no_control_has_is_one_line(server, photo, at, value):
    other = Client(server)
    own = other.upload(photo.read_bytes())
    values = list(VALUES)
    values[at] = value
    assert other.join(own, values=values)[0] == 200
    said = json.dumps(list(other.listen()))
    assert "Needed: what the page offers" in said and "Traceback" not in said


@pytest.mark.parametrize("given, said", [({"text": TEXT}, "photo: none given"), ([], "no object"),
                                         ({"photo": None, "pohto": None}, "pohto: no argument")])
def test_the_api_says_what_it_takes(visitor, given, said):
    status, _, answer = visitor.ask("POST", api.PATHS["make"], given)
    assert status == 400 and said in json.loads(answer)["detail"]


def test_each_function_takes_its_own_picture(visitor):
    for name, given, said in (("dub", {"photo": visitor.photo}, "photo: no argument of dub"), ("dub", {}, "video: none given"),
                              ("scene", {"recording": None}, "recording: no argument of scene"), ("scene", {}, "photo: none")):
        status, _, answer = visitor.call(name, **given)
        assert status == 400 and said in json.loads(answer)["detail"]


@pytest.mark.parametrize("given", [{"cast": "Anna=2"}, {"voices": "Anna=espeak:en-us, Ben=espeak:en-gb"}, {"rate": 200}])
def test_the_api_makes_a_scene(visitor, server, tmp_path, given):
    Image.fromarray(np.concatenate([portrait(), portrait()[:, ::-1]], 1)).save(path := tmp_path / "us.png")
    us = visitor.upload(path.read_bytes(), "us.png")
    status, _, answer = visitor.call("scene", photo=us, text="Anna: Hi.\nBen: Ho.", size_px=256, **given)
    assert status == 200
    event, data = visitor.result(json.loads(answer)["event_id"], "scene")
    assert event == "complete" and data[0].startswith("Done in") and data[1]["orig_name"] == "talking.mp4", data


@pytest.mark.parametrize("name, given, said", [
    ("scene", {"text": "Hi."}, "no name before 'Hi.'"), ("scene", {"text": "A: Hi.\nB: Ho."}, "1 face for 2 people"),
    ("scene", {"text": "A: Hi.\nB: Ho.", "voices": "A=nobody"}, "Needed:"), ("scene", {"text": "a" * 5000}, "5000 characters"),
    ("dub", {"text": " "}, "What is said: nothing"), ("dub", {"loop": "round"}, "Loop"),
    ("dub", {"text": "Hi."}, "no face in any of 5 frames")])
def test_the_other_functions_have_the_limits_of_the_page(visitor, clip, name, given, said):
    of = {"video": clip} if name == "dub" else {"photo": visitor.photo}
    status, _, answer = visitor.call(name, **{"text": TEXT, **of, **given})
    assert status == 200
    event, data = visitor.result(json.loads(answer)["event_id"], name)
    assert event == "error" and said in data["error"], data


@pytest.mark.parametrize("given, said", [
    ({"photo": None}, "The photo: none chosen. Needed: a picture of a face."), ({"text": " "}, "What is said: nothing"),
    ({"text": "a" * 5000}, "5000 characters"), ({"voice": "nobody"}, "expected what the page offers"), ({"rate": 9e9}, "Rate"),
    ({"text": "ᚠᚢᚦᚨᚱᚲ"}, "Runic letters")])
def test_the_api_has_the_limits_of_the_page(visitor, given, said):
    status, _, answer = visitor.call(**{"photo": visitor.photo, "text": TEXT, **given})
    assert status == 200
    event, data = visitor.result(json.loads(answer)["event_id"])
    assert event == "error" and said.replace("expected", "Needed:") in data["error"]


def _example(language, port, folder):
    """The example of docs/api.md in this language, for this server, written to `folder` beside me.jpg."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    code = re.search(rf"```{language}\n(.*?)```", text, re.S)[1].replace(":7860", f":{port}").replace("512", "256")
    Image.fromarray(portrait()).save(folder / "me.jpg")
    (folder / "example").write_text(code)
    return folder / "example"


def _run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(folder)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_in_python_makes_a_video(server, tmp_path):
    said = _run(tmp_path, sys.executable, _example("python", server, tmp_path)).splitlines()[-1]
    video, everything = said.split()[-2:]
    assert said.startswith("Done in")
    assert probe(video).size == (256, 256) and probe(video).has_sound
    assert "talking/landmarks.npy" in zipfile.ZipFile(everything).namelist()


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_example_with_curl_makes_a_video(server, tmp_path):
    assert "event: complete" in _run(tmp_path, "bash", "-eo", "pipefail", _example("bash", server, tmp_path))
    assert probe(tmp_path / "me.mp4").size == (256, 256)


def test_the_table_of_the_api_is_what_it_takes(visitor):
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", re.search(r"^## What `make` takes$(.*?)^## ", text, re.M | re.S)[1], re.M)
    info = json.loads(visitor.ask("GET", "/gradio_api/info")[2])["named_endpoints"]
    assert list(info) == ["/make", "/dub", "/scene"]
    others = {name: {each["parameter_name"] for each in info[name]["parameters"]} for name in ("/dub", "/scene")}
    table = re.search(r"^## The other functions$(.*?)^## ", text, re.M | re.S)[1]
    for name, arguments in others.items():
        assert f"`{name[1:]}`" in table and all(f"`{each}`" in text for each in arguments)
    taken = info["/make"]["parameters"]
    assert [name for name, _ in rows] == [each["parameter_name"] for each in taken]
    assert not taken[0]["parameter_has_default"]
    defaults = {each["parameter_name"]: json.dumps(each["parameter_default"]) for each in taken[1:]}
    written = {name: {"none": "null"}.get(default, default.strip("`")) for name, default in rows[1:]}
    for one_of_two in (defaults, written):
        del one_of_two["transcriber"], one_of_two["voice"]  # they depend on what is installed
    assert defaults == written


def _fill_example(client):
    """The status of the answer to a click on the first example."""
    events = json.loads(client.ask("GET", "/config")[2])["dependencies"]
    filling = [event["id"] for event in events if len(event["outputs"]) == 7 and not event["inputs"]]
    assert len(filling) == 4
    body = {"data": [], "fn_index": filling[0], "session_hash": client.session}
    return client.ask("POST", "/gradio_api/queue/join", body)[0]


def test_an_example_is_everybodys_and_a_video_of_it_is_made(server):
    visitor = Client(server)
    assert _fill_example(visitor) == 200
    filled = next(message for message in visitor.listen() if message["msg"] == "process_completed")["output"]["data"]
    assert filled[:2] == ["A photo", 1] and filled[3:] == ["A text", filled[4], None, "none"] and "Priya" in filled[4]
    assert visitor.join(filled[2])[0] == 200
    done = [message for message in visitor.listen() if message["msg"] == "process_completed"]
    assert done and "talking.mp4" in json.dumps(done)


def test_half_a_character_is_one_line(server, photo):
    other = Client(server)
    own = other.upload(photo.read_bytes())
    assert other.join(own, text="Hello \ud800.")[0] == 200
    assert "half of a character" in json.dumps(list(other.listen()))


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b'{"data": 1, "fn_index": 1}', b'{"data": [{"path": "/a"}]}',
                                  b" " * (MOST_BODY_BYTES + 1)])
def test_a_body_that_is_none_is_refused(visitor, body):
    status, _, _ = visitor.ask("POST", "/gradio_api/queue/join", body, **{"Content-Type": "application/json"})
    assert status in (400, 403, 413)


def test_a_client_has_three_places_and_who_does_not_listen_has_none(server, photo):
    sessions = [Client(server) for _ in range(30)]
    photos = [client.upload(photo.read_bytes()) for client in sessions[:6]]
    statuses = [client.join(own)[0] for client, own in zip(sessions, photos)]
    assert statuses == [200] * waiting.MOST_OF_CLIENT + [503] * (6 - waiting.MOST_OF_CLIENT)
    assert _fill_example(sessions[6]) == 200, "what is no video waits for none"
    time.sleep(waiting.PATIENCE_S + 3)
    assert sessions[4].join(photos[4])[0] == 200, "the abandoned ones have left"
    assert any(message["msg"] == "process_completed" for message in sessions[4].listen())


def _ledger(folder, **limits):
    async def take(request):
        await request.body()
        return JSONResponse([str(folder / "a.png")])

    app = Starlette(routes=[Route("/gradio_api/upload", take, methods=["POST"])])
    ledger = uploads.Uploads(app, folder, {1: (PHOTO_AT,)})
    return TestClient(Guard(ledger, ("testserver",), OPEN_PATHS, (ledger.allow, ledger.count))), ledger


def test_uploads_have_a_total_for_a_client_and_for_the_server(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "_MB", 1000)
    client, ledger = _ledger(tmp_path)
    client.headers["content-type"] = "multipart/form-data; boundary=x"
    part = b"x" * 100_000
    codes = [client.post("/gradio_api/upload", content=part).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    monkeypatch.setattr(uploads, "MOST_MB_SERVER", 350)
    ledger.held = [uploads._Upload(upload.when, "somebody else", "x", upload.n_bytes) for upload in ledger.held]
    assert client.post("/gradio_api/upload", content=part).status_code == 503
    monkeypatch.setattr(uploads, "KEPT_S", 0)
    assert client.post("/gradio_api/upload", content=part).status_code == 200, "an hour later there is room"


def test_who_announces_less_than_they_send_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "_MB", 1000)
    taken = []

    async def app(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            taken.append(len(message["body"]))

    async def endless():
        return {"type": "http.request", "body": b"x" * 50_000, "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "headers": [], "client": ("1.2.3.4", 5)}
    asyncio.run(uploads.Uploads(app, tmp_path, {})(scope, endless, None))
    assert sum(taken) == 300_000


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_both_servers_have_one_guard(kind):
    """A connection that is no page of ours is answered before the app hears of it."""
    asked, sent = [], []

    async def app(scope, receive, send):
        asked.append(scope)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": "GET", "path": "/", "headers": [(b"host", b"127.0.0.1"), (b"origin", b"http://evil.com")]}
    asyncio.run(Guard(app)(scope, None, send))
    assert not asked and sent[0].get("status", sent[0].get("code")) in (403, 1008)


def test_a_refusal_is_no_programmers_mistake():
    assert issubclass(Refusal, Exception) and Refusal(404, "x").status == 404
