"""One training step of the mouth model: pixels, edges, a critic's opinion and a critic's features."""

from torch.nn import functional as F

from gan import losses
from gan.adversaries import Adversaries
from render.mouth_model import Critic, MouthPainter, painted

EDGE_WEIGHT, COLOUR_WEIGHT, SPREAD_WEIGHT = 1.0, 0.3, 0.05
FEATURE_WEIGHT = 0.2
NEAR_WEIGHT = 6.0  # of pixels near the mouth, beside 1 elsewhere
CRITIC_SHARE = 0.5  # of the learning rate: a critic that always wins teaches nothing


def near_lips(masks):
    """1 on the lips and around them, softly 0 away from them: float [n, 2, row, column] -> [n, 1, row, column]."""
    lips = F.max_pool2d(F.avg_pool2d(masks[:, :1], 4), 9, 1, 4)
    return F.interpolate(F.avg_pool2d(lips, 7, 1, 3, count_include_pad=False), scale_factor=4, mode="bilinear")


class MouthTrainer(Adversaries):
    """Networks, optimisers, and the step that trains them; see `Adversaries` for the rest."""

    def __init__(self, painter: MouthPainter, n_steps, **settings):
        super().__init__(painter, Critic(), n_steps, discriminator_share=CRITIC_SHARE, **settings)

    def step(self, pairs) -> dict:
        """Train on one batch, `mouth_data.as_tensors`; return the losses."""
        self.set_learning_rate()
        pairs = {name: value.to(self.device) for name, value in pairs.items()}
        truth, warped, masks = pairs["truth"], pairs["warped"], pairs["masks"]
        near = near_lips(masks)
        colour, mask = self.generator(warped, masks, self.generator.look_at(pairs["photo"], pairs["photo_masks"]))
        drawn, weight = painted(warped, colour, mask), 1 + NEAR_WEIGHT * near
        found = {"pixel": losses.pixel_loss(drawn, truth, weight), "edge": losses.edge_loss(drawn, truth, weight),
                 "colour": losses.pixel_loss(colour, truth, near), "spread": (mask * (1 - near)).mean()}
        loss = found["pixel"] + EDGE_WEIGHT * found["edge"] + COLOUR_WEIGHT * found["colour"] + SPREAD_WEIGHT * found["spread"]
        if self.is_adversarial:
            real, shown = truth * near, drawn * near  # elsewhere the photo's own pixels tell themselves apart by their blur
            self.learn("discriminator", losses.judge(self.discriminator, real, shown, masks, found))
            loss = loss + self.adversarial_weight * losses.persuade(self.discriminator, real, shown, masks, found) \
                + FEATURE_WEIGHT * found["feature"]
        self.learn("generator", loss)
        self.follow()
        return {name: float(value.detach()) for name, value in found.items()}
