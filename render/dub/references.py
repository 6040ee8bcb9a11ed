"""Frames of a clip that a mouth is painted from: lips shut, one a shot, and one that shows teeth.

Reads: a video and what its face does (`render.dub.own`). Writes: references.png, to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.face.draw import contact_sheet
from core.media import nv12
from core.media.footage import Footage, read_planes
from learn.curves import save_picture
from render.dub.own import Own, steadied
from render.parts.painted import LARGE_PX
from render.parts.part import LARGE_MOUTH, MOUTH, Part
from render.parts.teeth import OWN, pale
from render.parts.view import PartView

AROUND = 1.3  # eye distances around the points that are kept of a frame
MOST_SHOTS = 8  # that have a reference of their own, the longest ones
FEWEST = 12  # frames of a shot that may have one
N_SHUT, APART = 8, 3  # frames of a shot that are looked at for sharp shut lips, so many frames apart at least
SHARP = 2.0  # badness of half the sharpness
N_TEETH = 24  # frames that are looked at for teeth
OPENING, TURN, SPEED = 0.03, 0.05, 0.02  # eye distances, and of a frame: as bad as each other in a reference
UPPER, LOWER = 0.5, 0.75  # of the way from the upper to the lower lip: upper teeth reach so far; below it should be dark
BEST_OPEN = 0.14  # eye distances between the lips, at which teeth are seen in the light they have in speech
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


def part_of(reference: Reference) -> Part:
    """The mouth to paint: the large one where the face is."""
    return LARGE_MOUTH if reference.pose[0] >= LARGE_PX else MOUTH


def _cut_out(frame, own, number) -> Reference:
    points = face68.to_pixel_space(own.face[number][None], own.pose[number])[0]
    margin, size = AROUND * float(own.pose[number, 0]), np.array([frame.shape[1], len(frame) * 2 // 3])
    (left, top), (right, bottom) = (np.clip(edge // 2 * 2, 0, size).astype(int)
                                    for edge in (points.min(0) - margin, points.max(0) + margin + 2))
    light, colour = nv12.views(frame)
    part = nv12.join(np.ascontiguousarray(light[top:bottom, left:right]),
                     np.ascontiguousarray(colour[top // 2:bottom // 2, left // 2:right // 2]))
    face, pose = steadied(own, number, own.face[number])
    pose[2:] -= (left, top)
    return Reference(number, nv12.to_rgb(part), points - np.array([left, top], np.float32), face, pose)


def _badness(own: Own) -> NDArray:
    """How little each frame would do as one with shut lips: float [frame], infinite where it cannot be."""
    opening = face68.mouth_opening(own.face)
    usual = np.nanmedian(own.turn[own.strength > 0], 0)
    turned = np.abs(own.turn - usual).mean(1)
    speed = np.abs(np.gradient(own.pose[:, 2:], axis=0)).sum(1) / own.pose[:, 0] if len(own) > 1 else np.zeros(len(own))
    bad = opening / OPENING + turned / TURN + speed / SPEED
    return np.where((own.strength == 1) & np.isfinite(bad), bad, np.inf)


def _best(bad: NDArray, start: int, stop: int) -> list[int]:
    """The least bad frames of a shot, N_SHUT at most, not side by side."""
    chosen: list[int] = []
    for number in start + np.argsort(bad[start:stop], kind="stable"):
        if len(chosen) == N_SHUT or not np.isfinite(bad[number]):
            break
        if all(abs(number - other) >= APART for other in chosen):
            chosen.append(int(number))
    return chosen


def choose(own: Own, cuts: Sequence[int]) -> tuple[dict[int, dict[int, float]], list[int]]:
    """Which frames to look at.

    Returns
    -------
    shut : first frame of a shot -> numbers of its frames with shut lips, and how bad each is; others take the first one's
    open_ : numbers of frames that may show teeth, each with the mouth a little open
    """
    bad, shut = _badness(own), {}
    shots = [(start, stop) for start, stop in zip(cuts, [*cuts[1:], len(own)])
             if np.isfinite(bad[start:stop]).sum() >= min(FEWEST, max(1, np.isfinite(bad).sum()))]
    for start, stop in sorted(shots, key=lambda shot: shot[0] - shot[1])[:MOST_SHOTS]:
        shut[start] = {number: float(bad[number]) for number in _best(bad, start, stop)}
    opening = face68.mouth_opening(own.face)
    fits = np.isfinite(bad) & (opening > OWN[0]) & (opening < OWN[1])
    fitting = np.flatnonzero(fits)
    badness = bad + (np.abs(opening - BEST_OPEN) - opening) / OPENING
    best = fitting[np.argsort(badness[fitting], kind="stable")]
    return shut, sorted(best[:N_TEETH].tolist())


def _sharpness(reference: Reference) -> float:
    """How much fine detail there is around the mouth, beside coarser: energies of the Laplacian."""
    view = PartView(part_of(reference), reference.picture, reference.face, reference.pose).picture
    blur = 0.35 * part_of(reference).unit_px / float(reference.pose[0])
    fine = cv2.GaussianBlur(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), (0, 0), blur)
    return max(float(np.square(cv2.Laplacian(fine, cv2.CV_32F)).mean()), 1e-3)


def _teeth_in(reference: Reference) -> float:
    """How well a reference shows the upper teeth: pale above, dark below them, and much of both."""
    view = PartView(part_of(reference), reference.picture, reference.face, reference.pose)
    lips = view.masks(reference.face)[..., 0]
    inside = lips > 240
    if not inside.any():
        return 0.0
    teeth = pale(view.picture, (lips > 100) & (lips < 150)) & inside
    deep = np.cumsum(inside, 0) / np.maximum(inside.sum(0), 1)  # 0 at the upper lip, 1 at the lower one
    above, below = inside & (deep < UPPER), inside & (deep > LOWER)
    return float((teeth[above].mean() - 0.5 * teeth[below].mean()) * np.sqrt(above.sum())) if below.any() else 0.0


def read_references(footage: Footage, own: Own, cuts: Sequence[int]) -> dict[int, Reference]:
    """The references of a clip: first frame of a shot -> its own, with teeth; empty where no frame will do."""
    shut, open_ = choose(own, cuts)
    if not shut:
        return {}
    of_shot = {number: start for start, numbers in shut.items() for number in numbers}
    wanted, found, teeth, most = {*of_shot, *open_}, {start: [] for start in shut}, None, 0.0
    for number, frame in enumerate(read_planes(footage)):
        if number in wanted:
            cut = _cut_out(frame, own, number)
            if number in of_shot:
                found[of_shot[number]].append(cut)
            if number in open_ and (shown := _teeth_in(cut)) > most:
                teeth, most = cut, shown
        if number >= max(wanted):
            break
    best = {}
    for start, cuts_out in found.items():
        if cuts_out:
            blur = -np.log2([_sharpness(cut) for cut in cuts_out])
            bad = [shut[start][cut.number] for cut in cuts_out] + SHARP * (blur - blur.min())
            best[start] = replace(cuts_out[int(np.argmin(bad))], opened=teeth)
    return best


def write_sheet(references: dict[int, Reference], path: str | Path) -> Path:
    """Draw the references, shut and with teeth, into a .png; return its path."""
    shown = [each for own in references.values() for each in (own, own.opened) if each]
    views = [PartView(LARGE_MOUTH, each.picture, each.face, each.pose).picture for each in shown]
    save_picture(path, contact_sheet(views, 4))
    return Path(path)
