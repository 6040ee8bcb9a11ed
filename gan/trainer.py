"""One training step of the landmark DCGAN."""

from gan.model import Discriminator, Generator
from learn import losses
from learn.adversaries import Adversaries

EDGE_WEIGHT, FEATURE_WEIGHT = 1.0, 0.02
LINEAR_SHARE = 0.2  # of the learning rate, for what regression has set


class Trainer(Adversaries):
    """Networks, optimisers, and the step that trains them; see `Adversaries` for the rest.

    `generator` comes with the speaker's measures filled in.
    """

    def __init__(self, generator: Generator, n_steps, **settings):
        linear = generator.linear_part()
        learnt = [p for p in generator.parameters() if all(p is not q for q in linear)]
        groups = [{"params": learnt, "share": 1.0}, {"params": linear, "share": LINEAR_SHARE}]
        size_px = generator.settings["size_px"]
        super().__init__(generator, Discriminator(size_px, generator.settings["n_look"]), n_steps, groups=groups,
                         feature_weight=FEATURE_WEIGHT, **settings)
        rest_face, view = generator.rest_face.cpu().numpy(), generator.view.cpu().numpy()
        self.weight = losses.attention(rest_face, view, size_px).to(self.device)

    def step(self, pictures, face, look) -> dict:
        """Train on one batch; return the losses.

        `pictures` uint8 [n, row, column, rgb], `face` float32 [n, 68, 2], `look` float32 [n, n_look]: tensors.
        """
        pictures, face, look = (value.to(self.device) for value in (pictures, face, look))
        real = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1  # stays channels-last
        drawn = self.generator(face, look)
        found = {"pixel": losses.pixel_loss(drawn, real, self.weight), "edge": losses.edge_loss(drawn, real, self.weight)}
        loss = found["pixel"] + EDGE_WEIGHT * found["edge"]
        return self.update(loss, found, lambda: (real, drawn, self.generator.inputs(face, look)))
