"""Read video frames at 25 a second; write videos with sound, and pictures that move.

Reads: any video ffmpeg knows; frames are streamed, never held together.
Writes: .mp4 (H.264 + AAC), .webm (VP9 + Opus), .webp, .gif.
"""

import logging
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import NEEDS_ROOM, InputError, absent, readable
from core.files import whole_file
from core.media import ffmpeg
from core.media.formats import Format, format_of, not_whole
from core.media.provenance import COMMENT
from core.media.tracks import choose_track, every_stream, opened

logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)  # it warns of pictures that are turned upright


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video says; its frames may be fewer."""

    size: tuple  # (width_px, height_px)
    fps: float
    seconds: float
    has_sound: bool


def _open(path):
    if not Path(path).is_file():
        raise InputError(path, absent(path), "a video")
    stream = imageio_ffmpeg.read_frames(ffmpeg.url(path), output_params=["-map", "0:V:0", "-an"], input_params=["-v", "info"])
    with readable(path, "a video", "a video file that ffmpeg can decode", "export it again"):
        return stream, next(stream)


def probe(path: str | Path) -> VideoInfo:
    """Say what video `path` holds. Raises InputError when it holds none."""
    stream, about = _open(path)
    stream.close()
    return VideoInfo(tuple(about["size"]), float(about["fps"]), float(about["duration"]), bool(about.get("audio_codec")))


def read_frames(path: str | Path, fps: float = FPS) -> Iterator[NDArray]:
    """Yield the frames of `path`, resampled by their time stamps to `fps`: uint8 [row, column, rgb].

    Time counts as for sound, see `core.media.tracks`: until a picture that begins later, its first frame stands still.
    """
    width, height = probe(path).size
    n_bytes, n_frames = width * height * 3, 0
    with ffmpeg.running(["-i", ffmpeg.url(path), "-map", "0:V:0", "-vf", f"fps={fps}:start_time=0", "-fps_mode", "passthrough",
                         "-s", f"{width}x{height}", "-pix_fmt", "rgb24", "-f", "rawvideo", "-", *every_stream()],
                        stdout=subprocess.PIPE) as decoder:
        while len(frame := decoder.stdout.read(n_bytes)) == n_bytes:
            yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
            n_frames += 1
    if not n_frames:
        raise InputError(path, f"not readable as a video ({decoder.failure or 'no frames'})",
                         "a video file that ffmpeg can decode", "export it again")


def feed(frames: Iterable[NDArray], form: Format, to: Sequence[str], *, fps: float = FPS, speech: str | Path | None = None,
         quality: str = "medium", heard_s: float | None = None, paced: bool = False,
         stdout: int | None = None) -> tuple[int, ffmpeg.Process]:
    """Let ffmpeg encode `frames` and the sound of `speech` as they come, and write what its arguments `to` say.

    Parameters
    ----------
    frames, speech, quality, heard_s : see `encode`
    paced : no faster than it is watched
    stdout : a descriptor that is ffmpeg's standard output

    Returns
    -------
    how many frames it took, and ffmpeg, which has ended
    """
    frames = iter(frames)
    first = next(frames)
    n_channels, width = first.shape[2] if first.ndim == 3 else 1, first.shape[1]
    height = len(first) if first.ndim == 3 else len(first) * 2 // 3
    if height % 2 or width % 2:
        raise ValueError(f"even sizes are needed, got {width}x{height}")
    speech = speech if form.sound else None
    sound_out, beside = (["-map", "0:v:0", *choose_track(speech).heard(1, form.sound)], every_stream(1)) if speech else ([], [])
    n_frames, stopped, pace = 0, "", ["-re"] if paced else []
    with opened(speech) if speech else nullcontext(["-an"]) as sound_in, ffmpeg.running(
            ["-y", "-f", "rawvideo", "-s", f"{width}x{height}", "-pix_fmt", {1: "nv12", 3: "rgb24", 4: "rgba"}[n_channels],
             "-r", str(Fraction(fps).limit_denominator()), *pace, "-i", "-", *(pace if speech else []), *sound_in,
             "-vf", form.filters(n_channels), *form.options, *form.quality.get(quality, ()), *sound_out,
             *([] if heard_s is None else ["-t", f"{heard_s:.6f}"]),
             "-metadata", f"comment={COMMENT}", *to, *beside], stdin=subprocess.PIPE, stdout=stdout) as encoder:
        for frame in chain([first], frames):
            try:
                encoder.stdin.write(np.ascontiguousarray(frame).data)
            except OSError as error:  # it ended: its own words, below, say more
                stopped = error.strerror or str(error)
                break
            n_frames += 1
    encoder.failure = encoder.failure or stopped
    return n_frames, encoder


def encode(path: str | Path, frames: Iterable[NDArray], *, speech: str | Path | None = None, fps: float = FPS,
           where: str | Path | None = None, **how: Any) -> None:
    """Encode `frames` and the sound of `speech` to `path` as they come, in the format of its name, see `core.media.formats`.

    The file is looked at before it counts as made: every frame, the sound, and the length must be in it.

    Parameters
    ----------
    path : a temporary file, in `core.files.whole_file` or `core.artifacts.described`
    frames : uint8 [row, column, rgb], even sizes; or [row, column, rgb and how much is seen]; or [row * 3 / 2, column], as
        `core.media.nv12` lays them out
    speech : a recording; .gif and .webp have no sound
    where : the file that errors name, by default `path`
    **how : `quality`; and `heard_s`, how much of the sound is heard, s, by default all of it

    Raises
    ------
    InputError : ffmpeg failed, or what it wrote is not whole.
    """
    form = format_of(path)
    n_frames, ended = feed(frames, form, [ffmpeg.url(path)], fps=fps, speech=speech, **how)
    has_sound = bool(speech and form.sound)
    if reason := ended.failure or not_whole(path, Path(path).suffix.lower(), n_frames, fps, has_sound):
        raise InputError(where or path, f"no video was made ({reason})", NEEDS_ROOM)


def write_video(path: str | Path, frames: Iterable[NDArray], **how: Any) -> Path:
    """`encode` to `path`: the file appears whole or not at all."""
    with whole_file(path) as part:
        encode(part, frames, where=path, **how)
    return Path(path)


def write_gif(path: str | Path, frames: Iterable[NDArray], *, fps: int = FPS, palette: NDArray | None = None) -> Path:
    """Write a looping GIF from an iterable of uint8 [row, column] (grey, or indices into `palette`, uint8 [256, 3])."""
    from PIL import Image

    def pictures():
        for frame in frames:
            picture = Image.fromarray(np.ascontiguousarray(frame))
            if palette is not None:
                picture.putpalette(palette.tobytes())
            yield picture

    made = pictures()
    first = next(made)
    with whole_file(path) as part:
        first.save(part, save_all=True, append_images=made, duration=1000 // fps, loop=0, optimize=False)
    return Path(path)
