"""Distances of faces: by an encoder, in pairs of one person and of two.

Reads, writes: nothing.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from avatar.identity.network import as_input

_BATCH = 64


@torch.inference_mode()
def embed(encoder: nn.Module, views: NDArray) -> NDArray:
    """uint8 [n, row, column, rgb] -> float32 [n, number]."""
    parts = np.array_split(views, -(-len(views) // _BATCH))
    return np.concatenate([encoder(as_input(part)).numpy() for part in parts])


def pairs_of(embeddings: NDArray, people: NDArray, groups: NDArray) -> tuple[NDArray, NDArray]:
    """Distances of all pairs of one group, and whether each is of one person: float [pair], bool [pair].

    Embeddings with NaN, faces that were not found, are left out.
    """
    found = np.isfinite(embeddings).all(1)
    embeddings, people, groups = embeddings[found], people[found], groups[found]
    i, j = np.triu_indices(len(people), 1)
    alike = groups[i] == groups[j]
    i, j = i[alike], j[alike]
    return np.linalg.norm(embeddings[i] - embeddings[j], axis=1), people[i] == people[j]


def area_under(distance: NDArray, is_same: NDArray) -> float:
    """How often a pair of one person is nearer than a pair of two (area under the ROC curve); NaN without both kinds."""
    from scipy.stats import rankdata
    n_same, n_other = int(is_same.sum()), int((~is_same).sum())
    if not n_same or not n_other:
        return float("nan")
    ranks = rankdata(-distance)
    return float((ranks[is_same].sum() - n_same * (n_same + 1) / 2) / (n_same * n_other))
