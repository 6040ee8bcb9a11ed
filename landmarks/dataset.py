"""Training clips in memory.

Reads: data/train.h5 (training-pack), data/ear.h5 (ear-pack), recordings. Writes: nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import SAMPLES_PER_FRAME
from core.errors import InputError, command_line, readable
from core.index import read_index, source_of
from core.media.audio import HOP, decode_any
from landmarks.augment import other_pitch
from landmarks.ear.layers import N_LAYERS
from landmarks.features import LOOK_AHEAD, mel_power

BLOCK = 4096  # frames turned into mel power at a time
_PARTS = {"spectrum", "face", "rest", "start", "n_frames", "first_frame", "first_hop", "name", "split", "speaker"}  # of a pack
PITCHES = (0.74, 0.86, 1.16, 1.35)  # of a voice's own: five semitones down to five up


@dataclass
class Clip:
    """One recording: mel power [frame, hop, mel], face [frame, 68, 2] (NaN: no face), rest [68, 2].

    `first_hop` of the recording's sound and `first_frame` of its picture are the clip's first; `pitched` is the mel power of
    the same voice at other pitches, each float32 [frame, hop, mel]. `versions` of its sound, the first as it is: ear features,
    float16 [frame, half * value], with LOOK_AHEAD frames more on both sides.
    """

    name: str
    speaker: str
    power: np.ndarray
    face: np.ndarray
    rest: np.ndarray
    first_hop: int = 0
    first_frame: int = 0
    pitched: tuple = ()
    versions: tuple = ()

    @property
    def ear(self) -> NDArray | None:
        """Ear features of the sound as it is, [frame + 2 LOOK_AHEAD, half * value]; None: the clips came without them."""
        return self.versions[0] if self.versions else None

    @property
    def source(self) -> str:
        """The folder it came from."""
        return source_of(self.name) or self.speaker


@contextmanager
def open_pack(pack: str | Path) -> Iterator[h5py.File]:
    """Open a training-pack, a `h5py.File`. Raises InputError when `pack` is none, or the block finds it damaged."""
    artifacts.check(pack, "training-pack")
    cure = "make preprocess CORPUS=folder"
    with readable(pack, "a training-pack", "a training-pack", cure), h5py.File(pack) as file:
        if missing := sorted(_PARTS - file.keys()):
            raise InputError(pack, f"no {', '.join(missing)} in it", "a training-pack", cure)
        yield file


def layers_of(ear: str | Path) -> int:
    """After how many layers of the encoder an ear-pack has its features. Raises InputError when `ear` is none."""
    return artifacts.check(ear, "ear-pack").get("options", {}).get("layers", N_LAYERS)


@contextmanager
def open_ear_pack(ear: str | Path, names: Sequence[str], n_layers: int | None = None) -> Iterator[h5py.File]:
    """Open an ear-pack of the clips `names`, and of `n_layers` of the encoder, if that is asked.

    Raises
    ------
    InputError : none, damaged, of other clips or layers.
    """
    found = layers_of(ear)
    cure = "python -m landmarks.ear.pack"
    if n_layers and found != n_layers:
        raise InputError(ear, f"features after {found} layers of the encoder", f"after {n_layers}, as the model reads them",
                         f"python -m landmarks.ear.pack --layers {n_layers}")
    with readable(ear, "an ear-pack", "an ear-pack", cure), h5py.File(ear) as file:
        if list(file["name"].asstr()) != list(names):
            raise InputError(ear, "of other clips than the training-pack", "the ear-pack of the same clips", cure)
        yield file


def load_clips(pack: str | Path, split: str, pitches: Sequence[float] = (), ear: str | Path | None = None,
               n_layers: int | None = None) -> list:
    """Clips of `split` with at least one face, also at `pitches`, factors of their own; with `versions` of the ear-pack `ear`.

    Raises InputError when `pack` is none or holds no such clip, or when `ear` is of other clips, or not of `n_layers`.
    """
    with ExitStack() as files:
        file = files.enter_context(open_pack(pack))
        heard = files.enter_context(open_ear_pack(ear, file["name"].asstr(), n_layers)) if ear else None
        clips = []
        wanted = [i for i, name in enumerate(file["split"].asstr()) if name == split]
        for i in wanted:
            start, n = int(file["start"][i]), int(file["n_frames"][i])
            face = file["face"][start:start + n]
            if not np.isfinite(face).all((1, 2)).any():
                continue
            spectrum = file["spectrum"][start:start + n].astype(np.float32)
            power, *pitched = (_power_at_pitch(spectrum, pitch) for pitch in (1.0, *pitches))
            clips.append(Clip(file["name"].asstr()[i], file["speaker"].asstr()[i], power, face, file["rest"][i],
                              int(file["first_hop"][i]), int(file["first_frame"][i]), tuple(pitched),
                              _versions(heard, i, n, split) if heard else ()))
        if not clips:
            raise InputError(pack, f"no clip of split {split!r}", "clips with sound and a face",
                             command_line("make", "inspect", f"FILE={pack}"))
    return clips


def sound_of(recording: str | Path, first_hop: int = 0, n_frames: int | None = None) -> NDArray:
    """Sound of a recording, float32 [sample], from `first_hop` on; `n_frames` of it. Raises InputError when there is none."""
    pieces = list(decode_any(recording))
    if not pieces:
        raise InputError(recording, "no sound", "a recording with sound", command_line("make", "preprocess", "CORPUS=folder"))
    sound = np.pad(np.concatenate(pieces)[max(0, first_hop * HOP):], (max(0, -first_hop * HOP), 0))
    n_samples = len(sound) if n_frames is None else n_frames * SAMPLES_PER_FRAME
    return np.pad(sound[:n_samples], (0, max(0, n_samples - len(sound))))


def with_sound(clips: Sequence[Clip], index: str | Path) -> Iterator[tuple[Clip, NDArray]]:
    """Yield clips and their sound, float32 [sample]; `index` holds the recordings they were cut from."""
    recorded = {row["clip"]: row["sound"] for row in read_index(index, "sound")}
    for clip in clips:
        if clip.name not in recorded:
            raise InputError(index, f"no clip {clip.name!r}", "the recordings the pack was made of",
                             command_line("make", "preprocess", "CORPUS=folder"))
        yield clip, sound_of(recorded[clip.name], clip.first_hop, len(clip.face))


def quiet_sounds(ear: str | Path) -> list:
    """Ear features, as of a `Clip`, of the sounds without a voice that an ear-pack holds."""
    with h5py.File(ear) as file:
        return list(file["quiet_ear"][:])


def _versions(heard, i, n_frames, split):
    """The versions of clip `i` in an ear-pack. Only clips to train on have several."""
    frames = slice(int(heard["start"][i]), int(heard["start"][i]) + n_frames + 2 * LOOK_AHEAD)
    n_versions = len(heard["ear"]) if split == "train" else 1
    return tuple(heard["ear"][v, frames] for v in range(n_versions))


def _power_at_pitch(spectrum, pitch: float):
    """FFT magnitudes [frame, hop, bin] -> mel power [frame, hop, mel] of the voice at `pitch` times its own, by blocks."""
    blocks = (spectrum[t:t + BLOCK] for t in range(0, len(spectrum), BLOCK))
    return np.concatenate([mel_power(block if pitch == 1 else other_pitch(block, pitch)) for block in blocks])
