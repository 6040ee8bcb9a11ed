"""Text to sound by one of several engines behind one function: Kokoro, eSpeak NG and Piper here, Google and Microsoft online.

Reads: text; what the engines read. Writes: nothing.
An online engine sends the text to its maker, and is used only when it is asked for by name.
"""

import io
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from core.errors import InputError, absent, readable
from core.events import Warned
from core.media.audio import SILENCE_DBFS
from core.media.words import Word
from core.stage import progress, say, tell
from speech import espeak
from speech.speakable import pieces
from speech.voices import kokoro
from speech.voices.manner import manner_of, sentences
from speech.voices.speaking import spoken_parts
from speech.voices.styles import find_speaker

ENGINES = ("kokoro", "espeak", "piper", "gtts", "edge")
DEFAULT_VOICE = "en-in"  # Indian English, female, in all of them but Piper
DEFAULT_RATE = 160  # words a minute
PAUSE_S = 0.5  # of a blank line, by eSpeak NG
_PAUSE_AT_END = re.compile(r"((?:\[pause[^\]\n]*\]\s*)+)\n\s*\n\s*")  # of a paragraph: it goes to the next
_A_PIPER_VOICE = "a voice of Piper, voice.onnx, and voice.onnx.json beside it"
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
    text = _PAUSE_AT_END.sub(r"\n\n\1 ", text.replace("\0", " "))
    parts = (pieces(part, voice) for part in re.split(r"\n\s*\n", text))
    return [part for part in parts if part]


def default_engine(voice: str, voice_model: Path | None = None) -> str:
    """The engine that speaks with a voice when none is named: `kokoro` where it can, else `espeak`, and that is said.

    Raises
    ------
    InputError : an English voice that neither of them has.
    """
    if voice_model and voice_model.suffix == ".onnx":
        return "piper"
    if voice.partition("-")[0] != "en":
        return "espeak"
    if not kokoro.is_installed():
        tell(Warned(f"Kokoro is not installed: eSpeak NG speaks, and sounds like a machine; try: {kokoro.CURE}"))
        return "espeak"
    if find_speaker(voice, voice_model):
        return "kokoro"
    espeak.set_voice(voice)  # it refuses what nobody has
    say(f"eSpeak NG speaks: Kokoro has no voice {voice}")
    return "espeak"


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


def _kokoro(said, how):
    """Sound, its rate, and words with times; so do the other engines, None for the words of some."""
    sounds, words = [], []
    parts = spoken_parts(said, how.voice, how.words_per_minute, manner_of(how.emotion), how.pitch, how.voice_model)
    n_sentences = sum(len(sentences(paragraph)) for paragraph in said)
    with progress(parts, "voice", n_sentences) if n_sentences > 1 else nullcontext(parts) as bar:
        for sound, said_now in bar:
            sounds.append(sound)
            words += said_now
    return np.concatenate(sounds), kokoro.SAMPLE_RATE, words


def _stretches(said) -> Iterator[tuple]:
    """(pause before it in s, speed, words) of each stretch that eSpeak NG says at once."""
    for i, paragraph in enumerate(said):
        number = 0

        def stretch(piece):
            nonlocal number
            number += piece.pause_s is not None
            return number, piece.speed

        for j, ((_, speed), part) in enumerate(groupby(paragraph, stretch)):
            words = list(part)
            usual = PAUSE_S if i and not j else 0.0
            yield usual if words[0].pause_s is None else words[0].pause_s, speed, words


def _espeak(said, how):
    sounds, words, rate = [], [], 0
    for pause_s, speed, part in _stretches(said):
        pace = int(np.clip(how.words_per_minute * speed, espeak.SLOWEST, espeak.FASTEST))
        sound, starts, rate = espeak.say([piece.spoken for piece in part], how.voice, pace)
        sounds.append(np.zeros(round(pause_s * rate), np.float32))
        began_s = sum(map(len, sounds)) / rate
        if len(sound):
            starts = _fill_starts(starts, len(sound) / rate)
            words += [Word(piece.written, began_s + start, began_s + end)
                      for piece, start, end in zip(part, starts, _ends(sound, rate, starts))]
        sounds.append(sound)
    return np.concatenate(sounds), rate, words


def _piper(said, how):
    """One of Piper's voices, from its .onnx and .onnx.json; their words are found in the sound."""
    model = how.voice_model
    if model is None or not model.is_file():
        raise InputError("--voice-model", absent(model) if model else "not given", _A_PIPER_VOICE)
    try:
        from piper import PiperVoice, SynthesisConfig
    except ImportError:
        raise _missing("piper", "piper-tts") from None
    with readable(model, "one of Piper's voices", _A_PIPER_VOICE):
        speaker = PiperVoice.load(model)
    change = SynthesisConfig(length_scale=speaker.config.length_scale * DEFAULT_RATE / how.words_per_minute)
    chunks = [chunk.audio_float_array for chunk in speaker.synthesize(_text_of(said), change)]
    return np.concatenate(chunks or [np.zeros(0, np.float32)]), speaker.config.sample_rate, None


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


def _gtts(said, how):  # it has one pace
    try:
        from gtts import gTTS
        from gtts.tts import gTTSError
    except ImportError:
        raise _missing("gtts", "gTTS") from None
    mp3 = io.BytesIO()
    try:
        gTTS(_text_of(said), lang=how.voice.partition("-")[0], tld=_ACCENTS.get(how.voice, "com")).write_to_fp(mp3)
        return *_decode(mp3.getvalue()), None
    except (gTTSError, OSError, ValueError, RuntimeError, AssertionError) as error:
        raise _not_reached("gtts", error) from None


def _edge(said, how):
    try:
        from aiohttp import ClientError
        from edge_tts import Communicate
        from edge_tts.exceptions import EdgeTTSException
    except ImportError:
        raise _missing("edge", "edge-tts") from None
    change = round(100 * how.words_per_minute / DEFAULT_RATE - 100)
    try:
        speaker = Communicate(_text_of(said), _EDGE_VOICES.get(how.voice, how.voice), rate=f"{change:+d}%")
        mp3 = b"".join(chunk["data"] for chunk in speaker.stream_sync() if chunk["type"] == "audio")
        return *_decode(mp3), None
    except (EdgeTTSException, ClientError, OSError, ValueError, RuntimeError) as error:
        raise _not_reached("edge", error) from None


_SPEAKERS = {"kokoro": _kokoro, "espeak": _espeak, "piper": _piper, "gtts": _gtts, "edge": _edge}


@dataclass(frozen=True)
class _How:
    """Everything that engines may heed beside the words."""

    voice: str
    words_per_minute: int
    emotion: str
    pitch: float
    voice_model: Path | None


def speak(text: str, voice: str = DEFAULT_VOICE, words_per_minute: int = DEFAULT_RATE, engine: str = "espeak",
          emotion: str = "auto", pitch: float = 1.0, voice_model: Path | None = None) -> Spoken:
    """Speak `text`. eSpeak NG's first call of a process is repeatable to the sample; later lengths vary by milliseconds.

    Parameters
    ----------
    emotion, pitch : of `kokoro` alone, see `manner_of`; times the height of the voice
    voice_model : other speakers of Kokoro, see `style_of`, or Piper's voice

    Raises
    ------
    InputError : an unknown voice, nothing that the voice can say, an engine that is not installed or not reached.
    """
    said = paragraphs(text, voice)
    how = _How(voice, words_per_minute, emotion, pitch, voice_model)
    sound, rate, words = _SPEAKERS[engine](said, how) if said else (np.zeros(0), 0, None)
    if not sound.any():
        raise InputError("text", f"nothing in it that {voice} can say", "words", '--text "Good morning."')
    return Spoken(sound, rate, words, [piece for part in said for piece in part])
