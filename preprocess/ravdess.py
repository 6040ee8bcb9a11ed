"""RAVDESS: what a file's name says, its emotions and its sentences.

Reads, writes: nothing.
Source: Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391.
"""

import re

RAVDESS_NAME = re.compile(r"(0[123])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)")
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
STATEMENTS = ("Kids are talking by the door", "Dogs are sitting by the door")


def parse_ravdess(stem: str) -> dict | None:
    """Take a RAVDESS file name apart; None when it is not one."""
    match = RAVDESS_NAME.fullmatch(stem)
    if not match:
        return None
    modality, channel, emotion, intensity, statement, repetition, actor = match.groups()
    return {"modality": modality, "channel": ("speech", "song")[int(channel) - 1], "emotion": EMOTIONS[int(emotion) - 1],
            "intensity": ("normal", "strong")[int(intensity) - 1], "statement": STATEMENTS[int(statement) - 1],
            "repetition": int(repetition), "speaker": f"actor_{actor}", "actor": int(actor)}
