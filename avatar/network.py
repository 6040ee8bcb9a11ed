"""The network that draws a comic of a photo: a U-Net with a temporal convolution where the picture is smallest.

Reads, writes: model.safetensors (picture-model).
It sees the photo in ink and paint (`ink.draw_ink`), without its texture, and its 68 points (`guide`), and changes the ink
and paint to what a comic has there. It draws pictures of any size whose sides divide by MULTIPLE. The frames of a video pass
the temporal convolution together with the frames before them.
Source: Ronneberger et al., U-Net, MICCAI 2015; Bai, Kolter, Koltun, temporal convolutional networks, 2018.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from avatar.drawer import CURE, NETWORK, SQUARE, VERSION
from avatar.inputs import N_COLOURS, N_INPUTS
from core import paths
from learn.layers import SLOPE, Residual, act, convolution
from learn.weights import load_network, save_network

DEFAULT_MODEL = paths.AVATAR_MODEL
WIDTHS = 16, 32, 64, 96  # channels at 1/2, 1/4, 1/8, 1/16 of the size
_SPREAD = 1e-2  # of the first weights of a residual: it begins as nearly nothing


class TemporalConvolution(nn.Module):
    """Maps of a frame, of `reach` and of twice `reach` frames before, channel by channel, then mixed; added to what came in."""

    def __init__(self, n, reach):
        super().__init__()
        self.taps = nn.Parameter(torch.tensor([0.0, 0.0, 1.0]).repeat(n, 1).T.clone())
        self.mix = nn.Conv2d(n, n, 1)
        nn.init.normal_(self.mix.weight, 0, 1e-2)
        nn.init.zeros_(self.mix.bias)
        self.n_past = 2 * reach

    def forward(self, x, past=None):
        """Clips, float [clip, frame, channel, row, column]; `past` the frames before, else the first was held since long."""
        if past is None:
            past = x[:, :1].expand(-1, self.n_past, -1, -1, -1)
        seen, n = torch.cat([past, x], 1), x.shape[1]
        late, middle, now = (seen[:, i * self.n_past // 2:][:, :n] for i in range(3))
        taps = self.taps[:, :, None, None]
        mixed = self.mix((late * taps[0] + middle * taps[1] + now * taps[2]).flatten(0, 1)).view_as(x)
        return act(x + mixed), seen[:, -self.n_past:]


class Translator(nn.Module):
    """Photos to comics.

    Parameters
    ----------
    widths : channels at 1/2, 1/4, 1/8, 1/16 of the size
    mean_face : 68 pairs of numbers, face space: of the people it was trained on
    """

    def __init__(self, widths=WIDTHS, mean_face=()):
        super().__init__()
        self.settings = {"widths": list(widths), "mean_face": mean_face}
        self.start = convolution(N_INPUTS * SQUARE**2, widths[0])
        self.before = nn.ModuleList(Residual(n, _SPREAD) for n in widths)
        self.down = nn.ModuleList(convolution(a, b, 2) for a, b in zip(widths, widths[1:]))
        self.in_time = nn.ModuleList(TemporalConvolution(widths[-1], reach) for reach in (1, 2))
        self.deepest = nn.Sequential(Residual(widths[-1], _SPREAD), Residual(widths[-1], _SPREAD))
        self.up = nn.ModuleList(convolution(b, a, size=1) for a, b in zip(widths, widths[1:]))
        self.after = nn.ModuleList(Residual(n, _SPREAD) for n in widths[:-1])
        self.to_picture = convolution(widths[0], 3 * SQUARE**2)
        nn.init.zeros_(self.to_picture.weight)

    def forward(self, inputs, past=None):
        """Draw.

        Parameters
        ----------
        inputs : float [clip, frame, N_INPUTS, row, column], -1..1
        past : of the frames before these, from the call before; None at the beginning

        Returns
        -------
        pictures : float [clip, frame, rgb, row, column], around -1..1
        past : for the next call
        """
        clips_frames = inputs.shape[:2]
        x, maps = act(self.start(F.pixel_unshuffle(inputs.flatten(0, 1), SQUARE))), []
        for block, down in zip(self.before, [*self.down, None]):
            x = block(x)
            if down is not None:
                maps.append(x)
                x = act(down(x))
        x, kept = x.unflatten(0, clips_frames), []
        for layer, before in zip(self.in_time, past or [None] * len(self.in_time)):
            x, seen = layer(x, before)
            kept.append(seen)
        x = self.deepest(x.flatten(0, 1))
        for up, block, skip in zip(reversed(self.up), reversed(self.after), reversed(maps)):
            x = block(act(F.interpolate(up(x), scale_factor=2, mode="nearest") + skip))
        drawn = F.pixel_shuffle(self.to_picture(x), SQUARE) + inputs.flatten(0, 1)[:, :3]
        return drawn.unflatten(0, clips_frames), kept


class Critic(nn.Module):
    """A real comic or a drawn one, given where the features are and in which style? One score for each patch."""

    def __init__(self, widths=(16, 32, 48, 64)):
        super().__init__()
        widths = 3 + N_INPUTS - N_COLOURS, *widths
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(widths, widths[1:]))
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pictures, condition):
        """Scores [n, patch row, patch column], and the features of each layer; `condition` the inputs but for the colours."""
        x, features = torch.cat([pictures, condition], 1), []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.score(x)[:, 0], features


def save_translator(path: str | Path, translator: Translator, **about: Any) -> Path:
    """Write a translator with its provenance, as `save_network` does."""
    return save_network(path, translator, NETWORK, VERSION, **about)


def load_translator(path: str | Path = DEFAULT_MODEL, device: str = "cpu") -> Translator:
    """Read a translator, ready to use. Raises InputError as `load_network` does."""
    return load_network(path, Translator, NETWORK, VERSION, device, CURE)
