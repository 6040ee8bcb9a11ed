"""Read a WAV file as 16 kHz mono, by libsndfile; what its header promises and the file lacks is said.

Reads: .wav. Writes: nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError, command_line, readable
from core.events import Warned
from core.files import named_after
from core.media.riff import Layout
from core.media.tracks import choose_track
from core.stage import tell

LOWEST_RATE, HIGHEST_RATE = 1000, 1_000_000  # Hz; a header beyond them is damaged, and resampling would fill the memory
LONGEST_S = 2 * 3600  # of sound that is held in memory
_BLOCK_VALUES = 2**20  # samples of all channels that are read at a time
LITTLE_S = 0.5  # that may lack at the end


def _convert_cure(path):
    ending = "-converted.wav" if path.suffix.lower() == ".wav" else ".wav"  # never over the file it reads
    out = Path(named_after(path.with_suffix(""), ending).name)
    return command_line("python", "-m", "preprocess.convert_audio", path, out)


def check_length(path: str | Path, seconds: float) -> None:
    """Raise InputError for more sound than memory should hold."""
    if seconds > LONGEST_S:
        raise InputError(path, f"more than {LONGEST_S // 60} minutes of sound", f"at most {LONGEST_S // 60}",
                         "cut it into parts")


def check_finite(path: Path, sound: NDArray) -> None:
    """Raise InputError for `sound` [sample] with values that are no numbers."""
    if not np.isfinite(sound).all():
        raise InputError(path, "samples that are not numbers", "finite samples", _convert_cure(path))


def check_whole(path: Path, layout: Layout | None) -> None:
    """Raise InputError when much of the sound that the RIFF header promises is not in the file; say it of a little."""
    missing_s = layout.missing_s if layout else 0.0
    if layout and missing_s > LITTLE_S:
        raise InputError(path, f"truncated: {layout.held} of {layout.promised} bytes of sound", "a whole file",
                         "copy it again, or " + _convert_cure(path))
    if missing_s >= 0.001:
        tell(Warned(f"the last {1000 * missing_s:.0f} ms that its header promises are not in it", path))


def open_wav(path: Path) -> soundfile.SoundFile | None:
    """A `soundfile.SoundFile` of a WAV file; None for what is another format, or better left to ffmpeg."""
    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except (soundfile.LibsndfileError, ValueError, TypeError):
        return None
    if file.format in ("WAV", "WAVEX", "RF64") and file.frames:
        return file
    file.close()
    return None


def resampled_blocks(file: soundfile.SoundFile, path: Path) -> Iterator[NDArray]:
    """The sound of an open `soundfile.SoundFile` as 16 kHz mono, in pieces: float32 [sample]."""
    rate, resampler = file.samplerate, None
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(path, f"{rate} samples a second in its header", f"{LOWEST_RATE} to {HIGHEST_RATE}",
                         "record or export it again")
    weights = None if file.channels == 1 else np.asarray(choose_track(path).weights, np.float32)
    with readable(path, "WAV sound", "RIFF/WAVE sound", _convert_cure(path)), file:
        if rate != SAMPLE_RATE:
            import soxr  # only where it is needed: keeps the start of a 16 kHz run short
            resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        for block in _mono_blocks(file, path, weights):
            yield resampler.resample_chunk(block) if resampler else block
        if resampler:
            yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _mono_blocks(file, path, weights):
    """The sound of an open `soundfile.SoundFile`, a block at a time, its channels mixed by `weights`: float32 [sample].

    What the header says of the length is not believed: sound is counted as it comes.
    """
    n_read, n_block = 0, max(1, _BLOCK_VALUES // file.channels)
    while len(block := file.read(n_block, dtype="float32", always_2d=True)):
        n_read += len(block)
        check_length(path, n_read / file.samplerate)
        yield block.mean(1) if weights is None or len(weights) != block.shape[1] else block @ weights
