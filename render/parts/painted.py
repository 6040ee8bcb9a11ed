"""Paint a part of one photo's face frame by frame with the trained network.

Reads: GAN_record/{mouth,large_mouth,eyes}/model.safetensors (picture-model). Writes: nothing.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import torch

from core import paths
from core.cache import cached
from render.parts.network import as_floats, load_painter, masks_as_floats
from render.parts.part import EYES, LARGE_MOUTH, MOUTH, Part
from render.parts.teeth import Teeth
from render.parts.view import PartView
from render.photo import Photo

MODELS = {MOUTH: paths.MOUTH_MODEL, LARGE_MOUTH: paths.LARGE_MOUTH_MODEL, EYES: paths.EYES_MODEL}
LARGE_PX = 110  # of an eye distance: from here on a mouth is painted twice as fine, with teeth
_painter = cached(load_painter)


class PaintedPart:
    """A part of one photo's face.

    Parameters
    ----------
    photo : `photo.Photo`
    part : `parts.Part`
    model : a painter of that part; the one that ships by default
    device : where to compute
    warp : the photo's `FaceWarp`, when there is one already
    """

    def __init__(self, photo, part=MOUTH, model=None, device="cpu", warp=None):
        self.view, self.device = PartView(part, photo.picture, photo.face, photo.pose, warp), device
        self.painter = _painter(model or MODELS[part], part, device)
        if device == "cpu":
            n_others = max(1, (os.cpu_count() or 1) - 1)  # a core for the frames, which are moved meanwhile
            torch.set_num_threads(min(torch.get_num_threads(), n_others))
        with torch.inference_mode():
            self.maps = self.painter.look_at(as_floats(torch.from_numpy(self.view.picture[None]), device),
                                             masks_as_floats(torch.from_numpy(self.view.masks(photo.face)[None]), device))
        self.teeth = None if part is EYES else Teeth(self.view, photo)

    def paint(self, faces, solved):
        """Paint the part for some frames.

        Parameters
        ----------
        faces : list of float [68, 2], face space
        solved : list of `FaceWarp.solve` of each

        Returns
        -------
        list of uint8 [row, column, rgb and mask]; None where the photo's own pixels suffice
        """
        strength = [self.view.part.strength(face, self.view.face) for face in faces]
        wanted = [i for i, s in enumerate(strength) if s > 0]
        patches = [None] * len(faces)
        if not wanted:
            return patches
        masks, near = zip(*(cv2.split(self.view.masks(faces[i])) for i in wanted))
        near = np.stack([n if strength[i] == 1 else (n * strength[i]).astype(np.uint8) for i, n in zip(wanted, near)])
        pixels = np.stack([cv2.merge([self.view.warp_photo(solved[i]), mask]) for i, mask in zip(wanted, masks)])
        pixels, near = (torch.from_numpy(part).to(self.device) for part in (pixels, near))
        with torch.inference_mode():
            for i, patch in zip(wanted, self.painter.patches(pixels, near, self.maps).cpu().numpy()):
                patches[i] = patch
                if self.teeth:
                    self.teeth.lay(patch, faces[i])
        return patches


def mouth_of(photo: Photo) -> Part:
    """The mouth to paint: the large one where the photo's is."""
    return LARGE_MOUTH if photo.pose[0] >= LARGE_PX else MOUTH


def painted_parts(photo: Photo, mouth_model: str | Path | None = None, device: str = "cpu") -> tuple[PaintedPart, PaintedPart]:
    """All that is painted of a photo: its mouth, by `mouth_model` or the model that ships, and its eyes.

    `mouth_model` paints the mouth it was trained for, whatever the photo's size.
    """
    part = _painter(mouth_model, None, device).part if mouth_model else mouth_of(photo)
    mouth = PaintedPart(photo, part, mouth_model, device)
    return mouth, PaintedPart(photo, EYES, None, device, mouth.view.warp)
