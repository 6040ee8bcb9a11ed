"""Who speaks and who watches: one speaker at a time, and every page that is open sees the face.

Reads: sound and photos from pages. Writes: nothing by itself; recordings, see `web.live.record`.
Over the socket of a speaker go, one way, {"rate": Hz, "record": true or false} and then sound, 16 bit, mono; the other way
{"recording": name} where one is made, and frames: number (uint32), ms of computing (float32), little-endian, and a JPEG. Each
second the page says what it saw: {"fps", "late_ms", "work_ms"}. Over that of a watcher go the same frames, and before them, and
whenever it changes, {"speaking": true or false, "photo": how many have been chosen}.
"""

import asyncio
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.stage import say
from web.limits import plain_message
from web.live.record import Recordings

if TYPE_CHECKING:
    from web.live.face import LiveFace

PATIENCE_S = 2  # a page that was closed may still have a picture under way
MOST_WATCHERS = 12
MOST_PHOTO_MB = 20
_RATES = range(8000, 192_001)
_BUSY, _NONSENSE = (4000, "another page is live; close it first"), (4002, "no rate")
_FULL = 4003, f"{MOST_WATCHERS} pages are open; close one first"


class Talk:
    """The one conversation that goes on: sound is collected while pictures are made.

    Parameters
    ----------
    face : `LiveFace`
    folder : for recordings and photos
    read_face : a path of a photo -> `LiveFace`; None: the photo stays
    shown : functions that are given each JPEG
    """

    def __init__(self, face: "LiveFace", folder: Path, read_face: Callable | None = None, shown: tuple = ()):
        self.face, self.folder, self.read_face, self.shown = face, folder, read_face, shown
        self.turn, self.watchers, self.n_photos = asyncio.Lock(), set(), 0
        self.recordings = Recordings(folder)
        self.still = face.still()
        self._show(self.still)

    def _show(self, jpeg):
        for show in self.shown:
            show(jpeg)

    def _tell(self, message):
        """Hand something to all who watch; who is slow misses older pictures, but not who speaks."""
        for queue in self.watchers:
            waiting = [queue.get_nowait() for _ in range(queue.qsize())] + [message]
            if len(waiting) > queue.maxsize:
                del waiting[next((i for i, old in enumerate(waiting) if isinstance(old, bytes)), 0)]
            for each in waiting:
                queue.put_nowait(each)

    def _state(self):
        return json.dumps({"speaking": self.turn.locked(), "photo": self.n_photos})

    async def watch(self, websocket):
        """A page that sees the face, and says nothing."""
        await websocket.accept()
        if len(self.watchers) >= MOST_WATCHERS:
            await websocket.close(*_FULL)
            return
        queue: asyncio.Queue = asyncio.Queue(3)
        queue.put_nowait(self._state())
        self.watchers.add(queue)

        async def pass_on():
            while True:
                message = await queue.get()
                await (websocket.send_text if isinstance(message, str) else websocket.send_bytes)(message)

        sending, leaving = asyncio.create_task(pass_on()), asyncio.create_task(_gone(websocket))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.watchers.discard(queue)
            for task in (sending, leaving):
                task.cancel()

    async def meet(self, websocket):
        """A page that wants to speak."""
        await websocket.accept()
        try:
            await asyncio.wait_for(self.turn.acquire(), PATIENCE_S)
        except TimeoutError:
            await websocket.close(*_BUSY)
            return
        self._tell(self._state())
        try:
            await self._converse(websocket)
        finally:
            self.turn.release()
            self._tell(self._state())

    async def _converse(self, websocket):
        from starlette.websockets import WebSocketDisconnect

        from web.live.face import Speaker
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
            asked = await websocket.receive_json()
            rate, record = int(asked["rate"]), asked.get("record") is True
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, WebSocketDisconnect):
            rate, record = 0, False
        if rate not in _RATES:
            await websocket.close(*_NONSENSE)
            return
        speaker, recording = Speaker(self.face, rate), self.recordings.begin(rate) if record else None
        receiving = asyncio.create_task(receive())
        try:
            if recording:
                await websocket.send_json({"recording": recording.name})
            while not receiving.done():
                await came.wait()
                came.clear()
                n_bytes = len(sound) // 2 * 2
                piece = bytes(sound[:n_bytes])
                del sound[:n_bytes]
                if recording:
                    recording.hear(piece)
                for picture in await asyncio.to_thread(speaker.push, piece) if piece else ():
                    frame = struct.pack("<If", picture.number, 1000 * picture.seconds) + picture.jpeg
                    self._tell(frame)
                    self._show(picture.jpeg)
                    if recording:
                        recording.see(picture.number, picture.jpeg)
                    await websocket.send_bytes(frame)
        except (WebSocketDisconnect, RuntimeError):  # the page was closed in the middle of a picture
            pass
        finally:
            receiving.cancel()
            if recording:
                self.recordings.finish(recording)

    async def choose(self, request):
        """Take another photo, the body of a PUT, while nobody speaks."""
        from starlette.responses import PlainTextResponse
        if self.read_face is None or self.turn.locked():
            return PlainTextResponse("Somebody speaks, or another photo is being looked at: try again afterwards.", 409)
        async with self.turn:
            path, n_bytes = self.folder / "photo", 0
            with open(path, "wb") as stream:
                async for piece in request.stream():
                    n_bytes += len(piece)
                    if n_bytes > MOST_PHOTO_MB * 1_000_000:
                        return PlainTextResponse(f"The photo has more than {MOST_PHOTO_MB} MB.", 413)
                    stream.write(piece)
            try:
                face = await asyncio.to_thread(self.read_face, path)
                still = await asyncio.to_thread(face.still)
            except InputError as error:
                return PlainTextResponse(plain_message(error), 400)
            finally:
                path.unlink()
            self.face, self.still, self.n_photos = face, still, self.n_photos + 1
            self._show(still)
        self._tell(self._state())
        return PlainTextResponse("", 200)


async def _gone(websocket):
    """Wait until the page has left."""
    with suppress(RuntimeError):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass


def _report(text):
    """Say on standard error what the page measured."""
    try:
        seen = json.loads(text)
        say(f"live: {seen['fps']:.1f} frames/s, {seen['late_ms']:.0f} ms behind the sound, {seen['work_ms']:.0f} ms a frame")
    except (ValueError, KeyError, TypeError):
        say("live: the page said something that is no report")
