"""Paint a part of one photo's face frame by frame with the trained network.

Reads: GAN_record/{mouth,large_mouth,eyes}/model.safetensors (picture-model). Writes: nothing.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import paths
from core.cache import cached
from render.eight_bit.examples import example_faces
from render.eight_bit.painter import is_installed, load_byte_painter
from render.life.lids import LidPart
from render.parts.part import EYES, LARGE_MOUTH, MOUTH, Part
from render.parts.softness import SEEN_PX, blur_of, soften
from render.parts.teeth import Teeth
from render.parts.view import PartView
from render.photo import Photo

MODELS = {MOUTH: paths.MOUTH_MODEL, LARGE_MOUTH: paths.LARGE_MOUTH_MODEL, EYES: paths.EYES_MODEL}
LARGE_PX = 144  # of an eye distance: from here on the small mouth's view is coarser than the photo
OWN_LIDS_PX = 110  # the same: from here on lids are the photo's own


@cached
def _painter(path: str | Path, part: Part | None, device: str) -> Any:
    """A painter: in 8-bit numbers on a processor, where ONNX Runtime is there; else by PyTorch."""
    if device == "cpu" and is_installed():
        return load_byte_painter(path, part)
    from render.parts.network import load_painter  # PyTorch: it takes seconds
    return load_painter(path, part, device)


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
        self.view = PartView(part, photo.picture, photo.face, photo.pose, warp)
        around = self.view.around
        self._around = cv2.merge([around, np.zeros_like(around[..., 0])])  # OpenCV samples four channels faster than three
        seen = (self._seen(face, self.view.warp.solve(face))[0] for face in example_faces(photo.face, part is EYES))
        whole = cv2.merge([self.view.picture, self.view.masks(photo.face)[..., 0]])
        self._draw = _painter(model or MODELS[part], part, device).for_photo(whole, seen)
        blur = blur_of(photo)
        self.blur_px = blur * part.unit_px / float(photo.pose[0]) if blur > SEEN_PX else 0.0  # of the view
        self.teeth = None if part is EYES else Teeth(self.view, photo)

    def _seen(self, face, solved):
        """What a painter sees of a moved face: uint8 [row, column, rgb and part]; and what lies near, [row, column]."""
        mask, near = cv2.split(self.view.masks(face))
        moved = self.view.warp_photo(solved, self._around)
        return cv2.insertChannel(mask, moved, 3), near

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
        patches: list[NDArray | None] = [None] * len(faces)
        if not wanted:
            return patches
        seen = [self._seen(faces[i], solved[i]) for i in wanted]
        near = np.stack([n if strength[i] == 1 else (n * strength[i]).astype(np.uint8) for i, (_, n) in zip(wanted, seen)])
        for i, (view, _), patch in zip(wanted, seen, self._draw(np.stack([view for view, _ in seen]), near)):
            patch = soften(patch, view, self.blur_px) if self.blur_px else patch
            patches[i] = patch
            if self.teeth:
                self.teeth.lay(patch, faces[i])
        return patches


def mouth_of(photo: Photo) -> Part:
    """The mouth to paint: the large one where the photo's is."""
    return LARGE_MOUTH if photo.pose[0] >= LARGE_PX else MOUTH


def painted_parts(photo: Photo, mouth_model: str | Path | None = None,
                  device: str = "cpu") -> tuple[PaintedPart, PaintedPart | LidPart]:
    """All that is painted of a photo: its mouth, by `mouth_model` or the model that ships, and its lids.

    `mouth_model` paints the mouth it was trained for, whatever the photo's size.
    """
    part = _painter(mouth_model, None, device).part if mouth_model else mouth_of(photo)
    mouth = PaintedPart(photo, part, mouth_model, device)
    if photo.pose[0] >= OWN_LIDS_PX:
        return mouth, LidPart(photo, mouth.view.warp)
    return mouth, PaintedPart(photo, EYES, None, device, mouth.view.warp)
