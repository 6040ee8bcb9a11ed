"""One training step of the translator: pixel, edge, perceptual, adversarial and temporal losses."""

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from avatar.data import SIDE_PX
from avatar.inputs import N_COLOURS
from avatar.network import Critic, Translator
from learn import losses
from learn.adversaries import Adversaries

EDGE_WEIGHT, PERCEPTUAL_WEIGHT, FEATURE_WEIGHT, STEADY_WEIGHT = 1.0, 0.3, 0.3, 1.0
LINE_WEIGHT = 2.0  # of pixels at the features, beside 1 elsewhere
_N_STAGES = 3  # of the encoder: the last knows who it is, which an avatar should not


def perceptual_loss(encoder: nn.Module, drawn: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """How far apart two pictures are in the maps of an encoder, at half their size; each map relative to its own size."""
    with torch.no_grad():
        wanted = encoder.features(F.avg_pool2d(real, 2))[:_N_STAGES]
    return losses.feature_loss(encoder.features(F.avg_pool2d(drawn, 2))[:_N_STAGES], wanted)


def unsteadiness(drawn: torch.Tensor, shifts: NDArray) -> torch.Tensor:
    """How far the frames of a shifted picture [frame, rgb, row, column] are from their mean, where all show the same."""
    side = SIDE_PX - int(shifts.max(0).max())
    low = shifts.max(0)
    same = torch.stack([frame[:, y:y + side, x:x + side] for frame, (x, y) in zip(drawn, (low - shifts).tolist())])
    return (same - same.mean(0)).abs().mean()


class AvatarTrainer(Adversaries):
    """Networks, optimisers, and the step that trains them; see `Adversaries` for the rest. `encoder` stays as it is."""

    def __init__(self, translator: Translator, encoder, n_steps, **settings):
        super().__init__(translator, Critic(), n_steps, feature_weight=FEATURE_WEIGHT, **settings)
        self.encoder = encoder.eval().requires_grad_(False)

    def step(self, inputs, truth, shifts) -> dict:
        """Train on one batch of `avatar_data.batches`; return the losses."""
        inputs, truth = inputs.to(self.device), truth.to(self.device)
        drawn, truth = self.generator(inputs)[0].flatten(0, 1), truth.flatten(0, 1)
        condition = inputs.flatten(0, 1)[:, N_COLOURS:]
        weight = 1 + LINE_WEIGHT * F.avg_pool2d((condition[:, :2].amax(1, keepdim=True) + 1) / 2, 5, 1, 2)
        found = {"pixel": losses.pixel_loss(drawn, truth, weight), "edge": losses.edge_loss(drawn, truth, weight),
                 "perceptual": perceptual_loss(self.encoder, drawn, truth)}
        loss = found["pixel"] + EDGE_WEIGHT * found["edge"] + PERCEPTUAL_WEIGHT * found["perceptual"]
        if shifts is not None:
            loss = loss + STEADY_WEIGHT * unsteadiness(drawn, shifts)
        return self.update(loss, found, lambda: (truth, drawn, condition))
