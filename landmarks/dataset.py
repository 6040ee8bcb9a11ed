"""Training clips in memory, and augmented batches of them.

Reads: data/train.h5 (training-pack).
A batch depends on the seed and the step alone, so a resumed run sees what an unbroken one would have seen.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError, command_line, readable
from core.face import face68
from core.index import source_of
from landmarks.augment import among_others, augment_sound, in_a_room, mask_bands, no_speech, other_pitch
from landmarks.features import CONTEXT, LOOK_AHEAD, mel_power, normalise, pad_with_silence

BLOCK = 4096  # frames turned into mel power at a time
SHARE = 0.75  # 1 would give one talkative speaker most of every batch, 0 the same to each
_PARTS = {"spectrum", "face", "rest", "start", "n_frames", "first_frame", "first_hop", "name", "split", "speaker"}  # of a pack
PITCHES = (0.74, 0.86, 1.16, 1.35)  # of a voice's own: five semitones down to five up
OTHER_PITCH, ROOM, OTHERS = 0.25, 0.15, 0.15  # of the segments
SILENT_SHARE = 0.05  # of the segments have no speech in them, and a face at rest: a mouth must not move by itself


@dataclass
class Clip:
    """One recording: mel power [frame, hop, mel], face [frame, 68, 2] (NaN: no face), rest [68, 2].

    `first_hop` of the recording's sound is the clip's first; `pitched` is the mel power of the same voice at other pitches,
    each float32 [frame, hop, mel].
    """

    name: str
    speaker: str
    power: np.ndarray
    face: np.ndarray
    rest: np.ndarray
    first_hop: int = 0
    pitched: tuple = ()

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


def load_clips(pack: str | Path, split: str, pitches: Sequence[float] = ()) -> list:
    """Clips of `split` with at least one face, also at `pitches`, factors of their own.

    Raises InputError when `pack` is none or holds no such clip.
    """
    with open_pack(pack) as file:
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
                              int(file["first_hop"][i]), tuple(pitched)))
        if not clips:
            raise InputError(pack, f"no clip of split {split!r}", "clips with sound and a face",
                             command_line("make", "inspect", f"FILE={pack}"))
    return clips


def _power_at_pitch(spectrum, pitch: float):
    """FFT magnitudes [frame, hop, bin] -> mel power [frame, hop, mel] of the voice at `pitch` times its own, by blocks."""
    blocks = (spectrum[t:t + BLOCK] for t in range(0, len(spectrum), BLOCK))
    return np.concatenate([mel_power(block if pitch == 1 else other_pitch(block, pitch)) for block in blocks])


def speaker_shares(clips: Sequence[Clip]) -> NDArray:
    """How likely each clip is drawn, float [clip]: a speaker's share grows with the frames said, to the power of `SHARE`."""
    lengths = np.array([len(clip.face) for clip in clips], float)
    said = {}
    for clip, n in zip(clips, lengths):
        said[clip.speaker] = said.get(clip.speaker, 0) + n
    weight = lengths * np.array([said[clip.speaker] for clip in clips]) ** (SHARE - 1)
    return weight / weight.sum()


class Batches:
    """Batches of augmented segments; a speaker's share grows with the frames they said, to the power of `SHARE`.

    `batch(step)` -> features [item, frame + CONTEXT, hop, mel], offsets [item, frame, 68, 2], weight [item, frame].
    """

    def __init__(self, clips, *, n_items: int, n_frames: int, seed: int, augment: bool = True):
        self.clips, self.n_items, self.n_frames, self.seed, self.augment = clips, n_items, n_frames, seed, augment
        self.share = speaker_shares(clips)
        self.offsets = [face68.fill_missing(clip.face) - clip.rest for clip in clips]
        self.seen = [np.isfinite(clip.face).all((1, 2)).astype(np.float32) for clip in clips]

    def batch(self, step: int):
        rng = np.random.default_rng([self.seed, step])
        chosen = rng.choice(len(self.clips), self.n_items, p=self.share)
        items = [self._segment(i, rng) for i in chosen]
        return tuple(np.stack(part) for part in zip(*items))

    def _segment(self, i, rng):
        """One segment; sound and landmarks are stretched in time together, missing frames weigh nothing."""
        clip = self.clips[i]
        power, n_clip = clip.power, len(clip.face)
        if self.augment and clip.pitched and rng.random() < OTHER_PITCH:
            power = clip.pitched[rng.integers(len(clip.pitched))]
        speed = rng.uniform(0.88, 1.14) if self.augment else 1.0
        n_wanted = int(np.ceil((self.n_frames + CONTEXT) * speed)) + 1
        start = int(rng.integers(0, max(1, n_clip - n_wanted + 1)))
        stop = min(n_clip, start + n_wanted)
        power, offset, seen = power[start:stop], self.offsets[i][start:stop], self.seen[i][start:stop].copy()
        seen[:LOOK_AHEAD if start else 0] = 0  # their sound was cut off
        seen[len(seen) - (LOOK_AHEAD if stop < n_clip else 0):] = 0
        if self.augment:
            power = self._elsewhere(augment_sound(power, rng), rng)
            if rng.random() < 0.5:
                offset = face68.mirror(offset)
            if rng.random() < SILENT_SHARE:
                power, offset, seen = no_speech(power, rng), np.zeros_like(offset), np.ones_like(seen)
        features, silence = normalise(power)
        if speed != 1.0:
            features, offset, seen = (stretch(part, speed, unit) for part, unit in ((features, 4), (offset, 1), (seen, 1)))
        if self.augment:
            features = mask_bands(features, rng)
        n = min(self.n_frames, len(offset))
        missing = self.n_frames - n
        features = pad_with_silence(features[:self.n_frames + LOOK_AHEAD], silence, LOOK_AHEAD, CONTEXT + missing)
        pad = ((0, missing), (0, 0), (0, 0))
        return (features[:self.n_frames + CONTEXT], np.pad(offset[:n], pad).astype(np.float32),
                np.pad(np.round(seen[:n]), (0, missing)).astype(np.float32))

    def _elsewhere(self, power, rng):
        """`power` [frame, hop, mel], now and then among other voices, now and then in a room."""
        if rng.random() < OTHERS:
            others = rng.choice(len(self.clips), int(rng.integers(1, 4)))
            power = among_others(power, [self.clips[i].power for i in others], rng)
        return in_a_room(power, rng) if rng.random() < ROOM else power


def stretch(values: NDArray, speed: float, n_parts: int) -> NDArray:
    """Resample `values` [frame * n_parts, ...] (given as [frame, ...] or [frame, n_parts, ...]) in time by `speed`."""
    flat = values.reshape(len(values) * n_parts, -1) if n_parts > 1 else values.reshape(len(values), -1)
    n_out = max(1, int(len(values) / speed)) * n_parts
    mixed = sample_at(flat, (np.arange(n_out) + 0.5) * speed - 0.5)
    return mixed.reshape(n_out // n_parts, *values.shape[1:])


def sample_at(values: NDArray, at: NDArray) -> NDArray:
    """`values` [time, value] between their places: linear interpolation at `at` [other time], the ends held."""
    at = np.clip(at, 0, len(values) - 1)
    low = np.floor(at).astype(int)
    high, share = np.minimum(low + 1, len(values) - 1), (at - low)[:, None].astype(np.float32)
    return values[low] * (1 - share) + values[high] * share
