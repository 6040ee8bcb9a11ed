"""The one gate for pictures that move: frames in at 25 a second, .mp4 with sound and .gif out.

Reads: any video ffmpeg knows; frames are streamed, never held together.
Writes: .mp4 (H.264 + AAC), .gif (25 frames a second exactly).
"""

from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from core.artifacts import whole_file
from core.clock import FPS
from core.errors import NEEDS_ROOM, InputError, absent

CRF = {"low": 30, "medium": 23, "high": 17}  # x264's constant rate factor


@dataclass(frozen=True)
class VideoInfo:
    size: tuple  # (width_px, height_px)
    fps: float
    seconds: float
    has_sound: bool


def _open(path, fps=None):
    if not Path(path).is_file():
        raise InputError(path, absent(path), "a video")
    options = ["-vf", f"fps={fps}"] if fps else []
    stream = imageio_ffmpeg.read_frames(str(path), output_params=[*options, "-an"], input_params=["-v", "info"])
    try:
        return stream, next(stream)
    except (OSError, RuntimeError, StopIteration, IndexError, ValueError):
        raise InputError(path, "not readable as a video", "a video file that ffmpeg can decode") from None


def probe(path) -> VideoInfo:
    """Say what video `path` holds. Raises InputError when it holds none."""
    stream, about = _open(path)
    stream.close()
    return VideoInfo(tuple(about["size"]), float(about["fps"]), float(about["duration"]), bool(about.get("audio_codec")))


def read_frames(path, fps: int = FPS):
    """Yield the frames of `path`, resampled in time to `fps`: uint8 [row, column, rgb]."""
    stream, about = _open(path, fps)
    width, height = about["size"]
    for frame in stream:
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)


def write_video(path, frames, *, fps: float = FPS, speech=None, quality: str = "medium"):
    """Write `frames` (iterable of uint8 [row, column, rgb], even sizes) and the sound of `speech` as they come.

    The file appears whole or not at all. Raises InputError when ffmpeg cannot write.
    """
    frames = iter(frames)
    first = next(frames)
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"{path}: H.264 needs even sizes, got {width}x{height}")
    sound = {"audio_path": str(speech), "audio_codec": "aac"} if speech else {}
    with whole_file(path) as part:
        encoder = imageio_ffmpeg.write_frames(
            str(part), (width, height), fps=fps, codec="libx264", macro_block_size=2, quality=None,
            ffmpeg_log_level="quiet",  # what it says is said once, below
            output_params=["-crf", str(CRF[quality]), "-preset", "veryfast", "-movflags", "+faststart"], **sound)
        encoder.send(None)
        try:
            encoder.send(np.ascontiguousarray(first))
            for frame in frames:
                encoder.send(np.ascontiguousarray(frame))
            encoder.close()
        except OSError as error:
            raise InputError(path, f"ffmpeg stopped writing ({str(error).splitlines()[0][:80]})", NEEDS_ROOM) from None
        finally:
            encoder.close()  # when `frames` raised: ffmpeg must end before its file is removed
        if not part.is_file() or not part.stat().st_size:
            raise InputError(path, "ffmpeg wrote nothing", NEEDS_ROOM)
    return Path(path)


def write_gif(path, frames, *, fps: int = FPS, palette=None):
    """Write a looping GIF from an iterable of uint8 [row, column] (grey, or indices into `palette`, uint8 [256, 3])."""
    from PIL import Image

    def pictures():
        for frame in frames:
            picture = Image.fromarray(np.ascontiguousarray(frame))
            if palette is not None:
                picture.putpalette(palette.tobytes())
            yield picture

    pictures = pictures()
    first = next(pictures)
    with whole_file(path) as part:
        first.save(part, save_all=True, append_images=pictures, duration=1000 // fps, loop=0, optimize=False)
    return Path(path)
