"""Layers that the networks for pictures are made of.

Reads, writes: nothing.
Source: He et al., Delving deep into rectifiers, ICCV 2015, for the first weights.
"""

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

SLOPE = 0.2  # of leaky rectifiers below zero


def convolution(n_in: int, n_out: int, stride: int = 1, size: int = 3) -> nn.Module:
    """A convolution that keeps the size, but for its stride."""
    layer = nn.Conv2d(n_in, n_out, size, stride, size // 2)
    nn.init.kaiming_normal_(layer.weight, SLOPE)
    nn.init.zeros_(layer.bias)
    return layer


def act(x: torch.Tensor) -> torch.Tensor:
    """In place, so `x` must be nobody else's: fresh memory costs a CPU as much as a small convolution."""
    return F.leaky_relu_(x, SLOPE)


class Residual(nn.Module):
    """A convolution, added to what came in; `spread` of its first weights."""

    def __init__(self, n: int, spread: float):
        super().__init__()
        self.layer = convolution(n, n)
        nn.init.normal_(self.layer.weight, 0, spread)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return act(self.layer(x).add_(x))


def to_uint8(pictures: torch.Tensor) -> NDArray:
    """Pictures, float tensor [n, rgb, row, column], -1..1 -> uint8 array [n, row, column, rgb]."""
    return ((pictures.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
