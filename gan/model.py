"""A DCGAN that draws one person's face from 68 landmarks: generator, discriminator, and the model file.

Reads, writes: model.safetensors (picture-model); its buffers are measures of the speaker (landmark mean and spread, rest
face, looks) and `view`, the pose of face space in its pictures.
Crops are upright and aligned (preprocess.crop_faces), so the landmarks enter as a vector, beside the noise of a DCGAN,
which here is a `look`: hair, light and clothes of one recording, near normally distributed. A coarse picture that is
linear in both, set by regression before training (gan.regression), is added to what the convolutions draw: they start
from the best linear answer and not from grey, which spares a CPU hours.
Source: Radford, Metz, Chintala, DCGAN, ICLR 2016; Miyato & Koyama, cGANs with projection discriminator, ICLR 2018.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from core import paths
from core.errors import InputError
from core.face.face68 import N_POINTS, fill_missing
from learn.layers import to_uint8
from learn.weights import load_network, save_network

DEFAULT_MODEL = paths.DCGAN_MODEL
NETWORK, VERSION = "gan.model.Generator", 1
WIDTHS = (128, 128, 128, 96, 48)  # channels at 4, 8, ... px
SHUFFLE = 4  # the last block draws at a quarter of the size, each of its pixels a square of the picture
LOOK_SIDE_PX = 32  # a look is measured on a crop shrunk to this side
N_LOOK = 32
COARSE_SIDE_PX = 64  # of the linear part
N_AXES = 32
_MAP_SIDE_PX = 32  # up to here each block learns a picture of its own to add: what stays in place needs no convolution
_LIMIT = 4.0  # standard deviations: landmarks beyond are held there, and the picture stays a face
_SLOPE = 0.2


def widths_for(size_px: int, scale: float = 1.0) -> tuple:
    """Channels of the blocks of a generator of `size_px` (a power of two, 16..256), `scale` times the usual ones."""
    n_blocks = size_px.bit_length() - 4
    if size_px != 4 * SHUFFLE << (n_blocks - 1) or not 1 <= n_blocks <= len(WIDTHS):
        raise InputError("crops", f"{size_px} px", "a side of 16, 32, 64, 128 or 256 px",
                         "python -m preprocess.crop_faces --size 256")
    return tuple(max(8, round(width * scale)) for width in WIDTHS[:n_blocks])


def thumbnails(crops: NDArray) -> NDArray:
    """Shrink crops: uint8 [n, row, column, rgb] -> float32 [n, LOOK_SIDE_PX ** 2 * rgb], 0..1."""
    small = [cv2.resize(crop, (LOOK_SIDE_PX, LOOK_SIDE_PX), interpolation=cv2.INTER_AREA) for crop in crops]
    return np.stack(small).reshape(len(small), -1).astype(np.float32) / 255


class Block(nn.Module):
    """Convolution plus a learnt map, normalised, scaled and shifted by the condition; doubles the size unless it is first.

    Each pixel's features are scaled to length 1 (Karras et al., PGGAN, ICLR 2018): without it training blew up.
    """

    def __init__(self, n_in, n_out, side_px, n_condition):
        super().__init__()
        self.convolution = nn.Conv2d(n_in, n_out, 3, padding=1)
        nn.init.kaiming_normal_(self.convolution.weight, _SLOPE)
        self.map = nn.Parameter(torch.zeros(1, n_out, side_px, side_px)) if side_px <= _MAP_SIDE_PX else None
        self.style = nn.Linear(n_condition, 2 * n_out)
        self.side_px = side_px

    def forward(self, x, condition):
        if x.shape[-1] < self.side_px:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = self.convolution(x)
        if self.map is not None:
            x = x + self.map
        x = x * (x.square().mean(1, keepdim=True) + 1e-6).rsqrt()
        scale, shift = self.style(condition)[:, :, None, None].chunk(2, 1)
        return F.leaky_relu(torch.addcmul(shift, x, 1 + scale), _SLOPE)


class Generator(nn.Module):
    """Landmarks and a look to a picture.

    Parameters
    ----------
    size_px : side of the picture
    widths : channels of the blocks at 4, 8, ... `size_px` / 4
    n_look : length of a look
    """

    def __init__(self, size_px=256, widths=WIDTHS, n_look=N_LOOK, n_condition=256, n_axes=N_AXES):
        super().__init__()
        self.settings = {"size_px": size_px, "widths": list(widths), "n_look": n_look, "n_condition": n_condition,
                         "n_axes": n_axes}
        points, thumbnail = (N_POINTS, 2), 3 * LOOK_SIDE_PX**2
        buffers = {"face_mean": points, "face_std": points, "rest_face": points, "view": (4,),
                   "look_mean": (thumbnail,), "look_basis": (n_look, thumbnail)}
        for name, shape in buffers.items():
            self.register_buffer(name, torch.ones(shape) if name == "face_std" else torch.zeros(shape))
        self.condition = nn.Sequential(nn.Linear(2 * N_POINTS + n_look, n_condition), nn.LeakyReLU(_SLOPE),
                                       nn.Linear(n_condition, n_condition), nn.LeakyReLU(_SLOPE))
        self.seed = nn.Linear(n_condition, widths[0] * 4 * 4)
        sides = [4 << i for i in range(len(widths))]
        for linear in (self.condition[0], self.condition[2], self.seed):
            nn.init.kaiming_normal_(linear.weight, _SLOPE)  # PyTorch's own start would leave the landmarks a whisper
        self.blocks = nn.ModuleList(Block(n_in, n_out, side, n_condition)
                                    for n_in, n_out, side in zip((widths[0], *widths), widths, sides))
        self.to_rgb = nn.Conv2d(widths[-1], 3 * SHUFFLE**2, 3, padding=1)
        nn.init.zeros_(self.to_rgb.weight)
        nn.init.zeros_(self.to_rgb.bias)
        self.coarse_side_px = min(COARSE_SIDE_PX, size_px // 2)
        self.axes = nn.Linear(2 * N_POINTS + n_look, n_axes, bias=False)
        self.coarse = nn.Linear(n_axes, 3 * self.coarse_side_px**2, bias=False)
        self.canvas = nn.Parameter(torch.zeros(1, 3, size_px, size_px))

    def linear_part(self):
        """The parameters that regression has set: they need finishing, not learning."""
        return [self.axes.weight, self.coarse.weight, self.canvas]

    def inputs(self, face, look):
        """Landmarks in standard deviations from their mean, and the look: float [n, 136 + n_look]."""
        points = ((face - self.face_mean) / self.face_std).clamp(-_LIMIT, _LIMIT)
        return torch.cat([points.flatten(1), look], 1)

    def forward(self, face, look):
        """`face` float [n, 68, 2] in face space, `look` float [n, n_look] -> float [n, rgb, row, column], -1..1."""
        inputs = self.inputs(face, look)
        condition = self.condition(inputs)
        x = self.seed(condition).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x, condition)
        coarse = self.coarse(self.axes(inputs)).unflatten(1, (3, self.coarse_side_px, self.coarse_side_px))
        coarse = F.interpolate(coarse, self.canvas.shape[-2:], mode="bilinear")
        return torch.tanh(F.pixel_shuffle(self.to_rgb(x), SHUFFLE) + coarse + self.canvas)

    def look_of(self, crops):
        """The look of pictures: uint8 array [n, row, column, rgb] -> float [n, n_look], near N(0, 1) on training data."""
        return (torch.from_numpy(thumbnails(crops)).to(self.look_mean.device) - self.look_mean) @ self.look_basis.T


class Discriminator(nn.Module):
    """Real or drawn, given landmarks and look? One score for each patch of a 1/32 grid (1/8 for small pictures)."""

    def __init__(self, size_px=256, n_look=N_LOOK, width=16):
        super().__init__()
        n_layers = 5 if size_px >= 128 else 3
        widths = [3, *(min(128, width << i) for i in range(n_layers))]
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(widths, widths[1:]))
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))
        self.match = spectral_norm(nn.Linear(2 * N_POINTS + n_look, widths[-1]))

    def forward(self, pictures, condition):
        """Scores [n, patch row, patch column], and the features of each layer.

        `pictures` float [n, rgb, row, column]; `condition` float [n, 136 + n_look]: normalised landmarks and look.
        """
        x, features = pictures, []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return self.score(x)[:, 0] + (x * self.match(condition)[:, :, None, None]).sum(1), features


def save_generator(path: str | Path, generator: Generator, **about: Any) -> Path:
    """Write a generator with its provenance, as `save_network` does."""
    return save_network(path, generator, NETWORK, VERSION, **about)


def load_generator(path: str | Path = DEFAULT_MODEL, device: str = "cpu") -> Generator:
    """Read a generator, ready to use. Raises InputError as `load_network` does."""
    return load_network(path, Generator, NETWORK, VERSION, device,
                        "python -m gan.train, or take the model that came with the program")


def generate(generator: Generator, face: NDArray, batch: int = 16, look: torch.Tensor | None = None) -> Iterator[NDArray]:
    """Draw landmarks as pictures, as they come.

    Parameters
    ----------
    generator : from `load_generator`
    face : float32 [frame, 68, 2], face space; a missing frame (NaN) takes the face of its neighbours
    batch : frames drawn together
    look : float [n_look], from `Generator.look_of` or N(0, 1); 0, the mean of all, when None

    Yields
    ------
    uint8 [row, column, rgb], one a frame
    """
    face = np.asarray(face, np.float32)
    if face.ndim != 3 or face.shape[1:] != (N_POINTS, 2):
        raise ValueError(f"face takes [frame, {N_POINTS}, 2], got {list(face.shape)}")
    if len(face) and not np.isfinite(face := fill_missing(face)).all():
        raise InputError("landmarks", "no frame has a face", "landmarks of a face", "python -m preprocess.extract_landmarks")
    device = generator.rest_face.device
    look = torch.as_tensor(np.zeros(generator.settings["n_look"]) if look is None else look, dtype=torch.float32, device=device)
    for start in range(0, len(face), batch):
        with torch.inference_mode():
            points = torch.from_numpy(face[start:start + batch]).to(device)
            yield from to_uint8(generator(points, look.expand(len(points), -1)))
