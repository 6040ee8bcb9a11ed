"""Forced alignment: the times of known words in a recording, by PocketSphinx.

Reads: speech in memory, its words. Writes: nothing.
Source: forced alignment with the hidden Markov models of CMU PocketSphinx (Huggins-Daines et al., ICASSP 2006), US English.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.words import Word
from speech.pronounce import pronounce
from speech.speakable import Piece

FRAME_S = 0.01  # of PocketSphinx
_BEAMS = (1e-80, 1e-160, 0.0)  # the search is widened until it comes through
# The search of the best path through the lattice is left out: it loses the end of texts whose last words sound unlike the model


def pcm(sound: NDArray) -> bytes:
    """Sound, float [sample], -1..1 -> 16-bit samples as PocketSphinx takes them."""
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


def segments(decoder: Any) -> list:
    """(word, start_s, end_s) of what a decoder heard, without silence and noises."""
    return [(re.sub(r"\(\d+\)$", "", part.word), part.start_frame * FRAME_S, (part.end_frame + 1) * FRAME_S)
            for part in decoder.seg() or () if part.word[0] not in "<[+("]


def _search(sound, tokens):
    """Times of `tokens`, or an empty list when no beam is wide enough."""
    from pocketsphinx import Decoder
    for beam in _BEAMS:
        decoder = Decoder(lm=None, loglevel="FATAL", beam=beam, wbeam=beam, pbeam=beam, bestpath=False)
        for token in sorted(set(tokens)):
            if decoder.lookup_word(token) is None:
                decoder.add_word(token, pronounce(token), True)
        decoder.set_align_text(" ".join(tokens))
        decoder.start_utt()
        decoder.process_raw(pcm(sound), full_utt=True)
        decoder.end_utt()
        found = segments(decoder) if decoder.hyp() else []
        if len(found) == len(tokens):
            return found
    return []


def align(sound: NDArray, said: Sequence[Piece]) -> list:
    """Find words in speech.

    Parameters
    ----------
    sound : float32 [sample], 16 kHz
    said : list of `speakable.Piece`, all that is said in it, in order

    Returns
    -------
    list of `Word`, one for each piece, as it is written

    Raises
    ------
    InputError : nothing to find, more words than there is time for, or the words are not those of the recording.
    """
    tokens = [re.findall(r"[^\W_]+(?:'[^\W_]+)*", piece.spoken.lower().replace("’", "'")) for piece in said]
    flat = [token for group in tokens for token in group]
    if not flat:
        raise InputError("text", "no words", "what is said in the recording")
    found = _search(sound, flat)
    if not found:
        raise InputError("text", f"its {len(flat)} words are not found in {len(sound) / SAMPLE_RATE:.1f} s of speech",
                         "what is said in the recording, in English", "python -m speech.transcribe speech.wav")
    words, at = [], 0
    for piece, group in zip(said, tokens):
        part = found[at:at + len(group)]
        start_s = part[0][1] if part else (words[-1].end_s if words else 0.0)  # a dash, which nobody says
        words.append(Word(piece.written, start_s, part[-1][2] if part else start_s))
        at += len(group)
    return words
