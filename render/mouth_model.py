"""The network that draws what a photo lacks when its mouth moves: the inside, teeth, lips that meet.

Reads, writes: model.safetensors (picture-model).
What the photo shows is looked at once, by an encoder; what changes from frame to frame, the moved pixels and the masks of
the lips, goes through a small U-Net that the encoder's maps are added to. It returns colours and a soft mask, so that the
photo's own pixels stay wherever they are good enough. Pictures enter and leave in squares of SQUARE px (Shi et al., sub-pixel
convolution, CVPR 2016): on a CPU full-size convolutions cost the most and tell the least.
Source: Ronneberger et al., U-Net, MICCAI 2015.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from gan.weights import load_network, save_network
from render.mouth_view import COLUMNS, ROWS

NETWORK, VERSION = "render.mouth_model.MouthPainter", 1
WIDTHS = 48, 64, 96  # channels at 1/4, 1/8, 1/16 of the size
SQUARE = 4
FRAME_PX = 12  # the mask falls to nothing over this border of the view
_SLOPE = 0.2
_N_IN = 5 * SQUARE**2  # rgb and two masks
# `squares` goes channel by channel, bytes in memory pixel by pixel: where each of the latter stands in the former
_COLOURS = [c * SQUARE**2 + k for k in range(SQUARE**2) for c in range(3)]
_IN_ORDER = _COLOURS + [(3 + c) * SQUARE**2 + k for k in range(SQUARE**2) for c in range(2)]
_OUT_ORDER = _COLOURS + [3 * SQUARE**2 + k for k in range(SQUARE**2)]


def _convolution(n_in, n_out, stride=1, size=3):
    layer = nn.Conv2d(n_in, n_out, size, stride, size // 2)
    nn.init.kaiming_normal_(layer.weight, _SLOPE)
    nn.init.zeros_(layer.bias)
    return layer


def _act(x):
    return F.leaky_relu(x, _SLOPE)


class Residual(nn.Module):
    """Two convolutions, added to what came in."""

    def __init__(self, n):
        super().__init__()
        self.first, self.second = _convolution(n, n), _convolution(n, n)
        nn.init.zeros_(self.second.weight)

    def forward(self, x):
        return x + self.second(_act(self.first(_act(x))))


class PhotoEncoder(nn.Module):
    """A photo's mouth and the masks of its lips to what is added to the U-Net's maps; run once a photo."""

    def __init__(self, widths):
        super().__init__()
        self.start = _convolution(_N_IN, widths[0], size=1)
        self.blocks = nn.ModuleList(Residual(n) for n in widths)
        self.down = nn.ModuleList(_convolution(a, b, 2) for a, b in zip(widths, widths[1:]))
        self.out = nn.ModuleList(_convolution(n, n, size=1) for n in widths)
        self.overall = nn.Linear(widths[-1], widths[-1])

    def forward(self, photo):
        x, maps = self.blocks[0](self.start(photo)), []
        maps.append(x)
        for down, block in zip(self.down, self.blocks[1:]):
            x = block(_act(down(_act(x))))
            maps.append(x)
        maps = [out(_act(m)) for out, m in zip(self.out, maps)]
        maps[-1] = maps[-1] + self.overall(_act(x).mean((2, 3)))[:, :, None, None]  # skin, light: the same everywhere
        return maps


class MouthPainter(nn.Module):
    """Moved pixels and masks, and the maps of the photo, to a painted mouth.

    Parameters
    ----------
    widths : channels at 1/4, 1/8, 1/16 of the size
    """

    def __init__(self, widths=WIDTHS):
        super().__init__()
        self.settings = {"widths": list(widths)}
        a, b, c = widths
        self.encoder = PhotoEncoder(widths)
        self.start, self.first = _convolution(_N_IN, a, size=1), _convolution(a, a)
        self.down, self.second = nn.ModuleList([_convolution(a, b, 2), _convolution(b, c, 2)]), _convolution(b, b)
        self.deepest = nn.Sequential(Residual(c), Residual(c))
        self.up = nn.ModuleList([_convolution(c, b, size=1), _convolution(b, a, size=1)])
        self.third, self.last = _convolution(b, b), nn.ModuleList([_convolution(a, a), _convolution(a, a)])
        self.to_picture = _convolution(a, 4 * SQUARE**2, size=1)
        with torch.no_grad():
            self.to_picture.weight.zero_()
            self.to_picture.bias[3 * SQUARE**2:] = -1  # at first mostly the photo's own pixels
        border = torch.ones(1, 1, ROWS - 2 * FRAME_PX, COLUMNS - 2 * FRAME_PX)
        border = F.pad(border, (FRAME_PX,) * 4)
        self.register_buffer("border", F.avg_pool2d(F.pad(border, (FRAME_PX,) * 4), 2 * FRAME_PX + 1, 1), persistent=False)

    def forward(self, warped, masks, maps):
        """Draw.

        Parameters
        ----------
        warped : float [n, rgb, ROWS, COLUMNS], -1..1
        masks : float [n, 2, ROWS, COLUMNS], 0..1: lips and all between them, what is between
        maps : of the photo, from `encoder`

        Returns
        -------
        colour : float [n, rgb, ROWS, COLUMNS]
        mask : float [n, 1, ROWS, COLUMNS], 0..1
        """
        out = F.pixel_shuffle(self.draw(squares(warped, masks), maps), SQUARE)
        return warped + out[:, :3], torch.sigmoid(out[:, 3:]) * self.border

    def draw(self, x, maps):
        """The U-Net, from squares to squares: float [n, 5 * SQUARE², row, column] -> [n, 4 * SQUARE², row, column]."""
        return self.to_picture(self._body(self.start(x), maps))

    def _body(self, x, maps):
        x = x.add_(maps[0])
        fine = self.first(_act(x)).add_(x)
        middle = self.down[0](_act(fine)).add_(maps[1])
        middle = self.second(_act(middle)).add_(middle)
        x = self.deepest(self.down[1](_act(middle)).add_(maps[2]))
        x = _twice(self.up[0](_act(x))).add_(middle)
        x = self.third(_act(x)).add_(x)
        x = _twice(self.up[1](_act(x))).add_(fine)
        for layer in self.last:
            x = layer(_act(x)).add_(x)
        return _act(x)

    def patches(self, warped, masks, maps):
        """The same as `forward`, from bytes to bytes: on a CPU the conversions would cost as much as the network.

        `warped` uint8 [n, ROWS, COLUMNS, rgb], `masks` uint8 [n, ROWS, COLUMNS, 2] -> uint8 [n, ROWS, COLUMNS, rgb and mask]
        """
        n_colour, start, finish = 3 * SQUARE**2, self.start, self.to_picture  # these take their channels in another order
        x = torch.cat([_as_squares(warped), _as_squares(masks)], -1).float().div_(127.5).sub_(1)
        out = self._body(F.conv2d(x.permute(0, 3, 1, 2), start.weight[:, _IN_ORDER], start.bias), maps)
        out = F.conv2d(out, finish.weight[_OUT_ORDER], finish.bias[_OUT_ORDER]).permute(0, 2, 3, 1)
        colour = (out[..., :n_colour] + x[..., :n_colour]).add_(1).mul_(127.5)
        mask = out[..., n_colour:].contiguous().sigmoid_().mul_(_as_squares(self.border.permute(0, 2, 3, 1)).mul(255))
        colour, mask = (values.round_().clamp_(0, 255).byte().unflatten(3, (SQUARE**2, -1)) for values in (colour, mask))
        pixels = torch.cat([colour, mask], -1).view(torch.int32).flatten(3)  # four bytes are moved as one number
        pixels = pixels.unflatten(3, (SQUARE, SQUARE)).permute(0, 1, 3, 2, 4).flatten(3, 4).flatten(1, 2).contiguous()
        return pixels.view(torch.uint8).unflatten(2, (-1, 4))

    def look_at(self, photo, photo_masks):
        """Maps of photos: float [n, rgb, ROWS, COLUMNS] -1..1 and [n, 2, ROWS, COLUMNS] 0..1 -> list of float tensors."""
        return self.encoder(squares(photo, photo_masks))


def _as_squares(pictures):
    """Each square of pixels as one: [n, row, column, channel] -> [n, row / SQUARE, column / SQUARE, SQUARE² * channel]."""
    squares_of = pictures.unflatten(2, (-1, SQUARE)).unflatten(1, (-1, SQUARE))
    return squares_of.permute(0, 1, 3, 2, 4, 5).flatten(3)


def _twice(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def squares(picture, masks):
    """Pictures and masks with each square of pixels as one: float [n, 5 * SQUARE², ROWS / SQUARE, COLUMNS / SQUARE]."""
    return F.pixel_unshuffle(torch.cat([picture, masks * 2 - 1], 1), SQUARE)


def painted(warped, colour, mask):
    """Paint over the photo's own pixels."""
    return warped + mask * (colour - warped)


class Critic(nn.Module):
    """Real or painted, given the masks of the lips? One score for each patch."""

    def __init__(self, width=16):
        super().__init__()
        widths = 5, width, 2 * width, 4 * width, 4 * width
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(widths, widths[1:]))
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pictures, masks):
        """Scores [n, patch row, patch column], and the features of each layer."""
        x, features = torch.cat([pictures, masks], 1), []
        for layer in self.layers:
            x = _act(layer(x))
            features.append(x)
        return self.score(x)[:, 0], features


def as_floats(pictures, device="cpu"):
    """uint8 tensor [n, row, column, rgb] -> float tensor [n, rgb, row, column], -1..1, channels last in memory."""
    return pictures.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def masks_as_floats(masks, device="cpu"):
    """uint8 tensor [n, row, column, 2] -> float tensor [n, 2, row, column], 0..1."""
    return masks.to(device).permute(0, 3, 1, 2).float() / 255


def save_painter(path, painter, **about) -> Path:
    """Write a painter with its provenance, as `save_network` does."""
    return save_network(path, painter, NETWORK, VERSION, **about)


def load_painter(path, device="cpu") -> MouthPainter:
    """Read a painter, ready to use. Raises InputError as `load_network` does."""
    return load_network(path, MouthPainter, NETWORK, VERSION, device,
                        "python -m render.train, or take the model that came with the program")
