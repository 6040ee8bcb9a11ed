"""The one clock: 16 kHz mono speech, 25 landmark frames a second, both ending together.

Frame ``t`` covers the samples ``[t * SAMPLES_PER_FRAME, (t + 1) * SAMPLES_PER_FRAME)``.
"""

SAMPLE_RATE = 16_000  # Hz
FPS = 25  # landmark frames per second
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
assert SAMPLES_PER_FRAME * FPS == SAMPLE_RATE


def n_frames_of(n_samples: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Frames in a clip of `n_samples`: ``round(seconds * FPS)``, at least one."""
    return max(1, int(n_samples / sample_rate * FPS + 0.5))
