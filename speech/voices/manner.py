"""How something is said: the manner of each emotion, emphasis, the rhythm and melody of Indian English, and pauses.

Reads, writes: nothing.
Emotions: where speed, height, range and loudness go is from Scherer, Vocal communication of emotion, 2003; how far, was set by
what our own recogniser hears, see docs/experiments.md.
Indian English: syllables of like length; an accent is low, and the voice rises from it (Pickering and Wiltshire, Pitch accent
in Indian-English teaching discourse, 2000).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from preprocess.ravdess import EMOTIONS
from speech import indian_english
from speech.speakable import Piece
from speech.voices.sounds import VOWELS, Sounds

SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S = 0.35, 0.7
STRONGEST = 2.0
_EMPHASIS_PITCH, _EMPHASIS_LENGTH = 1.12, 1.2
_WEAK_VOWEL, _STRONG_VOWEL = 1.2, 0.92  # lengths in Indian English
_RISE = 0.05  # of a stressed word in Indian English: from so far below to so far above
_ENDS = re.compile(r"[.!?…。！？]+[\"'”’)\]»]*$")
_INITIAL = re.compile(r"\W*[A-Z]\.$")


@dataclass(frozen=True)
class Manner:
    """How everything is said: times the usual speed, height and range of pitch, and dB of loudness."""

    speed: float = 1.0
    pitch: float = 1.0
    range: float = 1.0
    gain_db: float = 0.0


MANNERS = {
    "neutral": Manner(),
    "calm": Manner(0.93, 0.96, 0.8, -2),
    "happy": Manner(1.05, 1.12, 1.4, 2),
    "sad": Manner(0.86, 0.93, 0.6, -4),
    "angry": Manner(1.08, 1.08, 1.3, 5),
    "fearful": Manner(1.12, 1.2, 0.9, 1),
    "disgust": Manner(0.9, 0.93, 1.1, 0),
    "surprised": Manner(1.02, 1.22, 1.5, 2),
}


def manner_of(emotion: str) -> Manner:
    """The manner of `NAME` or `NAME:strength`; of `auto`, which is what the voice says by itself, the usual one.

    Raises
    ------
    InputError : no such emotion, or a strength that is none.
    """
    name, _, strength = emotion.partition(":")
    if name == "auto":
        return Manner()
    try:
        share = float(strength) if strength else 1.0
    except ValueError:
        share = -1.0
    if name not in MANNERS or not 0 <= share <= STRONGEST:
        raise InputError(f"--emotion {emotion}", "no such emotion",
                         f"one of {', '.join(EMOTIONS)}, or with a strength, NAME:0 to NAME:{STRONGEST:g}")
    full = MANNERS[name]
    return Manner(full.speed ** share, full.pitch ** share, full.range ** share, full.gain_db * share)


def sentences(said: Sequence[Piece]) -> list[list[Piece]]:
    """The words of a paragraph, parted where a sentence ends, and before a pause that is asked for."""
    parts: list[list[Piece]] = [[]]
    for piece in said:
        ended = bool(parts[-1]) and _ENDS.search(parts[-1][-1].spoken) and not _INITIAL.match(parts[-1][-1].spoken)
        if parts[-1] and (ended or piece.pause_s is not None):
            parts.append([])
        parts[-1].append(piece)
    return [part for part in parts if part]


def _in_indian_english(symbols) -> tuple[NDArray, NDArray]:
    """Stretch and pitch [symbol]: weak vowels as long as strong ones, and a rise over each word that is stressed."""
    stretch, pitch, strong = np.ones(len(symbols)), np.ones(len(symbols)), False
    for i, symbol in enumerate(symbols):
        if symbol in "ˈˌ":
            strong = True
        elif symbol in VOWELS:
            stretch[i] = _STRONG_VOWEL if strong else _WEAK_VOWEL
            strong = False
    for word in re.finditer(r"[^ ,.;:!?—…]*ˈ[^ ,.;:!?—…]*", symbols):
        pitch[word.start():word.end()] = np.linspace(1 - _RISE, 1 + _RISE, word.end() - word.start())
    return stretch, pitch


def shape(sounds: Sounds, said: Sequence[Piece], accent: str) -> tuple[NDArray, NDArray]:
    """How much longer and how much higher each symbol of a sentence is than the model would say it: [symbol] each."""
    if accent == indian_english.VOICE:
        stretch, pitch = _in_indian_english(sounds.symbols)
    else:
        stretch, pitch = np.ones(len(sounds.symbols)), np.ones(len(sounds.symbols))
    for number, piece in enumerate(said):
        own = sounds.owner == number
        stretch[own] *= (_EMPHASIS_LENGTH if piece.emphasis else 1.0) / piece.speed
        pitch[own] *= _EMPHASIS_PITCH if piece.emphasis else 1.0
    return stretch, pitch
