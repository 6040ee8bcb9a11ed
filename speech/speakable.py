"""Text normalisation: amounts, dates, times, numbers and abbreviations as words, in English.

Reads: text. Writes: nothing.
Numbers are put into words by num2words; what they stand for is found here.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from speech.plain import plain

MOST_WORDS, MOST_CHARS = 5000, 60_000  # half an hour of speech; some scripts part no words
MOST_DIGITS = 200  # of a number, or a row of them
LONGEST_WORD = 60  # characters; a longer one is cut
_NEAR = 200  # characters around a word that are looked at for its sentence
_PART = re.compile(rf".{{1,{LONGEST_WORD - 1}}}[。！？，、；：,;:!?–—/_-]|.{{1,{LONGEST_WORD}}}")
LONGEST_NUMBER = 15  # digits; a longer number is read digit by digit
_CRORE = 10_000_000
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")
_MONTH = "(?:" + "|".join(rf"{name}\b|{name[:3]}\b\.?" for name in _MONTHS) + ")"
_UNITS = {"INR": ("rupee", "rupees", "paise"), "Rs": ("rupee", "rupees", "paise"), "₹": ("rupee", "rupees", "paise"),
          "USD": ("dollar", "dollars", "cents"), "$": ("dollar", "dollars", "cents"), "EUR": ("euro", "euros", "cents"),
          "€": ("euro", "euros", "cents"), "GBP": ("pound", "pounds", "pence"), "£": ("pound", "pounds", "pence")}
_SHORT = {"mr": "Mister", "mrs": "Missis", "ms": "Miz", "dr": "Doctor", "prof": "Professor", "smt": "Shrimati",
          "e.g": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus", "a/c": "account",
          "approx": "approximately", "&": "and", "+": "plus", "=": "equals"}
# Capitals that are words all the same; other two or three capitals in a row are letters, each with its name
_WORDS_IN_CAPITALS = (
    "AM|AN|AND|ANY|ARE|AS|AT|BE|BUT|BY|CAN|DAY|DID|DO|DUE|FOR|GET|GO|HAD|HAS|HE|HER|HIM|HIS|HOW|IF|IN|IS|IT|ITS|LET|MAY|ME|MY|"
    "NEW|NO|NOT|NOW|OF|OFF|OH|OK|OLD|ON|ONE|OR|OUR|OUT|OWN|PAN|PAY|PIN|RAM|SAY|SEE|SHE|SIM|SO|THE|TO|TOO|TWO|UP|USE|VAT|WAS|WAY|"
    "WE|WHO|WHY|YES|YET|YOU")
_AMOUNT = r"\d+(?:,\d+)*(?:\.\d+)?"
_ENDINGS = "com|org|net|edu|gov|info|io|ai|app|dev|co|in|uk|us|eu|de|fr|it|es|nl|ch|at|au|ca|jp|cn|br|ru|pl|se|no|ie|nz|tv|me"
_SIGNS = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", "+": "plus", "~": "tilde", "%": "percent"}
_PATTERN = re.compile("|".join((
    rf"(?P<address>(?<![\w@.+-])(?:[\w.+-]{{1,64}}@)?(?:[\w-]{{1,63}}\.)+(?:{_ENDINGS})\b(?![.@]\w)(?:/[\w/.~%+-]*\w)?)",
    rf"(?P<unit>INR|Rs|USD|EUR|GBP|[₹$€£])\.?\s?(?P<amount>{_AMOUNT})(?P<scale>\s(?:lakh|crore|thousand|million|billion)s?\b)?",
    rf"(?P<amount_2>{_AMOUNT})\s?(?P<unit_2>INR|USD|EUR|GBP|[₹€£])(?!\w)",
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?P<month>{_MONTH}),?(?:\s(?P<year>\d{{4}})\b)?",
    rf"(?P<month_2>{_MONTH})\s(?P<day_2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s(?P<year_2>\d{{4}})\b)?",
    r"(?<![\d/-])(?P<year_3>\d{4})-(?P<month_3>\d\d)-(?P<day_3>\d\d)(?![\d/-])",
    r"(?<![\d/.-])(?P<day_4>\d{1,2})[/.](?P<month_4>\d{1,2})[/.](?P<year_4>\d{4})(?![\d/-])",
    r"\b(?P<hour>[01]?\d|2[0-3])[:.](?P<minute>[0-5]\d)(?=\s?[ap]\.?m\b)|\b(?P<hour_2>[01]?\d|2[0-3]):(?P<minute_2>[0-5]\d)\b",
    r"\b(?P<ordinal>\d+)(?:st|nd|rd|th)\b",
    rf"(?P<percent>{_AMOUNT})\s?%",
    r"(?P<digits>\+\d[\d -]{5,}\d|\b0\d{5,}|(?<![\d,.])\d{7,}(?![\d,.]*\d))",
    rf"(?<![\w.])(?P<capitals>(?!(?:{_WORDS_IN_CAPITALS})(?!\w))[A-Z]{{2,3}})(?!\w)",
    rf"(?P<number>(?<![\w.])-?{_AMOUNT})",
    r"(?<!\S)(?P<short>(?i:mrs?|ms|dr|prof|smt|e\.g|i\.e|etc|vs|a/c|approx)\b\.?|[&+=](?!\S))")))


@dataclass(frozen=True)
class Piece:
    """A word as it is written, and what is said for it, one or more words; both with their punctuation."""

    written: str
    spoken: str


def _words(number, **how) -> str:
    """A whole number in words; in lakhs and crores with `lang="en_IN"`."""
    from num2words import num2words
    crores, rest = divmod(number, _CRORE)
    if how.get("lang") == "en_IN" and crores >= 100:  # where num2words ends: a thousand crores are said as such
        return f"{_words(crores, lang='en')} crore" + (f" {_words(rest, **how)}" if rest else "")
    return re.sub(r"[-,]", " ", num2words(number, **how)).replace("  ", " ")


def _number(text, indian=False) -> str:
    """A number in words; lakhs and crores where it is an Indian one, or its commas stand as they do in India."""
    indian = indian or bool(re.fullmatch(r"\d{1,2}(,\d\d)+,\d{3}(\.\d+)?", text))
    whole, _, decimals = text.replace(",", "").partition(".")
    said = _digits(whole) if len(whole) > LONGEST_NUMBER else _words(int(whole), lang="en_IN" if indian else "en")
    return said + (" point " + _digits(decimals) if decimals else "")


def _digits(text) -> str:
    return " ".join(_words(int(c)) if c.isdigit() else "plus" for c in text if c.isdigit() or c == "+")


def _money(unit, amount, scale) -> str:
    one, many, small = _UNITS[unit]
    whole, _, part = amount.replace(",", "").partition(".")
    indian = small == "paise"
    if scale:
        return f"{_number(amount, indian)} {scale.strip()} {many}"
    said = f"{_number(whole, indian)} {one if whole.lstrip('0') == '1' else many}"
    hundredths = int(part[:2].ljust(2, "0")) if part else 0
    return said + (f" and {_words(hundredths)} {small}" if hundredths else "")


def _date(day, month, year, month_first=False) -> str:
    said = _words(int(day), to="ordinal")
    parts = (month, said) if month_first else (said, month)
    return " ".join([*parts, *([_words(int(year), to="year")] if year else [])])


def _month(text) -> str:
    return next(name for name in _MONTHS if name.startswith(text.rstrip(".")[:3]))


def _expand(match) -> str:
    """What is said for one find of _PATTERN; a date that no calendar has is read as it stands."""
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    get = found.get
    if address := get("address"):
        return " ".join(re.sub(r"[^\w]|_", lambda sign: f" {_SIGNS[sign[0]]} ", address).split())
    if "unit" in found or "unit_2" in found:
        return _money(get("unit") or get("unit_2"), get("amount") or get("amount_2"), get("scale"))
    for end in ("_3", "_4"):
        if "month" + end in found:
            day, month = int(found["day" + end]), int(found["month" + end])
            in_a_year = 1 <= month <= len(_MONTHS) and 1 <= day <= 31
            return _date(day, _MONTHS[month - 1], found["year" + end]) if in_a_year else _digits(match[0])
    if "month" in found:
        return _date(found["day"], _month(found["month"]), get("year"))
    if "month_2" in found:
        return _date(found["day_2"], _month(found["month_2"]), get("year_2"), True)
    if hour := get("hour") or get("hour_2"):
        minute = int(get("minute") or found["minute_2"])
        on_the_hour = "o'clock" if "hour_2" in found else ""
        return f"{_words(int(hour))} {('oh ' * (minute < 10) + _words(minute)) if minute else on_the_hour}".strip()
    if "ordinal" in found:
        number = found["ordinal"]
        return _digits(number) if len(number) > LONGEST_NUMBER else _words(int(number), to="ordinal")
    if "percent" in found:
        return _number(found["percent"]) + " percent"
    if "digits" in found:
        return _digits(found["digits"])
    if "short" in found:
        return _SHORT[found["short"].lower().rstrip(".")]
    if "capitals" in found:
        return ".".join(found["capitals"])
    number = found["number"]
    if re.fullmatch(r"(1[1-9]|20)\d\d", number):
        return _words(int(number), to="year")
    return ("minus " if number.startswith("-") else "") + _number(number.lstrip("-"))


def _is_shouted(paragraph, match) -> bool:
    """Whether the sentence around a find is written in capitals: then its short words are words."""
    before, after = paragraph[max(0, match.start() - _NEAR):match.start()], paragraph[match.end():match.end() + _NEAR]
    sentence = re.split(r"[.!?]\s", before)[-1] + match[0] + re.split(r"[.!?](?:\s|$)", after, maxsplit=1)[0]
    return sentence.isupper() and bool(re.search(r"\s", sentence.strip()) or paragraph.isupper())


def _as_written(text) -> list:
    """A `Piece` of each word; one that no line of a caption holds, or a text that parts no words, in parts."""
    words = text.split()
    if any(len(word) > LONGEST_WORD for word in words):
        words = [part for word in words for part in (_PART.findall(word) if len(word) > LONGEST_WORD else [word])]
    return [Piece(word, word) for word in words]


def pieces(paragraph: str, language: str = "en") -> list:
    """The words of a paragraph, each with what is said for it.

    What is found grows to the blanks around it: "INR 5,053." is one `Piece`, spoken "five thousand and fifty three rupees.".
    In languages other than English the engine reads numbers itself.
    """
    paragraph = paragraph.replace("[[", "[ [")  # eSpeak NG would take what follows for phonemes
    made, at = [], 0
    for match in _PATTERN.finditer(paragraph) if language.startswith("en") else ():
        if match.start() < at:
            continue  # it touches the one before
        if match["capitals"] and _is_shouted(paragraph, match):
            continue
        before = re.search(r"\S*$", paragraph[at:match.start()])[0]  # type: ignore[index]  # both always match
        after = re.match(r"\S*", paragraph[match.end():])[0]  # type: ignore[index]
        if re.search(r"\w", before + after):
            continue  # a part of a word, as in B2B
        start, end = match.start() - len(before), match.end() + len(after)
        made += _as_written(paragraph[at:start])
        made.append(Piece(" ".join(paragraph[start:end].split()), before + _expand(match) + after))
        at = end
    return made + _as_written(paragraph[at:])


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
    text = plain(text)
    n_words = len(text.split())
    if n_words > MOST_WORDS:
        raise InputError(where, f"{n_words} words", f"at most {MOST_WORDS}, half an hour of speech", "say it in parts")
    if len(text) > MOST_CHARS:
        raise InputError(where, f"{len(text)} characters", f"at most {MOST_CHARS}, half an hour of speech", "say it in parts")
    if (longest := max(map(len, re.findall(r"\d[\d,.]*", text)), default=0)) > MOST_DIGITS:
        raise InputError(where, f"a number of {longest} characters", f"at most {MOST_DIGITS}", "write what should be said")
    letters = Counter(_script(char) for char in text if char.isalpha())
    if not letters and not any(char.isdigit() for char in text):
        raise InputError(where, "nothing to say", "at least one word", '--text "Good morning."')
    script = letters.most_common(1)[0][0] if letters else "LATIN"
    readers = _SCRIPTS.get(script, ())
    if script == "LATIN" or re.split(r"[-+]", voice)[0].lower() in readers:  # most voices read Latin letters beside their own
        return text
    raise InputError(where, f"{script.title()} letters, which the voice {voice} does not read",
                     f"a voice of that language: {', '.join(readers)}" if readers else "text in a language with a voice",
                     f"--voice {readers[0]}" if readers else "python -m speech.synthesize --list-voices")
