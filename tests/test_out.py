"""Videos that go elsewhere than into a file: pictures, a pipe, a server; each whole, or one line that says why not."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, command, portrait
from PIL import Image

from core.errors import InputError
from core.media import ffmpeg, nv12
from core.media.out import stream
from core.media.out.pictures import write_frames
from core.media.out.target import Frames, Stream, chosen, stream_to, target_of
from core.media.provenance import COMMENT, SOURCE_TYPE
from core.media.talking import write_talking
from main import main
from render.options import RenderOptions
from render.render import check_output

N = 30


def moving(n_channels=1, n_frames=N, size=(48, 64)):
    """Noise, which takes room, in planes or with so many channels."""
    rng = np.random.default_rng(0)
    for _ in range(n_frames):
        frame = rng.integers(0, 256, (*size, max(3, n_channels))).astype(np.uint8)
        yield nv12.join(*nv12.split(frame)) if n_channels == 1 else frame


def decoded(data):
    """What ffmpeg makes of a video that it reads from a pipe: how many frames, and whether there is sound."""
    with ffmpeg.running(["-v", "info", "-i", "-", "-f", "framecrc", "-"], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE) as process:
        threading.Thread(target=lambda: (process.stdin.write(data), process.stdin.close())).start()
        lines = process.stdout.read().splitlines()
    assert not process.failure
    return sum(line.startswith(b"0,") for line in lines), any(line.startswith(b"1,") for line in lines)


class TestNames:
    def test_what_a_name_means(self, tmp_path):
        assert target_of("-") == Stream() and target_of("a/b/") == Frames(tmp_path.__class__("a/b"))
        assert target_of("a/b.mp4") == tmp_path.__class__("a/b.mp4") and target_of(tmp_path) is tmp_path
        assert [stream_to(url).container for url in ("rtmp://h/a/key", "srt://h:1", "tcp://[::1]:5", "file:a b.TS")] == [
            "flv", "mpegts", "mpegts", "mpegts"]

    @pytest.mark.parametrize("url", ["", "x", "http://h/x", "rtmp:///x", "rtmp://h:99999/x", "tcp://h", "udp://:5",
                                     "rtmp://h/a b", "rtmp://h/\n", "file:a.avi", "file://h/a.ts", "file:", "-i",
                                     "pipe:1", "concat:a.ts|b.ts"])
    def test_what_is_no_url_is_said_in_one_line(self, url):
        with pytest.raises(InputError, match="^--stream: ") as error:
            stream_to(url)
        assert "rtmp://" in error.value.expected

    def test_one_of_the_two(self, tmp_path):
        with pytest.raises(InputError, match="both given"):
            chosen(tmp_path, "file:a.ts")

    def test_a_format_is_that_of_a_pipe_alone(self, tmp_path):
        assert chosen(Stream(), None, "y4m").container == "yuv4mpegpipe" and chosen(Stream(), None) == Stream()
        for output, url in ((tmp_path / "a.mp4", None), (None, "file:a.ts"), (None, None)):
            with pytest.raises(InputError, match="--format: rawvideo, without a pipe"):
                chosen(output, url, "rawvideo")

    @pytest.mark.parametrize("url", ["rtmp://ann:secret@h/live/secret", "srt://h:5?passphrase=secret", "rtmp://h:x/secret",
                                     "ftp://h/secret", "rtmp://secret@h:99999/secret"])
    def test_keys_stay_secret(self, url):
        try:
            shown = str(stream_to(url))
        except InputError as error:
            shown = str(error)
        assert "secret" not in shown and ("//h" in shown or "--stream" in shown)

    @pytest.mark.parametrize(("name", "options", "found"), [
        ("-", {"captions": "mux"}, "mux, into a stream"), ("a/", {"captions": "mux"}, "mux, into a folder"),
        ("-", {"background": "none"}, "none, in a stream"), ("-", {"preview": True}, "--preview")])
    def test_what_they_cannot_be(self, name, options, found):
        with pytest.raises(InputError, match=found):
            check_output(name, options=RenderOptions(**options))

    def test_the_page_of_keep_needs_a_file(self, tmp_path, short_speech):
        done = command(main, "--image", "me.png", "--audio", short_speech, "--output", f"{tmp_path}/a/", "--keep")
        assert done.exit_code == 1 and "--keep: given with" in done.stderr

    def test_no_terminal_is_filled_with_a_video(self, monkeypatch):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        with pytest.raises(InputError, match="is a terminal"):
            check_output("-")


class TestPictures:
    @pytest.mark.parametrize("n_channels", [3, 4])
    def test_each_frame_is_one_to_the_bit(self, tmp_path, n_channels):
        folder = write_frames(Frames(tmp_path / "x" / "f"), moving(n_channels), fps=25, stage="test")
        names = sorted(path.name for path in folder.glob("*.png"))
        assert names == [f"{n:06d}.png" for n in range(1, N + 1)]
        for name, frame in zip(names, moving(n_channels)):
            assert (np.array(Image.open(folder / name)) == frame).all()
        about = json.loads((folder / "frames.json").read_text())
        assert about["frames"] == N and about["fps"] == 25 and about["size_px"] == [64, 48]
        assert json.loads((folder / "frames.json.json").read_text())["kind"] == "talking-frames"
        assert [path.name for path in tmp_path.joinpath("x").iterdir()] == ["f"]

    def test_each_says_that_it_is_synthetic(self, tmp_path):
        folder = write_frames(Frames(tmp_path / "f"), moving(3, 1), fps=25, stage="test")
        with Image.open(folder / "000001.png") as image:
            assert image.text["Comment"] == COMMENT and SOURCE_TYPE in image.text["XML:com.adobe.xmp"]

    def test_ours_are_replaced_and_others_stay(self, tmp_path):
        target = Frames(tmp_path / "f")
        write_frames(target, moving(3), fps=25, stage="test")
        check_output(f"{target.path}/")
        write_frames(target, moving(3, 7), fps=25, stage="test")
        assert len(list(target.path.glob("*.png"))) == 7
        for name in ("000008.png", "holiday.jpg"):
            (target.path / name).write_bytes(b"mine")
            with pytest.raises(InputError, match=name):
                check_output(f"{target.path}/", force=True)
            (target.path / name).unlink()
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "000001.png").write_bytes(b"mine")
        for path, found in ((tmp_path / "mine", "000001.png is in it"), (tmp_path / "mine" / "000001.png", "is a file")):
            with pytest.raises(InputError, match=found):
                check_output(f"{path}/")

    def test_stopped_half_way_nothing_is_left(self, tmp_path):
        def stopping():
            yield from moving(3, 5)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_frames(Frames(tmp_path / "f"), stopping(), fps=25, stage="test")
        assert not list(tmp_path.iterdir())

    def test_a_person_alone(self, tmp_path, short_speech):
        Image.fromarray(portrait()).save(tmp_path / "me.png")
        done = command(main, "--image", tmp_path / "me.png", "--audio", short_speech, "--background", "none", "--output",
                       f"{tmp_path}/frames/", "--fps", 5, "--emotion", "neutral")
        assert done.exit_code == 0 and done.stdout == f"{tmp_path}/frames/\n", done.stderr
        seen = np.array(Image.open(tmp_path / "frames" / "000001.png"))
        assert seen.shape == (256, 256, 4) and seen[130, 125, 3] > 250 and seen[:20, :20, 3].mean() < 5


class TestPipe:
    def run(self, tmp_path, speech):
        Image.fromarray(portrait()).resize((128, 128)).save(tmp_path / "me.png")
        return subprocess.Popen([sys.executable, ROOT / "main.py", "--image", tmp_path / "me.png", "--audio", speech,
                                 "--output", "-", "--emotion", "neutral"], cwd=tmp_path, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def test_nothing_but_the_video_is_on_standard_output(self, tmp_path, short_speech):
        out, said = self.run(tmp_path, short_speech).communicate()
        assert out[4:8] == b"ftyp" and out.count(b"moof") > 1, "in fragments, which play while they come"
        n_frames, sounds = decoded(out)
        assert n_frames > 10 and sounds
        assert b"standard output" in said and {path.name for path in tmp_path.iterdir()} == {"me.png", short_speech.name}

    def test_what_others_print_goes_to_standard_error(self, capfd):
        with stream.taken(Stream()) as target:
            os.write(1, b"noise")
            os.write(target.descriptor, b"video")
        assert capfd.readouterr() == ("video", "noise")

    def test_a_reader_who_leaves_is_said_in_one_line(self, tmp_path, speech):
        reading, writing = os.pipe()
        os.close(reading)
        with pytest.raises(InputError, match="standard output: ended .*who took it went away"):
            send(Stream(descriptor=writing), speech=speech)
        os.close(writing)


def send(target, n_frames=N, speech=None, size=(48, 64)):
    write_talking(target, moving(1, n_frames, size), n_frames, fps=25, stage="test", captions="none", shown_words=[],
                  heard=speech, quality="high")


class Server:
    """Takes one connection: `n_bytes` of it, by default all."""

    def __init__(self, n_bytes=None):
        self.listening, self.taken = socket.create_server(("127.0.0.1", 0)), b""
        self.url = f"tcp://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self._take, args=(n_bytes,))
        self.thread.start()

    def _take(self, n_bytes):
        connection, _ = self.listening.accept()
        with connection:
            while (n_bytes is None or len(self.taken) < n_bytes) and (piece := connection.recv(1 << 14)):
                self.taken += piece

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.listening.close()


class TestServer:
    def test_it_gets_all_in_its_own_time(self, speech):
        began = time.monotonic()
        with Server() as server:
            send(stream_to(server.url), speech=speech)
        n_frames, sounds = decoded(server.taken)
        assert (n_frames, sounds) == (N, True) and time.monotonic() - began > 0.8 * N / 25

    def test_rtmp(self, tmp_path, speech):
        """ffmpeg listens."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            url = f"rtmp://127.0.0.1:{free.getsockname()[1]}/live/key"
        with ffmpeg.running(["-listen", "1", "-i", url, "-c", "copy", ffmpeg.url(tmp_path / "got.flv")]) as server:
            for _ in range(50):
                try:
                    send(stream_to(url), speech=speech)
                    break
                except InputError as error:
                    assert "Connection refused" in str(error)
                    time.sleep(0.1)
        assert not server.failure and decoded((tmp_path / "got.flv").read_bytes()) == (N, True)

    def test_a_file_of_ffmpegs(self, tmp_path, speech):
        for name in ("a.ts", "a.flv", "a.mkv", "a.mp4"):
            url = f"file:{tmp_path}/{name}"
            send(stream_to(url), speech=speech)
            assert decoded((tmp_path / name).read_bytes()) == (N, True)
            with pytest.raises(InputError, match="exists"):
                check_output(stream_to(url))
            check_output(stream_to(url), force=True)

    def test_one_that_goes_away_is_said_in_one_line(self):
        with Server(5000) as server, pytest.raises(InputError) as error:
            send(stream_to(server.url), 500, size=(240, 320))
        assert re.fullmatch(rf"--stream: {server.url}: ended after \d+\.\d of 20\.0 s \(who took it went away\); "
                            "expected a server that takes it", str(error.value))

    def test_one_that_reads_no_more_is_not_waited_for(self, monkeypatch):
        monkeypatch.setattr(stream, "MOST_SILENT_S", 1)
        held = socket.create_server(("127.0.0.1", 0))
        with pytest.raises(InputError, match="who takes it reads no more"):
            send(stream_to(f"tcp://127.0.0.1:{held.getsockname()[1]}"), 500, size=(480, 640))
        held.close()

    def test_one_that_is_not_there(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(InputError, match=r"--stream: tcp://127.0.0.1:\d+: ended .*\(Connection refused\)"):
            send(stream_to(f"tcp://127.0.0.1:{port}"))


class TestPixels:
    def through_a_pipe(self, piped, n_channels, fps=25):
        reader, writer = os.pipe()
        held = []
        taker = threading.Thread(target=lambda: held.append(os.fdopen(reader, "rb").read()))
        taker.start()
        frames = list(moving(n_channels))
        target = replace(chosen(Stream(), None, piped), descriptor=writer)
        write_talking(target, iter(frames), N, fps=fps, stage="test", captions="none", shown_words=[], heard=None,
                      quality="medium")
        os.close(writer)
        taker.join()
        return frames, held[0]

    @pytest.mark.parametrize("n_channels", [1, 3])
    def test_rawvideo_is_rgb_row_by_row_frame_by_frame(self, n_channels):
        frames, data = self.through_a_pipe("rawvideo", n_channels)
        shown = np.frombuffer(data, np.uint8).reshape(N, 48, 64, 3)
        for frame, own in zip(shown, frames, strict=True):
            assert (frame == (nv12.to_rgb(own) if n_channels == 1 else own)).all()

    def test_y4m_says_of_itself_what_it_is(self):
        _, data = self.through_a_pipe("y4m", 1, fps=30)
        header = data.split(b"\n", 1)[0]
        assert header.startswith(b"YUV4MPEG2 W64 H48 F30:1") and decoded(data) == (N, False)
        assert len(data) == len(header) + 1 + N * (len(b"FRAME\n") + 48 * 64 * 3 // 2)

    def test_the_command_writes_nothing_else_into_the_pipe(self, photo_path, short_speech):
        done = subprocess.run([sys.executable, "main.py", "--image", photo_path, "--audio", short_speech, "--size", "128",
                               "--output", "-", "--format", "y4m"], cwd=ROOT, capture_output=True, check=True, timeout=120)
        assert done.stdout.startswith(b"YUV4MPEG2 W128 H128 F25:1") and decoded(done.stdout) == (25, False)
