"""Words to Kokoro's symbols of sounds, in an accent, by way of eSpeak NG's IPA.

Reads, writes: nothing.
Symbols are IPA, but for diphthongs and affricates, which are one each: A day, I my, O go, Q go (British), W how, Y boy, ʧ, ʤ;
T is the flap of American water. Vowels of a Hindi word are what the Hindi speakers of the model's training said.
Indian English: J. C. Wells, Accents of English 3 (1982), 9.6; see `speech.indian_english`, whose sounds these are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from speech import espeak, indian_english
from speech.speakable import Piece

PUNCTUATION = ",.;:!?—…"
VOWELS = "AIOQWYaeioæuɑɒɔəɛɜɪʊʌᵊ"
_ALIKE = (("\u0361", ""), ("aɪ", "I"), ("aʊ", "W"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("g", "ɡ"), ("x", "k"), ("ɬ", "l"),
          ("ɫ", "l"), ("ɐ", "ə"), ("ʲ", ""), ("ᵻ", "ɪ"), ("n\u0329", "ᵊn"), ("l\u0329", "ᵊl"), ("m\u0329", "ᵊm"))
# Accent -> the eSpeak NG voice that knows its words, and what its IPA becomes, in this order
ACCENTS = {
    "en-us": ("en-us", (*_ALIKE, ("eɪ", "A"), ("oʊ", "O"), ("ɜː", "ɜɹ"), ("ɹɹ", "ɹ"), ("ɚ", "əɹ"), ("r", "ɹ"), ("ɾ", "T"),
                        ("ʔ", "t"), ("əl", "ᵊl"), ("o", "ɔ"), ("e", "ɛ"), ("a", "æ"), ("ː", ""))),
    "en-gb": ("en-gb", (*_ALIKE, ("eɪ", "A"), ("əʊ", "Q"), ("oʊ", "Q"), ("eə", "ɛː"), ("r", "ɹ"), ("ʔ", "t"), ("əl", "ᵊl"))),
    # Dental in the Hindi of the model's training are t and d; so th is said with them. r is a tap, and bird has one after a
    # short vowel
    "en-in": ("en-gb", (*_ALIKE, ("eɪ", "eː"), ("əʊ", "oː"), ("oʊ", "oː"), ("eə", "ɛː"), ("t", "ʈ"), ("d", "ɖ"), ("θ", "tʰ"),
                        ("ð", "d"), ("v", "ʋ"), ("w", "ʋ"), ("ʔ", "ʈ"), ("ɜː", "əɾ"), ("ɹ", "ɾ"), ("r", "ɾ"), ("ɾɾ", "ɾ"),
                        ("a", "æ"), ("ɒ", "ɔ"))),
}
# The letters of `indian_english.WORDS`, the longest first
_NAMES = (("aI", "I"), ("dZ", "ʤ"), ("S", "ʃ"), ("N", "ŋ"), ("U", "ʊ"), ("I", "ɪ"), ("E", "ɛ"), ("g", "ɡ"), ("r", "ɾ"),
          ("v", "ʋ"), (":", "ː"), ("'", "ˈ"))
_WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.S)
_LANGUAGE_MARK = re.compile(r"\([a-z-]+\)")


@dataclass(frozen=True)
class Sounds:
    """A sentence in symbols, and which of its words each belongs to, -1 for none."""

    symbols: str
    owner: NDArray  # int [symbol]


def _exchanged(ipa, table) -> str:
    for old, new in table:
        ipa = ipa.replace(old, new)
    return ipa


def _name(word) -> str:
    """Symbols of a word of `indian_english.WORDS`: I and S are letters of it, and symbols, so one by one."""
    said, at = "", 0
    letters = indian_english.WORDS[word]
    while at < len(letters):
        old, new = next((pair for pair in _NAMES if letters.startswith(pair[0], at)), (letters[at], letters[at]))
        said, at = said + new, at + len(old)
    return said


def _shared_out(joined, alone) -> list:
    """The sounds `joined` of a clause, cut where its words begin; `alone` are the sounds of each word by itself.

    eSpeak NG says some words as one: from the.
    """
    begins = np.cumsum([0, *map(len, alone)])
    blocks = SequenceMatcher(None, "".join(alone), joined, autojunk=False).get_matching_blocks()
    known = [(a + i, b + i) for a, b, size in blocks for i in range(size)]
    at = np.interp(begins, [-1, *(a for a, _ in known), begins[-1]], [-1, *(b for _, b in known), len(joined)])
    cuts = [0, *np.ceil(at[1:-1]).astype(int).tolist(), len(joined)]
    cuts = [cut - 1 if 0 < cut < len(joined) and joined[cut - 1] in "ˈˌ" else cut for cut in cuts]
    return [joined[first:last] for first, last in zip(cuts, cuts[1:])]


def _clause(words, accent) -> list:
    """Symbols of each word of a clause: together, for words sound otherwise alone: a, the."""
    voice, table = ACCENTS[accent]
    said = _LANGUAGE_MARK.sub("", espeak.phonemes(" ".join(words), voice)).replace("-", "").split()
    if len(said) != len(words):
        alone = [_LANGUAGE_MARK.sub("", espeak.phonemes(word, voice)).replace("-", "").replace(" ", "") for word in words]
        said = _shared_out("".join(said), alone)
    said = [_exchanged(sounds, table) for sounds in said]
    if accent == indian_english.VOICE:
        said = [_name(word.lower()) if word.lower() in indian_english.WORDS else sounds for word, sounds in zip(words, said)]
    return said


def sounds_of(said: Sequence[Piece], accent: str, known: str) -> Sounds:
    """The symbols of a sentence.

    Parameters
    ----------
    said : its words; each may be several when it is spoken
    accent : one of ACCENTS
    known : the symbols that there are; others are left out
    """
    symbols, owner = "", []

    def add(text, number):
        nonlocal symbols
        kept = "".join(symbol for symbol in text if symbol in known)
        symbols += kept
        owner.extend([number] * len(kept))

    def add_clause(clause, mark):
        for (number, _), sounds in zip(clause, _clause([word for _, word in clause], accent) if clause else ()):
            if sounds:
                add(" " if symbols else "", -1)
                add(sounds, number)
        if symbols and symbols[-1] not in PUNCTUATION:
            add(mark, -1)

    clause = []
    for number, piece in enumerate(said):
        for part in piece.spoken.replace("–", "—").split():
            before, word, after = _WORD.match(part).groups()  # type: ignore[union-attr]  # it always matches
            if "—" in before:
                add_clause(clause, "—")
                clause = []
            clause += [(number, word)] if word else []
            after = after.removeprefix(".") if "." in word else after  # U.P.I., is no end
            if mark := next((char for char in after if char in PUNCTUATION), ""):
                add_clause(clause, mark)
                clause = []
    add_clause(clause, "")
    return Sounds(symbols, np.array(owner, int))
