"""The identity encoder: a narrow ResNet-18 from a face crop to 128 numbers of length 1.

Reads, writes: model.safetensors (picture-model). Its feature maps also say how alike two pictures look (`features`).
Source: He et al., Deep residual learning, CVPR 2016; additive cosine margin, Wang et al., CosFace, CVPR 2018.
"""

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from core import paths
from core.face.crop import align_face
from learn.weights import load_network, save_network

DEFAULT_MODEL = paths.IDENTITY_MODEL
NETWORK, VERSION = "gan.identity_model.IdentityEncoder", 1  # as files name it, from when it lay there
SIZE_PX = 96
VIEW = (34.6, 0.0, 47.5, 34.0)  # pose of face space in a picture: brows to chin, ear to ear, little of hair and background
WIDTHS = (16, 32, 64, 128)
N_OUT = 128


class Block(nn.Module):
    """Two convolutions and a way around them; halves the size when the channels grow."""

    def __init__(self, n_in, n_out):
        super().__init__()
        stride = 2 if n_out > n_in else 1
        self.first, self.second = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.norm, self.second_norm = nn.BatchNorm2d(n_out), nn.BatchNorm2d(n_out)
        self.around = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)) \
            if stride > 1 else nn.Identity()

    def forward(self, x):
        y = F.relu(self.norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.around(x))


class IdentityEncoder(nn.Module):
    """Faces to numbers.

    Parameters
    ----------
    widths : channels of the four stages, two blocks each
    n_out : how many numbers
    """

    def __init__(self, widths=WIDTHS, n_out=N_OUT):
        super().__init__()
        self.settings = {"widths": list(widths), "n_out": n_out}
        self.start = nn.Sequential(nn.Conv2d(3, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
        self.stages = nn.ModuleList(nn.Sequential(Block(a, b), Block(b, b)) for a, b in zip((widths[0], *widths), widths))
        self.out = nn.Linear(widths[-1], n_out)

    def features(self, pictures):
        """Maps of each stage: `pictures` float [n, rgb, row, column], -1..1, of any size -> list of tensors."""
        maps, x = [], self.start(pictures)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, pictures):
        """Pictures, float [n, rgb, SIZE_PX, SIZE_PX], -1..1 -> float [n, n_out], of length 1."""
        return F.normalize(self.out(self.features(pictures)[-1].mean((2, 3))), dim=1)


class MarginHead(nn.Module):
    """Cosines of embeddings with each person's own direction, less `margin` for the right one, times `scale`."""

    def __init__(self, n_people, n_out=N_OUT, margin=0.2, scale=20.0):
        super().__init__()
        self.directions = nn.Parameter(F.normalize(torch.randn(n_people, n_out), dim=1))
        self.margin, self.scale = margin, scale

    def forward(self, embeddings, people):
        """Embeddings, float [n, n_out], and people, int [n] -> float [n, person]."""
        cosines = embeddings @ F.normalize(self.directions, dim=1).T
        return self.scale * (cosines - self.margin * F.one_hot(people, cosines.shape[1]))


def face_view(picture: NDArray, pose: NDArray) -> NDArray:
    """What the encoder is shown of a face: uint8 [SIZE_PX, SIZE_PX, rgb]; `pose` float [4], of the face in `picture`."""
    return align_face(picture, pose, VIEW, (SIZE_PX, SIZE_PX))


def as_input(views: NDArray) -> torch.Tensor:
    """uint8 array [n, row, column, rgb] -> float tensor [n, rgb, row, column], -1..1."""
    return torch.from_numpy(views).permute(0, 3, 1, 2).float() / 127.5 - 1


def save_encoder(path: str | Path, encoder: IdentityEncoder, **about: Any) -> Path:
    """Write an encoder with its provenance, as `save_network` does."""
    return save_network(path, encoder, NETWORK, VERSION, **about)


def load_encoder(path: str | Path = DEFAULT_MODEL, device: str = "cpu") -> IdentityEncoder:
    """Read an encoder, ready to use. Raises InputError as `load_network` does."""
    return load_network(path, IdentityEncoder, NETWORK, VERSION, device,
                        "python -m avatar.identity.train, or take the model that came with the program")
