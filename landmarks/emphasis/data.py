"""What emphasis is learnt from: acted speech of two intensities, and talkers whose mouths were measured.

Reads: data/ravdess/index.csv and its recordings (RAVDESS: the same words with normal and with strong intensity);
data/train.h5 (training-pack), data/ear.h5 (ear-pack), the landmark-model that ships. Writes: nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.errors import InputError
from core.face import face68
from core.index import read_index
from core.media.audio import spectrum_of
from core.stage import progress
from landmarks.dataset import load_clips, sound_of
from landmarks.emphasis.effort import effort_features
from landmarks.features import loud_power, mel_power
from landmarks.lite import load_model
from landmarks.predict import predict_power
from preprocess.ravdess import parse_ravdess

APART = ("actor_19", "actor_20")  # measure
SOURCES = ("first_impressions", "more_talkers", "mead", "public_speeches")  # webcams, films, acted levels, addresses
CURE = "make train-emphasis RAVDESS=folder"
WINDOW_S, STEP_S, LEAST_VOICED_S = 2.0, 1.0, 0.6
STILL = 0.003  # eye distances: below it the motion of a window is noise


@dataclass
class Phrase:
    """A recording of acted speech: mel power [frame, hop, mel], the actor, what is alike but for its intensity, and that."""

    path: str
    actor: str
    said: tuple
    strong: bool
    power: np.ndarray

    @property
    def features(self) -> NDArray:
        """Mean of `effort_features` over its voiced frames: float [mel]."""
        features, voiced = effort_features(self.power, loud_power(self.power.sum((1, 2))))
        return features[voiced > 0].mean(0)


@dataclass
class Windows:
    """Stretches of measured talkers, a row each: features [row, mel], larger [row, 2] and the person [row].

    `larger`: logarithm of measured over predicted standard deviation, of the opening and of the corners' height
    """

    features: np.ndarray
    larger: np.ndarray
    person: np.ndarray


def acted(index: str | Path, actors: Collection[str] = (), apart: Collection[str] = ()) -> list[Phrase]:
    """Phrases that were acted with both intensities, of `actors` (all: empty) but not of those `apart`.

    Raises
    ------
    InputError : the index lists none.
    """
    chosen = []
    for row in read_index(index, "speaker", "sound", "intensity", cure=CURE):
        told = parse_ravdess(PurePath(row["clip"]).name)
        if told and told["emotion"] != "neutral" and row["sound"] and row["speaker"] not in apart \
                and (not actors or row["speaker"] in actors):
            said = tuple(told[name] for name in ("speaker", "emotion", "statement", "repetition"))
            chosen.append((row["sound"], row["speaker"], said, told["intensity"] == "strong"))
    both = {said for _, _, said, strong in chosen if strong} & {said for _, _, said, strong in chosen if not strong}
    chosen = [part for part in chosen if part[2] in both]
    if not chosen:
        raise InputError(index, "no phrase with normal and with strong intensity", "RAVDESS file names",
                         "python -m preprocess.list_recordings path/to/ravdess --out data/ravdess")
    with progress(chosen, "read acted speech") as bar:
        return [Phrase(path, actor, said, strong, mel_power(spectrum_of(sound_of(path)))) for path, actor, said, strong in bar]


def measured(pack: str | Path, ear: str | Path, split: str, sources: Collection[str]) -> Windows:
    """Windows of the clips of a split whose source is one of `sources`. Raises InputError for fewer than two people."""
    model = load_model()
    clips = [clip for clip in load_clips(pack, split, ear=ear if model.encoder else None, n_layers=model.n_layers)
             if clip.source in sources]
    features, larger, person = [], [], []
    with progress(clips, "predict talkers") as bar:
        for clip in bar:
            predicted = predict_power(model, clip.power, clip.ear, gated=False)
            both = [np.stack([face68.mouth_opening(face), face68.mouth_middle(face)[:, 1]])
                    for face in (face68.fill_missing(clip.face), predicted)]
            values, voiced = effort_features(clip.power, loud_power(clip.power.sum((1, 2))))
            for start in range(0, max(1, len(values) - round(STEP_S * FPS)), round(STEP_S * FPS)):
                part = slice(start, start + round(WINDOW_S * FPS))
                heard = voiced[part] > 0
                if heard.sum() >= LEAST_VOICED_S * FPS:
                    sizes = [np.maximum(signals[:, part].std(1), STILL) for signals in both]
                    features.append(values[part][heard].mean(0))
                    larger.append(np.log(sizes[0] / sizes[1]))
                    person.append(clip.speaker)
    if len(set(person)) < 2:
        raise InputError(pack, f"{len(set(person))} people of split {split!r} from {', '.join(sources)} who can be heard",
                         "two or more", CURE)
    return Windows(np.array(features), np.array(larger), np.array(person))


def pairs_of(phrases: Sequence[Phrase]) -> list[tuple[Phrase, Phrase]]:
    """(normal, strong) of each phrase."""
    said: dict[tuple, dict] = {}
    for phrase in phrases:
        said.setdefault(phrase.said, {})[phrase.strong] = phrase
    return [(both[False], both[True]) for both in said.values() if len(both) == 2]


def slopes_of(windows: Windows, effort: NDArray, rng: np.random.Generator | None = None) -> NDArray:
    """By how much `larger` grows with a unit of effort [row], over people, [2]; with `rng`, of people drawn with replacement.

    A person weighs as the square root of their windows.
    """
    people, of, count = np.unique(windows.person, return_inverse=True, return_counts=True)
    x = np.bincount(of, effort) / count
    y = np.stack([np.bincount(of, column) / count for column in windows.larger.T])
    drawn = np.arange(len(people)) if rng is None else rng.integers(0, len(people), len(people))
    x, y, weight = x[drawn], y[:, drawn], np.sqrt(count[drawn])
    x = x - np.average(x, weights=weight)
    return (y * weight * x).sum(1) / max((weight * x * x).sum(), 1e-9)  # 0: of people who are all alike
