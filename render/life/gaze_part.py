"""The eyes of one photo as a part that is painted: where they look, frame by frame.

Reads, writes: nothing. What is painted are the photo's own pixels, see `render.life.eyeballs`.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.pretrained import IRIS
from core.stage import say
from render.life.eyeballs import Eye, Eyeball
from render.life.gaze import lids_follow, on_somebody
from render.life.iris import Iris, find_irises, is_installed
from render.motion import Move
from render.parts.part import of_photo
from render.parts.view import PartView
from render.photo import Photo

ROWS, COLUMNS = 0.5, 1.7  # of the view, eye distances


class GazePart:
    """Both eyes of a photo, painted where the frame's gaze is."""

    def __init__(self, photo: Photo, irises: tuple[Iris, Iris]):
        self.view = PartView(of_photo("gaze", photo.pose[0], ROWS, COLUMNS), photo.picture, photo.face, photo.pose)
        self.eyes = [Eyeball(self.view.around, self._in_view(iris)) for iris in irises]
        self.view.around = np.concatenate([self.view.around, np.zeros_like(self.view.around[..., :1])], -1)
        for eye in self.eyes:
            self.view.around[eye.box][..., 3] = eye.shown

    def _in_view(self, iris):
        unit, margin = self.view.part.unit_px, self.view.margin

        def px(points):
            return (points - self.view.corner) * unit + margin

        return Eye(px(iris.upper), px(iris.lower), px(iris.middle), iris.radius * unit)

    def paint(self, gazes, solved):
        """As `painted.PaintedPart.paint`, from where the eyes look: `motion.Move.gaze`s."""
        return [None if gaze is None else self._look(gaze, weights) for gaze, weights in zip(gazes, solved)]

    def _look(self, gaze, weights):
        for eye in self.eyes:
            self.view.around[eye.box][..., :3] = eye.look(gaze * self.view.part.unit_px)
        return self.view.warp_photo(weights)


def attend(moves: Iterable[tuple[NDArray, NDArray]], where: Iterable[NDArray]) -> Iterator[Move]:
    """`moves`, pairs (face, head), with eyes that look to `where` [2], one a pair, `gaze.gaze_of`, and lids that follow."""
    for (face, head), to in zip(moves, where):
        to = on_somebody(to, head)
        yield Move(lids_follow(face, to), head, to)


def gaze_part(photo: Photo) -> GazePart | None:
    """The eyes of a photo; None, which is said, where no iris is found."""
    irises = find_irises(photo)
    if irises is None:
        say("the irises were not found: the eyes look where they do in the photo" if is_installed() else
            f"{IRIS.what} is not installed: the eyes look where they do in the photo; {IRIS.cure}")
    return GazePart(photo, irises) if irises else None
