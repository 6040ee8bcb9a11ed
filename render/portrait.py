"""Animate a photo: warp its pixels by landmarks and head, and paint mouth and lids.

Reads: a photo and its landmarks, in memory. Writes: nothing.
The field that says where each pixel comes from is made on a coarse grid and sampled at full size, so the photo keeps its
sharpness at any size. Where nothing moves the picture is the photo, to the bit.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from core.face.head import CENTRE, HALF, REACH, HeadField
from core.media import nv12
from core.processes.child import prefetch
from core.processes.copies import in_copies, n_copies
from render.background import fill_behind
from render.life.gaze_part import GazePart
from render.life.lids import LidPart
from render.motion import Move
from render.parts.palette import Palette
from render.photo import Photo
from render.sampling import planes
from render.sampling.blocks import BEHIND, THIN, Blocks, Masks
from render.sampling.borders import Borders
from render.sampling.grid import Grid
from render.warp import CELL, FADE, FaceWarp

LARGEST_SHIFT = 0.35  # eye distances the face's own field may be carried by the head
TRACE = 0.03  # a mask's share of less is nothing, and of so much more whole
BATCH = 8  # frames painted together


class Portrait:
    """One photo, ready to be moved.

    Parameters
    ----------
    photo : `photo.Photo`
    parts : `painted_part.PaintedPart`s of this photo; without any, its own pixels alone
    person : float32 [row, column], 0..1, who is before what does not move, see `background.person_of`; None: all moves
    encoded : whether frames are made in the encoder's own planes, see `core.media.nv12`
    """

    def __init__(self, photo, parts=(), person=None, encoded=False):
        self.photo, self.parts, self.encoded = photo, parts, encoded
        person = None if person is None else np.clip((person - TRACE) / (1 - 2 * TRACE), 0, 1)
        self.warp = parts[0].view.warp if parts else FaceWarp(photo.face)
        self.still = nv12.join(*self._split(photo.shown)) if encoded else photo.shown
        columns, rows = photo.enlarged or photo.shown.shape[1::-1]
        self.shape = (rows * 3 // 2, columns) if encoded else (rows, columns, 3)
        window = photo.window or (0, 0, *(side // 2 * 2 for side in photo.picture.shape[1::-1]))
        self.corner = window[:2]
        reach = LARGEST_SHIFT + FADE
        low, high = self.warp.ring.min(0) - reach, self.warp.ring.max(0) + reach
        low, high = np.minimum(low, CENTRE - HALF * REACH), np.maximum(high, CENTRE + HALF * REACH)
        self.grid = Grid(low, high, photo.pose, window, CELL)
        self.planes, self.palette = self._planes(person), Palette(photo.picture, photo.points)
        marks = zip(*(((plane.is_owned, plane.shrink), (plane.is_through, plane.shrink)) for plane in self.planes))
        masks = None if person is None else Masks(marks, photo.picture.shape[1::-1])
        self.blocks = Blocks(self.grid, float(photo.pose[0]), masks)
        self.field, self.borders = HeadField(self.grid.nodes), Borders(self.grid, photo.picture, person)

    def _split(self, picture):
        """The planes of a picture."""
        return planes.split(picture, self.encoded, between=self.photo.enlarged is not None)

    def _planes(self, person):
        """The planes of the photo, around all that moves into its window."""
        picture, pose = self.photo.picture, self.photo.pose
        around = round(LARGEST_SHIFT * float(pose[0])) if self.photo.window else 0
        sides = self.grid.box
        box = [*(max(0, side - around) for side in sides[:2]), *(side + around for side in sides[2:])]
        if person is None:
            return [planes.Plane(pixels, box, k) for k, pixels in enumerate(self._split(picture), 1)]
        behind = self._split(fill_behind(picture, person, float(pose[0])))
        shares = [person, cv2.resize(person, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)]
        return [planes.Plane(pixels, box, k, back, share)
                for k, (pixels, back, share) in enumerate(zip(self._split(picture), behind, shares), 1)]

    def solve(self, face):
        """What `FaceWarp.solve` says of `face` [68, 2], but for what a part paints instead."""
        for part in self.parts:
            face = part.spare(face) if isinstance(part, LidPart) else face
        return self.warp.solve(face)

    def paint(self, moves):
        """What each of `moves`, `motion.Move`s, needs to be drawn: (`solve`'s answer, patches), parts painted together."""
        faces, _, gazes = zip(*moves)
        solved = [self.solve(face) for face in faces]
        patches = [part.paint(gazes if isinstance(part, GazePart) else faces, solved) for part in self.parts]
        return list(zip(solved, zip(*patches) if patches else repeat(())))

    def draw(self, move, out=None):
        """The frame of one `motion.Move`, in `out` if there is one, as `__call__`."""
        move = Move(*move)
        [(solved, patches)] = self.paint([move])
        return self(move.face, move.head, solved, patches, out)

    def __call__(self, face, head, solved, patches=(), out=None):
        """One frame.

        Parameters
        ----------
        face : float [68, 2], face space
        head : float [5], as `HeadField.offsets` takes it
        solved : `solve(face)`
        patches : of each part, uint8 [row, column, rgb and mask] of its view, or None
        out : where it is made, of the shape that is returned; None: in a new array

        Returns
        -------
        uint8 [row, column, rgb], or [row * 3 / 2, column] where encoded
        """
        grid, out = self.grid, np.empty(self.shape, np.uint8) if out is None else out
        frame = np.empty_like(self.still) if self.photo.enlarged else out
        np.copyto(frame, self.still)
        carried = self._turned(head) if np.any(head) else np.zeros_like(grid.nodes)
        moved = grid.nodes + carried
        self._move(frame, grid.source(carried + self.warp.of_field(self.warp.field(solved), moved)))
        for part, patch in zip(self.parts, patches):
            if patch is not None:
                self._paint(frame, part.view, self.palette(patch), moved.reshape(grid.nodes_px.shape))
        if frame is not out:
            self._enlarge(frame, out)
        return out

    def _enlarge(self, frame, out):
        """Make a frame as large as `out`."""
        if self.encoded:
            nv12.enlarge(frame, out)
        else:
            cv2.resize(frame, out.shape[1::-1], out, interpolation=cv2.INTER_CUBIC)

    def _turned(self, head):
        """Where a turned head's pixels come from, at the nodes: face space."""
        offsets = self.field.offsets(head)
        return self.borders.hold(offsets, self.borders.pulls(offsets))

    def _move(self, frame, source):
        """Fill a frame with what has moved: nodes come from `source`, float32 [row, column, xy] px of the picture."""
        blocks = list(self.blocks(source))
        for plane, view in zip(self.planes, planes.views(frame)):
            places = plane.places(source)
            for box, kind in blocks:
                out = self._in_window(view, plane.shrink, box)
                if kind == BEHIND:
                    plane.uncover(box, out)
                else:
                    plane.sample(self.grid.interpolate(places, box, plane.shrink), box, out, kind == THIN)

    def _in_window(self, view, shrink, box):
        """The part of a plane's view of the frame that a box of the picture is shown in."""
        x, y = self.corner
        left, top, right, bottom = ((side - own) // shrink for side, own in zip(box, (x, y, x, y)))
        return view[top:bottom, left:right]

    def _paint(self, frame, view, patch, moved):
        """Lay a patch of a part's view over `frame`, carried as the head is: its nodes are `moved`, face space."""
        x, y, width, height = cv2.boundingRect(cv2.extractChannel(patch, 3))
        patch, unit_px = patch[y:y + height, x:x + width], np.float32(view.part.unit_px)
        at = (moved - view.corner) * unit_px - np.array([x, y], np.float32)  # px of what is left of the patch
        around = self.grid.step * view.part.unit_px / float(self.photo.pose[0])  # the same from node to node
        inside = cv2.inRange(at, (-around,) * 2, (width + around, height + around))
        if not width or (box := self.grid.box_of_nodes(inside)) is None:
            return
        left, top, right, bottom = box
        late = self.encoded and (right - left) * (bottom - top) < width * height  # the fewer pixels change their colours
        painted = patch if late else planes.in_channels(patch, self.encoded)
        for plane, shown, own in zip(self.planes, planes.views(frame), planes.CHANNELS[self.encoded]):
            laid = cv2.remap(painted, self.grid.interpolate(at, box, plane.shrink), None, cv2.INTER_LINEAR,
                             borderMode=cv2.BORDER_CONSTANT)
            laid = planes.in_channels(laid, self.encoded) if late else laid
            planes.lay(self._in_window(shown, plane.shrink, box), laid[..., own], laid[..., 3])


def frames(photo: Photo, moves: Iterable[tuple[NDArray, ...]], parts: Sequence = (), person: NDArray | None = None,
           encoded: bool = False) -> Iterator[NDArray]:
    """Yield the photo moved by each of `moves`, `motion.Move`s or what makes them: uint8 [row, column, rgb].

    With parts to be painted, copies of this process share the frames where there can be any; else the next batch is painted by
    another thread while this one is moved. `person` and `encoded` are those of `Portrait`.
    """
    portrait, moves = Portrait(photo, parts, person, encoded), (Move(*move) for move in moves)

    def prepare(batch):
        return zip(batch, portrait.paint(batch))

    def batches(moves):
        while batch := list(islice(moves, BATCH if parts else 1)):
            yield batch

    # systems this small lose more to waiting threads than they gain
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        first = list(islice(moves, 2 * BATCH)) if parts else []
        if len(first) == 2 * BATCH and (n := n_copies()):
            yield from in_copies(portrait.draw, chain(first, moves), np.empty(portrait.shape, np.uint8), n)
            return
        prepared = batches(chain(first, moves))
        for ready in prefetch(prepare, prepared) if parts else map(prepare, prepared):
            for move, (solved, patches) in ready:
                yield portrait(move.face, move.head, solved, patches)
