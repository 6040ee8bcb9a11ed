"""What the page takes, and what it says when it does not: limits on text and sound, and errors without a server's paths.

Reads: uploads. Writes: nothing.
"""

import re
from pathlib import Path

from core.errors import InputError
from core.media.audio import decode_any

MOST_MB = 50  # of one upload
MOST_CHARS = 3000  # of a text, three minutes of speech
MOST_SPEECH_S = 180
MOST_VIDEO_S, MOST_VIDEO_PX = 120, 1920  # of a video that gets a new voice; px of its longer side
_COMMAND = re.compile(r"^(python|pip|make|ffmpeg|iconv|--)")  # a cure for somebody at a terminal


def check_text(text: str) -> str:
    """Return a text that is short enough. Raises InputError."""
    if not isinstance(text, str):
        raise InputError("the text", "no text", "words to say")
    if len(text) > MOST_CHARS:
        raise InputError("the text", f"{len(text)} characters", f"at most {MOST_CHARS}, three minutes of speech",
                         "say it in parts")
    return text


def short_speech(path: str | Path) -> Path:
    """Return a recording that is short enough; it is decoded no further than the limit.

    Raises
    ------
    InputError : longer than MOST_SPEECH_S, or not readable as sound.
    """
    for seconds, _ in enumerate(decode_any(path)):
        if seconds >= MOST_SPEECH_S:
            raise InputError(path, f"more than {MOST_SPEECH_S} s of sound", f"at most {MOST_SPEECH_S} s", "cut it into parts")
    return Path(path)


def without_options(text: str) -> str:
    """A sentence without the clauses that name options of a command: somebody at the page has none."""
    return "; ".join(clause for clause in text.split("; ") if "--" not in clause)


def plain_message(error: InputError) -> str:
    """An error for somebody who sees a page: names without folders, and no commands to run."""
    where = Path(error.where).name.removeprefix("--")
    needed = without_options(error.expected)
    helps = "" if _COMMAND.match(error.cure) else without_options(error.cure)
    parts = [f"{where}: {error.found}", needed and f"Needed: {needed}", helps and f"What helps: {helps}"]
    text = ". ".join(part.removesuffix(".") for part in parts if part) + "."
    text = re.sub(r"(?<![\w.])/(?:[^\s/\"';:,]+/)+", "", text)
    return text if Path(where).suffix else text[0].upper() + text[1:]  # a file keeps its name
