"""The eyes of one photo as a part that is painted: where they look, frame by frame.

Reads, writes: nothing. What is painted are the photo's own pixels, see `render.life.eyeballs`.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.pretrained import IRIS
from core.stage import say
from render.life.eyeballs import Eye, Eyeball
from render.life.gaze import lids_follow, on_somebody
from render.life.iris import Iris, find_irises, is_installed
from render.parts.part import of_photo
from render.parts.view import PartView
from render.photo import Photo

ROWS, COLUMNS = 0.5, 1.7  # of the view, eye distances


class GazePart:
    """Both eyes of a photo.

    `attend` notes where they look in each frame that goes through it; `paint` paints these frames, in the same order.
    """

    def __init__(self, photo: Photo, irises: tuple[Iris, Iris]):
        self.view = PartView(of_photo("gaze", photo.pose[0], ROWS, COLUMNS), photo.picture, photo.face, photo.pose)
        self.eyes = [Eyeball(self.view.around, self._in_view(iris)) for iris in irises]
        self.view.around = np.concatenate([self.view.around, np.zeros_like(self.view.around[..., :1])], -1)
        for eye in self.eyes:
            self.view.around[eye.box][..., 3] = eye.shown
        self._where: deque = deque()

    def _in_view(self, iris):
        unit, margin = self.view.part.unit_px, self.view.margin

        def px(points):
            return (points - self.view.corner) * unit + margin

        return Eye(px(iris.upper), px(iris.lower), px(iris.middle), iris.radius * unit)

    def attend(self, moves: Iterable[tuple[NDArray, NDArray]], where: Iterable[NDArray]) -> Iterator[tuple[NDArray, NDArray]]:
        """`moves`, pairs (face, head), with lids that follow eyes which look to `where` [2], one a pair, `gaze.gaze_of`."""
        for (face, head), to in zip(moves, where):
            to = on_somebody(to, head)
            self._where.append(to)
            yield lids_follow(face, to), head

    def paint(self, faces, solved):
        """Paint frames that `attend` has passed on; as `painted.PaintedPart.paint`."""
        patches = []
        for weights in solved[:len(faces)]:
            to = self._where.popleft() * self.view.part.unit_px
            for eye in self.eyes:
                self.view.around[eye.box][..., :3] = eye.look(to)
            patches.append(self.view.warp_photo(weights))
        return patches


def gaze_part(photo: Photo) -> GazePart | None:
    """The eyes of a photo; None, which is said, where no iris is found."""
    irises = find_irises(photo)
    if irises is None:
        say("the irises were not found: the eyes look where they do in the photo" if is_installed() else
            f"{IRIS.what} is not installed: the eyes look where they do in the photo; {IRIS.cure}")
    return GazePart(photo, irises) if irises else None
