"""Frames of a clip that a mouth is painted from: lips shut, one a shot, and one that shows teeth.

Reads: a video and what its face does (`render.dub.own`). Writes: references.png, to look at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.face.draw import contact_sheet
from core.media import nv12
from core.media.footage import Footage, read_planes
from core.smooth import gaussian_filter
from learn.curves import save_picture
from render.dub.own import FADE_S, Own, steadied, stretches
from render.parts.part import LARGE_MOUTH, MOUTH, Part
from render.parts.teeth import OWN, pale
from render.parts.view import PartView

LEAST_SHARE = 0.06  # of a reference, in a frame
AROUND = 1.3  # eye distances around the points that are kept of a frame
MOST_SHOTS = 8  # that have a reference of their own, the longest ones
FEWEST = 12  # frames of a shot that may have one
N_SHUT, APART = 8, 3  # frames of a shot that are looked at for sharp shut lips, so many frames apart at least
SMALL_PX, N_SHUT_SMALL = 60, 32  # between the eyes: points of smaller faces hardly tell shut lips from shown teeth
SHARP = 2.0  # badness of half the sharpness
MOST_HEADINGS, HEADING, WORST = 4, 0.12, 2.5  # references of a shot; eye distances between their noses; badness of one
N_TEETH = 24  # frames that are looked at for teeth
OPENING, TURN, SPEED = 0.03, 0.05, 0.02  # eye distances, and of a frame: as bad as each other in a reference
LEAST_TEETH = 0.35  # of the upper half of what shows
GAP_REACH, UNLIKE = 0.06, 0.4  # eye distances above and below the line of the lips; of their light, by which others differ
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
    from render.parts.painted import LARGE_PX
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


def heading(own: Own) -> NDArray:
    """Where each frame's nose points: float [frame, 4], eye distances; the turn that changes how a mouth looks."""
    return own.turn[:, :4]


def is_small(own: Own) -> bool:
    """Whether most of a face's frames have the eyes less than SMALL_PX apart."""
    return bool(np.nanmedian(own.pose[:, 0]) < SMALL_PX) if np.isfinite(own.pose[:, 0]).any() else False


def _badness(own: Own) -> NDArray:
    """How little each frame would do as one with shut lips: float [frame], infinite where it cannot be."""
    opening = face68.mouth_opening(own.face)
    speed = np.abs(np.gradient(own.pose[:, 2:], axis=0)).sum(1) / own.pose[:, 0] if len(own) > 1 else np.zeros(len(own))
    bad = opening / OPENING + speed / SPEED
    return np.where((own.strength == 1) & np.isfinite(bad), bad, np.inf)


def _best(bad: NDArray, start: int, stop: int, n_most: int) -> dict[int, float]:
    """The least bad frames of a shot, `n_most` at most, not side by side, and how bad they are."""
    chosen: dict[int, float] = {}
    for number in start + np.argsort(bad[start:stop], kind="stable"):
        if len(chosen) == n_most or not np.isfinite(bad[number]):
            break
        if all(abs(number - other) >= APART for other in chosen):
            chosen[int(number)] = float(bad[number])
    return chosen


def _headings(own, bad, start, stop):
    """Where the noses of a shot's references point: the usual heading, then those furthest from the ones there are."""
    seen = heading(own)[start:stop][np.isfinite(bad[start:stop])]
    good = heading(own)[start:stop][bad[start:stop] < WORST]
    centres = [np.median(seen, 0)]
    while len(centres) < MOST_HEADINGS and len(good):
        away = np.min([np.linalg.norm(good - centre, axis=1) for centre in centres], 0)
        if away.max() < HEADING:
            break
        centres.append(good[away.argmax()])
    return centres


def choose(own: Own, cuts: Sequence[int]) -> tuple[list[tuple[int, dict[int, float]]], list[int]]:
    """Which frames to look at.

    Returns
    -------
    shut : of each reference, the first frame of its shot, and the frames it may be, with shut lips, and how bad each is; shots
        that have none take those of the first one
    open_ : numbers of frames that may show teeth, each with the mouth a little open
    """
    bad, shut = _badness(own), []
    n_most = N_SHUT_SMALL if is_small(own) else N_SHUT
    shots = [(start, stop) for start, stop in zip(cuts, [*cuts[1:], len(own)])
             if np.isfinite(bad[start:stop]).sum() >= min(FEWEST, max(1, np.isfinite(bad).sum()))]
    for start, stop in sorted(shots, key=lambda shot: shot[0] - shot[1])[:MOST_SHOTS]:
        for centre in _headings(own, bad, start, stop):
            turned = np.linalg.norm(heading(own) - centre, axis=1) / TURN
            shut.append((start, _best(bad + np.nan_to_num(turned, nan=np.inf), start, stop, n_most)))
    opening = face68.mouth_opening(own.face)
    fits = np.isfinite(bad) & (opening > OWN[0]) & (opening < OWN[1])
    fitting = np.flatnonzero(fits)
    turned = np.linalg.norm(heading(own) - np.nanmedian(heading(own)[np.isfinite(bad)], 0), axis=1) / TURN
    badness = bad + turned + (np.abs(opening - BEST_OPEN) - opening) / OPENING
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
    if not below.any() or teeth[above].mean() < LEAST_TEETH:
        return 0.0
    return float((teeth[above].mean() - 0.5 * teeth[below].mean()) * np.sqrt(above.sum()))


def _seen_gap(reference: Reference) -> float:
    """How far apart the lips look, eye distances: how high what is unlike lips stands between them, on the middle half.

    Points are sure to about as much: a row of teeth may be seen between lips that they call shut.
    """
    view = PartView(part_of(reference), reference.picture, reference.face, reference.pose)
    unit = view.part.unit_px
    upper, lower = face68.inner_lip_curves(reference.face, np.linspace(-0.5, 0.5, 21))
    across = np.linspace(-GAP_REACH, GAP_REACH, 2 * round(GAP_REACH * unit) + 1)
    at = ((upper + lower) / 2 + np.stack([0 * across, across], 1)[:, None] - view.corner) * unit
    seen = cv2.remap(view.picture, *np.moveaxis(at.astype(np.float32), 2, 0), cv2.INTER_LINEAR).astype(np.float32).mean(2)
    lips = np.median(seen[np.abs(across) > 0.6 * GAP_REACH])
    return float((np.abs(seen - lips) > UNLIKE * lips).mean() * 2 * GAP_REACH)


def read_references(footage: Footage, own: Own, cuts: Sequence[int]) -> dict[int, list[Reference]]:
    """The references of a clip: first frame of a shot -> its own, with teeth; empty where no frame will do."""
    shut, open_ = choose(own, cuts)
    wanted = sorted({*open_, *(number for _, numbers in shut for number in numbers)})
    found, teeth, most = {}, None, 0.0
    for number, frame in zip(wanted, read_planes(footage, wanted) if shut else ()):
        found[number] = _cut_out(frame, own, number)
        if number in open_ and (shown := _teeth_in(found[number])) > most:
            teeth, most = found[number], shown
    best: dict[int, list[Reference]] = {}
    for start, numbers in shut:
        if there := [number for number in numbers if number in found]:
            blur = -np.log2([_sharpness(found[number]) for number in there])
            gaps = np.array([_seen_gap(found[number]) for number in there]) / OPENING
            bad = [numbers[number] for number in there] + SHARP * (blur - blur.min()) + gaps
            chosen = found[there[int(np.argmin(bad))]]
            best.setdefault(start, []).append(replace(chosen, opened=teeth))
    return best


def shares_of(own: Own, cuts: Sequence[int], references: dict[int, list[Reference]], fps: float) -> Callable:
    """Which of a shot's references a frame is painted from: the one whose nose points where the frame's does, or two that fade.

    Returns a function: number of a frame, mouths of each shot (first frame, mouths) -> pairs of a mouth and its share.
    """
    where, seen = heading(own), own.strength > 0
    shots = np.searchsorted(cuts, np.arange(len(where)), side="right") - 1
    known = {start: i for i, start in enumerate(references)}
    of_shot = np.array([known.get(cut, 0) for cut in cuts])[shots]
    weights = np.zeros((len(where), max(map(len, references.values()))), np.float32)
    for i, shot in enumerate(references.values()):
        frames = np.flatnonzero(seen & (of_shot == i))
        away = np.linalg.norm(where[frames, None] - np.stack([where[one.number] for one in shot]), axis=2)
        weights[frames, away.argmin(1) if len(frames) else []] = 1
    for run in stretches(seen, list(cuts)):
        weights[run] = gaussian_filter(weights[run], FADE_S * fps)
    weights[weights < LEAST_SHARE] = 0

    def shares(number, mouths):
        weight = weights[number]
        first, *others = np.argsort(-weight, kind="stable")[:2]
        shot = mouths[of_shot[number]][1]
        return [(shot[first], 1.0), *((shot[k], float(weight[k] / (weight[first] + weight[k]))) for k in others if weight[k])]

    return shares


def write_sheet(references: dict[int, list[Reference]], path: str | Path) -> Path:
    """Draw the references, shut and with teeth, into a .png; return its path."""
    shown = [each for shot in references.values() for own in shot for each in (own, own.opened) if each]
    views = [PartView(LARGE_MOUTH, each.picture, each.face, each.pose).picture for each in shown]
    save_picture(path, contact_sheet(views, 4))
    return Path(path)
