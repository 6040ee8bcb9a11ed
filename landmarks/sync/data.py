"""Batches for the sync judge: a stretch of a mouth, and its sound moved by a known amount.

Reads: clips of landmarks.dataset.
A batch depends on the seed and the step alone, so a resumed run sees what an unbroken one would have seen.
"""

import numpy as np
from numpy.typing import NDArray

from core.face.face68 import N_MOUTH_SHAPE
from core.media.audio import HOPS_PER_FRAME
from landmarks.augment import augment_sound, mask_bands
from landmarks.batches import speaker_shares, stretch
from landmarks.features import CONTEXT
from landmarks.sync.judge import MAX_LAG, mouth_features, sound_features

LENGTHS = (25, 37, 50, 60)  # frames of a stretch: short clips must be judged too
LARGEST_SHIFT = 12  # frames; the lags looked at go further
BLUR = 0.6  # frames: recordings are synchronised to about one


class SyncBatches:
    """Batches to learn from, each of them following from the seed and the step alone.

    `batch(step)` -> features [item, frame + CONTEXT, hop, mel], shapes [item, frame, N_MOUTH_SHAPE], seen [item, frame],
    target [item, lag]: how likely each lag is.
    """

    def __init__(self, clips, *, n_items: int, seed: int):
        self.clips, self.n_items, self.seed = clips, n_items, seed
        self.share = speaker_shares(clips)

    def batch(self, step: int):
        rng = np.random.default_rng([self.seed, step])
        n_frames = int(rng.choice(LENGTHS))
        chosen = rng.choice(len(self.clips), self.n_items, p=self.share)
        return tuple(np.stack(part) for part in zip(*(self._segment(self.clips[i], n_frames, rng) for i in chosen)))

    def _segment(self, clip, n_frames: int, rng):
        late_hops = int(rng.integers(-LARGEST_SHIFT * HOPS_PER_FRAME, LARGEST_SHIFT * HOPS_PER_FRAME + 1))
        speed = rng.uniform(0.88, 1.14)
        n_wanted = int(np.ceil((n_frames + abs(late_hops) / HOPS_PER_FRAME) * speed)) + 2
        start = int(rng.integers(0, max(1, len(clip.face) - n_wanted + 1)))
        power = augment_sound(clip.power[start:start + n_wanted], rng)
        shapes, seen = mouth_features(clip.face[start:start + n_wanted])
        power, shapes, seen = (stretch(part, speed, unit) for part, unit in
                               ((power, HOPS_PER_FRAME), (shapes, 1), (seen.astype(np.float32), 1)))
        power, shapes, seen = shift_sound(power, shapes, seen > 0.99, late_hops, n_frames)
        features = mask_bands(sound_features(power), rng)
        distance = np.arange(-MAX_LAG, MAX_LAG + 1) - late_hops / HOPS_PER_FRAME
        target = np.exp(-0.5 * np.square(distance / BLUR))
        return (features[:n_frames + CONTEXT], augment_mouth(shapes, rng), seen.astype(np.float32),
                (target / target.sum()).astype(np.float32))


def shift_sound(power: NDArray, shapes: NDArray, seen: NDArray, late_hops: int,
                n_frames: int) -> tuple[NDArray, NDArray, NDArray]:
    """`n_frames` of sound [frame, hop, mel] and picture [frame, ...], the sound `late_hops` late; beyond them is nothing."""
    hops = power.reshape(-1, power.shape[-1])
    first_frame = max(0, -(-late_hops // HOPS_PER_FRAME))
    first_hop = first_frame * HOPS_PER_FRAME - late_hops
    hops = hops[first_hop:first_hop + n_frames * HOPS_PER_FRAME]
    shapes, seen = (part[first_frame:first_frame + n_frames] for part in (shapes, seen))
    hops = np.pad(hops, ((0, n_frames * HOPS_PER_FRAME - len(hops)), (0, 0)))
    missing = n_frames - len(shapes)
    return (hops.reshape(n_frames, HOPS_PER_FRAME, -1), np.pad(shapes, ((0, missing), (0, 0))), np.pad(seen, (0, missing)))


def augment_mouth(shapes: NDArray, rng: np.random.Generator) -> NDArray:
    """Another face and another detector for `shapes` [frame, N_MOUTH_SHAPE]: gains, a slow drift, noise, smoothing."""
    gains = np.exp(rng.normal(0, 0.2, N_MOUTH_SHAPE))
    t = np.linspace(-1, 1, len(shapes))[:, None]
    drift = rng.normal(0, 0.3, N_MOUTH_SHAPE) * t + rng.normal(0, 0.2, N_MOUTH_SHAPE) * np.sin(3 * t + rng.uniform(0, 6))
    shapes = shapes * gains + drift + rng.normal(0, rng.uniform(0, 0.15), shapes.shape)
    if rng.random() < 0.3:
        padded = np.pad(shapes, ((1, 1), (0, 0)), mode="edge")
        shapes = padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4
    if rng.random() < 0.3:
        shapes[:, rng.integers(N_MOUTH_SHAPE)] = 0
    return shapes.astype(np.float32)
