"""The inpainting network for mouth and lids: what the photo does not hold when its face moves.

Reads, writes: model.safetensors (picture-model).
What the photo shows is looked at once, by an encoder; what changes from frame to frame, the moved pixels and the masks of
the part, goes through a small U-Net that the encoder's maps are added to. It returns colours and a soft mask, so that the
photo's own pixels stay wherever they are good enough. Pictures enter and leave in squares of SQUARE px (Shi et al., sub-pixel
convolution, CVPR 2016): on a CPU full-size convolutions cost the most and tell the least.
Source: Ronneberger et al., U-Net, MICCAI 2015.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from core.errors import InputError
from learn.layers import SLOPE, Residual, act, convolution
from learn.weights import load_network, save_network
from render.parts.part import MOUTH, NETWORK, PARTS, VERSION, Part, cure_of

WIDTHS = 32, 64, 96  # channels at 1/4, 1/8, 1/16 of the size
FRAME = 3  # squares: the mask falls to nothing over this border of the view
HALF = 127.5  # of the range of bytes
_SPREAD = 1e-3  # of the first weights of a residual: it begins as nearly nothing
_VALUES = 4  # of a pixel, both ways: rgb and mask


class PhotoEncoder(nn.Module):
    """A photo's part and its masks to what is added to the U-Net's maps; run once a photo."""

    def __init__(self, widths, n_values):
        super().__init__()
        self.start = convolution(n_values, widths[0], size=1)
        self.blocks = nn.ModuleList(nn.Sequential(Residual(n, _SPREAD), Residual(n, _SPREAD)) for n in widths)
        self.down = nn.ModuleList(convolution(a, b, 2) for a, b in zip(widths, widths[1:]))
        self.out = nn.ModuleList(convolution(n, n, size=1) for n in widths)
        self.overall = nn.Linear(widths[-1], widths[-1])

    def forward(self, photo):
        x = self.blocks[0](act(self.start(photo)))
        maps = [self.out[0](x)]
        for down, block, out in zip(self.down, self.blocks[1:], self.out[1:]):
            x = block(act(down(x)))
            maps.append(out(x))
        maps[-1] = maps[-1] + self.overall(x.mean((2, 3)))[:, :, None, None]  # skin, light: the same everywhere
        return maps


class Painter(nn.Module):
    """Moved pixels and masks, and the maps of the photo, to a painted part of the face.

    Parameters
    ----------
    widths : channels at a square's size, and at twice and four times that
    part : name of what it paints, see `parts.PARTS`; files that do not say are of mouths
    """

    def __init__(self, widths=WIDTHS, part=MOUTH.name):
        super().__init__()
        self.settings = {"widths": list(widths), "part": part}
        self.part = PARTS[part]
        a, b, c = widths
        self.square = self.part.square
        n_values, frame_px = _VALUES * self.square**2, FRAME * self.square
        self.encoder = PhotoEncoder(widths, n_values)
        self.start, self.first = convolution(n_values, a, size=1), Residual(a, _SPREAD)
        self.down, self.second = nn.ModuleList([convolution(a, b, 2), convolution(b, c, 2)]), Residual(b, _SPREAD)
        self.deepest = nn.Sequential(*(Residual(c, _SPREAD) for _ in range(4)))
        self.up = nn.ModuleList([convolution(c, b, size=1), convolution(b, a, size=1)])
        self.third, self.last = Residual(b, _SPREAD), nn.Sequential(Residual(a, _SPREAD), Residual(a, _SPREAD))
        self.to_picture = convolution(a, n_values, size=1)
        with torch.no_grad():
            self.to_picture.weight.zero_()
            self.to_picture.bias[3 * self.square**2:] = -1  # at first mostly the photo's own pixels
        border = torch.ones(1, 1, *(side - 2 * frame_px for side in self.part.size))
        border = F.pad(border, (frame_px,) * 4)
        self.register_buffer("border", F.avg_pool2d(F.pad(border, (frame_px,) * 4), 2 * frame_px + 1, 1), persistent=False)
        # `squares` goes channel by channel, bytes in memory pixel by pixel: where each of the latter stands in the former
        self.order = [c * self.square**2 + k for k in range(self.square**2) for c in range(_VALUES)]

    def forward(self, warped, masks, maps):
        """Draw.

        Parameters
        ----------
        warped : float [n, rgb, row, column], -1..1
        masks : float [n, 2, row, column], 0..1: the part, what lies near it; see `PartView.masks`
        maps : of the photo, from `encoder`

        Returns
        -------
        colour : float [n, rgb, row, column]
        mask : float [n, 1, row, column], 0..1
        """
        out = F.pixel_shuffle(self.draw(squares(warped, masks, self.square), maps), self.square)
        return warped + out[:, :3], torch.sigmoid(out[:, 3:]) * self.border * masks[:, 1:]

    def draw(self, x, maps):
        """The U-Net, from squares to squares: float [n, 4 * square², row, column] -> [n, 4 * square², row, column]."""
        return self.to_picture(self._body(self.start(x), maps))

    def _body(self, x, maps):
        fine = self.first(act(x.add_(maps[0])))
        middle = self.second(act(self.down[0](fine).add_(maps[1])))
        x = self.deepest(act(self.down[1](middle).add_(maps[2])))
        x = self.third(act(_twice(self.up[0](x)).add_(middle)))
        return self.last(act(_twice(self.up[1](x)).add_(fine)))

    def patches(self, pixels, near, maps):
        """The same as `forward`, from bytes to bytes: on a CPU the conversions would cost as much as the network.

        `pixels` uint8 [n, row, column, rgb and part], `near` uint8 [n, row, column], contiguous
        -> uint8 [n, row, column, rgb and mask]
        """
        start, finish = (layer.weight[..., 0, 0] for layer in (self.start, self.to_picture))
        square, order = self.square, self.order
        scale = torch.tensor([HALF] * 3 + [1.0], device=pixels.device).repeat(square**2)  # of colours, and of the mask
        x = _to_squares(pixels.view(torch.int32)[..., 0], square).view(torch.uint8).float()  # a pixel is moved as one number
        begun = F.linear(x, start[:, order] / HALF, self.start.bias - start.sum(1))
        out = self._body(begun.permute(0, 3, 1, 2), maps).permute(0, 2, 3, 1)
        out = F.linear(out, finish[order] * scale[:, None], self.to_picture.bias[order] * scale).unflatten(3, (-1, 4))
        out[..., :3] += x.unflatten(3, (-1, 4))[..., :3]
        out[..., 3] = out[..., 3].sigmoid() * (_to_squares(near, square) * _to_squares(self.border[:, 0], square))
        done = out.round_().clamp_(0, 2 * HALF).byte().flatten(3).view(torch.int32)
        return _from_squares(done, square).view(torch.uint8).unflatten(2, (-1, 4))

    def look_at(self, photo, photo_masks):
        """Maps of photos: float [n, rgb, row, column] -1..1 and [n, 2, row, column] 0..1 -> list of float tensors."""
        return self.encoder(squares(photo, photo_masks, self.square))

    @torch.inference_mode()
    def for_photo(self, photo: NDArray, _examples: object = None) -> Callable[[NDArray, NDArray], NDArray]:
        """What paints one photo, as `render.eight_bit.painter.BytePainter.for_photo` does."""
        device = self.border.device
        if device.type == "cpu":
            n_others = max(1, (os.cpu_count() or 1) - 1)  # a core for the frames, which are moved meanwhile
            torch.set_num_threads(min(torch.get_num_threads(), n_others))
        picture, mask = (torch.from_numpy(np.ascontiguousarray(part))[None] for part in (photo[..., :3], photo[..., 3:]))
        maps = self.look_at(as_floats(picture, device), masks_as_floats(mask, device))

        @torch.inference_mode()
        def draw(views, near):
            views, near = (torch.from_numpy(part).to(device) for part in (views, near))
            return self.patches(views, near, maps).cpu().numpy()

        return draw


def _to_squares(pixels, square):
    """Each square of pixels side by side: [n, row, column] -> [n, row / square, column / square, square²], contiguous."""
    return pixels.unflatten(2, (-1, square)).unflatten(1, (-1, square)).transpose(2, 3).flatten(3).contiguous()


def _from_squares(squares_of, square):
    """The way back from `_to_squares`."""
    return squares_of.unflatten(3, (square, square)).transpose(2, 3).flatten(3).flatten(1, 2).contiguous()


def _twice(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def squares(picture: torch.Tensor, masks: torch.Tensor, square: int) -> torch.Tensor:
    """Pictures and masks with each square of pixels as one: float [n, 4 * square², row / square, column / square]."""
    return F.pixel_unshuffle(torch.cat([picture, masks[:, :1] * 2 - 1], 1), square)


@torch.no_grad()
def enlarge(painter: "Painter", part: Part) -> "Painter":
    """A painter of the same body with larger squares, that draws what `painter` draws, enlarged: a beginning for training.

    Each new pixel of a square enters with its share of the old one's weight, and leaves as the old one did.
    """
    times = part.square // painter.square
    large = Painter(painter.settings["widths"], part.name)
    weights = large.state_dict()
    for name, value in painter.state_dict().items():
        if weights[name].shape != value.shape:
            axis = 1 if name.endswith("start.weight") else 0
            value = value.unflatten(axis, (_VALUES, painter.square, painter.square))
            for side in (axis + 1, axis + 2):
                value = value.repeat_interleave(times, side)
            value = value.flatten(axis, axis + 2) / (times**2 if axis else 1)
        weights[name] = value
    large.load_state_dict(weights)
    return large


def blend(warped: torch.Tensor, colour: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Paint over the photo's own pixels."""
    return warped + mask * (colour - warped)


class Critic(nn.Module):
    """Real or painted, given the masks of the part? One score for each patch."""

    def __init__(self, width=16):
        super().__init__()
        widths = 4, width, 2 * width, 4 * width, 4 * width
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(widths, widths[1:]))
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pictures, masks):
        """Scores [n, patch row, patch column], and the features of each layer."""
        x, features = torch.cat([pictures, masks[:, :1]], 1), []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.score(x)[:, 0], features


def as_floats(pictures: torch.Tensor, device: str | torch.device = "cpu") -> torch.Tensor:
    """uint8 tensor [n, row, column, rgb] -> float tensor [n, rgb, row, column], -1..1, channels last in memory."""
    return pictures.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def masks_as_floats(masks: torch.Tensor, device: str | torch.device = "cpu") -> torch.Tensor:
    """uint8 tensor [n, row, column, 2] -> float tensor [n, 2, row, column], 0..1."""
    return masks.to(device).permute(0, 3, 1, 2).float() / 255


def save_painter(path: str | Path, painter: Painter, **about: Any) -> Path:
    """Write a painter with its provenance, as `save_network` does."""
    return save_network(path, painter, NETWORK, VERSION, **about)


def load_painter(path: str | Path, part: Part | None = MOUTH, device: str = "cpu") -> Painter:
    """Read a painter of a part, or of any, ready to use. Raises InputError as `load_network` does, and for another part's."""
    any_part, part = part is None, part or MOUTH
    cure = cure_of(part)
    painter = load_network(path, Painter, NETWORK, VERSION, device, cure)
    if not any_part and painter.part is not part:
        raise InputError(path, f"a painter of {painter.part.name}", f"one of {part.name}", cure)
    return painter
