"""Which sound track of a recording is heard, how its channels become one, and when it begins: decided here alone.

Reads: any recording ffmpeg knows. Writes: nothing.
Time counts from where the first of picture and sound begins. What comes before a track that begins later, and a gap in its
time stamps, is silence. Beside the sound every stream is copied to nowhere: so ffmpeg finds that beginning in all formats.
"""

import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.cache import cached
from core.clock import SAMPLE_RATE
from core.events import Warned
from core.media import avi, ffmpeg, riff
from core.stage import tell

GAP_S = 0.05  # longer ones are filled; shorter ones are how containers round
SILENT_DBFS = -75.0  # below it is nothing but the last bits of 16
QUIETER_DB = 30.0  # than the loudest track, or channel: nobody speaks in it
SURVEYED_S = 600  # of a recording tell which track and which channels
CANCELLED = 0.5  # of the power with channels turned over: less is left in their mean, and they cancel each other
PARTLY_CANCELLED = 0.05  # of two channels' power in a second: less is left in their mean
MOST_CHANNELS = 8  # that a video's sound can have
CENTRE, BASS, CHANNELS_51 = 2, 3, 6  # of 5.1 and more, in the order of ffmpeg and WAV
SOUND_KBPS = 96  # a channel of a video's sound
_AU_HEADER = 24  # bytes, at least
_MISREAD = {0x38, 0x40}  # encodings in WAV (NMS ADPCM, G.721) that ffmpeg decodes wrongly, libsndfile rightly


@dataclass(frozen=True)
class Track:
    """A sound track: its `number` among the file's, and the `weights` of its channels in mono; none: their mean.

    It begins `late_s` after the picture, where its time stamps do not say so.
    """

    number: int = 0
    weights: tuple[float, ...] = ()
    late_s: float = 0.0

    @property
    def turned(self) -> bool:
        """Whether one of two channels is the other turned over."""
        return len(self.weights) == 2 and min(self.weights) < 0 < max(self.weights)

    def _mix(self):
        mix = "+".join(f"{weight:g}*c{i}" for i, weight in enumerate(self.weights) if weight).replace("+-", "-")
        return f"pan=mono|c0={mix},"

    def _filled(self, rate=""):
        """Filters that put silence where the time stamps leave gaps."""
        late = f"asetpts=PTS+{self.late_s:.4f}/TB," if self.late_s else ""
        return f"{late}aresample={rate}async=1:min_hard_comp={GAP_S}:first_pts=0"

    def mono(self) -> list[str]:
        """Options of ffmpeg: this track, 16 kHz mono."""
        pan = self._mix() if self.weights else ""
        return ["-map", f"0:a:{self.number}?", "-af", pan + self._filled(f"{SAMPLE_RATE}:"), "-ac", "1"]

    def filters(self, mixed: bool = True) -> str:
        """Filters of ffmpeg: this track with the channels and the rate that it has, not `mixed`: as they are in it."""
        n_channels = len(self.weights)
        is_mono = n_channels > MOST_CHANNELS or (n_channels > 2 and min(self.weights) < 0)
        pan = "pan=stereo|c0=c0|c1=-1*c1," if self.turned else self._mix() if is_mono else ""
        return (pan if mixed else "") + self._filled()

    def heard(self, file: int, codec: str = "aac") -> list[str]:
        """Options of ffmpeg: this track of input `file` as the sound of a video, with the channels and the rate that it has."""
        kbps = SOUND_KBPS * min(max(len(self.weights), 1), MOST_CHANNELS)
        return ["-map", f"{file}:a:{self.number}", "-af", self.filters(), "-acodec", codec, "-b:a", f"{kbps}k"]


@contextmanager
def opened(path: str | Path) -> Iterator[list[str]]:
    """Options of ffmpeg that read a recording, all of it: also where a WAV header lies, or ffmpeg makes noise of it."""
    layout = riff.layout_of(path)
    with riff.with_true_header(path) as plain:
        if layout and (layout.encoding in _MISREAD or layout.order == ">"):
            with tempfile.TemporaryDirectory() as folder:
                read = Path(folder) / "read.wav"
                soundfile.write(read, *soundfile.read(os.fsencode(plain), dtype="float32"), "PCM_16")
                yield ["-i", ffmpeg.url(read)]
        else:
            yield ["-i", ffmpeg.url(plain)]


def every_stream(file: int = 0) -> list[str]:
    """Options of ffmpeg that copy each stream of input `file` to nowhere, to stand behind those of an output."""
    return ["-map", f"{file}:a?", "-map", f"{file}:V?", "-c", "copy", "-f", "null", "-"]


def mix_of(covariance: NDArray) -> tuple[float, ...]:
    """Weights of channels in mono.

    The centre of 5.1 alone, where films speak, if it sounds. Else the mean of the channels that sound; where they would cancel
    each other, with those turned over that are against the loudest.

    covariance : float [channel, channel], of their samples
    """
    power, n_channels = np.diag(covariance).copy(), len(covariance)
    live = power > 10 ** (-QUIETER_DB / 10) * power.max()
    if not live.any():
        return (1 / n_channels,) * n_channels
    surround = n_channels == 3 or n_channels > 4
    if surround and live[CENTRE]:
        return tuple(float(i == CENTRE) for i in range(n_channels))
    if n_channels >= CHANNELS_51 and live.sum() > live[BASS]:
        live[BASS] = False
    weights = live / live.sum()
    spread = np.sqrt(np.where(live, power, 1))
    alike = np.linalg.eigh(covariance * np.outer(live, live) / np.outer(spread, spread))[1][:, -1]
    turned = weights * np.where(alike * alike[power.argmax()] < 0, -1, 1)
    if weights @ covariance @ weights < CANCELLED * (turned @ covariance @ turned):
        weights = turned
    return tuple(float(weight) for weight in weights)


def _n_tracks(path) -> int:
    with opened(path) as given, ffmpeg.running([*given, "-map", "0:a", "-c", "copy", "-frames:a", "1", "-f", "framecrc", "-"],
                                               stdout=subprocess.PIPE) as process:
        return sum(line.startswith(b"#media_type") for line in process.stdout)


def _blocks(stream):
    """Blocks of an AU stream of ffmpeg: float32 [sample, channel]."""
    header = stream.read(_AU_HEADER)
    if len(header) < _AU_HEADER:
        return
    _, offset, _, _, rate, n_channels = struct.unpack(">4sIIIII", header)
    stream.read(offset - _AU_HEADER)
    frame = 4 * n_channels
    while block := stream.read(rate * frame):
        yield np.frombuffer(block[:len(block) // frame * frame], ">f4").reshape(-1, n_channels)


def _covariance(path, number, alone):
    """The covariance of a track's channels, float [channel, channel]; None of one that cannot be decoded.

    Where channels cancel each other for a part of the time alone, it is that of the loudest one: the others count as silent.

    alone : of the only track: one channel needs no more than a look
    """
    n, total, products, n_loud, n_cancelled = 0, 0.0, 0.0, 0, 0
    decoded = ["-map", f"0:a:{number}", "-t", str(SURVEYED_S), "-ar", str(SAMPLE_RATE), "-c:a", "pcm_f32be", "-f", "au", "-"]
    with opened(path) as given, ffmpeg.running([*given, *decoded], stdout=subprocess.PIPE) as process:
        for block in _blocks(process.stdout):
            if alone and block.shape[1] == 1:
                return np.ones((1, 1))
            block = np.nan_to_num(block.astype(np.float64))
            n, total, products = n + len(block), total + block.sum(0), products + block.T @ block
            least, power = block.mean(1).var(), block.var(0).mean()
            if power > 10 ** (SILENT_DBFS / 10):
                n_loud, n_cancelled = n_loud + 1, n_cancelled + (least < PARTLY_CANCELLED * power)
    covariance = products / n - np.outer(total / n, total / n) if n else None
    if covariance is not None and len(covariance) == 2 and n_loud / 10 < n_cancelled < 0.9 * n_loud:
        loudest = np.diag(covariance).argmax() == np.arange(2)
        return covariance * np.outer(loudest, loudest)
    return covariance


def _level(covariance) -> float:
    power = 0.0 if covariance is None else float(np.diag(covariance).max())
    return 10 * np.log10(power) if power > 0 else -np.inf


@cached
def choose_track(path: str | Path) -> Track:
    """The first track in which somebody can be heard, looked for once a process; what is odd about the sound is said."""
    n_tracks, late_s = _n_tracks(path), avi.late_s(path) if Path(path).is_file() else 0.0
    found = [_covariance(path, number, n_tracks == 1) for number in range(n_tracks)]
    levels = [_level(covariance) for covariance in found]
    if not found or max(levels) < SILENT_DBFS:
        if n_tracks > 1:
            tell(Warned(f"all {n_tracks} sound tracks are silent", path))
        return Track(0, (1 / len(found[0]),) * len(found[0]) if found and found[0] is not None else (), late_s)
    number = next(i for i, level in enumerate(levels) if level > max(levels) - QUIETER_DB)
    if number:
        silent = "track 1 is" if number == 1 else f"tracks 1 to {number} are"
        tell(Warned(f"{silent} silent: sound track {number + 1} of {n_tracks} is taken", path))
    track = Track(number, mix_of(found[number]), late_s)
    if min(track.weights) < 0:
        tell(Warned("its channels cancel each other: one is turned over", path))
    return track
