"""Text normalisation: the words of a text as they are written, and what is said for each.

Reads: text. Writes: nothing.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError
from speech.expand import NEAR, PATTERN, expand
from speech.plain import EMPHASIS, NO_EMPHASIS, with_marks

MOST_WORDS, MOST_CHARS = 5000, 60_000  # half an hour of speech; some scripts part no words
MOST_DIGITS = 200  # of a number, or a row of them
LONGEST_WORD = 60  # characters; a longer one is cut
_PART = re.compile(rf".{{1,{LONGEST_WORD - 1}}}[。！？，、；：,;:!?–—/_-]|.{{1,{LONGEST_WORD}}}")


_PAUSE = re.compile(r"\[pause(?: (\d+(?:\.\d+)?) ?(ms|s)?)?\]")
_SPEED = re.compile(r"\[speed(?: (\d+(?:\.\d+)?))?\]")
_DIRECTIONS = re.compile(r"(\[(?:pause|speed)(?: \d+(?:\.\d+)? ?(?:ms|s)?)?\])")
PAUSE_S, LONGEST_PAUSE_S, SLOWEST, FASTEST = 0.5, 10.0, 0.5, 2.0  # of [pause], and what a script may ask for
_MARKS = re.compile(f"[{EMPHASIS}{NO_EMPHASIS}]")


@dataclass(frozen=True)
class Piece:
    """A word as it is written, and what is said for it, one or more words; both with their punctuation.

    Parameters
    ----------
    emphasis : it is stressed
    speed : times the usual speed
    pause_s : the pause before it that was asked for; None where the voice decides
    """

    written: str
    spoken: str
    emphasis: bool = False
    speed: float = 1.0
    pause_s: float | None = None


def _is_shouted(paragraph, match) -> bool:
    """Whether the sentence around a find is written in capitals: then its short words are words."""
    before, after = paragraph[max(0, match.start() - NEAR):match.start()], paragraph[match.end():match.end() + NEAR]
    sentence = re.split(r"[.!?]\s", before)[-1] + match[0] + re.split(r"[.!?](?:\s|$)", after, maxsplit=1)[0]
    return sentence.isupper() and bool(re.search(r"\s", sentence.strip()) or paragraph.isupper())


def _as_written(text) -> list:
    """A `Piece` of each word; one that no line of a caption holds, or a text that parts no words, in parts."""
    words = text.split()
    if any(len(word) > LONGEST_WORD for word in words):
        words = [part for word in words for part in (_PART.findall(word) if len(word) > LONGEST_WORD else [word])]
    return [Piece(word, word) for word in words]


def _seconds(pause) -> float:
    """The length of a find of _PAUSE."""
    return PAUSE_S if pause[1] is None else float(pause[1]) / (1000 if pause[2] == "ms" else 1)


def _as_spoken(paragraph, language) -> list:
    """The words of a stretch without pauses in it."""
    made, at, searched = [], 0, 0
    while match := PATTERN.search(paragraph, searched) if language.startswith("en") else None:
        searched = match.end()
        if match["capitals"] and _is_shouted(paragraph, match):
            continue
        before = re.search(r"\S*$", paragraph[at:match.start()])[0]  # type: ignore[index]  # both always match
        after = re.match(r"\S*", paragraph[match.end():])[0]  # type: ignore[index]
        if re.search(r"\w", before + after):
            searched = match.start() + len(match[0].split()[0])
            continue  # a part of a word, as in B2B; what follows it may be found by itself
        start, end = match.start() - len(before), match.end() + len(after)
        made += _as_written(paragraph[at:start])
        made.append(Piece(" ".join(paragraph[start:end].split()), before + expand(match) + after))
        at = searched = end
    return made + _as_written(paragraph[at:])


def _stressed(made) -> list:
    """The same words without the marks of emphasis; those between them are stressed."""
    stressed, within = [], False
    for piece in made:
        within = within or EMPHASIS in piece.written
        stressed.append(Piece(_MARKS.sub("", piece.written), _MARKS.sub("", piece.spoken), within))
        within = within and NO_EMPHASIS not in piece.written
    return [piece for piece in stressed if piece.written]


def pieces(paragraph: str, language: str = "en") -> list:
    """The words of a paragraph, each with what is said for it.

    What is found grows to the blanks around it: "INR 5,053." is one `Piece`, spoken "five thousand and fifty three rupees.".
    In languages other than English the engine reads numbers itself. [pause 1.5s] before a word is its pause, [speed 0.8] the
    speed of what follows it in the paragraph.
    """
    paragraph = paragraph.replace("[[", "[ [")  # eSpeak NG would take what follows for phonemes
    made, speed, pause_s = [], 1.0, None
    for part in _DIRECTIONS.split(paragraph):
        if found := _PAUSE.fullmatch(part):
            pause_s = (pause_s or 0.0) + _seconds(found)
        elif found := _SPEED.fullmatch(part):
            speed = float(found[1] or 1)
        elif said := _stressed(_as_spoken(part, language)):
            said = [replace(piece, speed=speed) for piece in said] if speed != 1 else said
            made += [replace(said[0], pause_s=pause_s), *said[1:]]
            pause_s = None
    return made


def plain_words(text: str) -> list:
    """The words of an English text as they are said, in small letters and without punctuation: "C5, now." is c, five, now."""
    apart = re.sub(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Z]\b)", " ", text)
    said = " ".join(piece.spoken for piece in pieces(apart)).lower().replace("’", "'")
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", said)


def _script(char: str) -> str:
    """Which writing a letter belongs to: LATIN, DEVANAGARI, CJK ..."""
    return unicodedata.name(char, "UNKNOWN").split()[0]


_SCRIPTS = {"DEVANAGARI": ("hi", "mr", "ne", "kok"), "GREEK": ("el", "grc"),
            "CYRILLIC": ("ru", "uk", "bg", "mk", "be", "sr", "kk", "ky", "tt", "ba", "cv"),
            "ARABIC": ("ar", "fa", "ur", "sd", "ug"), "HEBREW": ("he",), "BENGALI": ("bn", "as", "bpy"),
            "TAMIL": ("ta",), "TELUGU": ("te",), "KANNADA": ("kn",), "MALAYALAM": ("ml",), "GUJARATI": ("gu",),
            "GURMUKHI": ("pa",), "ORIYA": ("or",), "CJK": ("cmn", "yue", "hak", "ja", "zh"), "HIRAGANA": ("ja",),
            "KATAKANA": ("ja",), "HANGUL": ("ko",), "THAI": ("th",), "GEORGIAN": ("ka",), "ARMENIAN": ("hy", "hyw"),
            "ETHIOPIC": ("am", "ti"), "SINHALA": ("si",), "MYANMAR": ("my",), "CHEROKEE": ("chr",), "SHAVIAN": ("en-shaw",)}


def check_text(text: str, voice: str, where: str | Path) -> str:
    """What is read aloud of `text`, see `plain`, when `voice` can say it.

    Raises
    ------
    InputError : nothing to say, more than MOST_WORDS words, or mostly letters of another script than the voice reads.
    """
    if text != text.encode(errors="replace").decode():
        raise InputError(where, "half of a character in it (a lone surrogate)", "text in UTF-8", "write it anew")
    text = with_marks(text)
    spoken = _DIRECTIONS.sub(" ", text)
    n_words = len(spoken.split())
    if n_words > MOST_WORDS:
        raise InputError(where, f"{n_words} words", f"at most {MOST_WORDS}, half an hour of speech", "say it in parts")
    if len(text) > MOST_CHARS:
        raise InputError(where, f"{len(text)} characters", f"at most {MOST_CHARS}, half an hour of speech", "say it in parts")
    if (longest := max(map(len, re.findall(r"\d[\d,.]*", text)), default=0)) > MOST_DIGITS:
        raise InputError(where, f"a number of {longest} characters", f"at most {MOST_DIGITS}", "write what should be said")
    for found in _PAUSE.finditer(text):
        if _seconds(found) > LONGEST_PAUSE_S:
            raise InputError(where, f"a pause of {_seconds(found):g} s", f"at most {LONGEST_PAUSE_S:g} s: {found[0]}")
    for found in _SPEED.finditer(text):
        if not SLOWEST <= float(found[1] or 1) <= FASTEST:
            raise InputError(where, found[0], f"[speed {SLOWEST:g}] to [speed {FASTEST:g}]")
    letters = Counter(_script(char) for char in spoken if char.isalpha())
    if not letters and not any(char.isdigit() for char in spoken):
        raise InputError(where, "nothing to say", "at least one word", '--text "Good morning."')
    script = letters.most_common(1)[0][0] if letters else "LATIN"
    readers = _SCRIPTS.get(script, ())
    if script == "LATIN" or re.split(r"[-+]", voice)[0].lower() in readers:  # most voices read Latin letters beside their own
        return text
    raise InputError(where, f"{script.title()} letters, which the voice {voice} does not read",
                     f"a voice of that language: {', '.join(readers)}" if readers else "text in a language with a voice",
                     f"--voice {readers[0]}" if readers else "python -m speech.synthesize --list-voices")
