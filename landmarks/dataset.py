"""Training clips in memory, and augmented batches of them.

Reads: data/train.h5 (training-pack), data/ear.h5 (ear-pack).
A batch depends on the seed and the step alone, so a resumed run sees what an unbroken one would have seen.
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
from core.face import face68
from core.index import read_index, source_of
from core.media.audio import HOP, HOPS_PER_FRAME, decode_any
from landmarks.augment import among_others, augment_sound, in_a_room, mask_bands, no_speech, other_pitch
from landmarks.ear.encoder import HALVES
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
    each float32 [frame, hop, mel]. `versions` of its sound, the first as it is: ear features [frame, half * value] and log10
    mel power [frame, hop, mel], float16, with LOOK_AHEAD frames more on both sides.
    """

    name: str
    speaker: str
    power: np.ndarray
    face: np.ndarray
    rest: np.ndarray
    first_hop: int = 0
    pitched: tuple = ()
    versions: tuple = ()

    @property
    def ear(self) -> NDArray | None:
        """Ear features of the sound as it is, [frame + 2 LOOK_AHEAD, half * value]; None: the clips came without them."""
        return self.versions[0][0] if self.versions else None

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


@contextmanager
def open_ear_pack(ear: str | Path, names: Sequence[str]) -> Iterator[h5py.File]:
    """Open an ear-pack of the clips `names`. Raises InputError when `ear` is none, damaged, or of other clips."""
    artifacts.check(ear, "ear-pack")
    cure = "python -m landmarks.ear.pack"
    with readable(ear, "an ear-pack", "an ear-pack", cure), h5py.File(ear) as file:
        if list(file["name"].asstr()) != list(names):
            raise InputError(ear, "of other clips than the training-pack", "the ear-pack of the same clips", cure)
        yield file


def load_clips(pack: str | Path, split: str, pitches: Sequence[float] = (), ear: str | Path | None = None) -> list:
    """Clips of `split` with at least one face, also at `pitches`, factors of their own; with `versions` of the ear-pack `ear`.

    Raises InputError when `pack` is none or holds no such clip, or when `ear` is of other clips.
    """
    with ExitStack() as files:
        file = files.enter_context(open_pack(pack))
        heard = files.enter_context(open_ear_pack(ear, file["name"].asstr())) if ear else None
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
                              int(file["first_hop"][i]), tuple(pitched), _versions(heard, i, n, split) if heard else ()))
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
    """Versions, as of a `Clip`, of the sounds without a voice that an ear-pack holds."""
    with h5py.File(ear) as file:
        return list(zip(file["quiet_ear"][:], file["quiet_log_power"][:]))


def _versions(heard, i, n_frames, split):
    """The versions of clip `i` in an ear-pack: (ear features, log10 mel power) each. Only clips to train on have several."""
    frames = slice(int(heard["start"][i]), int(heard["start"][i]) + n_frames + 2 * LOOK_AHEAD)
    n_versions = len(heard["ear"]) if split == "train" else 1
    return tuple((heard["ear"][v, frames], heard["log_power"][v, frames]) for v in range(n_versions))


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

    `batch(step)` -> sound, offsets [item, frame, 68, 2], weight [item, frame]; sound is what the network takes, by name:
    features [item, frame + CONTEXT, hop, mel].
    """

    def __init__(self, clips, *, n_items: int, n_frames: int, seed: int, augment: bool = True):
        self.clips, self.n_items, self.n_frames, self.seed, self.augment = clips, n_items, n_frames, seed, augment
        self.share = speaker_shares(clips)
        self.offsets = [face68.fill_missing(clip.face) - clip.rest for clip in clips]
        self.seen = [np.isfinite(clip.face).all((1, 2)).astype(np.float32) for clip in clips]

    def batch(self, step: int):
        rng = np.random.default_rng([self.seed, step])
        chosen = rng.choice(len(self.clips), self.n_items, p=self.share)
        sounds, *rest = zip(*(self._segment(i, rng) for i in chosen))
        return {name: np.stack([sound[name] for sound in sounds]) for name in sounds[0]}, *map(np.stack, rest)

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
        return ({"features": features[:self.n_frames + CONTEXT]}, np.pad(offset[:n], pad).astype(np.float32),
                np.pad(np.round(seen[:n]), (0, missing)).astype(np.float32))

    def _elsewhere(self, power, rng):
        """`power` [frame, hop, mel], now and then among other voices, now and then in a room."""
        if rng.random() < OTHERS:
            others = rng.choice(len(self.clips), int(rng.integers(1, 4)))
            power = among_others(power, [self.clips[i].power for i in others], rng)
        return in_a_room(power, rng) if rng.random() < ROOM else power


class EarBatches(Batches):
    """Batches of clips with `versions`, one of them a segment; the sound has `ear` [item, frame + CONTEXT, half * value].

    `mel`: has `features` too; `quiet`: versions of sounds without a voice, at which a face rests.
    """

    def __init__(self, clips, *, n_items: int, n_frames: int, seed: int, mel: bool, quiet: Sequence[tuple] = ()):
        super().__init__(clips, n_items=n_items, n_frames=n_frames, seed=seed)
        self.mel, self.quiet = mel, quiet

    def _segment(self, i, rng):
        """One segment; the network looks at what stands around it, and past the ends of a clip at the silence there."""
        offsets, seen = self.offsets[i], self.seen[i]
        ear, log_power = self.clips[i].versions[rng.integers(len(self.clips[i].versions))]
        if self.quiet and rng.random() < SILENT_SHARE:
            ear, log_power = self.quiet[rng.integers(len(self.quiet))]
            offsets, seen = np.zeros((len(ear) - CONTEXT, *offsets.shape[1:]), np.float32), np.ones(len(ear) - CONTEXT)
        speed, n_clip = rng.uniform(0.88, 1.14), len(seen)
        start = rng.integers(0, max(1, n_clip - int(self.n_frames * speed)))

        def frames(values, n_parts, around):
            """`values` of n_parts a frame, from `around` frames before the segment to as many after it."""
            at = np.arange(-around * n_parts, (self.n_frames + around) * n_parts)
            return sample_at(values.reshape(len(values) * n_parts, -1), (start + around) * n_parts + (at + 0.5) * speed - 0.5)

        there = np.arange(self.n_frames) * speed + start < n_clip
        offset, seen = frames(offsets, 1, 0).reshape(self.n_frames, *offsets.shape[1:]), np.round(frames(seen, 1, 0)[:, 0])
        if rng.random() < 0.5:
            offset = face68.mirror(offset)
        sound = {"ear": frames(ear, HALVES, LOOK_AHEAD).reshape(self.n_frames + CONTEXT, -1).astype(np.float32)}
        if self.mel:
            power = augment_sound(10 ** log_power.astype(np.float32), rng)
            features, _ = normalise(power)
            sound["features"] = mask_bands(frames(features, HOPS_PER_FRAME, LOOK_AHEAD).reshape(-1, *features.shape[1:]), rng)
        return sound, offset.astype(np.float32), (seen * there).astype(np.float32)


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
