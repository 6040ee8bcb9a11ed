"""Frames of a clip that a mouth is painted from: lips shut, one a shot, and one that shows teeth.

Reads: a video and what its face does (`render.dub.own`). Writes: a sheet of them, to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.media import nv12
from core.media.footage import Footage, read_planes
from render.dub.own import Own
from render.parts.painted import mouth_of
from render.parts.teeth import OWN, pale
from render.parts.view import PartView

AROUND = 1.3  # eye distances around the points that are kept of a frame
MOST_SHOTS = 8  # that have a reference of their own, the longest ones
FEWEST = 12  # frames of a shot that may have one
N_TEETH = 24  # frames that are looked at for teeth
OPENING, TURN, SPEED = 0.03, 0.05, 0.02  # eye distances, and of a frame: as bad as each other in a reference
_REFERENCE = "a frame of the clip"


@dataclass(frozen=True, eq=False)
class Reference:
    """A frame's face, as parts and teeth take a photo.

    Parameters
    ----------
    number : of the frame
    picture : uint8 [row, column, rgb], around the face
    points : float32 [68, 2], px of it
    face, pose : float32 [68, 2] in the clip's face space; float32 [4]
    opened : a frame that shows teeth
    """

    number: int
    picture: np.ndarray
    points: np.ndarray
    face: np.ndarray
    pose: np.ndarray
    opened: "Reference | None" = None
    path: Path = Path(_REFERENCE)
    window: None = None


def _cut_out(frame, own, number) -> Reference:
    points = face68.to_pixel_space(own.face[number][None], own.pose[number])[0]
    margin, size = AROUND * float(own.pose[number, 0]), np.array([frame.shape[1], len(frame) * 2 // 3])
    (left, top), (right, bottom) = (np.clip(edge // 2 * 2, 0, size).astype(int)
                                    for edge in (points.min(0) - margin, points.max(0) + margin + 2))
    light, colour = nv12.views(frame)
    part = nv12.join(np.ascontiguousarray(light[top:bottom, left:right]),
                     np.ascontiguousarray(colour[top // 2:bottom // 2, left // 2:right // 2]))
    pose = own.pose[number].copy()
    pose[2:] -= (left, top)
    return Reference(number, nv12.to_rgb(part), points - np.array([left, top], np.float32), own.face[number], pose)


def _badness(own: Own) -> NDArray:
    """How little each frame would do as one with shut lips: float [frame], infinite where it cannot be."""
    opening = face68.mouth_opening(own.face)
    usual = np.nanmedian(own.turn[own.strength > 0], 0)
    turned = np.abs(own.turn - usual).mean(1)
    speed = np.abs(np.gradient(own.pose[:, 2:], axis=0)).sum(1) / own.pose[:, 0] if len(own) > 1 else np.zeros(len(own))
    bad = opening / OPENING + turned / TURN + speed / SPEED
    return np.where((own.strength == 1) & np.isfinite(bad), bad, np.inf)


def choose(own: Own, cuts: Sequence[int]) -> tuple[dict[int, int], list[int]]:
    """Which frames to look at.

    Returns
    -------
    shut : first frame of a shot -> number of its frame with shut lips; all others take the first one's
    open_ : numbers of frames that may show teeth, each with the mouth a little open
    """
    bad, shut = _badness(own), {}
    shots = [(start, stop) for start, stop in zip(cuts, [*cuts[1:], len(own)])
             if np.isfinite(bad[start:stop]).sum() >= min(FEWEST, np.isfinite(bad).sum())]
    for start, stop in sorted(shots, key=lambda shot: shot[0] - shot[1])[:MOST_SHOTS]:
        shut[start] = start + int(bad[start:stop].argmin())
    opening = face68.mouth_opening(own.face)
    fits = np.isfinite(bad) & (opening > OWN[0]) & (opening < OWN[1])
    fitting = np.flatnonzero(fits)
    best = fitting[np.argsort((bad - opening / OPENING)[fitting] - 4 * opening[fitting], kind="stable")]
    return shut, sorted(best[:N_TEETH].tolist())


def _teeth_in(reference: Reference) -> float:
    """How much of what lies between a reference's lips is teeth, 0..1, weighted by how much of them is seen."""
    view = PartView(mouth_of(reference), reference.picture, reference.face, reference.pose)
    lips = view.masks(reference.face)[..., 0]
    inside = lips > 240
    if not inside.any():
        return 0.0
    share = pale(view.picture, (lips > 100) & (lips < 150))[inside].mean()
    return float(share * np.sqrt(inside.sum()))


def read_references(footage: Footage, own: Own, cuts: Sequence[int]) -> dict[int, Reference]:
    """The references of a clip: first frame of a shot -> its own, with teeth; empty where no frame will do."""
    shut, open_ = choose(own, cuts)
    wanted, found, teeth, most = {*shut.values(), *open_}, {}, None, 0.0
    if not shut:
        return {}
    for number, frame in enumerate(read_planes(footage)):
        if number in wanted:
            cut = _cut_out(frame, own, number)
            if number in shut.values():
                found[number] = cut
            if number in open_ and (shown := _teeth_in(cut)) > most:
                teeth, most = cut, shown
        if number >= max(wanted):
            break
    return {start: _with_teeth(found[number], teeth) for start, number in shut.items() if number in found}


def _with_teeth(reference, teeth):
    return Reference(reference.number, reference.picture, reference.points, reference.face, reference.pose, teeth)
