"""Speech to words by one of several engines behind one function: Whisper or PocketSphinx here, others when asked for.

Reads: speech in memory. Writes: nothing. `google` sends the recording to its maker, and is used only when asked for by name.
Source: `speech.whisper`; the package SpeechRecognition for the others, PocketSphinx with its model of US English.
"""

import shutil
import tempfile
from pathlib import Path

from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError, absent
from core.events import Warned
from core.media.words import Word
from core.stage import tell
from speech import whisper
from speech.align import align, pcm, segments
from speech.speakable import pieces

ENGINES = ("whisper", "sphinx", "vosk", "google")
_CURES = {"vosk": "pip install vosk && sprc download vosk", "google": "the engine sphinx, which needs no network"}


def default_engine(grammar: str | Path | None = None) -> str:
    """`whisper`; `sphinx` for a grammar, and, said in a line, where the packages of Whisper are missing."""
    if grammar:
        return "sphinx"
    if whisper.is_installed():
        return "whisper"
    tell(Warned(f"Whisper is not installed: sphinx recognises the words, and gets most of them wrong; try: {whisper.CURE}"))
    return "sphinx"


def _grammar_beside(grammar, folder):
    """The grammar in a folder of ours: SpeechRecognition writes a file beside it."""
    grammar = Path(grammar)
    if not grammar.is_file():
        raise InputError(grammar, absent(grammar), "a grammar in JSGF, its public rule named like the file")
    return shutil.copy(grammar, folder)


def _sphinx(audio, grammar):
    """Words and times in one go."""
    from speech_recognition import Recognizer, RequestError
    with tempfile.TemporaryDirectory() as folder:
        copy = _grammar_beside(grammar, folder) if grammar else None
        try:
            decoder = Recognizer().recognize_sphinx(audio, grammar=copy, show_all=True)
        except RequestError as error:
            raise InputError("--engine sphinx", str(error)[:100], "the packages SpeechRecognition and pocketsphinx",
                             "pip install -r requirements.txt") from None
        except (RuntimeError, ValueError, AttributeError):
            raise InputError(grammar, "not a grammar", "JSGF with a public rule named like the file") from None
    return [Word(*part) for part in segments(decoder)]


def _text_of(audio, engine) -> str:
    """What another engine hears: words without times."""
    import speech_recognition
    try:
        return getattr(speech_recognition.Recognizer(), f"recognize_{engine}")(audio)
    except speech_recognition.UnknownValueError:
        return ""
    except (ImportError, OSError, speech_recognition.RequestError, speech_recognition.exceptions.SetupError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise InputError(f"--engine {engine}", reason, "an engine that is installed and reached", _CURES[engine]) from None


def recognise(sound: NDArray, engine: str | None = None, grammar: str | Path | None = None,
              model: str | Path | None = None) -> list:
    """Words of a voice, with times.

    Parameters
    ----------
    sound : float32 [sample], 16 kHz
    engine : one of ENGINES, by default `default_engine`; `vosk` and `google` give words alone, which are then found in the
        sound
    grammar : JSGF file that says what may be said, for `sphinx`
    model : folder of another model, for `whisper`

    Returns
    -------
    list of `Word`, from `whisper` with probabilities; empty when nothing is understood

    Raises
    ------
    InputError : the engine is not there, or not reached; a grammar or a model that it does not take.
    """
    engine = engine or ("whisper" if model else default_engine(grammar))
    if grammar and engine != "sphinx":
        raise InputError("--grammar", f"given with the engine {engine}", "the engine sphinx", "--engine sphinx")
    if model and engine != "whisper":
        raise InputError("--whisper-model", f"given with the engine {engine}", "the engine whisper", "--engine whisper")
    if engine == "whisper":
        return whisper.recognise_whisper(sound, model)
    from speech_recognition import AudioData
    audio = AudioData(pcm(sound), SAMPLE_RATE, 2)
    if engine == "sphinx":
        return _sphinx(audio, grammar)
    said = pieces(_text_of(audio, engine))
    return align(sound, said) if said else []
