"""What a drawn face is trained on: pixels, edges, a discriminator's opinion and a discriminator's features.

Source: hinge loss, Lim & Ye, Geometric GAN, 2017; feature matching, Wang et al., pix2pixHD, CVPR 2018.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from core.face import face68

# A mouth fills a fiftieth of the crop and is what people look at: (points, extra weight, radius in eye distances).
_LOOKED_AT = ((face68.MOUTH, 8.0, 0.4), (face68.GROUPS["right_eye"], 3.0, 0.25), (face68.GROUPS["left_eye"], 3.0, 0.25))


def attention(rest_face: NDArray, view: NDArray, size_px: int) -> torch.Tensor:
    """Weight of each pixel of a crop, mean 1.

    `rest_face` float [68, 2], face space; `view` float [4], its pose in the crop -> float32 tensor [1, 1, row, column]
    """
    points, unit = face68.to_pixel_space(np.asarray(rest_face)[None], np.asarray(view))[0], float(view[0])
    y, x = np.mgrid[:size_px, :size_px]
    weight = np.ones((size_px, size_px))
    for group, extra, radius in _LOOKED_AT:
        cx, cy = points[list(group)].mean(0)
        weight += extra * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (radius * unit) ** 2))
    return torch.from_numpy((weight / weight.mean()).astype(np.float32))[None, None]


def pixel_loss(drawn: torch.Tensor, real: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted mean absolute difference of [n, rgb, row, column] pictures."""
    return ((drawn - real).abs() * weight).mean()


def edge_loss(drawn: torch.Tensor, real: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The same, of the differences between neighbouring pixels: a blurred edge costs what a missing one does."""
    error = drawn - real
    return (error.diff(dim=3).abs() * weight[..., 1:]).mean() + (error.diff(dim=2).abs() * weight[..., 1:, :]).mean()


def hinge_loss(real_score: torch.Tensor, drawn_score: torch.Tensor) -> torch.Tensor:
    """The discriminator's loss."""
    return (F.relu(1 - real_score) + F.relu(1 + drawn_score)).mean()


def feature_loss(drawn_features: Sequence[torch.Tensor], real_features: Sequence[torch.Tensor]) -> torch.Tensor:
    """Mean absolute difference of features, each layer relative to its own size."""
    ratios = [(a - b).abs().mean() / b.abs().mean().clamp(min=1e-3) for a, b in zip(drawn_features, real_features)]
    return sum(ratios) / len(ratios)


def judge(discriminator: nn.Module, real: torch.Tensor, drawn: torch.Tensor, condition: torch.Tensor,
          found: dict) -> torch.Tensor:
    """The discriminator's loss on real and drawn pictures under the same `condition`; noted in `found`."""
    score, _ = discriminator(torch.cat([real, drawn.detach()]), torch.cat([condition, condition]))
    found["discriminator"] = hinge_loss(*score.chunk(2))
    return found["discriminator"]


def persuade(discriminator: nn.Module, real: torch.Tensor, drawn: torch.Tensor, condition: torch.Tensor,
             found: dict) -> torch.Tensor:
    """The generator's loss before the discriminator; it, and how far the features are apart, are noted in `found`."""
    discriminator.requires_grad_(False)
    score, features = discriminator(drawn, condition)
    with torch.no_grad():
        _, real_features = discriminator(real, condition)
    discriminator.requires_grad_(True)
    found["adversarial"], found["feature"] = -score.mean(), feature_loss(features, real_features)
    return found["adversarial"]
