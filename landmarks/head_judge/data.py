"""Batches for the head judge: windows of heads and their sounds.

Reads: data/train.h5 (training-pack), data/heads (preprocess.extract_head).
A batch depends on the seed and the step alone, so a resumed run sees what an unbroken one would have seen.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from landmarks.augment import augment_sound
from landmarks.dataset import open_pack
from landmarks.head.beat import without_lips
from landmarks.head.data import MIRROR_OF, MIRRORED, HeadClip, load_heads, turning
from landmarks.head.sound import sound_features
from landmarks.head_judge.judge import N_FRAMES, motion_features

SOURCES = ("first_impressions", "more_talkers", "mead", "public_speeches", "seat", "studio")
FREE = 8.0  # degrees a second: heads that turn less were told to hold still
GAIN, NOISE = 0.2, 0.1  # of motion, so that it is not known by its size
APART = 0.8  # of a window: two of a clip lie so far from each other


def load_talkers(pack: str | Path, heads: str | Path, split: str, keep_lips: bool = False) -> list[HeadClip]:
    """Clips of SOURCES whose heads move, at least a window long; the motion `without_lips` unless `keep_lips`.

    Raises InputError when there are fewer than two.
    """
    clips = [clip for clip in load_heads(pack, heads, split)
             if clip.source in SOURCES and turning(clip) > FREE and len(clip.face) >= N_FRAMES]
    if len(clips) < 2:
        raise InputError(pack, f"{len(clips)} clips of split {split!r} whose heads turn more than {FREE:g} degrees a second, "
                         f"of {', '.join(SOURCES)}", "two or more")
    if keep_lips:
        return clips
    with open_pack(pack) as file:
        place = {name: i for i, name in enumerate(file["name"].asstr()[:])}
        shown = []
        for clip in clips:
            start = int(file["start"][place[clip.name]])
            shown.append(replace(clip, face=without_lips(clip.face, file["face"][start:start + len(clip.face)])))
    return shown


class JudgeBatches:
    """Batches to learn from: `batch(step)` -> sound [item, frame, N_SOUND], motion [item, frame, N_MOTION].

    Half of the items are other windows of the clips of the first half, where those are long enough.
    """

    def __init__(self, clips: Sequence[HeadClip], *, n_items: int, seed: int, of: str = "all"):
        self.clips, self.n_items, self.seed, self.of = clips, n_items, seed, of
        self.share = np.sqrt([len(clip.face) for clip in clips])
        self.share /= self.share.sum()

    def batch(self, step: int) -> tuple[NDArray, NDArray]:
        rng = np.random.default_rng([self.seed, step])
        items = []
        for i in rng.choice(len(self.clips), self.n_items // 2, p=self.share):
            items += self._windows(self.clips[i], rng)
        sounds, motions = (np.stack(part) for part in zip(*items))
        return sounds, motions

    def _windows(self, clip, rng):
        """Two windows of a clip; the same one twice would be two right answers: short clips give windows that overlap less."""
        last = len(clip.face) - N_FRAMES
        first = int(rng.integers(0, last + 1))
        far = [t for t in range(last + 1) if abs(t - first) >= min(APART * N_FRAMES, last // 2)]
        motion = clip.face[:, MIRROR_OF] * MIRRORED if rng.random() < 0.5 else clip.face
        sound = sound_features(augment_sound(clip.power, rng), clip.height)[0]
        motion = motion_features(motion * np.float32(np.exp(rng.normal(0, GAIN))), self.of)
        motion = motion + NOISE * rng.standard_normal(motion.shape).astype(np.float32) * (motion != 0)
        return [(sound[t:t + N_FRAMES], motion[t:t + N_FRAMES].astype(np.float32)) for t in (first, int(rng.choice(far)))]
