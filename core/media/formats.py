"""The kinds of video that are written, by the ending of their name: .mp4, .webm, .gif, .webp.

Reads, writes: nothing; it says how ffmpeg writes them, and whether one is whole.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.media import ffmpeg, mp4

# Players take what is not tagged for BT.709 where it is large, for BT.601 where it is small: converted by BT.709, and tagged
_TAGS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
_TO_YUV = "scale=out_color_matrix=bt709:out_range=tv,format={},{}"
_GIF = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=bayer:bayer_scale=4"  # flat memory


@dataclass(frozen=True)
class Format:
    """How ffmpeg writes a kind of video.

    Parameters
    ----------
    options : of ffmpeg, for the picture
    quality : of --quality -> further ones
    sound : the codec; empty: it has none
    see_through : whether its pixels may be
    mute : without a sound, the filters
    """

    options: tuple[str, ...]
    quality: Mapping[str, tuple[str, ...]]
    sound: str = ""
    see_through: bool = False
    mute: str = "format=bgra"

    def filters(self, n_channels: int) -> str:
        """Of frames with 1 channel (`core.media.nv12`), 3 (RGB) or 4 (RGB and how much is seen of it)."""
        if self.sound:
            return _TAGS if n_channels == 1 else _TO_YUV.format("yuva420p" if n_channels == 4 else "yuv420p", _TAGS)
        return self.mute


def _qualities(option, low, medium, high):
    return {"low": (option, str(low)), "medium": (option, str(medium)), "high": (option, str(high))}


FORMATS = {
    ".mp4": Format(("-vcodec", "libx264", "-preset", "veryfast", "-movflags", "+faststart"), _qualities("-crf", 30, 23, 17),
                   "aac"),
    ".webm": Format(("-vcodec", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7", "-row-mt", "1", "-b:v", "0",
                     "-auto-alt-ref", "0"), _qualities("-crf", 42, 33, 22), "libopus", True),
    ".gif": Format(("-vcodec", "gif", "-loop", "0"), {}, mute=_GIF),
    ".webp": Format(("-vcodec", "libwebp_anim", "-loop", "0", "-compression_level", "2"), _qualities("-q:v", 50, 75, 90),
                    see_through=True)}
RAW = {"y4m": Format(("-vcodec", "wrapped_avframe"), {}, mute=_TO_YUV.format("yuv420p", _TAGS)),
       "rawvideo": Format(("-vcodec", "rawvideo"), {}, mute="format=rgb24")}  # pixels as they are, for a pipe
QUALITIES = tuple(FORMATS[".mp4"].quality)


def format_of(path: str | Path) -> Format:
    """The format of a file's name; .mp4 where its ending is none of FORMATS."""
    return FORMATS.get(Path(path).suffix.lower(), FORMATS[".mp4"])


def _n_packets(path, kind):
    said = ["-i", ffmpeg.url(path), "-map", f"0:{kind}:0?", "-c", "copy", "-f", "framecrc", "-"]
    with ffmpeg.running(said, stdout=subprocess.PIPE) as reader:
        return sum(not line.startswith(b"#") for line in reader.stdout)


def not_whole(path: str | Path, suffix: str, n_frames: int, fps: float, has_sound: bool) -> str:
    """What lacks in a video of `n_frames` of the kind `suffix`; empty when it is whole."""
    if suffix in (".gif", ".webp"):  # they keep frames that are the same as one
        from PIL import Image
        try:
            with Image.open(path) as image:
                image.seek(getattr(image, "n_frames", 1) - 1)
            with open(path, "rb") as stream:
                stream.seek(-1, 2)
                return "it is cut off" if suffix == ".gif" and stream.read() != b";" else ""
        except (OSError, EOFError) as error:
            return str(error)
    if suffix == ".webm":
        found, sounds = _n_packets(path, "v"), has_sound and _n_packets(path, "a") > 0
    else:
        try:
            tracks = {track.handler: track for track in mp4.tracks_of(path)}
        except (OSError, ValueError) as error:
            return str(error)
        picture, sound = tracks.get("vide"), tracks.get("soun")
        in_time = picture and abs(picture.seconds - n_frames / fps) <= 1 / fps
        found, sounds = picture.n_samples if picture and in_time else 0, bool(sound and sound.n_samples)
    if found != n_frames:
        return f"{found} of {n_frames} frames are in it"
    return "its sound is missing" if has_sound and not sounds else ""
