"""A live talk as a video: its sound and its pictures, kept while it lasts, become a .mp4 when it has ended.

Writes: in a folder that goes when the server ends: NAME.mp4 of the last few recordings, and what they are made of meanwhile.
"""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.media.provenance import mark_synthetic
from core.media.video import write_video
from core.stage import say

MOST_S = 600  # of a recording; the talk goes on after it
KEPT = 3


class Recording:
    """What is heard and seen: 16-bit mono at `rate` Hz, and JPEGs with the number of their frame, in files of a folder."""

    def __init__(self, folder: Path, rate: int):
        self.name, self.rate, self.numbers, self.ends = secrets.token_urlsafe(12), rate, [], [0]
        self.path, self.ready, self.n_bytes = folder / f"{self.name}.mp4", asyncio.Event(), 0
        self.sound_path, self.pictures_path = folder / f"{self.name}.pcm", folder / f"{self.name}.jpegs"

    def hear(self, piece: bytes) -> None:
        """Add sound."""
        piece = piece[:max(0, 2 * MOST_S * self.rate - self.n_bytes)]
        self.n_bytes += len(piece)
        with open(self.sound_path, "ab") as stream:
            stream.write(piece)

    def see(self, number: int, jpeg: bytes) -> None:
        """Add the picture of a frame."""
        if number < MOST_S * FPS:
            self.numbers.append(number)
            self.ends.append(self.ends[-1] + len(jpeg))
            with open(self.pictures_path, "ab") as stream:
                stream.write(jpeg)

    def frames(self) -> Iterator[NDArray]:
        """A picture for each frame of the sound, uint8 [row, column, rgb]: of one that was passed over the one before."""
        n_frames = max(1, round(self.n_bytes / 2 / self.rate * FPS))
        at = np.clip(np.searchsorted(self.numbers, np.arange(n_frames), side="right") - 1, 0, None)
        with open(self.pictures_path, "rb") as stream:
            shown, picture = -1, None
            for i in at.tolist():
                if i != shown:
                    stream.seek(self.ends[i])
                    jpeg = np.frombuffer(stream.read(self.ends[i + 1] - self.ends[i]), np.uint8)
                    picture, shown = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1], i
                assert picture is not None
                rows, columns = (side // 2 * 2 for side in picture.shape[:2])
                yield picture[:rows, :columns]

    def write(self) -> None:
        """Make the .mp4 of all that came; without a picture there is none."""
        import soundfile
        wav = self.sound_path.with_suffix(".wav")
        try:
            if self.numbers:
                soundfile.write(wav, np.fromfile(self.sound_path, "<i2"), self.rate)
                write_video(self.path, self.frames(), speech=wav)
                mark_synthetic(self.path)
        finally:
            for path in (wav, self.sound_path, self.pictures_path):
                path.unlink(missing_ok=True)


class Recordings:
    """The last few recordings, by name; `folder` is theirs."""

    def __init__(self, folder: Path):
        self.folder, self.all, self._writing = folder, {}, set()

    def begin(self, rate: int) -> Recording:
        """A new one; the oldest goes when there are too many."""
        recording = Recording(self.folder, rate)
        self.all[recording.name] = recording
        while len(self.all) > KEPT:
            self.all.pop(next(iter(self.all))).path.unlink(missing_ok=True)
        return recording

    def finish(self, recording: Recording) -> None:
        """Make the video of it, beside whatever else goes on."""
        task = asyncio.get_running_loop().create_task(self._write(recording))
        self._writing.add(task)  # the loop holds its tasks weakly
        task.add_done_callback(self._writing.discard)

    @staticmethod
    async def _write(recording):
        try:
            await asyncio.to_thread(recording.write)
        except InputError as error:
            say(f"live: {error}")
        finally:
            recording.ready.set()

    async def send(self, request):
        """Answer who asks for NAME.mp4, once it is made."""
        from starlette.responses import FileResponse, PlainTextResponse
        recording = self.all.get(request.path_params["name"])
        if recording is not None:
            await recording.ready.wait()
        if recording is None or not recording.path.is_file():
            return PlainTextResponse("There is no such recording any more.", 404)
        return FileResponse(recording.path, media_type="video/mp4", filename="talking-face.mp4")
