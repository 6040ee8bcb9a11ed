"""The inpainting network for mouth and lids: what the photo does not hold when its face moves.

Reads, writes: model.safetensors (picture-model).
What the photo shows is looked at once, by an encoder; what changes from frame to frame, the moved pixels and the masks of
the part, goes through a small U-Net that the encoder's maps are added to. It returns colours and a soft mask, so that the
photo's own pixels stay wherever they are good enough. Pictures enter and leave in squares of SQUARE px (Shi et al., sub-pixel
convolution, CVPR 2016): on a CPU full-size convolutions cost the most and tell the least.
Source: Ronneberger et al., U-Net, MICCAI 2015.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from core.errors import InputError
from learn.layers import SLOPE, Residual, act, convolution
from learn.weights import load_network, save_network
from render.parts.part import MOUTH, PARTS, Part

NETWORK, VERSION = "render.mouth_model.MouthPainter", 2  # as files name it, from when it painted mouths alone
WIDTHS = 32, 64, 96  # channels at 1/4, 1/8, 1/16 of the size
SQUARE = 4
FRAME_PX = 12  # the mask falls to nothing over this border of the view
HALF = 127.5  # of the range of bytes
_SPREAD = 1e-3  # of the first weights of a residual: it begins as nearly nothing
_N = 4 * SQUARE**2  # rgb and mask of a square's pixels, both ways
# `squares` goes channel by channel, bytes in memory pixel by pixel: where each of the latter stands in the former
_ORDER = [c * SQUARE**2 + k for k in range(SQUARE**2) for c in range(4)]


class PhotoEncoder(nn.Module):
    """A photo's part and its masks to what is added to the U-Net's maps; run once a photo."""

    def __init__(self, widths):
        super().__init__()
        self.start = convolution(_N, widths[0], size=1)
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
    widths : channels at 1/4, 1/8, 1/16 of the size
    part : name of what it paints, see `parts.PARTS`; files that do not say are of mouths
    """

    def __init__(self, widths=WIDTHS, part=MOUTH.name):
        super().__init__()
        self.settings = {"widths": list(widths), "part": part}
        self.part = PARTS[part]
        a, b, c = widths
        self.encoder = PhotoEncoder(widths)
        self.start, self.first = convolution(_N, a, size=1), Residual(a, _SPREAD)
        self.down, self.second = nn.ModuleList([convolution(a, b, 2), convolution(b, c, 2)]), Residual(b, _SPREAD)
        self.deepest = nn.Sequential(*(Residual(c, _SPREAD) for _ in range(4)))
        self.up = nn.ModuleList([convolution(c, b, size=1), convolution(b, a, size=1)])
        self.third, self.last = Residual(b, _SPREAD), nn.Sequential(Residual(a, _SPREAD), Residual(a, _SPREAD))
        self.to_picture = convolution(a, _N, size=1)
        with torch.no_grad():
            self.to_picture.weight.zero_()
            self.to_picture.bias[3 * SQUARE**2:] = -1  # at first mostly the photo's own pixels
        border = torch.ones(1, 1, *(side - 2 * FRAME_PX for side in self.part.size))
        border = F.pad(border, (FRAME_PX,) * 4)
        self.register_buffer("border", F.avg_pool2d(F.pad(border, (FRAME_PX,) * 4), 2 * FRAME_PX + 1, 1), persistent=False)

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
        out = F.pixel_shuffle(self.draw(squares(warped, masks), maps), SQUARE)
        return warped + out[:, :3], torch.sigmoid(out[:, 3:]) * self.border * masks[:, 1:]

    def draw(self, x, maps):
        """The U-Net, from squares to squares: float [n, 4 * SQUARE², row, column] -> [n, 4 * SQUARE², row, column]."""
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
        scale = torch.tensor([HALF] * 3 + [1.0], device=pixels.device).repeat(SQUARE**2)  # of colours, and of the mask
        x = _to_squares(pixels.view(torch.int32)[..., 0]).view(torch.uint8).float()  # a pixel is moved as one number
        begun = F.linear(x, start[:, _ORDER] / HALF, self.start.bias - start.sum(1))
        out = self._body(begun.permute(0, 3, 1, 2), maps).permute(0, 2, 3, 1)
        out = F.linear(out, finish[_ORDER] * scale[:, None], self.to_picture.bias[_ORDER] * scale).unflatten(3, (-1, 4))
        out[..., :3] += x.unflatten(3, (-1, 4))[..., :3]
        whole = near.view(torch.int32).unflatten(1, (-1, SQUARE)).transpose(2, 3).contiguous().view(torch.uint8)
        out[..., 3] = out[..., 3].sigmoid() * (whole * _to_squares(self.border[:, 0]))
        done = out.round_().clamp_(0, 2 * HALF).byte().flatten(3).view(torch.int32)
        return _from_squares(done).view(torch.uint8).unflatten(2, (-1, 4))

    def look_at(self, photo, photo_masks):
        """Maps of photos: float [n, rgb, row, column] -1..1 and [n, 2, row, column] 0..1 -> list of float tensors."""
        return self.encoder(squares(photo, photo_masks))


def _to_squares(pixels):
    """Each square of pixels side by side: [n, row, column] -> [n, row / SQUARE, column / SQUARE, SQUARE²], contiguous."""
    return pixels.unflatten(2, (-1, SQUARE)).unflatten(1, (-1, SQUARE)).transpose(2, 3).flatten(3).contiguous()


def _from_squares(squares_of):
    """The way back from `_to_squares`."""
    return squares_of.unflatten(3, (SQUARE, SQUARE)).transpose(2, 3).flatten(3).flatten(1, 2).contiguous()


def _twice(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def squares(picture: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Pictures and masks with each square of pixels as one: float [n, 4 * SQUARE², row / SQUARE, column / SQUARE]."""
    return F.pixel_unshuffle(torch.cat([picture, masks[:, :1] * 2 - 1], 1), SQUARE)


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


def as_floats(pictures: torch.Tensor, device: str = "cpu") -> torch.Tensor:
    """uint8 tensor [n, row, column, rgb] -> float tensor [n, rgb, row, column], -1..1, channels last in memory."""
    return pictures.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def masks_as_floats(masks: torch.Tensor, device: str = "cpu") -> torch.Tensor:
    """uint8 tensor [n, row, column, 2] -> float tensor [n, 2, row, column], 0..1."""
    return masks.to(device).permute(0, 3, 1, 2).float() / 255


def save_painter(path: str | Path, painter: Painter, **about: Any) -> Path:
    """Write a painter with its provenance, as `save_network` does."""
    return save_network(path, painter, NETWORK, VERSION, **about)


def load_painter(path: str | Path, part: Part = MOUTH, device: str = "cpu") -> Painter:
    """Read a painter of a part, ready to use. Raises InputError as `load_network` does, and for another part's."""
    cure = f"python -m render.parts.train --part {part.name}, or take the model that came with the program"
    painter = load_network(path, Painter, NETWORK, VERSION, device, cure)
    if painter.part is not part:
        raise InputError(path, f"a painter of {painter.part.name}", f"one of {part.name}", cure)
    return painter
