"""The linear discriminants of the emotion recogniser, of moments and of the speech encoder: for emotions and for acting.

Reads, writes: nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from preprocess.ravdess import EMOTIONS

if TYPE_CHECKING:
    from landmarks.emotion.data import Take

TAKEN_FOR_ACTED = 0.98, 0.995  # of the acted recordings held out; with the encoder, which tells them better
ALWAYS = 20.0  # a score of being acted that leaves no doubt
ACTED_WEIGHTS = 0.0, 0.25, 0.5, 1.0, 2.0  # of the encoder's say in whether speech is acted, looked through likewise
EAR_SHRINKAGE = 0.5  # of the covariance of the speech encoder's discriminant
COPIES, SHRINKAGE = 2, 0.1  # recordings said another way that the discriminant learns from, beside each; of its covariance


def moments_of_takes(takes: "Sequence[Take]", seed: int) -> NDArray:
    """Moments of takes: as they are, COPIES times said another way, and in the colour of others; float32 [copy, take, n]."""
    from landmarks.emotion.data import MILD_AUGMENTATION, another_way, recoloured
    from landmarks.emotion.model import emotion_features, moments_of
    rng = np.random.default_rng(seed)

    def of(all_sounds: Sequence[tuple[NDArray, NDArray, NDArray]]) -> list:
        return [moments_of(*sounds, *emotion_features(*sounds))(np.array([0]), np.array([len(sounds[0])]))[0]
                for sounds in all_sounds]

    copies = ([another_way(rng, *take.sounds, MILD_AUGMENTATION) for take in takes] for _ in range(COPIES))
    return np.stack([of(sounds) for sounds in ([take.sounds for take in takes], *copies, recoloured(rng, takes))])


def discriminants(moments: NDArray, emotion: NDArray) -> dict:
    """Arrays of the two linear discriminants, from `moments_of_takes` and emotions [take], UNACTED where nobody acted."""
    from landmarks.emotion.data import UNACTED
    from landmarks.emotion.moments import discriminant
    acted, plain = emotion != UNACTED, moments[:1 + COPIES]
    weights, bias = discriminant(np.concatenate(plain[:, acted]), np.tile(emotion[acted], len(plain)), len(EMOTIONS), SHRINKAGE)
    both, both_bias = discriminant(np.concatenate(moments), np.tile(acted.astype(int), len(moments)), 2, SHRINKAGE)
    if acted.all():
        both, both_bias = np.zeros_like(both), np.array([0, ALWAYS], np.float32)
    return {"discriminant": weights, "discriminant_bias": bias, "acted": both[:, 1] - both[:, 0],
            "acted_bias": both_bias[1] - both_bias[0]}


def ear_discriminants(takes: "Sequence[Take]") -> dict:
    """Arrays of the discriminants of the speech encoder's features; none where they are not known.

    A column of "ear" for each emotion, and one for being acted, which says nothing where `takes` are all acted.
    """
    from landmarks.emotion.ear import LAYERS
    from landmarks.emotion.moments import discriminant
    copies = [take.ear_moments for take in takes if take.ear_moments is not None]
    if not copies:
        return {}
    emotion = np.repeat([take.emotion for take in takes], [len(moments) for moments in copies])
    moments, acted = np.concatenate(copies), emotion >= 0
    weights, bias = discriminant(moments[acted], emotion[acted], len(EMOTIONS), EAR_SHRINKAGE)
    both, both_bias = discriminant(moments, acted.astype(int), 2, EAR_SHRINKAGE)
    column, more = (both[:, 1] - both[:, 0], both_bias[1] - both_bias[0]) if not acted.all() else (np.zeros(len(both)), 0.0)
    return {"ear": np.column_stack([weights, column]).astype(np.float32), "ear_bias": np.append(bias, more).astype(np.float32),
            "ear_layers": np.array(LAYERS), "ear_share": np.float32(0), "ear_temperature": np.float32(1)}


def acted_scores(moments: NDArray, takes: "Sequence[Take]", linear: dict) -> NDArray:
    """By the moments [take, n], and by the encoder, how sure takes are acted: float [take, 2]."""
    by_moments = moments @ linear["acted"] + linear["acted_bias"]
    if "ear" not in linear:
        return np.stack([by_moments, np.zeros(len(takes))], 1)
    ear = np.stack([take.ear_moments[0] for take in takes if take.ear_moments is not None])
    return np.stack([by_moments, ear @ linear["ear"][:, -1] + linear["ear_bias"][-1]], 1)


def weighed_acted(acted: NDArray, unacted: NDArray) -> tuple[float, float, float]:
    """What to make of `acted_scores` of takes held out, acted and not, [take, 2] each.

    Returns
    -------
    least : of the first, that the first of TAKEN_FOR_ACTED of the acted reach
    weight : of the second, under which the fewest of the unacted reach what so many of the acted do
    both : of the sum, that the second of TAKEN_FOR_ACTED reach
    """
    alone, with_encoder = (100 * (1 - share) for share in TAKEN_FOR_ACTED)

    def reach(weight: float) -> float:
        scores = unacted @ (1, weight)
        return float((scores >= np.percentile(acted @ (1, weight), with_encoder)).mean()) if len(unacted) else 0.0

    weight = min(ACTED_WEIGHTS, key=reach)
    return float(np.percentile(acted[:, 0], alone)), weight, float(np.percentile(acted @ (1, weight), with_encoder))
