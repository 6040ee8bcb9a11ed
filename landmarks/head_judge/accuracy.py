"""How often the head judge tells the right sound from another: of the same person, and of others, person by person.

Reads, writes: nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landmarks.head.sound import sound_features
from landmarks.head_judge.judge import N_FRAMES, HeadJudge, motion_features, similarity, windows_of

RESAMPLED, PERCENTILES = 2000, (5, 95)


def shares_of(scores: NDArray, person: NDArray, clip: NDArray, start: NDArray) -> dict:
    """How often a motion's own sound has the higher score, by person; half where both have the same.

    Parameters
    ----------
    scores : float [window, window], of motion and sound
    person, clip : [window], whose it is and where it lies; start : int [window], its first frame

    Returns
    -------
    {"the same person": {person: share}, "others": {person: share}}; windows of one clip that overlap are not compared
    """
    own = scores.diagonal()[:, None]
    right = (own > scores) + 0.5 * (own == scores)
    same = person[:, None] == person[None]
    apart = (clip[:, None] != clip[None]) | (np.abs(start[:, None] - start[None]) >= N_FRAMES)
    found: dict = {}
    for name, pairs in (("the same person", same & apart), ("others", ~same)):
        found[name] = {str(who): float(right[rows][pairs[rows]].mean())
                       for who in np.unique(person) if pairs[rows := person == who].any()}
    return found


def with_spread(shares: dict) -> dict:
    """Mean over people of {person: share}, and where it lies when people are drawn anew."""
    values = np.array(list(shares.values()))
    if not len(values):
        return {"people": 0, "mean": float("nan"), "low": float("nan"), "high": float("nan")}
    drawn = values[np.random.default_rng(0).integers(0, len(values), (RESAMPLED, len(values)))].mean(1)
    low, high = np.percentile(drawn, PERCENTILES)
    return {"people": len(values), "mean": float(values.mean()), "low": float(low), "high": float(high)}


def told_apart(judge: HeadJudge, moved: Sequence[tuple[Any, NDArray]]) -> dict:
    """`with_spread` of `shares_of`, by whose the other sound is.

    moved : `landmarks.head.data.HeadClip`s, and motions [frame, channel] as long as theirs, made for them or their own; several
        of a clip may be given
    """
    rows, sounds, motions, embedded = [], [], [], {}
    for clip, motion in moved:
        if clip.name not in embedded:
            sound = sound_features(clip.power, clip.height)[0]
            embedded[clip.name] = [judge.embed_sound(sound[t:t + N_FRAMES]) for t in windows_of(len(sound))]
        shown = motion_features(motion, judge.of)
        for t, sound in zip(windows_of(len(shown)), embedded[clip.name]):
            rows.append((clip.speaker, clip.name, t))
            sounds.append(sound)
            motions.append(judge.embed_motion(shown[t:t + N_FRAMES]))
    person, clips, start = (np.array(part) for part in zip(*rows))
    scores = similarity(np.array(sounds), np.array(motions))
    return {name: with_spread(shares) for name, shares in shares_of(scores, person, clips, start).items()}
