"""One face that moves as landmarks do: its head, blinks and gaze with it, as pictures at any frame rate.

Reads: the models of the photo renderer and of the DCGAN. Writes: nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.stage import say
from render import dcgan, liveliness, motion, portrait, sketch
from render.life.gaze import gaze_of
from render.life.gaze_part import attend, gaze_part
from render.options import RenderOptions
from render.parts.drawn import drawn_parts
from render.parts.signs import wears_glasses
from render.photo import Photo


@dataclass(frozen=True)
class Talker:
    """What `talker` makes."""

    draw: Callable[..., Iterator[NDArray]]  # (face, head) pairs -> pictures; `encoded=True` as `core.media.nv12` lays them out
    moves_at: Callable[[Iterable[int]], Iterator]  # numbers of frames -> their (face, head)
    widest: int  # the frame whose mouth is open widest
    blink_rate: float  # a minute

    def frames(self, n_frames: int, **how: bool) -> Iterator[NDArray]:
        """The pictures of the first `n_frames`; `encoded` is that of `draw`."""
        return self.draw(self.moves_at(range(n_frames)), **how)


def _drawer(renderer, rest, face, *, model, device, size_px, avatar, eyes, person):
    """The rest face that a renderer moves, and the function that makes pictures of (face, head) pairs."""
    if renderer == "sketch":
        return rest, partial(sketch.frames, size_px=size_px)
    if renderer == "dcgan":
        generator, rest = dcgan.load(model, device)
        return rest, partial(dcgan.frames, generator=generator, size_px=size_px)
    if avatar != "none":
        parts = drawn_parts(face)
    else:
        from render.parts.painted import painted_parts  # PyTorch again
        mouth, lids = painted_parts(face, model, device)
        parts = (mouth, eyes, lids) if eyes else (mouth, lids)
    return face68.closed_mouth(face.face), partial(portrait.frames, face, parts=parts, person=person)


def add_head_motion(moves: motion.Motion, rest: NDArray, *, seed: int = 0, still: bool = False) -> motion.Motion:
    """`moves` (`motion.Motion` of the face `rest`) with a head that sways, unless its motion is known or it is still."""
    if still:
        return replace(moves, head=np.zeros_like(moves.head))
    if moves.has_head:
        return moves
    return replace(moves, head=liveliness.head_motion(len(moves), seed, face68.mouth_opening(rest + moves.face)))


def talker(moves: motion.Motion, rest: NDArray, n_frames: int, options: RenderOptions, *, renderer: str = "photo",
           face: Photo | None = None, model: str | Path | None = None, device: str = "cpu",
           person: NDArray | None = None) -> Talker:
    """A face ready to be shown.

    Parameters
    ----------
    moves, rest : from `motion.read_motion`
    n_frames : of the video, at the rate of `options`
    face : `photo.Photo` as it is shown, for the photo renderer
    model, device : see `render.render_video`
    person : who is before what does not move, see `background.person_of`; None: all moves
    """
    even_px = (options.size_px or 0) // 2 * 2  # H.264 needs even sizes
    glasses = face is not None and options.avatar == "none" and wears_glasses(face)
    looks = renderer == "photo" and options.avatar == "none" and options.gaze != "still" and not glasses
    eyes = gaze_part(face) if looks and face else None
    base, draw = _drawer(renderer, rest, face, model=model, device=device, size_px=even_px, avatar=options.avatar, eyes=eyes,
                         person=person)
    if renderer == "dcgan" and not options.still and (options.head_scale != 1 or options.seed):
        say("the dcgan renderer draws upright faces only: the head holds still")
    blink_rate = options.blink_rate
    if blink_rate is None:
        no_blinks = moves.measured or glasses or renderer == "dcgan"  # its eyes do not close well
        blink_rate = 0.0 if no_blinks else liveliness.BLINK_RATE
    lids = liveliness.blinks(n_frames, options.fps, blink_rate, options.seed)
    blinks_s = liveliness.blink_times(n_frames / options.fps, blink_rate, options.seed)
    where = gaze_of(n_frames, options.fps, options.seed, options.gaze, blinks_s)
    moves = add_head_motion(moves, rest, seed=options.seed, still=options.still)

    def moves_at(frames):
        shown = motion.resample(moves, options.fps, frames)
        shown = motion.apply_to_face(shown, base, options.expression_scale, options.head_scale)
        shown = liveliness.hold_rims(shown, base) if glasses else shown
        shown = attend(shown, (where[k] for k in frames)) if eyes else shown
        return liveliness.add_blinks(shown, (lids[k] for k in frames))

    widest = int(face68.mouth_opening(rest + moves.face).argmax() * options.fps / FPS)
    return Talker(draw, moves_at, min(widest, n_frames - 1), blink_rate)
