"""A face that speaks along with you: microphone or recording in, moving pictures out, in a browser on this machine.

Reads: PHOTO, and SPEECH for those without a microphone. Writes: nothing; prints the address, and how late the face is.
Over one WebSocket go, one way, {"rate": Hz} and then sound, 16 bit, mono; the other way frames: number (uint32), ms of
computing (float32), little-endian, and a JPEG. Each second the page says what it saw: {"fps", "late_ms", "work_ms"}.
"""

import asyncio
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import paths
from core.clock import FPS, SAMPLE_RATE
from core.errors import InputError
from core.media.audio import read_speech
from core.stage import say, stage
from landmarks.emphasis.style import DEFAULT, STYLES
from render import photo_check
from render.options import face_options
from render.photo import FRAMINGS
from web.guard import Guard
from web.serve import LIVE_PORT, LOOPBACK, PAGE_PORT, bind, door, serve

if TYPE_CHECKING:
    from web.live_face import LiveFace

HOST, PORT = LOOPBACK, LIVE_PORT  # a browser gives the microphone to this machine's own pages, or to https
REHEARSED_S = 2
PATIENCE_S = 2  # a page that was closed may still have a picture under way
SAMPLE = paths.SAMPLE_SPEECH
_HERE = Path(__file__).resolve().parent
_RATES = range(8000, 192_001)
_BUSY, _NONSENSE = (4000, "another page is live; close it first"), (4002, "no rate")


class Talk:
    """The one conversation that goes on: sound is collected while pictures are made."""

    def __init__(self, face):
        self.face, self.turn = face, asyncio.Lock()

    async def meet(self, websocket):
        await websocket.accept()
        try:
            await asyncio.wait_for(self.turn.acquire(), PATIENCE_S)
        except TimeoutError:
            await websocket.close(*_BUSY)
            return
        try:
            await self._converse(websocket)
        finally:
            self.turn.release()

    async def _converse(self, websocket):
        from starlette.websockets import WebSocketDisconnect

        from web.live_face import Speaker
        sound, came = bytearray(), asyncio.Event()

        async def receive():
            try:
                while True:
                    message = await websocket.receive()
                    if message["type"] == "websocket.disconnect":
                        return
                    if message.get("bytes"):
                        sound.extend(message["bytes"])
                        came.set()
                    elif message.get("text"):
                        _report(message["text"])
            finally:
                came.set()

        try:
            rate = int((await websocket.receive_json())["rate"])
        except (ValueError, KeyError, TypeError, RuntimeError, WebSocketDisconnect):
            rate = 0
        if rate not in _RATES:
            await websocket.close(*_NONSENSE)
            return
        speaker, receiving = Speaker(self.face, rate), asyncio.create_task(receive())
        try:
            while not receiving.done():
                await came.wait()
                came.clear()
                n_bytes = len(sound) // 2 * 2
                piece = bytes(sound[:n_bytes])
                del sound[:n_bytes]
                for picture in await asyncio.to_thread(speaker.push, piece) if piece else ():
                    await websocket.send_bytes(struct.pack("<If", picture.number, 1000 * picture.seconds) + picture.jpeg)
        except (WebSocketDisconnect, RuntimeError):  # the page was closed in the middle of a picture
            pass
        finally:
            receiving.cancel()


def _report(text):
    """Say on standard error what the page measured."""
    try:
        seen = json.loads(text)
        say(f"live: {seen['fps']:.1f} frames/s, {seen['late_ms']:.0f} ms behind the sound, {seen['work_ms']:.0f} ms a frame")
    except (ValueError, KeyError, TypeError):
        say("live: the page said something that is no report")


def site(face: "LiveFace", speech: str | Path, page_port: int = PAGE_PORT) -> Guard:
    """The page and its socket, an ASGI app. `face` is a `live_face.LiveFace`, `speech` a .wav; `page_port` is for a link."""
    import numpy as np
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, Response
    from starlette.routing import Route, WebSocketRoute
    still = face.draw(face.model.rest_face, int(np.argmin(face.lids)))
    files = {"/": _HERE / "live.html", "/live.js": _HERE / "live.js", "/worklet.js": _HERE / "live_worklet.js",
             "/speech.wav": speech}

    def send_file(path):
        return lambda request: FileResponse(path)

    routes = [*(Route(at, send_file(path)) for at, path in files.items()),
              Route("/photo.jpg", lambda request: Response(still, media_type="image/jpeg")),
              Route("/page", door(page_port, "A video of a photo and a voice", "make app")),
              WebSocketRoute("/face", Talk(face).meet)]
    return Guard(Starlette(routes=routes))


_PATH = click.Path(path_type=Path)


@stage(reads="PHOTO; SPEECH (.wav); the models that ship", writes="nothing; prints the address of the page, and times",
       examples=("python -m web.live --photo me.jpg", "python -m web.live --photo me.jpg --speech talk.wav --size 256"))
@click.option("--photo", "photo_path", type=_PATH, required=True, help="The face.")
@face_options
@click.option("--speech", type=_PATH, default=SAMPLE, show_default="the sample", help="Recording that the page can play.")
@click.option("--preprocess", type=click.Choice(FRAMINGS), default="crop", help="Whole photo, or face alone.")
@click.option("--size", "size_px", type=click.IntRange(64, 1024), help="Longer side in px.  [default: 384]")
@click.option("--style", type=click.Choice(list(STYLES)), default=DEFAULT, help="How far the face moves.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, help="Where the page is.")
@click.option("--page-port", type=click.IntRange(1, 65535), default=PAGE_PORT, help="Where `make app` is, for the link to it.")
def main(photo_path, which, points_file, speech, preprocess, size_px, style, port, page_port) -> None:
    """Serve a page with a face that speaks along with the microphone, until Ctrl-C."""
    sound = read_speech(speech)
    if len(sound) < SAMPLE_RATE:
        raise InputError(speech, f"{len(sound) / SAMPLE_RATE:.1f} s of sound", "a second or more", "leave --speech away")
    with bind(HOST, port) as ours:
        found = photo_check.find_face(photo_path, which, points_file)
        from web.live_face import SIZE_PX, LiveFace, rehearse
        face = LiveFace(found, preprocess, size_px or SIZE_PX, style)
        took_s = rehearse(face, sound[:REHEARSED_S * SAMPLE_RATE])
        say(f"a frame takes {1000 * took_s:.0f} ms of one core; {1000 / FPS:.0f} ms are there for each")
        serve(site(face, speech, page_port), ours, HOST)


if __name__ == "__main__":
    main()
