"""Pronunciations of unknown words for PocketSphinx: eSpeak NG's phonemes as those of the CMU dictionary.

Reads: text. Writes: nothing.
Source of the letters: the CMU Pronouncing Dictionary (ARPAbet) and eSpeak NG's docs/phonemes.
"""

from speech import espeak

_VOICE = "en-us"  # the accent of PocketSphinx's model
_SOUNDS = {  # IPA, the longest first where one begins another
    "tʃ": "CH", "dʒ": "JH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "ɔɪ": "OY", "ɜː": "ER", "iː": "IY", "uː": "UW",
    "ɑː": "AA", "ɔː": "AO", "ɪə": "IH AH", "ʊə": "UH AH", "eə": "EH", "əl": "AH L", "p": "P", "b": "B", "t": "T", "d": "D",
    "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH", "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH",
    "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ɹ": "R", "r": "R", "j": "Y", "w": "W", "ɾ": "D", "x": "K", "ʔ": "T",
    "ɬ": "L", "æ": "AE", "a": "AE", "ɐ": "AH", "ʌ": "AH", "ə": "AH", "ᵻ": "IH", "ɪ": "IH", "i": "IY", "ɛ": "EH", "e": "EH",
    "ɔ": "AO", "ɒ": "AA", "o": "OW", "ɑ": "AA", "ʊ": "UH", "u": "UW", "ɚ": "ER", "ɝ": "ER", "ɜ": "ER"}
_LONGEST = max(map(len, _SOUNDS))
SILENT = "SIL"


def pronounce(word: str) -> str:
    """Phonemes of `word` by the CMU dictionary's names, parted by blanks; `SILENT` for what nobody says."""
    ipa, found, at = espeak.phonemes(word, _VOICE), [], 0
    while at < len(ipa):
        part = next((ipa[at:at + n] for n in range(_LONGEST, 0, -1) if ipa[at:at + n] in _SOUNDS), None)
        found += [_SOUNDS[part]] if part else []
        at += len(part) if part else 1  # stress and length marks
    return " ".join(found) or SILENT
