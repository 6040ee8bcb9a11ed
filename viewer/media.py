"""How sound and pictures are read for `viewer.inspect`: functions (path, sidecar) -> facts, and a function that draws them.

Reads: one file at a time; videos as a stream.
Writes: nothing.
"""

import os
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.clock import FPS
from core.errors import InputError
from core.media import video
from core.media.colours import as_shown
from core.media.marks.credentials import has_credentials
from core.media.picture import open_picture
from core.media.provenance import source_type
from viewer import draw as picture

if TYPE_CHECKING:
    from core.media.speech import Speech


def sound(path: Path, about: dict, speech: "Speech | None" = None) -> tuple[list, Callable]:
    """A .wav; `speech` is the file decoded, where that is known."""
    import soundfile

    from core.clock import SAMPLE_RATE
    from core.media.audio import level_dbfs
    from core.media.riff import with_true_header
    from core.media.speech import open_speech
    speech = open_speech(speech or path)
    length = f"{len(speech.sound) / SAMPLE_RATE:.2f} s"
    with with_true_header(path) as plain:
        try:
            info = soundfile.info(os.fsencode(plain))
            length = f"{info.samplerate} Hz, {info.channels} channel(s), {info.subtype}, {length}"
        except soundfile.LibsndfileError:  # something else than its name says, which ffmpeg read
            length = f"{length}, in another format than its name says"
    facts = [("sound", length),
             ("level", f"{level_dbfs(speech.sound):.1f} dBFS, peak {np.abs(speech.sound).max():.3f}")]
    return facts, partial(picture.sound, speech)


def film(path: Path, about: dict) -> tuple[list, Callable]:
    """A video, read as a stream: memory holds the few frames that are shown."""
    from core.media.audio import decode_any
    info = video.probe(path)
    facts = [("picture", f"{info.size[0]}x{info.size[1]} px, {info.fps:g} frames a second, {info.seconds:.2f} s"),
             ("sound", "yes" if info.has_sound else "none"), ("source", source_type(path) or "not said"),
             ("signed", "by C2PA, not checked here" if has_credentials(path) else "none")]
    fps = min(FPS, picture.N_TILES / info.seconds) if info.seconds else FPS
    shown = [picture.tile(frame) for frame in islice(video.read_frames(path, fps), picture.N_TILES)]
    if not shown:
        raise InputError(path, "a video without frames", "a whole video", "make it again")
    peaks = [picture.peaks_of(block) for block in (decode_any(path) if info.has_sound else ())]
    return facts, partial(picture.film, shown, np.concatenate(peaks) if peaks else np.zeros(0))


def animation(path: Path, about: dict) -> tuple[list, Callable]:
    """A .gif: what its header says, and a few of its frames."""
    with open_picture(path) as image:
        n_frames, tiles, hold_s = getattr(image, "n_frames", 1), [], image.info.get("duration", 0) / 1000
        for i in picture.spread_indices(n_frames):
            image.seek(int(i))
            tiles.append(picture.tile(np.asarray(image.convert("RGB"))))
        rate = f", {1 / hold_s:g} a second: {n_frames * hold_s:.2f} s" if hold_s else ""
        facts = [("picture", f"{image.width}x{image.height} px, {n_frames} frames{rate}")]
    return facts, partial(picture.sheet, tiles, "frames, evenly spaced")


def photo(path: Path, about: dict) -> tuple[list, Callable]:
    """A .png or .jpg: its size, and itself."""
    with open_picture(path) as image:
        facts = [("picture", f"{image.width}x{image.height} px, {image.mode}")]
        return facts, partial(picture.sheet, [picture.tile(np.asarray(as_shown(image)[0].convert("RGB")), 600)])
