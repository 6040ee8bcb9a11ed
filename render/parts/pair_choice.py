"""Choose which frames of a recording are paired for training: one as the photo, another as the truth.

Reads, writes: nothing.
Frames whose head is turned otherwise than the photo's are not paired: nothing that moves in a face explains them. Mouths are
moved by the truth's own landmarks, wide open ones more often than they come. Lids are not: measured landmarks hardly close an
eye that is shut, so the photo's are closed as far as the truth's are, between the clip's open eyes and its shut ones.
"""

import numpy as np
from numpy.typing import NDArray

from core.face import face68
from render.liveliness import close_lids

N_PHOTOS = 6  # of a clip
TURNED = 0.06  # eye distances between rigid points in face space: the head is turned otherwise
EACH_IS_SEEN = 0.3  # weight of a closed mouth, in mean openings, when the frames are drawn
OPEN_PERCENTILE = 80  # of a clip's eye openings: open
BLINK = 0.6  # of the open eye: whatever is below belongs to a blink, or looks down
SHUT = 0.35, 0.5  # of the open eye: as far as landmarks close when the lids meet; they differ from clip to clip
WIDE = 0.9  # of the open eye: a photo of open eyes


def _photo_of(face, shown, photos, rng):
    """For each frame `shown` one of `photos` with the head held alike -> photo, shown: int [pair]; others are left out."""
    rigid = face[:, face68.RIGID]
    away = np.linalg.norm(rigid[shown][:, None] - rigid[photos][None], axis=-1).mean(-1)
    away[shown[:, None] == photos[None]] = np.inf
    away[away < TURNED] = 0
    nearest = (away + rng.uniform(0, 1e-3, away.shape)).argmin(1)  # any of those that are near enough
    near = away[np.arange(len(shown)), nearest] == 0
    return photos[nearest[near]], shown[near]


def _choose_frames(frames, n, chance, rng):
    """At most `n` of the frames, each with its chance."""
    n = min(n, int((chance > 0).sum()))
    return rng.choice(frames, n, replace=False, p=chance / chance.sum())


def choose_mouths(face: NDArray, n_pairs: int, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """Pairs for the mouth.

    Parameters
    ----------
    face : float32 [frame, 68, 2], face space, NaN frames are not chosen
    n_pairs : at most so many

    Returns
    -------
    photo, shown : int [pair], frame numbers
    moved : float32 [pair, 68, 2], the landmarks that move the photo
    """
    seen = np.flatnonzero(np.isfinite(face).all((1, 2)))
    if len(seen) < 2:
        return np.empty(0, int), np.empty(0, int), face[:0]
    opening = face68.mouth_opening(face[seen])
    shown = _choose_frames(seen, min(n_pairs, len(seen) // 2), opening + EACH_IS_SEEN * opening.mean() + 1e-6, rng)
    closed = seen[face68.closed_frames(opening)]
    photos = np.unique([*rng.choice(closed, N_PHOTOS // 2), *rng.choice(seen, N_PHOTOS - N_PHOTOS // 2)])
    photo, shown = _photo_of(face, shown, photos, rng)
    return photo, shown, face[shown]


def shut_shares(face: NDArray) -> NDArray | None:
    """How far the eyes of a clip are shut: float [frame], 0 open, 1 shut, NaN without a face; None when they never shut."""
    opening = face68.eye_opening(face)
    opening = opening / np.nanpercentile(opening, OPEN_PERCENTILE)
    dips = opening[opening < BLINK]
    return np.clip((1 - opening) / (1 - np.clip(np.median(dips), *SHUT)), 0, 1) if len(dips) else None


def choose_eyes(face: NDArray, n_pairs: int, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """Pairs for the eyes, as `choose_mouths` does: shut, half shut, and a few open ones."""
    share = shut_shares(face) if np.isfinite(face).any() else None
    if share is None:
        return np.empty(0, int), np.empty(0, int), face[:0]
    seen = np.flatnonzero(np.isfinite(share))
    wide = seen[share[seen] < 1 - WIDE]
    n_shut = max(1, int((share[seen] > BLINK).sum()))
    shown = _choose_frames(seen, min(n_pairs, 2 * n_shut), share[seen] + 0.03, rng)
    photo, shown = _photo_of(face, shown, rng.choice(wide, N_PHOTOS), rng)
    return photo, shown, np.array([close_lids(face[p], share[s]) for p, s in zip(photo, shown)]).reshape(-1, *face.shape[1:])
