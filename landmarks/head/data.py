"""Clips to learn the motion of head and brows from, and batches of them.

Reads: data/train.h5 (training-pack), data/heads/CLIP.head.npy, CLIP.brows.npy (preprocess.extract_head).
A batch depends on the seed and the step alone, so a resumed run sees what an unbroken one would have seen.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import FPS
from core.errors import InputError, command_line
from core.index import source_of
from landmarks.augment import augment_sound, no_speech
from landmarks.batches import speaker_shares, stretch
from landmarks.dataset import open_pack
from landmarks.features import mel_power
from landmarks.head.knots import KNOT, N_CHANNELS, at_knots, n_knots_of, to_knots
from landmarks.head.prosody import pitch_of_spectrum
from landmarks.head.sound import sound_features

MOVING = 15.0  # degrees a second: clips of heads that turn less do not say what motion is like

N_MANNER = 2
LIVELY = 15.0  # degrees a second a head turns that moves freely; people told to hold still are drawn less often
SILENT, SILENT_SIZE = 0.08, 0.25  # of the items have no speech, and a head that moves so much less
UNCONDITIONAL = 0.15  # share of the items learnt without their speech, for classifier-free guidance
MIRRORED = np.array([-1, 1, -1, -1, 1, 1, 1], np.float32)
MIRROR_OF = [0, 1, 2, 3, 4, 6, 5]  # the brows change places


@dataclass
class HeadClip:
    """One recording: mel power [frame, hop, mel], pitch [frame, hop], motion [frame, channel] as `knots.CHANNELS`."""

    name: str
    speaker: str
    power: np.ndarray
    height: np.ndarray
    face: np.ndarray  # the motion; so called because `speaker_shares` counts its frames

    @property
    def source(self) -> str:
        """The folder it came from."""
        return source_of(self.name) or self.speaker


def manner_of(motion: NDArray) -> NDArray:
    """How lively a motion [frame, channel] is: log10 of the mean speed of head (rad/s) and brows (eye distances/s)."""
    speed = np.abs(np.diff(motion, axis=0)).mean(0) * FPS if len(motion) > 1 else np.zeros(N_CHANNELS)
    return np.log10(np.array([speed[:3].sum(), speed[5:].sum()]) + 1e-3).astype(np.float32)


def load_heads(pack: str | Path, heads: str | Path, split: str) -> list:
    """Clips of `split` whose head was measured. Raises InputError when there is none."""
    clips = []
    with open_pack(pack) as file:
        names, speakers = file["name"].asstr()[:], file["speaker"].asstr()[:]
        for i in np.flatnonzero(file["split"].asstr()[:] == split):
            parts = [Path(heads) / f"{names[i]}{ending}" for ending in (".head.npy", ".brows.npy")]
            if not all(part.is_file() for part in parts):
                continue
            motion = np.concatenate([artifacts.load(part, kind).array for part, kind in
                                     zip(parts, ("head-motion", "brow-motion"))], 1)
            start, n, first = (int(file[part][i]) for part in ("start", "n_frames", "first_frame"))
            spectrum = file["spectrum"][start:start + n].astype(np.float32)
            clips.append(HeadClip(names[i], speakers[i], mel_power(spectrum), pitch_of_spectrum(spectrum),
                                  motion[first:first + n]))
    if not clips:
        raise InputError(heads, f"no clip of split {split!r}", "the motion of heads",
                         command_line("python", "-m", "preprocess.extract_head", "--out", heads))
    return clips


def turning(clip: HeadClip) -> float:
    """How fast the head of a clip turns, degrees a second."""
    return float(np.degrees(np.linalg.norm(np.diff(clip.face[:, :3], axis=0), axis=1).mean())) * FPS


class HeadBatches:
    """Batches to learn from, each of them following from the seed and the step alone.

    `batch(step)` -> sound [item, knot, KNOT * N_SOUND], conditional [item] (0 or 1), manner [item, N_MANNER], motion
    [item, knot, channel], weight [item, knot], noise of the same shape as the motion, time [item].
    Not `taught`, all are conditional, and somebody speaks.
    """

    def __init__(self, clips, *, n_items: int, n_frames: int, seed: int, taught: bool = True):
        self.clips, self.n_items, self.n_frames, self.seed, self.taught = clips, n_items, n_frames, seed, taught
        lively = np.minimum([turning(clip) / LIVELY for clip in clips], 1) ** 3
        self.share = speaker_shares(clips) * lively
        self.share /= self.share.sum()

    def batch(self, step: int):
        rng = np.random.default_rng([self.seed, step])
        chosen = rng.choice(len(self.clips), self.n_items, p=self.share)
        sound, manner, motion, weight = (np.stack(part) for part in zip(*(self._item(self.clips[i], rng) for i in chosen)))
        noise = rng.standard_normal(motion.shape).astype(np.float32)
        conditional = (rng.random(len(sound)) >= UNCONDITIONAL * self.taught).astype(np.float32)
        return sound, conditional, manner, motion, weight, noise, rng.uniform(0, 1, len(sound)).astype(np.float32)

    def _item(self, clip, rng):
        """A stretch of a clip: another speed, another microphone, mirrored, a little larger or smaller; or nobody speaks."""
        speed = rng.uniform(0.88, 1.14)
        n_wanted = int(self.n_frames * speed)
        start = int(rng.integers(0, max(1, len(clip.face) - n_wanted + 1)))
        power, height, motion = (part[start:start + n_wanted] for part in (clip.power, clip.height, clip.face))
        motion = motion * np.float32(rng.uniform(0.8, 1.25))
        power = augment_sound(power, rng)
        if rng.random() < 0.5:
            motion = motion[:, MIRROR_OF] * MIRRORED
        manner = manner_of(motion) + rng.normal(0, 0.05, N_MANNER)
        if rng.random() < SILENT * self.taught:
            power, height = no_speech(power, rng), np.full_like(height, np.nan)
            motion = motion * np.float32(SILENT_SIZE) * (np.arange(N_CHANNELS) < 5)
        features, quiet = sound_features(power, height)
        features, motion = stretch(features, speed, 1)[:self.n_frames], stretch(motion, speed, 1)[:self.n_frames]
        sound, knots = at_knots(features, quiet).reshape(n_knots_of(len(features)), -1), to_knots(motion)
        missing = n_knots_of(self.n_frames) - len(knots)
        sound = np.concatenate([sound, np.tile(quiet, (missing, KNOT))])
        return (sound.astype(np.float32), manner.astype(np.float32), np.pad(knots, ((0, missing), (0, 0))),
                np.pad(np.ones(len(knots), np.float32), (0, missing)))

