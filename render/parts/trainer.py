"""One training step of a painter: pixel, edge, adversarial and feature-matching losses."""

import torch
from torch.nn import functional as F

from learn import losses
from learn.adversaries import Adversaries
from render.parts.network import Critic, Painter, blend

EDGE_WEIGHT, COLOUR_WEIGHT = 1.0, 0.3
FEATURE_WEIGHT = 0.2
NEAR_WEIGHT = 6.0  # of pixels near the part, beside 1 elsewhere
SHARPENING, SOFTNESS = 0.5, 0.0174  # eye distances; recordings are softer than most photos: the truth is sharpened a little
CRITIC_SHARE = 0.5  # of the learning rate: a critic that always wins teaches nothing


def sharpen(pictures: torch.Tensor, unit_px: float) -> torch.Tensor:
    """Pictures with an unsharp mask of `SHARPENING` and a Gaussian of `SOFTNESS`: float [n, rgb, row, column], -1..1."""
    spread = SOFTNESS * unit_px
    reach = int(3 * spread)
    bell = torch.exp(-torch.arange(-reach, reach + 1, device=pictures.device).square() / (2 * spread**2))
    bell = (bell / bell.sum()).expand(3, 1, 1, -1)
    soft = F.conv2d(F.pad(pictures, (reach,) * 4, mode="replicate"), bell, groups=3)
    soft = F.conv2d(soft, bell.transpose(2, 3), groups=3)
    return (pictures + SHARPENING * (pictures - soft)).clamp_(-1, 1)


class PartTrainer(Adversaries):
    """Networks, optimisers, and the step that trains them; see `Adversaries` for the rest."""

    def __init__(self, painter: Painter, n_steps, **settings):
        super().__init__(painter, Critic(), n_steps, feature_weight=FEATURE_WEIGHT, discriminator_share=CRITIC_SHARE,
                         **settings)

    def step(self, pairs) -> dict:
        """Train on one batch, `part_data.as_tensors`; return the losses."""
        pairs = {name: value.to(self.device) for name, value in pairs.items()}
        truth, warped = sharpen(pairs["truth"], self.generator.part.unit_px), pairs["warped"]
        masks, near = pairs["masks"], pairs["masks"][:, 1:]
        colour, mask = self.generator(warped, masks, self.generator.look_at(pairs["photo"], pairs["photo_masks"]))
        drawn, weight = blend(warped, colour, mask), 1 + NEAR_WEIGHT * near
        found = {"pixel": losses.pixel_loss(drawn, truth, weight), "edge": losses.edge_loss(drawn, truth, weight),
                 "colour": losses.pixel_loss(colour, truth, near)}
        loss = found["pixel"] + EDGE_WEIGHT * found["edge"] + COLOUR_WEIGHT * found["colour"]
        # elsewhere than near the part the photo's own pixels tell themselves apart by their blur
        return self.update(loss, found, lambda: (truth * near, drawn * near, masks))
