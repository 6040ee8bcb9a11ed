"""A text spoken by Kokoro, sentence by sentence, with the time of each word.

Reads: what `load_kokoro` and `styles` read. Writes: nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.media.words import Word
from core.processes.child import prefetch
from speech.speakable import Piece
from speech.voices.kokoro import MOST_SYMBOLS, SAMPLE_RATE, Kokoro, is_installed, load_kokoro, missing
from speech.voices.manner import PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S, Manner, sentences, shape
from speech.voices.sounds import PUNCTUATION, Sounds, sounds_of
from speech.voices.styles import Speaker, find_speaker, speakers, style_of

_QUIET = 0.01  # of an utterance's peak: what is below at either end is no part of it
_EDGE_S, _FADE_S = 0.03, 0.01  # of silence that stays on either side
_BEFORE_S, _AFTER_S = 0.1, 0.25  # silence around the whole
_PEAK = 0.97  # a louder voice is made softer
_WHINES_HZ, _NARROW = (4800, 9600), 100  # the model's decoder writes 4800 times a second, and can be heard doing it


def _cuts(sounds: Sounds) -> list[tuple[int, int]]:
    """First and last + 1 symbols of parts the model can say: cut after a mark, or in need at a blank."""
    found, first = [], 0
    while len(sounds.symbols) - first > MOST_SYMBOLS:
        window = sounds.symbols[first:first + MOST_SYMBOLS]
        at = max((window.rfind(mark) for mark in PUNCTUATION), default=-1)
        at = at if at > 0 else window.rfind(" ")
        found.append((first, first + (at + 1 if at > 0 else MOST_SYMBOLS)))
        first = found[-1][1]
    return [*found, (first, len(sounds.symbols))]


def _trimmed(sound) -> tuple[int, int]:
    """First and last + 1 samples that are no silence, and a little beside."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * np.abs(sound).max(initial=0))
    if not len(loud):
        return 0, 0
    edge = round(_EDGE_S * SAMPLE_RATE)
    return max(0, int(loud[0]) - edge), min(len(sound), int(loud[-1]) + 1 + edge)


def _without_whine(sound) -> NDArray:
    """Two bands, as wide as a hundredth of their height, taken out."""
    from scipy.signal import filtfilt, iirnotch  # it takes as long to import as all else that a dub needs
    for whine_hz in _WHINES_HZ:
        numerator, denominator = iirnotch(whine_hz, _NARROW, SAMPLE_RATE)
        sound = filtfilt(numerator, denominator, sound) if len(sound) > 99 else sound
    return sound.astype(np.float32)


def _faded(sound) -> NDArray:
    n = min(round(_FADE_S * SAMPLE_RATE), len(sound) // 2)
    slope = np.linspace(0, 1, n, dtype=np.float32)
    sound = sound.copy()
    sound[:n] *= slope
    sound[len(sound) - n:] *= slope[::-1]
    return sound


def _say(model: Kokoro, speaker: Speaker, style: NDArray, said: Sequence[Piece], speed: float, manner: Manner) -> tuple:
    """A sentence: its sound, and (start, end) in s of each of its words, None for one without a sound."""
    accent = speaker.language
    sounds = sounds_of(said, accent, "".join(model.symbols))
    stretch, pitch = shape(sounds, said, accent)
    pieces, at_s = [], 0.0
    times: list[tuple[float, float] | None] = [None] * len(said)
    for first, last in _cuts(sounds) if sounds.symbols else ():
        part = slice(first, last)
        made = model.say(sounds.symbols[part], style, speed * manner.speed, stretch[part],
                         pitch[part] * manner.pitch * speaker.pitch, speaker.middle_hz, manner.range)
        begin, end = _trimmed(made.sound)
        pieces.append(_faded(_without_whine(made.sound[begin:end])))
        for number in np.unique(sounds.owner[part][sounds.owner[part] >= 0]):
            own = np.flatnonzero(sounds.owner[part] == number)
            start_s, end_s = (float(np.clip(t - begin / SAMPLE_RATE, 0, (end - begin) / SAMPLE_RATE)) + at_s
                              for t in (made.starts_s[own[0]], made.ends_s[own[-1]]))
            times[number] = (times[number] or (start_s,))[0], end_s
        at_s += len(pieces[-1]) / SAMPLE_RATE
    return (np.concatenate(pieces) if pieces else np.zeros(0, np.float32)), times


def _words(said, times, began_s) -> list[Word]:
    """A `Word` of each piece; what has no sound of its own is where the one before ends."""
    words, last_s = [], began_s
    for piece, time in zip(said, times):
        start_s, end_s = (began_s + time[0], began_s + time[1]) if time else (last_s, last_s)
        words.append(Word(piece.written, start_s, end_s))
        last_s = end_s
    return words


def spoken_parts(said: Sequence[Sequence[Piece]], voice: str, words_per_minute: int, manner: Manner, pitch: float = 1.0,
                 voices: Path | None = None) -> Iterator[tuple[NDArray, list[Word]]]:
    """Yield each sentence as it is ready: float32 [sample], SAMPLE_RATE, with the pause before it, and its `Word`s.

    Times are those of the whole.

    Parameters
    ----------
    said : the words of each paragraph
    voice : a language and a speaker, see `find_speaker`
    pitch : times the height of the voice
    voices : other speakers, see `style_of`

    Raises
    ------
    InputError : Kokoro or the speaker is not there.
    """
    if not is_installed():
        raise missing()
    speaker = find_speaker(voice, voices)
    if speaker is None:
        known = ", ".join(each.voice for each in speakers(voices))
        raise InputError(f"--voice {voice}", "Kokoro has no such voice", f"one of {known}", "--engine espeak")
    manner = replace(manner, pitch=manner.pitch * pitch)
    model, style, began_s = load_kokoro(), style_of(speaker, voices), 0.0
    gain = 10 ** (manner.gain_db / 20) * speaker.gain
    parted = [(i, j, sentence) for i, paragraph in enumerate(said) for j, sentence in enumerate(sentences(paragraph))]

    def say(sentence):
        sound, times = _say(model, speaker, style, sentence, words_per_minute / speaker.words_per_minute, manner)
        return sound * np.float32(min(gain, _PEAK / max(np.abs(sound).max(initial=0), 1e-6))), times

    # The first one has all cores, as somebody may wait for it
    made = chain((say(sentence) for *_, sentence in parted[:1]), prefetch(say, (one[-1] for one in parted[1:]), 2))
    for (i, j, sentence), (sound, times) in zip(parted, made):
        pause_s = _BEFORE_S if not i + j else SENTENCE_PAUSE_S if j else PARAGRAPH_PAUSE_S
        pause_s = pause_s if sentence[0].pause_s is None else sentence[0].pause_s + (0 if i + j else _BEFORE_S)
        silence = np.zeros(round(pause_s * SAMPLE_RATE), np.float32)
        yield np.concatenate([silence, sound]), _words(sentence, times, began_s + len(silence) / SAMPLE_RATE)
        began_s += (len(silence) + len(sound)) / SAMPLE_RATE
    yield np.zeros(round(_AFTER_S * SAMPLE_RATE), np.float32), []
