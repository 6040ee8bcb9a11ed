"""A script with names, `ANNA: Good morning.`, to who says what, with which voice and which face.

Reads, writes: nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from core.errors import InputError
from speech.voices.styles import MALE, speakers

MOST_PEOPLE, MOST_LINES = 6, 200
_BOLD = r"[ \t]*(?:[*_]{2})?[ \t]*"
_PART = r'[^\s:/\\*?"<>|]*'  # of a name, which is a folder, too
_NAMED = re.compile(rf"{_BOLD}([^\W\d_]{_PART}(?: (?=\S){_PART}){{0,2}}){_BOLD}:(?!//){_BOLD}(.*)")
_EXAMPLE = "ANNA: Good morning. On the next line, BEN: Good morning, Anna."


@dataclass(frozen=True)
class Line:
    """What one person says before another does."""

    name: str
    text: str


def read_dialogue(text: str, where: str | Path) -> list[Line]:
    """The lines of a script. A line that begins with `NAME:` is theirs, what follows without a name too.

    Raises
    ------
    InputError : no name at its beginning, fewer than two people or more than MOST_PEOPLE, more than MOST_LINES.
    """
    names: list[str] = []
    texts: list[list[str]] = []
    spelt: dict[str, str] = {}  # as at first
    for row in text.splitlines():
        if found := _NAMED.fullmatch(row):
            name = spelt.setdefault(found[1].casefold(), found[1])
            if not names or names[-1] != name:
                names.append(name)
                texts.append([])
            row = found[2]
        elif row.strip() and not names:
            raise InputError(where, f"no name before {row.strip()[:30]!r}", "a name and a colon before what is said", _EXAMPLE)
        if texts:
            texts[-1].append(row)
    lines = [Line(name, "\n".join(rows).strip()) for name, rows in zip(names, texts)]
    lines = [line for line in lines if line.text]
    people = people_of(lines)
    if not 2 <= len(people) <= MOST_PEOPLE:
        found = f"{len(people)} names with words: {', '.join(people) or 'none'}"
        raise InputError(where, found, f"2 to {MOST_PEOPLE}", _EXAMPLE)
    if len(lines) > MOST_LINES:
        raise InputError(where, f"{len(lines)} lines", f"at most {MOST_LINES}", "make it in parts")
    return lines


def people_of(lines: Sequence[Line]) -> list[str]:
    """The names, in the order in which they begin to speak."""
    return list(dict.fromkeys(line.name for line in lines))


def named(given: Sequence[str], people: Sequence[str], option: str) -> dict[str, str]:
    """NAME -> VALUE of options NAME=VALUE; capitals do not count.

    Raises
    ------
    InputError : another form, or a name that nobody has.
    """
    by_name = {name.casefold(): name for name in people}
    found = {}
    for one in given:
        name, is_pair, value = one.partition("=")
        if not is_pair or not value.strip():
            raise InputError(option, f"{one!r}", f"NAME=VALUE, as {people[0]}=...")
        if name.strip().casefold() not in by_name:
            raise InputError(option, f"{name.strip()!r} says nothing", f"one of {', '.join(people)}")
        found[by_name[name.strip().casefold()]] = value.strip()
    return found


def voices_of(people: Sequence[str], given: Sequence[str], language: str, engine: str | None,
              voice_model: Path | None = None) -> dict[str, str]:
    """A voice for each name: the one that is asked for, else one of `language` that nobody else has, women and men in turn.

    With an engine other than Kokoro, or in a language without its voices, who is not asked for speaks with `language` itself.
    """
    asked = named(given, people, "--voice")
    usable = speakers(voice_model) if engine in (None, "kokoro") else []
    usable = [speaker for speaker in usable if speaker.language == language and speaker.voice not in asked.values()]
    women, men = ([speaker.voice for speaker in usable if (speaker.sex == MALE) == is_man] for is_man in (False, True))
    left = [voice for pair in zip(women, men) for voice in pair]
    left += [voice for voice in [*women, *men] if voice not in left]
    free = cycle(left or [language])
    return {name: asked.get(name) or next(free) for name in people}


def faces_of(people: Sequence[str], given: Sequence[str], n_faces: int, where: str | Path) -> dict[str, int]:
    """The face, from 1, of each name: the one that is asked for, else the next from left to right.

    Raises
    ------
    InputError : fewer faces than people, no such face, or one for two.
    """
    given_faces = named(given, people, "--cast")
    asked = {name: int(face) if face.isdecimal() else 0 for name, face in given_faces.items()}
    for name, face in asked.items():
        if not 1 <= face <= n_faces:
            raise InputError("--cast", f"{name}={given_faces[name]}, and {where} has {n_faces} faces", f"1 to {n_faces}")
    if len(people) > n_faces:
        raise InputError(where, f"{n_faces} face{'s' * (n_faces != 1)} for {len(people)} people: {', '.join(people)}",
                         "a face for each", "another photo, or fewer people")
    if len(set(asked.values())) < len(asked):
        raise InputError("--cast", "one face for two people", "another face for each")
    free = (face for face in range(1, n_faces + 1) if face not in asked.values())
    return {name: asked.get(name) or next(free) for name in people}
