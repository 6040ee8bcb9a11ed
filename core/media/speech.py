"""A recording that is decoded once and analysed once: what stages hand to each other in place of its path.

Reads: a .wav. Writes: nothing.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.media.audio import read_speech, spectrum_of


@dataclass(frozen=True, eq=False)
class Speech:
    """A decoded .wav.

    Parameters
    ----------
    path : the file, which sidecars name and ffmpeg reads
    sound : float32 [sample], 16 kHz mono, -1..1
    """

    path: Path
    sound: np.ndarray

    @cached_property
    def spectrum(self):
        """FFT magnitudes, float16 [frame, hop, bin], see `core.media.audio.Spectra`; computed when first asked for."""
        return spectrum_of(self.sound)


def open_speech(speech) -> Speech:
    """Decode the .wav of a path; a `Speech` is returned as it is. Raises InputError, see `read_speech`."""
    return speech if isinstance(speech, Speech) else Speech(Path(speech), read_speech(speech))
