"""Speak through a comic: the photo is replaced before anything is rendered.

Reads: a photo, in memory; GAN_record/avatar/model.safetensors (picture-model).
Writes: avatar.png (avatar) and its sidecar, which says how alike comic and person are.
"""

from dataclasses import replace
from pathlib import Path

from render import photo
from render.photo_check import FaceCheck

AVATARS = ("none", "comic")


def as_comic(check: FaceCheck, path: str | Path) -> FaceCheck:
    """The check of a photo (`photo_check.FaceCheck`) as that of its comic, which is written to `path`, with its points."""
    from avatar.translation import write_avatar
    shown = photo.frame_photo(check.photo)
    drawn = write_avatar(shown.picture, shown.points, Path(path), check.photo.path)
    factor = shown.picture.shape[1] / check.photo.picture.shape[1]
    return replace(check, photo=photo.Photo(Path(path), drawn, shown.points), boxes=check.boxes * factor)
