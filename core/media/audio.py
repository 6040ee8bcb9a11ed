"""Read sound as 16 kHz mono float32, write 16-bit WAV, compute FFT magnitudes.

Reads: .wav of any rate, depth and channel count (stages); anything ffmpeg knows (`decode_any`, for recordings).
Writes: .wav.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.errors import NEEDS_ROOM, InputError, absent
from core.events import Warned
from core.files import whole_file
from core.media import ffmpeg, riff
from core.media.tracks import choose_track, every_stream, opened
from core.media.wav import check_finite, check_length, check_whole, open_wav, resampled_blocks
from core.stage import tell

HOPS_PER_FRAME = 4
HOP = SAMPLES_PER_FRAME // HOPS_PER_FRAME  # 10 ms
N_FFT = 512  # 32 ms; the hop's centre is the window's centre
N_BINS = N_FFT // 2 + 1
SILENCE_DBFS = -60.0
SILENT_SPAN = 2e-4  # from the lowest to the highest sample: less is nothing but the last bits of 16
_EDGE = SAMPLE_RATE // 50
BYTES_A_SAMPLE = 2  # of what is written
_SPECTRUM_BLOCK = 60 * SAMPLE_RATE  # samples whose windows are held at a time
_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
LATE_SAMPLES = (N_FFT - HOP) // 2  # the windows of a frame see so far beyond it


def _say_if_silent(path, sound):
    middle = sound[_EDGE:-_EDGE] if len(sound) > 4 * _EDGE else sound  # a constant rings where it is switched on and off
    if middle.max() - middle.min() < SILENT_SPAN:
        tell(Warned("silent from beginning to end: is it the right file, was the microphone on?", path))


def read_speech(path: str | Path, where: str | Path | None = None) -> NDArray:
    """Read a recording as 16 kHz mono: a .wav of any rate, depth and channel count, or whatever else ffmpeg decodes.

    Parameters
    ----------
    where : the file that is named where the sound is silent, by default `path`

    Returns
    -------
    float32 [sample], -1..1

    Raises
    ------
    InputError : no sound, damaged, truncated, empty, not finite, or longer than LONGEST_S.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, absent(path), "a recording")
    if not path.stat().st_size:
        raise InputError(path, "an empty file (0 bytes)", "a recording with sound")
    peak, pieces = 1.0, []
    with riff.with_true_header(path) as plain:
        file = open_wav(plain)
        for piece in resampled_blocks(file, path) if file else decode_any(path):
            check_finite(path, piece)
            peak = max(peak, piece.max(initial=0), -piece.min(initial=0))
            pieces.append(piece)
    check_whole(path, riff.layout_of(path))
    sound = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not len(sound):
        raise InputError(path, "no sound in it", "a recording with sound")
    _say_if_silent(where or path, sound)
    return sound / np.float32(peak) if peak > 1 else sound  # float files may go beyond -1..1: their level is not kept


def resample(sound: NDArray, rate: int, new_rate: int = SAMPLE_RATE) -> NDArray:
    """Resample mono float32 `sound` [sample] to `new_rate` Hz (soxr, high quality)."""
    if rate == new_rate:
        return np.ascontiguousarray(sound, np.float32)
    import soxr  # only where it is needed: keeps the start of a 16 kHz run short
    return np.asarray(soxr.resample(sound, rate, new_rate), np.float32)


def decode_any(path: str | Path) -> Iterator[NDArray]:
    """Yield the sound of any recording, as ffmpeg decodes it, in blocks of whole frames.

    Its track, channels and time are as `core.media.tracks` says.

    Yields
    ------
    float32 [sample], 16 kHz mono, one second each but the last; nothing when the recording has no sound.
    """
    decoded = [*choose_track(path).mono(), "-f", "f32le", "-", *every_stream()]
    with opened(path) as given, ffmpeg.running([*given, *decoded], stdout=subprocess.PIPE) as decoder:
        n_seconds = 0
        while block := decoder.stdout.read(4 * SAMPLE_RATE):
            check_length(path, n_seconds := n_seconds + 1)
            yield np.frombuffer(block[:len(block) // 4 * 4], np.float32)
    if decoder.failure and "does not contain any stream" not in decoder.said:
        raise InputError(path, f"sound not readable ({decoder.failure})", "an audio or video file that ffmpeg can decode",
                         "copy or export it again")


def write_wav(path: str | Path, sound: NDArray, rate: int = SAMPLE_RATE) -> Path:
    """Write mono `sound` [sample], -1..1, as 16-bit PCM: the file appears whole or not at all."""
    with whole_file(path) as part:
        encode_wav(part, [sound], rate, where=path)
    return Path(path)


def encode_wav(path: str | Path, blocks: Iterable[NDArray], rate: int = SAMPLE_RATE, *, where: str | Path | None = None) -> int:
    """Write mono sound that comes in pieces (float [sample], -1..1) to `path` as 16-bit PCM; return the samples written.

    What lies beyond -1..1 is clipped, what is not a number becomes silence.

    Parameters
    ----------
    path : a temporary file, in `core.files.whole_file` or `core.artifacts.described`
    where : the file that errors name, by default `path`

    Raises
    ------
    InputError : not all of it could be written.
    """
    try:
        with soundfile.SoundFile(os.fsencode(path), "w", rate, 1, "PCM_16", format="WAV") as file:
            for block in blocks:
                file.write(np.clip(np.nan_to_num(block), -1, 1))
            n_samples = file.frames
        # Closing it wrote the last bytes, and told nobody when it could not
        with soundfile.SoundFile(os.fsencode(path)) as file:
            written = file.frames
    except soundfile.LibsndfileError as error:
        raise InputError(where or path, f"not written ({error.error_string})", NEEDS_ROOM) from None
    if written != n_samples or Path(path).stat().st_size < BYTES_A_SAMPLE * n_samples:
        raise InputError(where or path, f"not written ({written} of {n_samples} samples)", NEEDS_ROOM)
    return n_samples


def level_dbfs(sound: NDArray) -> float:
    """Root-mean-square level of `sound` in dB below full scale; -inf for digital silence."""
    power = float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
    return 10 * np.log10(power) if power else -np.inf


class Spectra:
    """FFT magnitudes of sound that is pushed in pieces of any size; memory does not grow.

    All that `push` and, last, `finish` return is float16 [frame, hop, bin]: 4 Hann windows of 32 ms a frame, centred on
    their 10 ms hops; sound beyond either end counts as silence. Together it is `n_frames_of(n_samples)` frames.
    """

    def __init__(self):
        self._pending, self.n_samples, self.n_frames = np.zeros(LATE_SAMPLES, np.float32), 0, 0

    def push(self, sound: NDArray) -> NDArray:
        """Take float32 [sample], 16 kHz; return the frames that are ready: those that ended `LATE_SAMPLES` ago."""
        self._pending, self.n_samples = np.concatenate([self._pending, sound]), self.n_samples + len(sound)
        return self._take(max(0, (len(self._pending) - N_FFT + HOP) // SAMPLES_PER_FRAME))

    def finish(self) -> NDArray:
        """Return the frames that are left."""
        n_left = max(0, n_frames_of(self.n_samples) - self.n_frames) if self.n_samples else 0
        needed = n_left * SAMPLES_PER_FRAME - HOP + N_FFT
        self._pending = np.pad(self._pending, (0, max(0, needed - len(self._pending))))
        return self._take(n_left)

    def _take(self, n_frames):
        if not n_frames:
            return np.empty((0, HOPS_PER_FRAME, N_BINS), np.float16)
        magnitudes = _magnitudes(self._pending, n_frames)
        self._pending, self.n_frames = self._pending[n_frames * SAMPLES_PER_FRAME:], self.n_frames + n_frames
        return magnitudes


def spectrum_blocks(blocks: Iterable[NDArray]) -> Iterator[NDArray]:
    """FFT magnitudes of an iterable of float32 [sample], 16 kHz: yields what `Spectra` returns, nothing empty."""
    spectra = Spectra()
    for block in blocks:
        if len(ready := spectra.push(block)):
            yield ready
    if len(left := spectra.finish()):
        yield left


def spectrum_of(sound: NDArray) -> NDArray:
    """FFT magnitudes of a whole recording: float32 [sample] at 16 kHz -> float16 [frame, hop, bin]."""
    spectrum, n_frames = np.empty((n_frames_of(len(sound)), HOPS_PER_FRAME, N_BINS), np.float16), 0
    for block in spectrum_blocks(sound[t:t + _SPECTRUM_BLOCK] for t in range(0, len(sound), _SPECTRUM_BLOCK)):
        spectrum[n_frames:n_frames + len(block)] = block
        n_frames += len(block)
    return spectrum


def _magnitudes(sound, n_frames):
    windows = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP][: n_frames * HOPS_PER_FRAME]
    magnitudes = np.abs(np.fft.rfft(windows * _WINDOW, axis=-1))
    return magnitudes.reshape(n_frames, HOPS_PER_FRAME, N_BINS).astype(np.float16)  # at most N_FFT / 2: fits float16
