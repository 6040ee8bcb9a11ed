"""eSpeak NG: text to sound with word times, and text to phonemes, in this process and without a network.

Reads: the library and the voices of the package espeakng-loader, and our Indian English voice. Writes: nothing.
Source: eSpeak NG's C interface (speak_lib.h).
"""

import ctypes
import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from speech import indian_english

SLOWEST, FASTEST = 80, 450  # words a minute: the engine's own limits
LIST = "python -m speech.synthesize --list-voices"
_ONE_AT_A_TIME = threading.Lock()  # the engine's state is one for the process
_SYNCHRONOUS, _DONT_EXIT, _UTF8, _PHONEMES, _IPA, _OK, _WORD = 2, 0x8000, 1, 0x100, 2, 0, 1  # of speak_lib.h
_RATE, _PITCH = 1, 3  # its parameters


class _Event(ctypes.Structure):
    """espeak_EVENT; a list of them ends with type 0. Positions count characters from 1, times are ms."""

    _fields_ = [("type", ctypes.c_int), ("message", ctypes.c_uint), ("text_position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio_position_ms", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", ctypes.c_char * 8)]


class _Voice(ctypes.Structure):
    """espeak_VOICE; `languages` is a priority byte, then a language code."""

    _fields_ = [("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p),
                ("gender", ctypes.c_ubyte), ("age", ctypes.c_ubyte), ("variant", ctypes.c_ubyte),
                ("private_1", ctypes.c_ubyte), ("score", ctypes.c_int), ("private_2", ctypes.c_void_p)]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.POINTER(_Event))
_TEXT, _INT, _UINT, _POINTER = ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p
_ARGUMENTS = {"espeak_Initialize": [_INT, _INT, _TEXT, _INT], "espeak_ListVoices": [_POINTER],
              "espeak_SetVoiceByName": [_TEXT], "espeak_SetSynthCallback": [_CALLBACK],
              "espeak_TextToPhonemes": [ctypes.POINTER(_TEXT), _INT, _INT],
              "espeak_Synth": [_TEXT, ctypes.c_size_t, _UINT, _INT, _UINT, _UINT, _POINTER, _POINTER]}


@cache
def _engine():
    """The library, initialised once a process, its sample rate in Hz, and its data folder, held until the process ends."""
    import espeakng_loader
    library, held = ctypes.CDLL(espeakng_loader.get_library_path()), indian_english.data_folder(espeakng_loader.get_data_path())
    for name, types in _ARGUMENTS.items():
        getattr(library, name).argtypes = types
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, held.name.encode(), _DONT_EXIT)
    if rate <= 0:
        raise InputError(espeakng_loader.get_data_path(), "eSpeak NG does not start", "the data of the package espeakng-loader",
                         "pip install --force-reinstall espeakng-loader")
    return library, rate, held


@cache
def _voice_files() -> dict:
    """Language code of each voice -> its file: the engine takes some voices by their code, but all by their file."""
    found = {}
    for pointer in _engine()[0].espeak_ListVoices(None):
        if not pointer:  # the list ends with a null
            break
        found[ctypes.string_at(pointer.contents.languages + 1).decode()] = pointer.contents.identifier.decode()
    return found


def described_voices() -> list[tuple[str, str, str, str]]:
    """(language code, language, name, sex or nothing) of each voice, by the code."""
    found = {}
    for pointer in _engine()[0].espeak_ListVoices(None):
        if not pointer:
            break
        voice = pointer.contents
        code, sex = ctypes.string_at(voice.languages + 1).decode(), {1: "male", 2: "female"}.get(voice.gender, "")
        found[code] = code, voice.name.decode(), "", "female" if code == indian_english.VOICE else sex
    return [found[code] for code in sorted(found)]


def voices() -> list:
    """Language codes of the voices, sorted: ["af", "am", ..., "en-in", "en-us", ...]."""
    return sorted(_voice_files())


def variants() -> list:
    """Names of the speaker variants that go after a voice and a plus sign: ["f1", "f2", ..., "m1", ...]."""
    return sorted(path.name for path in (Path(_engine()[2].name) / "espeak-ng-data" / "voices" / "!v").iterdir())


def set_voice(voice: str) -> None:
    """Choose a voice like "en-in" or "en-gb-x-rp+f3". Raises InputError when eSpeak NG has none of that name."""
    name, plus, variant = voice.partition("+")
    file = _voice_files().get(name, name)
    if not name or _engine()[0].espeak_SetVoiceByName(f"{file}{plus}{variant}".encode()) != _OK:
        known = voices()
        near = [code for code in known if code[:2] == name[:2] != "en"] + [code for code in known if code[:2] == "en"]
        raise InputError(f"--voice {voice}", "no such voice", f"one of {', '.join(near[:12])}, or others of {len(known)}", LIST)
    if variant and variant not in variants():  # the engine itself takes the plain voice without a word
        short = [v for v in variants() if re.fullmatch(r"[fm]\d", v)]
        raise InputError(f"--voice {voice}", f"no variant {variant!r}", f"one of {', '.join(short)}", LIST)


def _to_phonemes(word: str) -> str:
    """A word whose sounds we know better than the spelling rules, as [[phonemes]]; any other as it is."""
    parts = re.fullmatch(r"(\W*)(\w+)(\W*)", word)
    sounds = indian_english.WORDS.get(parts[2].lower()) if parts else None
    return f"{parts[1]}[[{sounds}]]{parts[3]}" if parts and sounds else word


def say(words: Sequence[str], voice: str, words_per_minute: int, pitch: int = 50) -> tuple[NDArray, list[float | None], int]:
    """Speak some words as one stretch of speech.

    Parameters
    ----------
    words : list of str with their punctuation, each what is said for one written word, so it may hold spaces
    pitch : 0 to 99, the voice's own at 50

    Returns
    -------
    sound : float32 [sample], -1..1
    starts_s : where each word begins; None for one that the engine runs into the word before, or does not say
    rate : Hz, the engine's own

    Raises
    ------
    InputError : an unknown voice.
    """
    library, rate, _ = _engine()
    if voice.partition("+")[0] == indian_english.VOICE:
        words = [" ".join(map(_to_phonemes, word.split())) for word in words]
    pieces, events = [], []

    @_CALLBACK
    def keep(samples, n_samples, reported):
        if samples and n_samples > 0:
            pieces.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        i = 0
        while reported[i].type:
            if reported[i].type == _WORD:
                events.append((reported[i].text_position - 1, reported[i].audio_position_ms / 1000))
            i += 1
        return 0  # go on

    text = " ".join(words).encode()
    with _ONE_AT_A_TIME:
        set_voice(voice)
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch)):
            library.espeak_SetParameter(parameter, value, 0)
        library.espeak_SetSynthCallback(keep)
        library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8 | _PHONEMES, None, None)
    ends = np.cumsum([len(word) + 1 for word in words])
    starts: list[float | None] = [None] * len(words)
    for position, start_s in events:
        i = min(int(np.searchsorted(ends, position, "right")), len(words) - 1)
        starts[i] = start_s if starts[i] is None else starts[i]
    sound = np.concatenate(pieces).astype(np.float32) / 32768 if pieces else np.zeros(0, np.float32)
    return sound, starts, rate


def phonemes(text: str, voice: str, ipa: bool = True) -> str:
    """What a voice says for `text`, in IPA or in the engine's own letters; clauses are parted by a space."""
    library, code, said = _engine()[0], ctypes.c_char_p(text.encode()), []
    with _ONE_AT_A_TIME:
        set_voice(voice)
        while code.value:
            said.append(library.espeak_TextToPhonemes(ctypes.byref(code), _UTF8, _IPA if ipa else 0).decode())
    return " ".join(said)
