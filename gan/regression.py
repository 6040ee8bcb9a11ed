"""Pictures as a linear function of landmarks and look: the baseline to beat, and where a generator begins.

Source: the linear half of Cootes et al., Active Appearance Models, ECCV 1998.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

N_START = 2000  # crops, spread over all, are enough to begin from
RIDGE = 30.0  # pulls the weights to zero, in crops; inputs are whitened
_INSIDE = 0.97  # of -1..1: black and white stay finite before the tanh


def fit_linear(inputs: torch.Tensor, pictures: Iterable[tuple[NDArray, torch.Tensor]]) -> torch.Tensor:
    """Ridge regression with a constant.

    Parameters
    ----------
    inputs : float [item, feature]
    pictures : iterable of (item numbers, float [n, pixel]), all items once

    Returns
    -------
    float [feature + 1, pixel]; the constant is last
    """
    x = F.pad(inputs, (0, 1), value=1.0)
    penalty = RIDGE * torch.eye(x.shape[1])
    penalty[-1, -1] = 1e-3  # a mean costs nothing
    product = sum(x[numbers].T @ values for numbers, values in pictures)
    return torch.linalg.solve(x.T @ x + penalty, product)


def _before_tanh(crops):
    """uint8 [n, row, column, rgb] -> float [n, rgb, row, column], such that tanh gives the picture in -1..1."""
    return torch.atanh((crops.float() / 127.5 - 1).clamp(-_INSIDE, _INSIDE)).permute(0, 3, 1, 2).contiguous()


@torch.no_grad()
def start_from_regression(generator: Any, train: Any, looks: torch.Tensor) -> None:
    """Set a generator's canvas and coarse part to the best linear answer of rank `n_axes` on the training crops.

    `looks` float [item, n_look], each of another crop of the same clip. Inputs have mean 0: the canvas is the mean picture.
    """
    side_px = generator.coarse_side_px
    items = np.unique(np.linspace(0, len(train) - 1, N_START).astype(int))
    inputs, canvas = generator.inputs(torch.from_numpy(train.face[items]), looks[items]), torch.zeros(generator.canvas.shape)

    def coarse_pictures():
        for numbers in np.array_split(np.arange(len(items)), -(-len(items) // 64)):
            full = _before_tanh(torch.from_numpy(train.batch(items[numbers])))
            canvas.add_(full.sum(0), alpha=1 / len(items))
            yield numbers, F.adaptive_avg_pool2d(full, side_px).flatten(1)

    weights = fit_linear(inputs, coarse_pictures())[:-1]
    n_axes = min(generator.settings["n_axes"], len(inputs), *weights.shape)
    _, size, directions = torch.svd_lowrank(inputs @ weights, n_axes, niter=4)
    spread = (size / len(inputs) ** 0.5).clamp(min=1e-6)  # along each axis, so that axes have variance 1
    generator.canvas.copy_(canvas)
    for linear in (generator.axes, generator.coarse):
        linear.weight.zero_()
    generator.coarse.weight[:, :n_axes] = directions * spread
    generator.axes.weight[:n_axes] = (weights @ directions / spread).T
