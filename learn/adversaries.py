"""Generator and discriminator with their optimisers, step and states, as one object that can be saved and resumed.

Reads, writes: RUN/state.safetensors: networks, running average of the generator, both optimisers.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core.errors import InputError
from core.files import whole_file
from learn import losses, parallel

ADAM = {"betas": (0.5, 0.99)}
AVERAGE_STEPS = 200  # the running average of the generator looks back this far; less at the beginning
WARM_UP_STEPS = 50
LONGEST_GRADIENT = 1.0  # one odd batch must not throw the pictures into the flat ends of the tanh
NETWORKS = ("generator", "average", "discriminator")


class Adversaries:
    """Networks and optimisers. A subclass has `step`: it draws, finds the losses of the drawing alone, and calls `update`.

    Parameters
    ----------
    generator, discriminator : networks
    n_steps : length of the training; the learning rate falls to nothing over its second half
    learning_rate : of the generator, and of the discriminator
    adversarial_weight : of the discriminator's opinion in the generator's loss; 0 trains no discriminator
    adversarial_from : share of the steps after which the discriminator joins
    feature_weight : of the distance between features of the discriminator, in the generator's loss
    groups : parameter groups of the generator, each with its `share` of the learning rate
    discriminator_share : of the learning rate, for the discriminator
    """

    step: Callable[..., dict]  # (a batch) -> losses; of the subclass

    def __init__(self, generator: torch.nn.Module, discriminator: torch.nn.Module, n_steps: int, *, learning_rate: float,
                 adversarial_weight: float, adversarial_from: float, feature_weight: float = 0.0,
                 groups: list[dict] | None = None, discriminator_share: float = 1.0):
        self.device = next(generator.parameters()).device
        self.generator, self.average = generator, copy.deepcopy(generator).eval().requires_grad_(False)
        self.discriminator = discriminator
        for name in NETWORKS:
            getattr(self, name).to(self.device, memory_format=torch.channels_last)
        judged = [{"params": list(discriminator.parameters()), "share": discriminator_share}]
        self.optimisers = {"generator": torch.optim.Adam(groups or generator.parameters(), learning_rate, **ADAM),
                           "discriminator": torch.optim.Adam(judged, learning_rate, **ADAM)}
        self.n_steps, self.learning_rate, self.step_number = n_steps, learning_rate, 0
        self.adversarial_weight, self.adversarial_start = adversarial_weight, round(adversarial_from * n_steps)
        self.feature_weight = feature_weight

    @property
    def is_adversarial(self) -> bool:
        """True when the discriminator has joined."""
        return bool(self.adversarial_weight) and self.step_number >= self.adversarial_start

    def set_learning_rate(self) -> None:
        """Warm up, hold, fall: from the number of the step alone."""
        left = 1 - self.step_number / self.n_steps
        rate = self.learning_rate * min(1, (self.step_number + 1) / WARM_UP_STEPS, max(2 * left, 0.01))
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("share", 1.0)

    def learn(self, name: str, loss: torch.Tensor) -> None:
        """Move the network `name` against the gradient of `loss`."""
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()
        parallel.mean_gradients(getattr(self, name))
        torch.nn.utils.clip_grad_norm_(getattr(self, name).parameters(), LONGEST_GRADIENT)
        self.optimisers[name].step()

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow the generator, and count the step."""
        share = max(1 / (self.step_number + 1), 1 / AVERAGE_STEPS)
        for mean, value in zip(self.average.parameters(), self.generator.parameters()):
            mean.lerp_(value, share)
        self.step_number += 1

    def update(self, loss: torch.Tensor, found: dict, judged: Callable[[], tuple]) -> dict[str, float]:
        """One step: the discriminator's when it has joined, the generator's, the average's.

        Parameters
        ----------
        loss : of the drawn pictures alone
        found : losses by name; the discriminator's are added
        judged : function () -> real, drawn, condition, as the discriminator sees them

        Returns
        -------
        `found` as numbers
        """
        self.set_learning_rate()
        if self.is_adversarial:
            real, drawn, condition = judged()
            self.learn("discriminator", losses.judge(self.discriminator, real, drawn, condition, found))
            loss = loss + self.adversarial_weight * losses.persuade(self.discriminator, real, drawn, condition, found) \
                + self.feature_weight * found["feature"]
        self.learn("generator", loss)
        self.follow()
        return {name: float(value.detach()) for name, value in found.items()}

    def save_state(self, path: str | Path) -> None:
        """Write all that `load_state` needs to go on as if training had not stopped."""
        tensors = {f"{name}/{key}": value for name in NETWORKS for key, value in getattr(self, name).state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for number, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"{name} optimiser/{number}/{key}": value for key, value in moments.items()}
        with whole_file(path) as part:
            save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, part,
                      {"progress": json.dumps({"step": self.step_number})})

    def load_state(self, path: str | Path) -> None:
        """Go on from a state file. Raises InputError when it is damaged or of another network."""
        try:
            with safe_open(path, "pt", device=str(self.device)) as file:
                header, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            for name in NETWORKS:
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
