"""Training data of the emotion recogniser: acted and unacted speech, with augmentation.

Reads: the sound of the recordings that an index.csv lists with their emotion, and of others. Writes: nothing.
What changes from step to step: speed, formants, pitch, the microphone, the noise, the stretch, and what is hidden. What a
pretrained speech encoder makes of a recording, and of distorted copies of it, does not.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.index import read_index
from core.media.audio import decode_any
from core.stage import progress
from landmarks.emotion.copies import copies_of, hear, spoken
from landmarks.emotion.model import N_BANDS, N_FEATURES, PIECE, STEPS_PER_FRAME, emotion_features, sounds_of
from landmarks.expression import EMOTIONS
from landmarks.features import VOICED
from landmarks.voice.data import recorded, synthesised

N_STEPS = PIECE * STEPS_PER_FRAME  # of a piece the network learns from: about two seconds
MARGIN = 10  # steps of silence that may be left around the speech
SPEED, FORMANTS, PITCH = 0.3, 0.12, 0.15  # octaves, share, octaves: the most, the most, standard deviation
EQUALISER, TILT = 0.25, 0.25  # decades: standard deviations
MILD_AUGMENTATION = 0.5  # share of these for the discriminants, which are sooner led astray
NOISE = (1.5, 6.0)  # decades below the speech
MIXED, MIX = 0.3, 0.4  # share of batches in which pieces are mixed, and how (Zhang et al. 2018, mixup)
UNACTED = -1  # stands for the emotion of a take that nobody acted
UNACTED_S, UNACTED_PIECES, UNACTED_CLIPS = 4, 2, 10  # length and number of pieces of a recording; recordings of a speaker
HIDDEN_BANDS, HIDDEN_STEPS = 6, 13  # fewer than these (Park et al. 2019, SpecAugment)


@dataclass
class Take:
    """One recording: who, how, its sound as of `sounds_of`; with the speech encoder its features, and statistics of copies.

    `ear` is float16 [step, value], `ear_moments` float32 [1 + copy, n], those of the recording as it is first.
    """

    speaker: str
    emotion: int
    strong: float
    power: np.ndarray
    octaves: np.ndarray
    voicing: np.ndarray
    ear: np.ndarray | None = None
    ear_moments: np.ndarray | None = None

    @property
    def sounds(self) -> tuple[NDArray, NDArray, NDArray]:
        """Power, octaves, voicing."""
        return self.power, self.octaves, self.voicing


def _take(speaker, emotion, strong, sound) -> Take:
    return Take(speaker, emotion, strong, *sounds_of(sound)[:3])


def takes(index: str | Path, keep: Collection[str] | None = None, copies: bool = False) -> list[Take]:
    """The recordings of an index.csv whose emotion is told.

    `keep`: speakers; all by default. `copies`: the speech encoder hears changed ones too. Raises InputError for none.
    """
    listed = read_index(index, "speaker", "sound", "emotion", "intensity", cure="make train-emotion RAVDESS=folder")
    rows = [row for row in listed
            if row["emotion"] in EMOTIONS and row["sound"] and not row.get("problem") and (not keep or row["speaker"] in keep)]
    if not rows:
        raise InputError(index, "no recordings with an emotion" + (f" of {', '.join(keep)}" if keep else ""),
                         "RAVDESS file names", "python -m preprocess.list_recordings path/to/ravdess --out data/ravdess")
    found, alike = [], {}
    with progress(rows, "read acted speech") as bar:
        for row in bar:
            sound = np.concatenate([np.zeros(0, np.float32), *decode_any(row["sound"])])
            if len(sound) >= SAMPLE_RATE // 2:
                take = _take(row["speaker"], EMOTIONS.index(row["emotion"]), float(row["intensity"] == "strong"), sound)
                found.append((take, sound))
                alike.setdefault((take.speaker, take.emotion), []).append(spoken(sound))
    with progress(found, "encode acted speech") as bar:
        for number, (take, sound) in enumerate(bar):
            versions = copies_of(sound, alike[take.speaker, take.emotion], number) if copies else []
            take.ear, take.ear_moments = hear(sound, versions)
    return [take for take, _ in found]


def tells_emotion(row: dict) -> bool:
    """Whether an index row's clip is named after an emotion: acted, then, as in MEAD."""
    return any(name in row["clip"].lower() for name in EMOTIONS[1:])


def unacted(index: str | Path) -> list:
    """Takes of speech that nobody acted: recordings of split train, and synthesised voices, cut into pieces.

    The speech encoder hears changed ones too.
    """
    of_people = recorded([index], "train", UNACTED_CLIPS, lambda row: not tells_emotion(row)) if index else []
    sounds = [*of_people, *synthesised()]
    n, found = UNACTED_S * SAMPLE_RATE, []
    with progress(sounds, "hear unacted speech") as bar:
        for speaker, sound in bar:
            pieces = [sound[t:t + n] for t in range(0, max(1, len(sound) - n // 2), n)][:UNACTED_PIECES]
            takes = [_take(speaker, UNACTED, 0.0, piece) for piece in pieces]
            for take, piece in zip(takes, pieces):
                versions = copies_of(piece, [spoken(other) for other in pieces], len(found))
                take.ear, take.ear_moments = hear(piece, versions)
            found += takes
    return found


def _resampled(values, at):
    """`values` [n, column] at the places `at`, between rows."""
    at = np.clip(at, 0, len(values) - 1)
    before = np.minimum(at.astype(int), len(values) - 2)
    return values[before] + (at - before)[:, None] * (values[before + 1] - values[before])


def trimmed(take: Take) -> tuple[NDArray, NDArray, NDArray]:
    """Power, octaves, voicing of a take, from a little before its speech to a little after."""
    total = take.power.sum(1)
    sounding = np.flatnonzero(total > VOICED * np.percentile(total, 95))
    own = slice(max(0, sounding[0] - MARGIN), sounding[-1] + MARGIN)
    return take.power[own], take.octaves[own], take.voicing[own]


def _colour(power, octaves, voicing):
    """Mean log-mel of a piece's sounding steps: float [band]."""
    total = power.sum(1)
    return np.log10(power[total > VOICED * np.percentile(total, 95)] + 1e-9).mean(0)


def another_way(rng: np.random.Generator, power: NDArray, octaves: NDArray, voicing: NDArray, strength: float = 1.0,
                equaliser: float | NDArray = 0.0) -> tuple[NDArray, NDArray, NDArray]:
    """The same said faster or slower, by another throat, with another microphone and noise.

    `strength` scales all but the noise; `equaliser` [band], decades, is added to the microphone.
    """
    speed, bands = 2 ** (strength * rng.uniform(-SPEED, SPEED)), np.arange(N_BANDS)
    values = np.column_stack([np.log10(power + 1e-9), octaves, voicing])
    values = _resampled(values, np.arange(0, len(values), speed))
    octaves, voicing = values[:, N_BANDS] + strength * rng.normal(0, PITCH), values[:, N_BANDS + 1]
    logs = _resampled(values[:, :N_BANDS].T, bands * (1 + strength * rng.uniform(-FORMANTS, FORMANTS))).T
    logs += equaliser + strength * np.interp(bands, np.linspace(0, N_BANDS - 1, 6), rng.normal(0, EQUALISER, 6))
    logs += strength * rng.normal(0, TILT) * (2 * bands / N_BANDS - 1)
    power = 10 ** logs
    colour = 10 ** np.interp(bands, np.linspace(0, N_BANDS - 1, 4), rng.normal(0, 0.4, 4)) / N_BANDS
    noise = np.percentile(power.sum(1), 90) * 10 ** -rng.uniform(*NOISE) * colour
    return power + noise * rng.chisquare(8, power.shape) / 8, octaves, voicing


def hidden(rng: np.random.Generator, features: NDArray) -> NDArray:
    """Some bands and some stretches of `features` [step, N_FEATURES] taken away, in place."""
    n = rng.integers(HIDDEN_BANDS)
    first = rng.integers(N_BANDS - n + 1)
    features[:, first:first + n] = 0
    for n in rng.integers(HIDDEN_STEPS, size=2):
        first = rng.integers(max(1, len(features) - n))
        features[first:first + n] = -1
    return features


def silence(n_steps: int) -> NDArray:
    """Features of `n_steps` without sound."""
    return np.broadcast_to(emotion_features(np.zeros((STEPS_PER_FRAME, N_BANDS)), *np.zeros((2, STEPS_PER_FRAME)))[0][:1],
                           (n_steps, N_FEATURES)).copy()


def recoloured(rng: np.random.Generator, takes: Sequence[Take]) -> list:
    """Takes said another way, each in some of the colour of another: [(power, octaves, voicing)].

    Acted and unacted speech must not be told apart by their microphones alone.
    """
    colours = np.stack([_colour(*take.sounds) for take in takes])
    groups = [np.flatnonzero([(take.emotion == UNACTED) == own for take in takes]) for own in (False, True)]
    found = []
    for take, colour in zip(takes, colours):
        of = groups[rng.integers(2)] if len(groups[1]) else groups[0]
        equaliser = rng.random() * (colours[rng.choice(of)] - colour)
        found.append(another_way(rng, *take.sounds, MILD_AUGMENTATION, equaliser - equaliser.mean()))
    return found


class Batches:
    """Batch `step` of the training, the same each time it is asked for.

    Parameters
    ----------
    learnt : list of `Take`
    n_items : pieces a batch
    """

    def __init__(self, learnt, n_items: int, seed: int):
        self.takes, self.n_items, self.seed = learnt, n_items, seed
        self.pieces = [trimmed(take) for take in learnt]
        self.emotion = np.eye(len(EMOTIONS), dtype=np.float32)[[take.emotion for take in learnt]]
        self.strong = np.array([take.strong for take in learnt], np.float32)
        self.per_epoch = max(1, len(learnt) // n_items)
        share = self.emotion.mean(0)
        self.weight = (self.emotion / np.maximum(share, 1e-6) / len(EMOTIONS)).sum(1)  # each emotion counts alike

    def batch(self, step: int):
        """Features [item, N_STEPS, N_FEATURES], sounding [item, frame], emotion [item, 8], strong and weight [item]."""
        epoch, number = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.takes))
        rng = np.random.default_rng((self.seed, 1, step))
        chosen = np.resize(order, self.per_epoch * self.n_items)[number * self.n_items:][:self.n_items]
        features, sounding = (np.stack(part) for part in zip(*(self._piece(rng, i) for i in chosen)))
        made = [features, sounding, self.emotion[chosen], self.strong[chosen], self.weight[chosen]]
        if rng.random() < MIXED:
            share, others = rng.beta(MIX, MIX), rng.permutation(self.n_items)
            made = [share * part + (1 - share) * part[others] for part in made]
        return [part.astype(np.float32) for part in made]

    def _piece(self, rng, i):
        features, sounding = emotion_features(*another_way(rng, *self.pieces[i]))
        features = hidden(rng, features)
        if len(features) > N_STEPS:
            first = rng.integers(len(features) - N_STEPS + 1)
            features, sounding = features[first:first + N_STEPS], sounding[first:first + N_STEPS]
        first = rng.integers(N_STEPS - len(features) + 1)
        whole, heard_there = silence(N_STEPS), np.zeros(N_STEPS, bool)
        whole[first:first + len(features)], heard_there[first:first + len(features)] = features, sounding
        return whole, heard_there.reshape(-1, STEPS_PER_FRAME).max(1)

