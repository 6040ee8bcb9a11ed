"""Text to speech, offline, by eSpeak NG.

Reads: --text, or a --script file in UTF-8. A blank line is a pause of half a second.
Writes: OUT.wav (speech; 44.1 kHz unless told otherwise, mono, 16 bit) and its sidecar.
Source: eSpeak NG's C interface (speak_lib.h), from the package espeakng-loader, which holds the library and its voices.
"""

import ctypes
import re
import threading
from functools import cache
from pathlib import Path

import click
import numpy as np

from core import artifacts
from core.audio import resample, write_wav
from core.errors import InputError, absent
from core.stage import stage
from preprocess.convert_audio import check_output

STAGE = "preprocess.synthesize_speech"
DEFAULT_VOICE = "en-us"
PAUSE_S = 0.5
SLOWEST, FASTEST = 80, 450  # words a minute: eSpeak's own limits
_ONE_AT_A_TIME = threading.Lock()  # the engine's state is one for the process
_SYNCHRONOUS, _DONT_EXIT, _UTF8, _RATE, _OK = 2, 0x8000, 1, 1, 0  # constants of speak_lib.h
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """espeak_VOICE of speak_lib.h; `languages` is a priority byte, then a language code."""

    _fields_ = [("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p),
                ("gender", ctypes.c_ubyte), ("age", ctypes.c_ubyte), ("variant", ctypes.c_ubyte),
                ("private_1", ctypes.c_ubyte), ("score", ctypes.c_int), ("private_2", ctypes.c_void_p)]


def _data_folder() -> Path:
    import espeakng_loader
    return Path(espeakng_loader.get_data_path())


@cache
def _engine():
    """The library, initialised once a process, and its sample rate in Hz."""
    import espeakng_loader
    engine = ctypes.CDLL(espeakng_loader.get_library_path())
    engine.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    engine.espeak_ListVoices.argtypes = [ctypes.c_void_p]
    engine.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    engine.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    engine.espeak_SetSynthCallback.argtypes = [_CALLBACK]
    engine.espeak_Synth.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
                                    ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p]
    rate = engine.espeak_Initialize(_SYNCHRONOUS, 0, str(_data_folder()).encode(), _DONT_EXIT)
    if rate <= 0:
        raise InputError(_data_folder(), "eSpeak NG does not start", "the data of the package espeakng-loader",
                         "pip install --force-reinstall espeakng-loader")
    return engine, rate


def voices() -> list:
    """Language codes of the voices, sorted: ["af", "am", ..., "en-us", ...]."""
    listed, codes = _engine()[0].espeak_ListVoices(None), []
    for pointer in listed:
        if not pointer:  # the list ends with a null
            return sorted(codes)
        codes.append(ctypes.string_at(pointer.contents.languages + 1).decode())


def variants() -> list:
    """Names of the speaker variants that go after a voice and a plus sign: ["f1", "f2", ..., "m1", ...]."""
    return sorted(path.name for path in (_data_folder() / "voices" / "!v").iterdir())


def set_voice(voice: str):
    """Choose a voice like "en-us" or "en-gb-x-rp+f3". Raises InputError when eSpeak NG has none of that name."""
    name, _, variant = voice.partition("+")
    if not name or _engine()[0].espeak_SetVoiceByName(voice.encode()) != _OK:
        known = voices()
        near = [code for code in known if code[:2] == name[:2] != "en"] + [code for code in known if code[:2] == "en"]
        raise InputError(f"--voice {voice}", "no such voice", f"one of {', '.join(near[:12])}, or others of {len(known)}",
                         "python -m preprocess.synthesize_speech --list-voices")
    if variant and variant not in variants():  # eSpeak itself takes the plain voice without a word
        short = [v for v in variants() if re.fullmatch(r"[fm]\d", v)]
        raise InputError(f"--voice {voice}", f"no variant {variant!r}", f"one of {', '.join(short)}",
                         "python -m preprocess.synthesize_speech --list-voices")


def _say(engine, paragraph: str) -> list:
    """What the engine makes of one paragraph, as it is set now: list of int16 [sample]."""
    pieces = []

    @_CALLBACK
    def keep(samples, n_samples, _events):
        if samples and n_samples > 0:
            pieces.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        return 0  # go on

    code = paragraph.encode()
    engine.espeak_SetSynthCallback(keep)
    engine.espeak_Synth(code, len(code) + 1, 0, 0, 0, _UTF8, None, None)
    return pieces


def synthesize(text: str, voice: str = DEFAULT_VOICE, words_per_minute: int = 160):
    """Speak `text`. The first call of a process is repeatable to the sample; in later ones lengths vary by milliseconds.

    Returns
    -------
    sound : float32 [sample], -1..1
    rate : Hz, the engine's own

    Raises
    ------
    InputError : nothing to speak, or an unknown voice.
    """
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", text.replace("\0", " ")) if p.strip()]
    if not paragraphs:
        raise InputError("text", "nothing to say", "at least one word", '--text "Good morning."')
    with _ONE_AT_A_TIME:
        set_voice(voice)
        engine, rate = _engine()
        engine.espeak_SetParameter(_RATE, words_per_minute, 0)
        silence = np.zeros(round(PAUSE_S * rate), np.int16)
        pieces = [piece for paragraph in paragraphs for piece in (*_say(engine, paragraph), silence)][:-1]
    sound = np.concatenate(pieces).astype(np.float32) / 32768 if pieces else np.zeros(0, np.float32)
    if not sound.any():
        raise InputError("text", f"nothing in it that {voice} can say", "words", '--text "Good morning."')
    return sound, rate


def _read_script(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(path, absent(path), "a text file") from None
    except UnicodeDecodeError:
        raise InputError(path, "not readable as UTF-8", "a text file in UTF-8", f"iconv -t UTF-8 {path}") from None


def _list_voices(context, _option, wanted):
    if wanted:
        click.echo("voices:   " + " ".join(voices()))
        click.echo("variants: " + " ".join(v for v in variants() if " " not in v))
        context.exit()


@stage(reads="--text, or the file of --script", writes="OUT.wav (mono, 16 bit), OUT.wav.json",
       examples=('python -m preprocess.synthesize_speech --text "Good morning." hello.wav',
                 "python -m preprocess.synthesize_speech --script script.txt --voice en-gb-x-rp+f3 --rate 140 talk.wav"))
@click.argument("out", metavar="OUT.wav", type=click.Path(path_type=Path))
@click.option("--text", help="What to say.")
@click.option("--script", type=click.Path(path_type=Path), help="Text file to say; a blank line is a pause.")
@click.option("--voice", default=DEFAULT_VOICE, help="Language, with +f1..+f5 or +m1..+m8 for another speaker.")
@click.option("--rate", type=click.IntRange(SLOWEST, FASTEST), default=160, help="Words a minute.")
@click.option("--sample-rate", type=click.IntRange(8000, 96000), default=44100, help="Hz of OUT.wav.")
@click.option("--list-voices", is_flag=True, is_eager=True, expose_value=False, callback=_list_voices,
              help="Print the voices and stop.")
@click.option("--force", is_flag=True, help="Overwrite OUT.wav if it exists.")
def main(out, text, script, voice, rate, sample_rate, force):
    """Say a text and write it as sound."""
    if (text is None) == (script is None):
        raise InputError("--text, --script", "both or none given", "one of the two", '--text "Good morning."')
    check_output(out, force)
    sound, engine_rate = synthesize(_read_script(script) if script else text, voice, rate)
    write_wav(out, resample(sound, engine_rate, sample_rate), sample_rate)
    options = {"voice": voice, "rate": rate, "sample_rate": sample_rate, **({} if script else {"text": text})}
    click.echo(artifacts.describe_with(out, "speech", stage=STAGE, options=options, inputs=[script] if script else [],
                                       seconds=round(len(sound) / engine_rate, 3)))


if __name__ == "__main__":
    main()
