"""Level and channel normalisation of a voice: of a whole recording, or running, for a stream.

Reads: mel power. Writes: nothing.
`Whole` and `Running` turn mel power into the features of landmarks.features, frame by frame. A running estimate starts from a
typical voice and forgets; what it costs against the whole recording is in docs/experiments.md.
"""

import numpy as np

from core.clock import FPS
from landmarks.features import FLOOR, QUIETEST_LOUD, VOICED, level_and_channel, log_mel

KEPT = 1 - 1 / (12 * FPS)  # of what was heard, a frame: it fades in twelve seconds
STEP, RANGE = 0.05, (-4.0, 9.0)  # decades: a histogram of the power of frames
LOUD_SHARE, QUIET_SHARE = 0.9, 0.1  # of the frames are quieter than what counts as loud, as the noise
ABOVE_NOISE = 2.0  # decades a voice is louder than the noise at least: steady noise is never taken for one
FIRST_LOUD, FIRST_SPREAD, FIRST_FRAMES = 3.4, 0.8, 2  # decades: before anything is heard; as good as so many frames of sound
TYPICAL_FRAMES = 30  # frames of sound that the typical voice is as good as


class Loudness:
    """How loud a voice is: the 90th percentile of the power of what was heard, or far enough above its noise."""

    def __init__(self):
        self.decades = np.arange(*RANGE, STEP)
        first = np.exp(-np.square((self.decades - FIRST_LOUD) / FIRST_SPREAD) / 2)
        self._first, self._heard = FIRST_FRAMES * first / first.sum(), np.zeros(len(first))

    def push(self, power: float) -> float:
        """Take the power of a frame (sum over hops and bands); return that of a loud one."""
        at = round((np.log10(power + 10 ** RANGE[0]) - RANGE[0]) / STEP)
        self._first *= KEPT
        self._heard *= KEPT
        self._heard[min(at, len(self.decades) - 1)] += 1
        loud = self._share(self._heard + self._first, LOUD_SHARE)
        return max(10 ** max(loud, self._share(self._heard, QUIET_SHARE) + ABOVE_NOISE), QUIETEST_LOUD)

    def _share(self, counts, share):
        up_to = np.cumsum(counts)
        return self.decades[np.searchsorted(up_to, share * up_to[-1])]


class Whole:
    """Level and channel of a recording that lies there whole: `power` float32 [frame, hop, mel]."""

    def __init__(self, power):
        self.loud, self.mean = level_and_channel(power)

    def push(self, power):
        """Mel power [frame, hop, mel] -> features of that shape, silence in each band [frame, mel], and loudness [frame]."""
        features = (log_mel(power, self.loud) - self.mean).astype(np.float32)
        silence = (np.log10(FLOOR) - self.mean).astype(np.float32)
        return features, np.broadcast_to(silence, (len(power), len(silence))), np.full(len(power), self.loud)


class Running:
    """Level and channel of what was heard so far: each frame by itself and those before it.

    `typical` is the mean log-mel of a voice [mel], which stands for the one to come.
    """

    def __init__(self, typical):
        self._typical, self._loudness = typical, Loudness()
        self._sum, self._n, self._n_typical = np.zeros(len(typical)), 0.0, float(TYPICAL_FRAMES)

    def push(self, power):
        """Mel power [frame, hop, mel] -> features of that shape, silence in each band [frame, mel], and loudness [frame]."""
        features, silence = np.empty(power.shape, np.float32), np.empty((len(power), power.shape[-1]), np.float32)
        loudness = np.empty(len(power))
        for t, frame in enumerate(power):
            frame_power = float(frame.sum())
            loud = loudness[t] = self._loudness.push(frame_power)
            heard, level = log_mel(frame, loud), np.log10(loud)
            if frame_power > VOICED * loud:
                self._sum, self._n = self._sum * KEPT + heard.mean(0) + level, self._n * KEPT + 1
                self._n_typical *= KEPT
            mean = (self._n_typical * self._typical + self._sum - self._n * level) / (self._n_typical + self._n)
            features[t], silence[t] = heard - mean, np.log10(FLOOR) - mean
        return features, silence, loudness
