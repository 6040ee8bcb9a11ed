"""Where eyes look: at the camera most of the time, away now and then, and never still; from a seed.

Reads, writes: nothing.
Sources: who talks looks at the listener for 3.1 s (standard deviation 3.2) and away for 0.9 s (0.8); sizes of saccades fall off
exponentially, half of them go straight to a side, up or down; a saccade lasts 25 ms and 2.4 ms a degree (Lee, Badler and Badler
2002, Eyes Alive). Eyes that look at somebody stay on them while the head turns (vestibulo-ocular reflex). With many blinks the
gaze shifts (Evinger et al. 1994). Upper lids follow the eyes down.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68

GAZES = ("natural", "camera", "still")
DEGREE = np.radians(1.0) * 12 / 63  # eye distances an iris moves by one: eyeballs of 12 mm, 63 mm apart
AT_S, AWAY_S = (3.1, 3.2), (0.9, 0.8)  # mean, standard deviation
MOST_AWAY, LEAST_AWAY, FALL = 9.0, 2.5, 6.9  # degrees
MOST = np.array([11.0, 6.0]) * DEGREE  # eye distances to the side, up or down: farther, an eye of a photo does not bear it
LIDS_FOLLOW = 0.6  # of the way of an iris up or down
ROVING_S, ROVING = 0.9, 0.7  # from one small saccade to the next while looking at somebody; degrees, standard deviation
SACCADE_S, PER_DEGREE_S = 0.025, 0.0024
WITH_BLINK_S = 0.8  # a look away that begins so near a blink begins in it
DIRECTIONS = np.arange(0, 360, 45)
OFTEN = np.array([15.5, 6.5, 17.7, 7.4, 16.8, 7.9, 20.4, 7.8])  # of them, %; counterclockwise from the right


def _log_normal(rng, mean, sd):
    spread = np.log(1 + (sd / mean) ** 2)
    return mean * float(rng.lognormal(-spread / 2, np.sqrt(spread)))


def saccades(seconds: float, seed: int = 0, gaze: str = "natural", blinks_s: Iterable[float] = ()) -> list:
    """(when, s; where to, degrees right and down [2]) of each, in order; `blinks_s`: when blinks begin."""
    rng, at_s, found = np.random.default_rng((seed, 10)), 0.0, []
    near_s = np.array(list(blinks_s), float)
    while at_s < seconds:
        look_s, away_s, size, direction = (_log_normal(rng, *AT_S), _log_normal(rng, *AWAY_S), rng.uniform(0.05, 1),
                                           np.radians(rng.choice(DIRECTIONS, p=OFTEN / OFTEN.sum())))
        end_s = at_s + look_s
        for blink_s in near_s[np.abs(near_s - end_s) < WITH_BLINK_S][:1]:
            end_s = max(float(blink_s) + 0.05, at_s + 0.2)
        roving = np.random.default_rng((seed, 11, len(found)))
        while at_s < end_s:
            found.append((at_s, ROVING * roving.standard_normal(2)))
            at_s += _log_normal(roving, ROVING_S, ROVING_S / 2)
        if gaze == "natural":
            degrees = min(MOST_AWAY, LEAST_AWAY - FALL * np.log(size))
            found.append((end_s, degrees * np.array([np.cos(direction), -np.sin(direction)])))
            end_s += away_s
        at_s = end_s
    return found


def gaze_of(n_frames: int, fps: float = FPS, seed: int = 0, gaze: str = "natural", blinks_s: Iterable[float] = ()) -> NDArray:
    """Where the irises are in each frame: float32 [frame, 2], right and down from where the photo has them, eye distances."""
    at_s = (np.arange(n_frames) + 0.5) / fps
    where, before = np.zeros((n_frames, 2)), np.zeros(2)
    for when, to in saccades(n_frames / fps, seed, gaze, blinks_s) if gaze != "still" else ():
        lasts_s = SACCADE_S + PER_DEGREE_S * float(np.linalg.norm(to - before))
        share = np.clip((at_s - when) / lasts_s, 0, 1)[:, None]
        where = np.where(share > 0, before + (to - before) * share * share * (3 - 2 * share), where)
        before = to
    return (DEGREE * where).astype(np.float32)


def on_somebody(where: NDArray, head: NDArray) -> NDArray:
    """`where` [2] for a head that is turned, float [5]: the eyes turn back by as much. Limited to MOST, softly."""
    turned = np.sin(head[:2].astype(float)) / np.radians(1.0) * DEGREE
    return MOST * np.tanh((where - turned) / MOST)


def lids_follow(face: NDArray, to: NDArray) -> NDArray:
    """`face` float [68, 2] with upper lids that follow eyes which look to `to` [2], eye distances; a copy."""
    face = face.copy()
    for upper, lower in face68.EYE_LIDS:
        room = np.maximum(face[lower, 1] - face[upper, 1], 0)
        face[upper, 1] += np.minimum(LIDS_FOLLOW * to[1], room / 2).astype(face.dtype)
    return face
