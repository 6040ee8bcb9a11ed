"""A face that moves while somebody speaks: sound in pieces in, pictures out.

Reads: a photo and its face, in memory; the models that ship. Writes: nothing.
"""

import time
from dataclasses import dataclass

import cv2
import numpy as np
import soxr
from numpy.typing import NDArray

from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from core.face import face68
from core.media.marks.watermark import Mark
from landmarks.emphasis.style import move_more, style_of
from landmarks.lite import load_model
from landmarks.streaming import Stream
from render import liveliness, motion, photo
from render.background import person_of
from render.life.gaze import gaze_of
from render.life.gaze_part import attend, gaze_part
from render.parts.painted import painted_parts
from render.parts.rest import shut_lips
from render.parts.signs import wears_glasses
from render.portrait import Portrait

SIZE_PX = 384  # of the longer side: beside a browser on two slow cores, 25 frames a second
MOST_AT_ONCE = 2  # frames; of more, the older ones are passed over, so that the face never falls behind
LOOP_S = 600  # then the head's sway and the blinks begin again, at rest as they ended
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 80)


@dataclass(frozen=True)
class Picture:
    """A frame: which one, a JPEG, and how long it took."""

    number: int
    jpeg: bytes
    seconds: float


class LiveFace:
    """One photo, ready to be moved.

    Parameters
    ----------
    found : `render.photo.Photo`
    preprocess, size_px : what of it is shown, and the longer side, see `render.photo.frame_photo`
    style : how far it moves, one of `landmarks.emphasis.style.STYLES`
    watermark : a text that is seen in every picture; empty: none
    """

    def __init__(self, found, preprocess: str = "crop", size_px: int = SIZE_PX, style: str | None = None, watermark: str = ""):
        framed = shut_lips(photo.frame_photo(found, preprocess, size_px))
        mouth, lids = painted_parts(framed)
        self.glasses, n_frames = wears_glasses(framed), LOOP_S * FPS
        self.eyes = None if self.glasses else gaze_part(framed)
        self.model, self.parts = load_model(), (mouth, self.eyes, lids) if self.eyes else (mouth, lids)
        self.portrait, self.base = Portrait(framed, self.parts, person_of(framed)), face68.closed_mouth(framed.face)
        rows, columns = self.portrait.shape[:2]
        self.mark = Mark(watermark, columns, rows) if watermark else np.asarray
        self.style, self.gaze = style_of(style), gaze_of(n_frames)
        self.heads = move_more(liveliness.head_motion(n_frames), self.style)
        self.lids = liveliness.blinks(n_frames, rate=0 if self.glasses else liveliness.BLINK_RATE)

    def draw(self, face, number: int) -> bytes:
        """Landmarks float32 [68, 2], face space, of frame `number` -> a JPEG of the photo moved by them."""
        k = number % len(self.heads)
        moves = motion.apply_to_face([(face - self.model.rest_face, self.heads[k])], self.base)
        moves = liveliness.hold_rims(moves, self.base) if self.glasses else moves
        moves = attend(moves, [self.gaze[k]]) if self.eyes else moves
        [picture] = map(self.portrait.draw, liveliness.add_blinks(moves, [self.lids[k]]))
        return cv2.imencode(".jpg", self.mark(picture)[..., ::-1], _JPEG)[1].tobytes()

    def still(self) -> bytes:
        """A JPEG of the photo at rest, eyes open."""
        return self.draw(self.model.rest_face, int(np.argmin(self.lids)))


class Speaker:
    """One visitor's voice, and the pictures it makes. `face` is a `LiveFace`; `rate` in Hz is the sound's."""

    def __init__(self, face, rate: int):
        self.face, self.stream, self.n_frames = face, Stream(face.model, style=face.style), 0
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="LQ")

    def push(self, sound: bytes) -> list:
        """Sound, 16-bit little-endian samples, mono -> the `Picture`s that are ready, MOST_AT_ONCE at most."""
        began = time.perf_counter()
        samples = np.frombuffer(sound[:len(sound) // 2 * 2], "<i2").astype(np.float32) / 32768
        faces = self.stream.push(self._resampler.resample_chunk(samples))
        self.n_frames += len(faces)
        pictures = []
        for number, points in list(enumerate(faces, self.n_frames - len(faces)))[-MOST_AT_ONCE:]:
            jpeg = self.face.draw(points, number)
            pictures.append(Picture(number, jpeg, time.perf_counter() - began))
            began = time.perf_counter()
        return pictures


def rehearse(face: LiveFace, sound: NDArray) -> float:
    """Let a `LiveFace` say `sound` (float32 [sample], 16 kHz), so that nothing is done for the first time later.

    Returns
    -------
    seconds of one core that a frame takes, whatever else the machine does
    """
    speaker, samples, began = Speaker(face, SAMPLE_RATE), (32767 * sound).astype("<i2"), time.process_time()
    for start in range(0, len(samples), SAMPLES_PER_FRAME):
        speaker.push(samples[start:start + SAMPLES_PER_FRAME].tobytes())
    return (time.process_time() - began) / speaker.n_frames
