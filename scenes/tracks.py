"""Recordings laid on one clock: what each person says as a track of the scene's length, and all of them as one sound.

Reads: recordings of any kind. Writes: .wav files (speech), 48 kHz, stereo, 16 bit, with their sidecars.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core import artifacts
from core.errors import InputError
from core.media import ffmpeg
from core.media.tracks import choose_track, opened

RATE = 48_000  # Hz
PAUSE_S = 0.25  # between two who speak in turn


@dataclass(frozen=True)
class Part:
    """A recording of one person: the `channel` of it, or all; it begins at `start_s` of the scene."""

    person: str
    path: Path
    seconds: float
    start_s: float = 0.0
    channel: int | None = None

    @property
    def end_s(self) -> float:
        """Where it ends, of the scene."""
        return self.start_s + self.seconds


def in_turn(parts: Sequence[Part]) -> list[Part]:
    """The same, each after the one before."""
    placed: list[Part] = []
    for part in parts:
        start_s = placed[-1].end_s + PAUSE_S if placed else 0.0
        placed.append(Part(part.person, part.path, part.seconds, start_s, part.channel))
    return placed


def write_track(parts: Sequence[Part], path: Path, seconds: float, *, stage: str) -> Path:
    """Mix `parts` into `path`, `seconds` long, each as loud as it is; return the path.

    Raises
    ------
    InputError : a recording that cannot be read, or no room.
    """
    sources, filters = list(dict.fromkeys(part.path for part in parts)), []
    for i, part in enumerate(parts):
        track = choose_track(part.path)
        own = track.filters() if part.channel is None else f"pan=mono|c0=c{part.channel}," + track.filters(False)
        is_mono = part.channel is not None or len(track.weights) == 1
        both = "pan=stereo|c0=c0|c1=c0" if is_mono else "aformat=channel_layouts=stereo"  # which would make one softer
        filters.append(f"[{i}:a:{track.number}]{own},aresample={RATE},aformat=sample_fmts=flt,{both},"
                       f"adelay=delays={round(part.start_s * RATE)}S:all=1[part{i}]")
    mixed = "".join(f"[part{i}]" for i in range(len(parts)))
    filters.append(f"{mixed}amix=inputs={len(parts)}:normalize=0,apad,atrim=end_sample={round(seconds * RATE)}[all]")
    options = {"parts": [[part.person, round(part.start_s, 3), part.channel] for part in parts]}
    with ExitStack() as stack, artifacts.described(path, "speech", stage=stage, options=options, inputs=sources,
                                                   seconds=round(seconds, 3)) as (whole, _):
        given = [option for part in parts for option in stack.enter_context(opened(part.path))]
        failure = ffmpeg.run(["-y", *given, "-filter_complex", ";".join(filters), "-map", "[all]", "-c:a", "pcm_s16le",
                              "-f", "wav", ffmpeg.url(whole)])
        if failure:
            raise InputError(path, f"no sound was mixed ({failure})", "recordings that can be read, and room")
    return path
