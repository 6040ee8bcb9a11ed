"""The table of voices of the engines that are installed here: language, name, sex, engine.

Reads: what the engines read. Writes: nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from speech import espeak
from speech.voices import kokoro
from speech.voices.styles import speakers

LANGUAGES = {"en-us": "English, American", "en-gb": "English, British", "en-in": "English, Indian"}


@dataclass(frozen=True)
class Listed:
    """A row of the table; `voice` is what --voice takes."""

    voice: str
    language: str
    name: str
    sex: str
    engine: str
    made_of: str = ""


def _share(style, share) -> str:
    return style if share == 1 else f"{share:.0%} {style}"


def listed_voices(voice_model: Path | None = None) -> list[Listed]:
    """Every voice, those that sound like people first."""
    rows = []
    if kokoro.is_installed():
        rows += [Listed(speaker.voice, LANGUAGES[speaker.language], speaker.name, speaker.sex, "kokoro",
                        ", ".join(_share(*part) for part in speaker.styles.items())) for speaker in speakers(voice_model)]
    return rows + [Listed(code, language, name, sex, "espeak") for code, language, name, sex in espeak.described_voices()]
