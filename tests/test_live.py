"""The live page without a browser: who speaks, who watches, what is recorded, and who may open a socket."""

import io
import json
import socket
import struct
import time

import numpy as np
import pytest
from conftest import SENTENCES, portrait, portrait_photo, speak
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from threadpoolctl import threadpool_info

from core.clock import FPS, SAMPLE_RATE
from core.errors import InputError
from core.face.face68 import GROUPS
from core.media import ffmpeg
from core.media.audio import read_speech, resample
from core.media.provenance import source_type
from core.media.video import probe, read_frames
from landmarks.emphasis.style import STYLES
from landmarks.lite import load_model
from web.live import camera as live_camera
from web.live import face as live_face
from web.live import record as live_record
from web.live import talk as live_talk
from web.live.__main__ import SAMPLE, site
from web.live.face import MOST_AT_ONCE, LiveFace, Speaker, rehearse
from web.serve import door

ADDRESS = "127.0.0.1:7861"


class Stand:
    """Stands in for a `LiveFace`: draws nothing."""

    def __init__(self):
        self.model, self.lids, self.style = load_model(), [0.0], STYLES["natural"]

    def draw(self, face, number):
        return b"JPEG %d" % number

    def still(self):
        return b"JPEG still"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with TestClient(site(Stand(), SAMPLE, folder=tmp_path_factory.mktemp("live")), f"http://{ADDRESS}") as client:
        yield client


def spoken(client, origin=f"http://{ADDRESS}", path="/face"):
    return client.websocket_connect(path, headers={"origin": origin, "host": ADDRESS})


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
    for path in ("/face", "/watch"):
        for origin in ("http://elsewhere.example", "null", "http://127.0.0.1:1"):
            with pytest.raises(WebSocketDisconnect) as refused, spoken(client, origin, path):
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
    for path in ("/", "/photo.jpg", "/recording/x.mp4"):
        assert client.get(path, headers={"host": "elsewhere.example"}).status_code == 400
    assert client.put("/photo", headers={"host": "elsewhere.example"}).status_code == 400
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
    """An open mouth changes the picture below the eyes; the same landmarks give the same picture. BLAS keeps its threads.

    With other threads it sums in another order, and the encoder's 8 bits make up to 2e-4 eye distances of that.
    """
    import cv2
    threads = {library["num_threads"] for library in threadpool_info()}
    face = LiveFace(portrait_photo(tmp_path / "me.png", 128), "full", 128)
    assert 0 < rehearse(face, speak(SENTENCES[0])) < 10
    assert {library["num_threads"] for library in threadpool_info()} == threads
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


def say_it(socket, sound, rate=SAMPLE_RATE, **more):
    socket.send_json({"rate": rate, **more})
    for start in range(0, len(sound), rate // 50):
        socket.send_bytes(pcm(sound[start:start + rate // 50]))


class TestWatching:
    def test_all_who_watch_see_what_the_speaker_sees(self, client):
        with spoken(client, path="/watch") as first, spoken(client, path="/watch") as second:
            assert [json.loads(one.receive_text()) for one in (first, second)] == 2 * [{"speaking": False, "photo": 0}]
            with spoken(client) as speaker:
                say_it(speaker, speak(SENTENCES[0]))
                sent = speaker.receive_bytes()  # sound that is heard in one piece makes few pictures
                for watcher in (first, second):
                    assert json.loads(watcher.receive_text())["speaking"] is True
                    assert watcher.receive_bytes()[8:].startswith(b"JPEG") and sent[8:].startswith(b"JPEG")
            while isinstance(told := first.receive(), dict) and "text" not in told:
                pass
            assert json.loads(told["text"])["speaking"] is False

    def test_there_is_room_for_so_many(self, client, monkeypatch):
        monkeypatch.setattr(live_talk, "MOST_WATCHERS", 1)
        with spoken(client, path="/watch") as first:
            first.receive_text()
            with spoken(client, path="/watch") as second, pytest.raises(WebSocketDisconnect) as refused:
                second.receive_text()
        assert refused.value.code == 4003


class TestPhoto:
    @pytest.fixture
    def asked(self, tmp_path):
        read = []

        def read_face(path):
            read.append(path.read_bytes())
            if b"no" in read[-1]:
                raise InputError(path, "no face found", "a photo of a face", "--face 1")
            stand = Stand()
            stand.still = lambda: read[-1]
            return stand

        with TestClient(site(Stand(), SAMPLE, folder=tmp_path, read_face=read_face), f"http://{ADDRESS}") as client:
            yield client, read

    def test_another_one_is_shown_to_all(self, asked, tmp_path):
        client, _ = asked
        with spoken(client, path="/watch") as watcher:
            watcher.receive_text()
            assert client.put("/photo", content=b"picture").status_code == 200
            assert json.loads(watcher.receive_text()) == {"speaking": False, "photo": 1}
        assert client.get("/photo.jpg").content == b"picture" and not list(tmp_path.iterdir())

    def test_what_is_none_is_one_line_without_paths(self, asked, tmp_path):
        client, _ = asked
        answer = client.put("/photo", content=b"no photo")
        assert answer.status_code == 400 and "no face found" in answer.text and str(tmp_path) not in answer.text
        assert "--face" not in answer.text and client.get("/photo.jpg").content == b"JPEG still"
        assert not list(tmp_path.iterdir())

    def test_not_of_another_site_not_too_large_not_while_somebody_speaks(self, asked, monkeypatch):
        client, read = asked
        for headers in ({"origin": "http://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
            assert client.put("/photo", content=b"x", headers=headers).status_code == 403
        monkeypatch.setattr(live_talk, "MOST_PHOTO_MB", 1)
        assert client.put("/photo", content=b"x" * 1_000_001).status_code == 413
        with spoken(client) as speaker:
            speaker.send_json({"rate": SAMPLE_RATE})
            while client.put("/photo", content=b"x").status_code != 409:
                read.clear()
        assert not read


def jpeg(grey):
    buffer = io.BytesIO()
    Image.fromarray(np.full((48, 65, 3), grey, np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


class TestRecording:
    def test_sound_and_pictures_are_on_one_clock(self, tmp_path):
        """A frame that was passed over shows the one before it; those before the first show the first."""
        recording = live_record.Recording(tmp_path, 48_000)
        tone = 0.3 * np.sin(np.arange(48_000) / 20)
        for start in range(0, 48_000, 4800):
            recording.hear(pcm(tone[start:start + 4800]))
        for number, grey in ((2, 40), (3, 90), (10, 200)):
            recording.see(number, jpeg(grey))
        recording.write()
        shown = [round(float(frame.mean())) for frame in read_frames(recording.path)]
        assert np.abs(np.array(shown) - ([40] * 3 + [90] * 7 + [200] * 15)).max() < 4
        assert abs(len(read_speech(recording.path)) - SAMPLE_RATE) < 800 and np.abs(read_speech(recording.path)).max() > 0.25
        assert source_type(recording.path) == "compositeWithTrainedAlgorithmicMedia"
        assert [path.name for path in tmp_path.iterdir()] == [recording.path.name]

    def test_it_ends_at_its_limit(self, tmp_path, monkeypatch):
        monkeypatch.setattr(live_record, "MOST_S", 1)
        recording = live_record.Recording(tmp_path, SAMPLE_RATE)
        for number in range(50):
            recording.hear(bytes(2 * SAMPLE_RATE // FPS))
            recording.see(number, jpeg(9))
        recording.write()
        assert probe(recording.path).seconds == pytest.approx(1, abs=0.05)

    def test_a_talk_is_downloaded(self, tmp_path):
        class Drawn(Stand):
            def draw(self, face, number):
                return jpeg(number % 200)

        sound = speak(SENTENCES[0])
        with TestClient(site(Drawn(), SAMPLE, folder=tmp_path), f"http://{ADDRESS}") as client:
            with spoken(client) as speaker:
                say_it(speaker, sound, record=True)
                name = speaker.receive_json()["recording"]
                while struct.unpack("<I", speaker.receive_bytes()[:4])[0] < FPS:
                    pass
            answer = client.get(f"/recording/{name}.mp4")
            assert answer.status_code == 200 and answer.content[4:8] == b"ftyp"
            assert "talking-face.mp4" in answer.headers["content-disposition"]
            (tmp_path / "got.mp4").write_bytes(answer.content)
            assert client.get("/recording/another.mp4").status_code == 404
        assert probe(tmp_path / "got.mp4").seconds == pytest.approx(len(sound) / SAMPLE_RATE, abs=0.2)

    def test_the_oldest_goes(self, tmp_path):
        recordings = live_record.Recordings(tmp_path)
        made = [recordings.begin(SAMPLE_RATE) for _ in range(live_record.KEPT + 1)]
        assert list(recordings.all.values()) == made[1:]


class TestCamera:
    @pytest.mark.parametrize("name", ["video99", "file"])
    def test_what_is_none_is_said_with_what_helps(self, tmp_path, name):
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="--camera: .*modprobe v4l2loopback"):
            live_camera.Camera(tmp_path / name, jpeg(9))
        assert (tmp_path / "file").stat().st_size == 0

    def test_a_device_that_takes_no_pictures(self):
        with pytest.raises(InputError, match="/dev/full: takes no pictures"):
            live_camera.Camera("/dev/full", jpeg(9))

    def test_it_shows_the_latest_picture_at_its_first_size(self, tmp_path, monkeypatch):
        monkeypatch.setattr(live_camera, "output_of", lambda device: ["-f", "rawvideo", "-pix_fmt", "gray",
                                                                      ffmpeg.url(tmp_path / "seen")])
        monkeypatch.setattr(live_camera, "_TRIED", 3)
        camera = live_camera.Camera("/dev/zero", jpeg(9))
        tried = np.fromfile(tmp_path / "seen", np.uint8).reshape(-1, 48, 64)
        assert len(tried) == 3 and abs(float(tried.mean()) - 9) < 20
        wide = live_camera.fitted(np.full((50, 200, 3), 90, np.uint8), camera.size)
        assert wide.shape == (48, 64, 3) and (wide[16:32] == 90).all() and not wide[:15].any()
        camera.show(jpeg(200))
        until = time.monotonic() + 30
        while (tmp_path / "seen").stat().st_size < 48 * 64 * 20 and time.monotonic() < until:
            time.sleep(0.1)
        assert np.fromfile(tmp_path / "seen", np.uint8)[48 * 64 * 15:48 * 64 * 16].mean() > 180


def test_another_photo_speaks(tmp_path):
    """With the real face: the picture of a visitor, who sends it as it is."""
    from render.photo_check import find_face
    buffer = io.BytesIO()
    Image.fromarray(portrait()).save(buffer, "PNG")
    with TestClient(site(Stand(), SAMPLE, folder=tmp_path, read_face=lambda path: LiveFace(find_face(path), "full", 128)),
                    f"http://{ADDRESS}") as client:
        assert client.put("/photo", content=buffer.getvalue()).status_code == 200
        assert client.get("/photo.jpg").content[:2] == b"\xff\xd8"
        answer = client.put("/photo", content=b"no photo")
        assert answer.status_code == 400 and "not a picture" in answer.text
