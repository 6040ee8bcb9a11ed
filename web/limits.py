"""What the page takes, and what it says when it does not: limits on text and sound, and errors without a server's paths.

Reads: uploads. Writes: speech.wav in a folder of ours.
"""

import re
from itertools import chain, islice
from pathlib import Path

import soundfile

from core.errors import InputError
from core.files import whole_file
from core.media.audio import decode_any, encode_wav

MOST_MB = 50  # of one upload
MOST_CHARS = 3000  # of a text, three minutes of speech
MOST_SPEECH_S = 180
_COMMAND = re.compile(r"^(python|pip|make|ffmpeg|iconv|--)")  # a cure for somebody at a terminal


def check_text(text: str) -> str:
    """Return a text that is short enough. Raises InputError."""
    if not isinstance(text, str):
        raise InputError("the text", "no text", "words to say")
    if len(text) > MOST_CHARS:
        raise InputError("the text", f"{len(text)} characters", f"at most {MOST_CHARS}, three minutes of speech",
                         "say it in parts")
    return text


def _too_long(path):
    return InputError(path, f"more than {MOST_SPEECH_S} s of sound", f"at most {MOST_SPEECH_S} s", "cut it into parts")


def short_speech(path: str | Path, folder: str | Path) -> Path:
    """A recording that is short enough: a .wav itself, anything else decoded into `folder`, no further than the limit.

    What is wrong with a .wav is said by `core.media.audio.read_speech`, later.

    Raises
    ------
    InputError : longer than MOST_SPEECH_S, or not readable as sound.
    """
    path = Path(path)
    try:
        if soundfile.info(path).duration > MOST_SPEECH_S:
            raise _too_long(path)
        if path.suffix.lower() == ".wav":
            return path
    except (soundfile.LibsndfileError, ValueError):
        pass  # ffmpeg may know it
    blocks = decode_any(path)
    first = next(blocks, None)
    if first is None:
        raise InputError(path, "no sound in it", "a recording of speech")
    out = Path(folder) / "speech.wav"
    with whole_file(out) as part:
        encode_wav(part, islice(chain([first], blocks), MOST_SPEECH_S), where=out)
    if next(blocks, None) is not None:
        raise _too_long(path)
    return out


def plain_message(error: InputError) -> str:
    """An error for somebody who sees a page: names without folders, and no commands to run."""
    parts = [f"{Path(error.where).name}: {error.found}"]
    if error.expected and "--" not in error.expected:
        parts.append(f"expected {error.expected}")
    if error.cure and not _COMMAND.match(error.cure):
        parts.append(f"try: {error.cure}")
    return re.sub(r"(?<![\w.])/(?:[^\s/\"';:,]+/)+", "", "; ".join(parts))
