"""One training step of the landmark DCGAN, and all that is needed to go on with training later.

Reads, writes: RUN/state.safetensors: networks, running average of the generator, both optimisers.
"""

import copy
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core import artifacts
from core.errors import InputError
from gan import losses
from gan.model import Discriminator, Generator

ADAM = {"betas": (0.5, 0.99)}
EDGE_WEIGHT, FEATURE_WEIGHT = 1.0, 0.02
AVERAGE_STEPS = 200  # the running average of the generator looks back this far; less at the beginning
LINEAR_SHARE = 0.2  # of the learning rate, for what regression has set
WARM_UP_STEPS = 50
LONGEST_GRADIENT = 1.0  # one odd batch must not throw the pictures into the flat ends of the tanh


class Trainer:
    """Networks, optimisers, and the step that trains them.

    Parameters
    ----------
    generator : with the speaker's measures filled in
    n_steps : length of the training; the learning rate falls to nothing over its second half
    adversarial_weight : of the discriminator's opinion in the generator's loss; 0 trains no discriminator
    adversarial_from : share of the steps after which the discriminator joins
    """

    def __init__(self, generator: Generator, n_steps, *, learning_rate, adversarial_weight, adversarial_from):
        settings, self.device = generator.settings, generator.rest_face.device
        self.generator, self.average = generator, copy.deepcopy(generator).eval().requires_grad_(False)
        self.discriminator = Discriminator(settings["size_px"], settings["n_look"])
        for network in (self.generator, self.average, self.discriminator):
            network.to(self.device, memory_format=torch.channels_last)
        linear = generator.linear_part()
        learnt = [p for p in generator.parameters() if all(p is not q for q in linear)]
        groups = [{"params": learnt, "share": 1.0}, {"params": linear, "share": LINEAR_SHARE}]
        self.optimisers = {"generator": torch.optim.Adam(groups, learning_rate, **ADAM),
                           "discriminator": torch.optim.Adam(self.discriminator.parameters(), learning_rate, **ADAM)}
        self.n_steps, self.learning_rate, self.step_number = n_steps, learning_rate, 0
        self.adversarial_weight, self.adversarial_start = adversarial_weight, round(adversarial_from * n_steps)
        rest_face, view = generator.rest_face.cpu().numpy(), generator.view.cpu().numpy()
        self.weight = losses.attention(rest_face, view, settings["size_px"]).to(self.device)

    def _set_learning_rate(self):
        left = 1 - self.step_number / self.n_steps
        rate = self.learning_rate * min(1, (self.step_number + 1) / WARM_UP_STEPS, max(2 * left, 0.01))
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("share", 1.0)

    def _learn(self, name, loss):
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(getattr(self, name).parameters(), LONGEST_GRADIENT)
        self.optimisers[name].step()

    def step(self, pictures, face, look) -> dict:
        """Train on one batch; return the losses.

        `pictures` uint8 [n, row, column, rgb], `face` float32 [n, 68, 2], `look` float32 [n, n_look]: tensors.
        """
        self._set_learning_rate()
        pictures, face, look = (value.to(self.device) for value in (pictures, face, look))
        real = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1  # stays channels-last
        drawn = self.generator(face, look)
        found = {"pixel": losses.pixel_loss(drawn, real, self.weight), "edge": losses.edge_loss(drawn, real, self.weight)}
        loss = found["pixel"] + EDGE_WEIGHT * found["edge"]
        if self.adversarial_weight and self.step_number >= self.adversarial_start:
            condition = self.generator.inputs(face, look)
            self._learn("discriminator", self._judge(real, drawn.detach(), condition, found))
            loss = loss + self._persuade(real, drawn, condition, found)
        self._learn("generator", loss)
        self._follow()
        self.step_number += 1
        return {name: float(value.detach()) for name, value in found.items()}

    def _judge(self, real, drawn, condition, found):
        score, _ = self.discriminator(torch.cat([real, drawn]), torch.cat([condition, condition]))
        found["discriminator"] = losses.hinge_loss(*score.chunk(2))
        return found["discriminator"]

    def _persuade(self, real, drawn, condition, found):
        self.discriminator.requires_grad_(False)
        score, features = self.discriminator(drawn, condition)
        with torch.no_grad():
            _, real_features = self.discriminator(real, condition)
        self.discriminator.requires_grad_(True)
        found["adversarial"], found["feature"] = -score.mean(), losses.feature_loss(features, real_features)
        return self.adversarial_weight * found["adversarial"] + FEATURE_WEIGHT * found["feature"]

    @torch.no_grad()
    def _follow(self):
        share = max(1 / (self.step_number + 1), 1 / AVERAGE_STEPS)
        for mean, value in zip(self.average.parameters(), self.generator.parameters()):
            mean.lerp_(value, share)

    def save_state(self, path):
        """Write all that `load_state` needs to go on as if training had not stopped."""
        tensors = {f"{name}/{key}": value for name in ("generator", "average", "discriminator")
                   for key, value in getattr(self, name).state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for number, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"{name} optimiser/{number}/{key}": value for key, value in moments.items()}
        with artifacts.whole_file(path) as part:
            save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, part,
                      {"progress": json.dumps({"step": self.step_number})})

    def load_state(self, path):
        """Go on from a state file. Raises InputError when it is damaged or of another network."""
        try:
            with safe_open(path, "pt", device=str(self.device)) as file:
                header, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            for name in ("generator", "average", "discriminator"):
                getattr(self, name).load_state_dict(_under(tensors, name))
            for name, optimiser in self.optimisers.items():
                moments = {}
                for key, value in _under(tensors, f"{name} optimiser").items():
                    number, _, moment = key.partition("/")
                    moments.setdefault(int(number), {})[moment] = value
                optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
            self.step_number = json.loads(header["progress"])["step"]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(path, f"not readable as a training state ({str(error).splitlines()[0][:80]})", "state.safetensors",
                             f"start a new run; {Path(path).parent.name} cannot be gone on with") from None


def _under(tensors, name):
    return {key[len(name) + 1:]: value for key, value in tensors.items() if key.startswith(name + "/")}
