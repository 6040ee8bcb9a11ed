"""Augmented batches of training clips.

Reads, writes: nothing.
A batch depends on the seed and the step alone, so a resumed run sees what an unbroken one would have seen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.face import face68
from landmarks.augment import among_others, augment_sound, in_a_room, mask_bands, no_speech
from landmarks.dataset import Clip
from landmarks.ear.encoder import HALVES
from landmarks.features import CONTEXT, LOOK_AHEAD, normalise, pad_with_silence

SHARE = 0.75  # 1 would give one talkative speaker most of every batch, 0 the same to each
SPEEDS = 0.88, 1.14  # sound and landmarks together
OTHER_PITCH, ROOM, OTHERS = 0.25, 0.15, 0.15  # of the segments
CLEAN = 0.2  # of the segments have the sound as it is, and the others one of its versions, it among them
SILENT_SHARE = 0.05  # of the segments have no speech in them, and a face at rest: a mouth must not move by itself


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
        speed = rng.uniform(*SPEEDS) if self.augment else 1.0
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
    """Batches of clips with `versions`, one of them a segment; the sound is `ear` [item, frame + CONTEXT, half * value].

    `quiet`: ear features of sounds without a voice, at which a face rests.
    """

    def __init__(self, clips, *, n_items: int, n_frames: int, seed: int, quiet: Sequence[NDArray] = ()):
        super().__init__(clips, n_items=n_items, n_frames=n_frames, seed=seed)
        self.quiet = quiet

    def _segment(self, i, rng):
        """One segment; the network looks at what stands around it, and past the ends of a clip at the silence there."""
        offsets, seen = self.offsets[i], self.seen[i]
        ear = self.clips[i].versions[0 if rng.random() < CLEAN else rng.integers(len(self.clips[i].versions))]
        if self.quiet and rng.random() < SILENT_SHARE:
            ear = self.quiet[rng.integers(len(self.quiet))]
            offsets, seen = np.zeros((len(ear) - CONTEXT, *offsets.shape[1:]), np.float32), np.ones(len(ear) - CONTEXT)
        speed, n_clip = rng.uniform(*SPEEDS), len(seen)
        start = rng.integers(0, max(1, n_clip - int(self.n_frames * speed)))

        def frames(values, n_parts, around):
            """`values` of n_parts a frame, from `around` frames before the segment to as many after it."""
            at = np.arange(-around * n_parts, (self.n_frames + around) * n_parts)
            return sample_at(values.reshape(len(values) * n_parts, -1), (start + around) * n_parts + (at + 0.5) * speed - 0.5)

        there = np.arange(self.n_frames) * speed + start < n_clip
        offset, seen = frames(offsets, 1, 0).reshape(self.n_frames, *offsets.shape[1:]), np.round(frames(seen, 1, 0)[:, 0])
        if rng.random() < 0.5:
            offset = face68.mirror(offset)
        ear = frames(ear, HALVES, LOOK_AHEAD).reshape(self.n_frames + CONTEXT, -1)
        return {"ear": ear.astype(np.float32)}, offset.astype(np.float32), (seen * there).astype(np.float32)


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
