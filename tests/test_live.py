"""The live page without a browser: what goes over its socket, and who may open one."""

import socket
import struct

import numpy as np
import pytest
from conftest import SENTENCES, portrait_photo, speak
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.clock import FPS, SAMPLE_RATE
from core.face.face68 import GROUPS
from core.media.audio import resample
from landmarks.emphasis.style import STYLES
from landmarks.lite import load_model
from web import live_face
from web.live import SAMPLE, site
from web.live_face import MOST_AT_ONCE, LiveFace, Speaker, rehearse
from web.serve import door

ADDRESS = "127.0.0.1:7861"


class Stand:
    """Stands in for a `LiveFace`: draws nothing."""

    def __init__(self):
        self.model, self.lids, self.style = load_model(), [0.0], STYLES["natural"]

    def draw(self, face, number):
        return b"JPEG %d" % number


@pytest.fixture(scope="module")
def client():
    with TestClient(site(Stand(), SAMPLE), f"http://{ADDRESS}") as client:
        yield client


def spoken(client, origin=f"http://{ADDRESS}"):
    return client.websocket_connect("/face", headers={"origin": origin, "host": ADDRESS})


def pcm(sound):
    return (32767 * sound).astype("<i2").tobytes()


@pytest.mark.parametrize("rate", [SAMPLE_RATE, 48_000])
def test_frames_come_in_order_once_their_sound_was_heard(client, rate):
    sound = resample(speak(SENTENCES[0]), SAMPLE_RATE, rate)
    with spoken(client) as socket:
        socket.send_json({"rate": rate})
        for start in range(0, len(sound), rate // 50):
            socket.send_bytes(pcm(sound[start:start + rate // 50]))
        numbers = []
        while not numbers or numbers[-1] < FPS:
            message = socket.receive_bytes()
            number, work_ms = struct.unpack("<If", message[:8])
            assert message[8:] == b"JPEG %d" % number and work_ms > 0
            numbers.append(number)
    assert numbers == sorted(set(numbers))


def test_a_late_server_passes_frames_over_and_does_not_fall_behind():
    speaker = Speaker(Stand(), SAMPLE_RATE)
    numbers = [picture.number for picture in speaker.push(pcm(speak(SENTENCES[0])))]
    assert len(numbers) == MOST_AT_ONCE and numbers[-1] == speaker.n_frames - 1


def test_a_page_of_another_site_gets_no_socket(client):
    for origin in ("http://elsewhere.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(WebSocketDisconnect) as refused, spoken(client, origin):
            pass
        assert refused.value.code == 1008


@pytest.mark.parametrize("origin, first, code", [
    (f"http://{ADDRESS}", '{"rate": 1}', 4002),
    (f"http://{ADDRESS}", "nonsense", 4002), (f"http://{ADDRESS}", "[]", 4002)])
def test_who_does_not_belong_here_is_sent_away(client, origin, first, code):
    with spoken(client, origin) as socket, pytest.raises(WebSocketDisconnect) as refused:
        if first:
            socket.send_text(first)
        socket.receive_bytes()
    assert refused.value.code == code


def test_a_second_page_waits_its_turn_and_is_refused(client):
    with spoken(client) as first:
        first.send_json({"rate": SAMPLE_RATE})
        with spoken(client) as second, pytest.raises(WebSocketDisconnect) as refused:
            second.receive_bytes()
    assert "another page is live" in refused.value.reason


def test_another_name_of_this_machine_is_not_answered(client):
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 400
    assert "Talking face" in client.get("/").text


def test_a_door_leads_to_what_is_there_and_says_how_to_begin_what_is_not():
    """To visitors on this machine; one from elsewhere is not sent to their own."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        app = Starlette(routes=[Route("/door", door(port, "A page", "make <app>"))])
        here, elsewhere = (TestClient(app, client=(host, 1), follow_redirects=False) for host in ("127.0.0.1", "192.0.2.1"))
        answer = here.get("/door")
        assert (answer.status_code, answer.headers["location"]) == (303, f"http://127.0.0.1:{port}/")
        assert elsewhere.get("/door").status_code == 503
    closed = here.get("/door")
    assert closed.status_code == 503 and "<h1>A page</h1>" in closed.text and "make &lt;app&gt;" in closed.text


def test_the_photo_moves_with_the_voice(tmp_path):
    """An open mouth changes the picture below the eyes; the same landmarks give the same picture."""
    import cv2
    face = LiveFace(portrait_photo(tmp_path / "me.png", 128), "full", 128)
    assert 0 < rehearse(face, speak(SENTENCES[0])) < 10
    shape = face.model.rest_face.copy()
    still, again = face.draw(shape, 40), face.draw(shape, 40)
    assert still == again
    shape[list(GROUPS["inner_lips"][5:]), 1] += 0.2
    open_mouth = face.draw(shape, 40)
    still, open_mouth = (cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)
                         for jpeg in (still, open_mouth))
    changed = np.abs(still - open_mouth).sum(2)
    assert still.shape == (128, 128, 3) and changed[64:].sum() > 5 * changed[:48].sum()


@pytest.mark.parametrize("glasses", [True, False])
def test_behind_glasses_nothing_blinks(tmp_path, monkeypatch, glasses):
    monkeypatch.setattr(live_face, "wears_glasses", lambda photo: glasses)
    face = LiveFace(portrait_photo(tmp_path / "me.png", 128), "full", 128)
    frowning = face.model.rest_face.copy()
    frowning[[*GROUPS["right_brow"], *GROUPS["left_brow"]], 1] += 0.1
    assert (face.draw(frowning, 3) == face.draw(face.model.rest_face, 3)) == glasses
    assert (face.lids.max() == 0) == glasses
