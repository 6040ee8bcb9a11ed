"""Animate a photo: warp its pixels by landmarks and head, and paint mouth and lids.

Reads: a photo and its landmarks, in memory. Writes: nothing.
The field that says where each pixel comes from is made on a coarse grid and sampled at full size, so the photo keeps its
sharpness at any size. Where nothing moves the picture is the photo, to the bit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from core.face.head import CENTRE, HALF, REACH, HeadField
from render.grid import Grid
from render.parts.palette import Palette
from render.photo import Photo
from render.texture import Texture
from render.warp import CELL, FADE, FaceWarp

HEAD_CELL = 0.1  # eye distances between nodes of the head's field, which is smooth
LARGEST_SHIFT = 0.35  # eye distances the face's own field may be carried by the head
BATCH = 8  # frames painted together


class Portrait:
    """One photo, ready to be moved.

    Parameters
    ----------
    photo : `photo.Photo`
    parts : `painted_part.PaintedPart`s of this photo; without any, its own pixels alone
    """

    def __init__(self, photo, parts=()):
        self.photo, self.parts = photo, parts
        self.warp = parts[0].view.warp if parts else FaceWarp(photo.face)
        size = photo.picture.shape[:2]
        reach = LARGEST_SHIFT + FADE
        low, high = self.warp.ring.min(0) - reach, self.warp.ring.max(0) + reach
        self.face_grid = Grid(low, high, photo.pose, size, CELL)
        low, high = np.minimum(low, CENTRE - HALF * REACH), np.maximum(high, CENTRE + HALF * REACH)
        self.head_grid = Grid(low, high, photo.pose, size, HEAD_CELL)
        self.texture, self.palette = Texture(photo.picture, self.head_grid.box), Palette(photo.picture, photo.points)
        self.face_field, self.head_field = (HeadField(grid.nodes) for grid in (self.face_grid, self.head_grid))

    def __call__(self, face, head, solved, patches=()):
        """One frame.

        Parameters
        ----------
        face : float [68, 2], face space
        head : float [5], as `HeadField.offsets` takes it
        solved : `FaceWarp.solve(face)`
        patches : of each part, uint8 [row, column, rgb and mask] of its view, or None

        Returns
        -------
        uint8 [row, column, rgb], a new picture
        """
        frame = self.photo.picture.copy()
        turned = np.any(head)
        carried = self.face_field.offsets(head) if turned else np.zeros_like(self.face_grid.nodes)
        left, top, right, bottom = self.face_grid.box
        places = self._places(self.face_grid, carried + self.warp.offsets(solved, self.face_grid.nodes + carried))
        if turned:
            x, y, x_end, y_end = self.head_grid.box
            whole = self._places(self.head_grid, self.head_field.offsets(head))
            whole[top - y:bottom - y, left - x:right - x] = places
            left, top, right, bottom, places = x, y, x_end, y_end, whole
        frame[top:bottom, left:right] = self.texture.sample(places)
        for part, patch in zip(self.parts, patches):
            if patch is not None:
                self._paint(frame, part.view, self.palette(patch), carried)
        return frame

    def _places(self, grid, offsets):
        """Where in the texture each pixel of the grid's box comes from."""
        return grid.interpolate(self.texture.at(grid.source(offsets)))

    def _paint(self, frame, view, patch, carried):
        """Lay a patch of a part's view over `frame`, carried as the head is."""
        grid = self.face_grid
        at = ((grid.nodes + carried - view.corner) * view.view[0]).reshape(grid.nodes_px.shape).astype(np.float32)
        x, y, width, height = cv2.boundingRect(np.ascontiguousarray(patch[..., 3]))
        around = grid.step * view.view[0] / self.photo.pose[0]  # from node to node, px of the view
        inside = (at > (x - around, y - around)) & (at < (x + width + around, y + height + around))
        if not width or (box := grid.box_of_nodes(inside.all(2))) is None:
            return
        left, top, right, bottom = box
        laid = cv2.remap(patch, np.ascontiguousarray(grid.interpolate(at, box)), None, cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_CONSTANT)
        part, mask = frame[top:bottom, left:right], laid[..., 3:].astype(np.uint16)
        part[:] = (part * (255 - mask) + laid[..., :3] * mask + 127) // 255


def frames(photo: Photo, moves: Iterable[tuple[NDArray, NDArray]], parts: Sequence = ()) -> Iterator[NDArray]:
    """Yield the photo moved by each (face, head) of `moves`: uint8 [row, column, rgb].

    `face` float [68, 2] in face space; `head` float [5], as `HeadField.offsets` takes it. With parts to be painted, the
    next batch is painted by another thread while this one is moved.
    """
    portrait, moves = Portrait(photo, parts), iter(moves)

    def prepare(batch):
        solved = [portrait.warp.solve(face) for face, _ in batch]
        faces = [face for face, _ in batch]
        patches = zip(*(part.paint(faces, solved) for part in parts)) if parts else [()] * len(batch)
        return zip(batch, solved, patches)

    def batches():
        while batch := list(islice(moves, BATCH if parts else 1)):
            yield batch

    # systems this small lose more to waiting threads than they gain
    with ThreadpoolController().limit(limits=1, user_api="blas"), ThreadPoolExecutor(1) as pool:
        for ready in prefetch(pool, prepare, batches()) if parts else map(prepare, batches()):
            for (face, head), solved, patches in ready:
                yield portrait(face, head, solved, patches)


def prefetch(pool: Executor, work: Callable, items: Iterable) -> Iterator:
    """Yield `work(item)` of each item, in order; the next one is under way in `pool` meanwhile."""
    waiting = None
    for item in items:
        following = pool.submit(work, item)
        if waiting:
            yield waiting.result()
        waiting = following
    if waiting:
        yield waiting.result()
