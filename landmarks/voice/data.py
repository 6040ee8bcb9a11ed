"""Training speech for voice activity detection: recordings that an index lists, and synthesised voices.

Reads: index.csv of recordings and their sound. Writes: nothing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.index import read_index
from core.media.audio import decode_any, resample
from core.stage import progress
from landmarks.voice.wordless import level_of

MOST_CLIPS = 60  # of one speaker
TEXTS = ("Mama bought a boat, and Papa made a map of it.", "The quick brown fox jumps over the lazy dog, every day at five.",
         "Please call me tomorrow morning, if you can.", "Bin blue at F two now.", "How are you? I am fine, and glad you came.")
RATES = (160, 120, 200, 240, 140)  # words a minute, one a text
VOICES = ("en-us", "en-gb-x-rp+f3", "en-us+m3", "en-us+f2", "de", "tr+f4", "hi", "fr+m5")


def recorded(indexes: Sequence[str | Path], split: str, most_clips: int = MOST_CLIPS,
             wanted: Callable[[dict], bool] = lambda row: True) -> list:
    """The sound of the clips of `split`, of each speaker at most `most_clips`: [(speaker, float32 [sample])].

    `wanted` says of a row of an index whether it may be among them.
    """
    by_speaker = {}
    for index in indexes:
        for row in read_index(index, "split", "speaker", "sound"):
            if row["split"] == split and row["sound"] and not row.get("problem") and wanted(row):
                by_speaker.setdefault(row["speaker"], []).append(row["sound"])
    chosen = [(speaker, paths[i]) for speaker, paths in by_speaker.items()
              for i in np.unique(np.linspace(0, len(paths) - 1, most_clips).astype(int))]
    with progress(chosen, f"read speech, {split}") as bar:
        sounds = [(speaker, np.concatenate([np.zeros(0, np.float32), *decode_any(path)])) for speaker, path in bar]
    sounds = [(speaker, sound) for speaker, sound in sounds if len(sound) > SAMPLE_RATE and level_of(sound) > 1e-4]
    if not sounds:
        raise InputError(indexes[0], f"no sound in split {split}", "recordings of speech", "make preprocess CORPUS=folder")
    return sounds


def synthesised() -> list:
    """Speech of eSpeak voices: [(voice, float32 [sample])]."""
    from speech.engines import speak
    said = [(voice, speak(text, voice, rate)) for voice in VOICES for text, rate in zip(TEXTS, RATES)]
    return [(voice, resample(spoken.sound, spoken.rate)) for voice, spoken in said]
