"""Amounts, dates, times, numbers, units and abbreviations as words, in English: where they stand, and what is said.

Reads, writes: nothing.
Numbers are put into words by num2words; what they stand for is found here.
"""

import re

from speech.abbreviations import (
    CURRENCIES,
    LETTERS,
    NUMBERED,
    SHORT,
    SHORT_BEFORE_NUMBER,
    SHORT_WITH_DOT,
    UNITS,
    WORDS_IN_CAPITALS,
)

NEAR = 200  # characters around a word that are looked at
LONGEST_NUMBER = 15  # digits; a longer number is read digit by digit
_CRORE = 10_000_000
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")
_MONTH = "(?:" + "|".join(rf"{name}\b|{name[:3]}\b\.?" for name in _MONTHS) + ")"
_AMOUNT = r"\d+(?:,\d+)*(?:\.\d+)?"
_ENDINGS = "com|org|net|edu|gov|info|io|ai|app|dev|co|in|uk|us|eu|de|fr|it|es|nl|ch|at|au|ca|jp|cn|br|ru|pl|se|no|ie|nz|tv|me"
_UNIT = "|".join(map(re.escape, sorted(UNITS, key=len, reverse=True)))
_YEAR = re.compile(r"(1[1-9]|20)\d\d")
_NUMBERED = re.compile(rf"(?i)(?<!\w)(?:{NUMBERED})(?:\s(?:number|no\.?|code))?(?:\sis|:)?\s(?:[\d-]+\s)*$")
_SIGNS = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", "+": "plus", "~": "tilde", "%": "percent"}
PATTERN = re.compile("|".join((
    rf"(?P<address>(?<![\w@.+-])(?:[\w.+-]{{1,64}}@)?(?:[\w-]{{1,63}}\.)+(?:{_ENDINGS})\b(?![.@]\w)(?:/[\w/.~%+-]*\w)?)",
    rf"(?P<unit>INR|Rs|USD|EUR|GBP|[₹$€£])\.?\s?(?P<amount>{_AMOUNT})(?P<scale>\s(?:lakh|crore|thousand|million|billion)s?\b)?",
    rf"(?P<amount_2>{_AMOUNT})\s?(?P<unit_2>INR|USD|EUR|GBP|[₹€£])(?!\w)",
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?P<month>{_MONTH}),?(?:\s(?P<year>\d{{4}})\b)?",
    rf"(?P<month_2>{_MONTH})\s(?P<day_2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s(?P<year_2>\d{{4}})\b)?",
    r"(?<![\d/-])(?P<year_3>\d{4})-(?P<month_3>\d\d)-(?P<day_3>\d\d)(?![\d/-])",
    r"(?<![\d/.-])(?P<day_4>\d{1,2})[/.](?P<month_4>\d{1,2})[/.](?P<year_4>\d{4})(?![\d/-])",
    r"\b(?P<hour>[01]?\d|2[0-3])[:.](?P<minute>[0-5]\d)\s?(?P<half_2>[apAP])\.?[mM]\b|\b(?P<hour_2>[01]?\d|2[0-3]):(?P<minute_2>[0-5]\d)\b",
    r"\b(?P<hour_3>1[0-2]|0?[1-9])\s?(?P<half>[apAP])\.?[mM]\b",
    r"(?<!\w)(?P<masked>[Xx]{2,}[ -]?\d{2,})(?!\w)",
    rf"(?P<size>(?<![\w.])-?{_AMOUNT})\s?(?P<measure>{_UNIT})(?![\w/'’])",
    r"(?<![\w.,/-])(?P<from>\d{1,4})\s?[-–]\s?(?P<to>\d{1,4})(?![\w/-]|[.,]\d)",
    rf"(?<!\S)(?:(?P<numbered>(?i:{'|'.join(SHORT_BEFORE_NUMBER)}))\.\s?|#)(?P<count>\d+)(?!\w)",
    r"\b(?P<ordinal>\d+)(?:st|nd|rd|th)\b",
    rf"(?P<percent>{_AMOUNT})\s?%",
    r"(?P<digits>\+\d[\d -]{5,}\d|(?<![\d,.-])(?:\d{5}\s\d{5}|\d{3}[ -]\d{3}[ -]\d{4}|1[89]00[ -]\d{3}[ -]\d{3,4}|"
    r"\(?0\d{2,4}\)?[ -]\d{3,4}[ -]?\d{4}|(?:\d{4}[ -]){2,3}\d{4})(?![\d,.-]*\d)|\b0\d{5,}|(?<![\d,.])\d{7,}(?![\d,.]*\d))",
    r"(?<!\S)(?P<short>(?i:mrs?|ms|dr|prof|smt|e\.g|i\.e|etc|vs|a/c|approx|24/7|w/o)\b\.?|[&+=](?!\S))",
    rf"(?<![\w.])(?P<capitals>(?!(?:{WORDS_IN_CAPITALS})(?:s?\b))(?:[A-Z]{{2,3}}|{LETTERS}|[B-DF-HJ-NP-TV-Z]{{4,5}}))(?P<several>s?)(?!\w)",
    rf"(?P<number>(?<![\w.])-?{_AMOUNT})",
    rf"(?<!\S)(?P<dotted>(?i:{'|'.join(SHORT_WITH_DOT)}))\.(?!\w)")))


def _words(number, **how) -> str:
    """A whole number in words; in lakhs and crores with `lang="en_IN"`: a lakh crores are one lakh crore."""
    from num2words import num2words
    crores, rest = divmod(number, _CRORE)
    if how.get("lang") == "en_IN" and crores >= 100:  # where num2words ends: a thousand crores are said as such
        return f"{_words(crores, **how)} crore" + (f" {_words(rest, **how)}" if rest else "")
    return re.sub(r"[-,]", " ", num2words(number, **how)).replace("  ", " ")


def _number(text, indian=False) -> str:
    """A number in words; lakhs and crores where it is an Indian one, or its commas stand as they do in India."""
    indian = indian or bool(re.fullmatch(r"\d{1,2}(,\d\d)+,\d{3}(\.\d+)?", text))
    whole, _, decimals = text.replace(",", "").partition(".")
    said = _digits(whole) if len(whole) > LONGEST_NUMBER else _words(int(whole), lang="en_IN" if indian else "en")
    return said + (" point " + _digits(decimals) if decimals else "")


def _signed(text) -> str:
    return ("minus " if text.startswith("-") else "") + _number(text.lstrip("-"))


def _range(low, high) -> str:
    """5-7 is five to seven; what does not rise is no range, and is read as it stands."""
    if int(low) >= int(high) or len(low) > 1 and low[0] == "0":
        return " ".join(_number(part) if part[0] != "0" else _digits(part) for part in (low, high))
    return " to ".join(_words(int(part), to="year") if _YEAR.fullmatch(part) else _number(part) for part in (low, high))


def _digits(text) -> str:
    return " ".join(_words(int(c)) if c.isdigit() else "plus" for c in text if c.isdigit() or c == "+")


def _money(unit, amount, scale) -> str:
    one, many, small = CURRENCIES[unit]
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


def expand(match: re.Match) -> str:
    """What is said for one find of PATTERN; a date that no calendar has is read as it stands."""
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
        after = f"{get('half_2', '').upper()}.M" if "half_2" in found else "" if minute else "o'clock"
        return " ".join(filter(None, (_words(int(hour)), ("oh " * (minute < 10) + _words(minute)) * bool(minute), after)))
    if "hour_3" in found:
        return f"{_words(int(found['hour_3']))} {found['half'].upper()}.M"
    if "masked" in found:
        return _digits(found["masked"])
    if "measure" in found:
        one, many = UNITS[found["measure"]]
        return f"{_signed(found['size'])} {one if found['size'] == '1' else many}"
    if "from" in found:
        return _range(found["from"], found["to"])
    if "ordinal" in found:
        number = found["ordinal"]
        return _digits(number) if len(number) > LONGEST_NUMBER else _words(int(number), to="ordinal")
    if "percent" in found:
        return _number(found["percent"]) + " percent"
    if "digits" in found:
        return _digits(found["digits"])
    if "short" in found:
        return SHORT[found["short"].lower().rstrip(".")]
    if "dotted" in found:
        return SHORT_WITH_DOT[found["dotted"].lower()]
    if "count" in found:
        return f"{SHORT_BEFORE_NUMBER[get('numbered', 'no').lower()]} {_number(found['count'])}"
    if "capitals" in found:
        return ".".join(found["capitals"]) + "'s" * bool(found["several"])
    number = found["number"]
    if number.isdigit() and _NUMBERED.search(match.string[max(0, match.start() - NEAR):match.start()]):
        return _digits(number)
    return _words(int(number), to="year") if _YEAR.fullmatch(number) else _signed(number)
