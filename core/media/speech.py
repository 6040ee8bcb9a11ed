"""A recording that is decoded once and analysed once: what stages hand to each other in place of its path.

Reads: any recording. Writes: nothing.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.media.audio import read_speech, spectrum_of


@dataclass(frozen=True, eq=False)
class Speech:
    """A decoded recording.

    Parameters
    ----------
    path : the file, which sidecars name
    sound : float32 [sample], 16 kHz mono, -1..1
    recording : the file that `path` was made of, which is heard in a video; by default `path` itself
    """

    path: Path
    sound: np.ndarray
    recording: Path | None = None

    @property
    def heard(self) -> Path:
        """The user's own file: a video keeps its rate and its channels."""
        return self.recording or self.path

    @cached_property
    def spectrum(self) -> NDArray:
        """FFT magnitudes, float16 [frame, hop, bin], see `core.media.audio.Spectra`; computed when first asked for."""
        return spectrum_of(self.sound)


def open_speech(speech: str | Path | Speech, recording: Path | None = None) -> Speech:
    """Decode the recording of a path, made of `recording`; a `Speech` is returned as it is. Raises InputError."""
    return speech if isinstance(speech, Speech) else Speech(Path(speech), read_speech(speech, recording), recording)
