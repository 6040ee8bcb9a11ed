"""Text to sound by one of several engines behind one function: eSpeak NG here, Google's and Microsoft's voices online.

Reads: text. Writes: nothing. An online engine sends the text to its maker, and is used only when it is asked for by name.
"""

import io
import re
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.media.audio import SILENCE_DBFS
from core.media.words import Word
from speech import espeak
from speech.speakable import pieces

ENGINES = ("espeak", "gtts", "edge")
DEFAULT_VOICE = "en-in"  # Indian English, female, in all three
DEFAULT_RATE = 160  # words a minute
PAUSE_S = 0.5  # of a blank line
_ACCENTS = {"en-in": "co.in", "en-gb": "co.uk", "en-au": "com.au", "en-us": "us"}  # gTTS: the site whose voice it is
_EDGE_VOICES = {"en-in": "en-IN-NeerjaNeural", "en-us": "en-US-AriaNeural", "en-gb": "en-GB-SoniaNeural",
                "hi": "hi-IN-SwaraNeural"}


@dataclass(frozen=True)
class Spoken:
    """Speech, and the words in it; `words` is None when the engine does not say when each sounds."""

    sound: np.ndarray  # float32 [sample], -1..1
    rate: int  # Hz, the engine's own
    words: list | None
    said: list  # `Piece` of every word


def paragraphs(text: str, voice: str) -> list:
    """The pieces of each paragraph; a blank line parts them."""
    parts = (pieces(part, voice) for part in re.split(r"\n\s*\n", text.replace("\0", " ")))
    return [part for part in parts if part]


def _ends(sound, rate, starts) -> list:
    """Where words end that begin at `starts` (s): where the next begins, or before the silence that goes before it."""
    limit, ends = 10 ** (SILENCE_DBFS / 20), []
    for start, following in zip(starts, [*starts[1:], len(sound) / rate]):
        stretch = np.abs(sound[round(start * rate):round(following * rate)])
        loud = np.flatnonzero(stretch > max(limit, 0.02 * stretch.max(initial=0)))
        ends.append(start + (int(loud[-1]) + 1) / rate if len(loud) else following)
    return ends


def _fill_starts(starts, duration_s) -> list:
    """Starts of all words, those that are None spread evenly between their neighbours; never falling."""
    known = [i for i, start in enumerate(starts) if start is not None]
    places, values = [-1, *known, len(starts)], [0.0, *(starts[i] for i in known), duration_s]
    return np.maximum.accumulate(np.interp(range(len(starts)), places, values)).tolist()


def _espeak(said, voice, words_per_minute):
    """Sound, its rate, and words with times; so do the other engines, None for the words."""
    sounds, words, rate = [], [], 0
    for part in said:
        if sounds:
            sounds.append(np.zeros(round(PAUSE_S * rate), np.float32))
        sound, starts, rate = espeak.say([piece.spoken for piece in part], voice, words_per_minute)
        began_s = sum(map(len, sounds)) / rate
        if len(sound):
            starts = _fill_starts(starts, len(sound) / rate)
            words += [Word(piece.written, began_s + start, began_s + end)
                      for piece, start, end in zip(part, starts, _ends(sound, rate, starts))]
        sounds.append(sound)
    return np.concatenate(sounds), rate, words


def _missing(engine, package):
    return InputError(f"--engine {engine}", f"the package {package} is not installed", "it, and a network",
                      f"pip install {package}")


def _not_reached(engine, error):
    reason = (str(error).splitlines() or [type(error).__name__])[0][:80]
    return InputError(f"--engine {engine}", f"no speech came back ({reason})", "a network, and a voice it knows",
                      "--engine espeak needs none")


def _text_of(said) -> str:
    return "\n\n".join(" ".join(piece.spoken for piece in part) for part in said)


def _decode(mp3) -> tuple:
    import soundfile
    sound, rate = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    return sound.mean(1), rate


def _gtts(said, voice, _words_per_minute):  # it has one pace
    try:
        from gtts import gTTS
        from gtts.tts import gTTSError
    except ImportError:
        raise _missing("gtts", "gTTS") from None
    mp3 = io.BytesIO()
    try:
        gTTS(_text_of(said), lang=voice.partition("-")[0], tld=_ACCENTS.get(voice, "com")).write_to_fp(mp3)
        return *_decode(mp3.getvalue()), None
    except (gTTSError, OSError, ValueError, RuntimeError, AssertionError) as error:
        raise _not_reached("gtts", error) from None


def _edge(said, voice, words_per_minute):
    try:
        from aiohttp import ClientError
        from edge_tts import Communicate
        from edge_tts.exceptions import EdgeTTSException
    except ImportError:
        raise _missing("edge", "edge-tts") from None
    change = round(100 * words_per_minute / DEFAULT_RATE - 100)
    try:
        speaker = Communicate(_text_of(said), _EDGE_VOICES.get(voice, voice), rate=f"{change:+d}%")
        mp3 = b"".join(chunk["data"] for chunk in speaker.stream_sync() if chunk["type"] == "audio")
        return *_decode(mp3), None
    except (EdgeTTSException, ClientError, OSError, ValueError, RuntimeError) as error:
        raise _not_reached("edge", error) from None


_SPEAKERS = {"espeak": _espeak, "gtts": _gtts, "edge": _edge}


def speak(text: str, voice: str = DEFAULT_VOICE, words_per_minute: int = DEFAULT_RATE, engine: str = "espeak") -> Spoken:
    """Speak `text`. eSpeak NG's first call of a process is repeatable to the sample; later lengths vary by milliseconds.

    Raises
    ------
    InputError : an unknown voice, nothing that the voice can say, an engine that is not installed or not reached.
    """
    said = paragraphs(text, voice)
    sound, rate, words = _SPEAKERS[engine](said, voice, words_per_minute) if said else (np.zeros(0), 0, None)
    if not sound.any():
        raise InputError("text", f"nothing in it that {voice} can say", "words", '--text "Good morning."')
    return Spoken(sound, rate, words, [piece for part in said for piece in part])
