"""A photo that moves: its own pixels, carried by landmarks and head, and a mouth painted where they do not suffice.

Reads: a photo and its landmarks, in memory. Writes: nothing.
The field that says where each pixel comes from is made on a coarse grid and sampled at full size, so the photo keeps its
sharpness at any size. Where nothing moves the picture is the photo, to the bit.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import cv2
import numpy as np
from threadpoolctl import ThreadpoolController

from render.grid import Grid, box_of
from render.head import CENTRE, HALF, REACH, HeadField
from render.lids import Lids
from render.warp import CELL, FADE, FaceWarp

HEAD_CELL = 0.1  # eye distances between nodes of the head's field, which is smooth
LARGEST_SHIFT = 0.35  # eye distances the face's own field may be carried by the head
BATCH = 8  # frames painted together


class Portrait:
    """One photo, ready to be moved.

    Parameters
    ----------
    photo : `photo.Photo`
    mouth : `mouth.Mouth` of this photo, or None: its own pixels alone
    """

    def __init__(self, photo, mouth=None):
        self.photo, self.mouth = photo, mouth
        self.warp = mouth.view.warp if mouth else FaceWarp(photo.face)
        self.lids, size = Lids(photo.face, photo.pose), photo.picture.shape[:2]
        reach = LARGEST_SHIFT + FADE
        low, high = self.warp.ring.min(0) - reach, self.warp.ring.max(0) + reach
        self.face_grid = Grid(low, high, photo.pose, size, CELL)
        low, high = np.minimum(low, CENTRE - HALF * REACH), np.maximum(high, CENTRE + HALF * REACH)
        self.head_grid = Grid(low, high, photo.pose, size, HEAD_CELL)
        self.mouth_box = self._mouth_box(size) if mouth else None
        self.face_field, self.head_field = (HeadField(grid.nodes) for grid in (self.face_grid, self.head_grid))

    def __call__(self, face, head, solved, patch=None):
        """One frame.

        Parameters
        ----------
        face : float [68, 2], face space
        head : float [5], as `HeadField.offsets` takes it
        solved : `FaceWarp.solve(face)`
        patch : uint8 [row, column, rgb and mask] of the mouth's view, or None

        Returns
        -------
        uint8 [row, column, rgb], a new picture
        """
        frame, picture = self.photo.picture.copy(), self.photo.picture
        turned = np.any(head)
        carried = self.face_field.offsets(head) if turned else np.zeros_like(self.face_grid.nodes)
        left, top, right, bottom = self.face_grid.box
        source = self.face_grid.source(carried + self.warp.offsets(solved, self.face_grid.nodes + carried))
        if turned:
            x, y, x_end, y_end = self.head_grid.box
            whole = np.ascontiguousarray(self.head_grid.source(self.head_field.offsets(head)))
            whole[top - y:bottom - y, left - x:right - x] = source
            left, top, right, bottom, source = x, y, x_end, y_end, whole
        frame[top:bottom, left:right] = cv2.remap(picture, np.ascontiguousarray(source), None, cv2.INTER_CUBIC,
                                                  borderMode=cv2.BORDER_REPLICATE)
        if patch is not None and self.mouth_box:
            self._paint(frame, patch, carried)
        self.lids.paint(frame, face, head)
        return frame

    def _mouth_box(self, size):
        """Pixels that the mouth's view may be carried to: left, top, right, bottom; None when there is none."""
        view = self.mouth.view
        extent, grid = np.array(view.picture.shape[1::-1]) / view.view[0], self.face_grid.box
        low, high = view.corner - LARGEST_SHIFT, view.corner + extent + LARGEST_SHIFT
        left, top, right, bottom = box_of(low, high, self.photo.pose, size)
        left, top, right, bottom = max(left, grid[0]), max(top, grid[1]), min(right, grid[2]), min(bottom, grid[3])
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _paint(self, frame, patch, carried):
        """Lay a patch of the mouth's view over `frame`, carried as the head is."""
        view, grid, (left, top, right, bottom) = self.mouth.view, self.face_grid, self.mouth_box
        at = ((grid.nodes + carried - view.corner) * view.view[0]).reshape(grid.nodes_px.shape).astype(np.float32)
        laid = cv2.remap(patch, np.ascontiguousarray(grid.enlarged(at, self.mouth_box)), None, cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_CONSTANT)
        part, mask = frame[top:bottom, left:right], laid[..., 3:].astype(np.uint16)
        part[:] = (part * (255 - mask) + laid[..., :3] * mask + 127) // 255


def frames(photo, moves, mouth=None):
    """Yield the photo moved by each (face, head) of `moves`: uint8 [row, column, rgb].

    `face` float [68, 2] in face space; `head` float [5], as `HeadField.offsets` takes it. With a mouth, the next batch is
    painted by another thread while this one is moved.
    """
    portrait, moves = Portrait(photo, mouth), iter(moves)

    def prepared(batch):
        solved = [portrait.warp.solve(face) for face, _ in batch]
        patches = mouth.paint([face for face, _ in batch], solved) if mouth else [None] * len(batch)
        return zip(batch, solved, patches)

    def batches():
        while batch := list(islice(moves, BATCH if mouth else 1)):
            yield batch

    # systems this small lose more to waiting threads than they gain
    with ThreadpoolController().limit(limits=1, user_api="blas"), ThreadPoolExecutor(1) as pool:
        for ready in ahead(pool, prepared, batches()) if mouth else map(prepared, batches()):
            for (face, head), solved, patch in ready:
                yield portrait(face, head, solved, patch)


def ahead(pool, work, items):
    """Yield `work(item)` of each item, in order; the next one is under way in `pool` meanwhile."""
    waiting = None
    for item in items:
        following = pool.submit(work, item)
        if waiting:
            yield waiting.result()
        waiting = following
    if waiting:
        yield waiting.result()
