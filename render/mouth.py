"""The mouth model at work on one photo: patches of its mouth, painted for each frame.

Reads: GAN_record/mouth/model.safetensors (picture-model). Writes: nothing.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import torch

from core.keep import kept
from render.mouth_model import as_floats, load_painter, masks_as_floats
from render.mouth_view import MouthView

MODEL = Path(__file__).resolve().parent.parent / "GAN_record" / "mouth" / "model.safetensors"
_painter = kept(load_painter)


class Mouth:
    """One photo's mouth.

    Parameters
    ----------
    photo : `photo.Photo`
    model : a mouth model; the one that ships by default
    device : where to compute
    """

    def __init__(self, photo, model=None, device="cpu"):
        self.view, self.device = MouthView(photo.picture, photo.face, photo.pose), device
        self.painter = _painter(model or MODEL, device)
        if device == "cpu":
            n_others = max(1, (os.cpu_count() or 1) - 1)  # a core for the frames, which are moved meanwhile
            torch.set_num_threads(min(torch.get_num_threads(), n_others))
        with torch.inference_mode():
            self.maps = self.painter.look_at(as_floats(torch.from_numpy(self.view.picture[None]), device),
                                             masks_as_floats(torch.from_numpy(self.view.masks(photo.face)[None]), device))

    def paint(self, faces, solved):
        """Paint the mouth for some frames.

        Parameters
        ----------
        faces : list of float [68, 2], face space
        solved : list of `FaceWarp.solve` of each

        Returns
        -------
        uint8 [frame, row, column, rgb and mask]
        """
        mouths, near = zip(*(cv2.split(self.view.masks(face)) for face in faces))
        pixels = np.stack([cv2.merge([self.view.warped(s), mouth]) for s, mouth in zip(solved, mouths)])
        pixels, near = (torch.from_numpy(part).to(self.device) for part in (pixels, np.stack(near)))
        with torch.inference_mode():
            return self.painter.patches(pixels, near, self.maps).cpu().numpy()
