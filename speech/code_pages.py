"""Which code page a text of 8-bit characters is written in: by the letters that its languages use most, and where they stand.

Reads, writes: nothing. A text of a few words may fit several: then nothing is guessed.
Letters by frequency: Wikipedia's tables of letter frequencies.
"""

import re
import unicodedata

_LATIN = "éèàêçùôîâëïûüöäßñáíóúãõåøæœ’‘“”–—…«»€°¿¡§"
_CYRILLIC, _GREEK = "оеаинтсрвлкмдпуяыь", "αοιετσνηυρπκμάέήίόύώς"
_HEBREW, _ARABIC = "יוהלארתבשמנ", "اليمونرتبةعدسفهكأ"
_CENTRAL = "ąęłśżźćńóšžčřěýáíéůúťďňőűöüăâîşţđäôľ„”"
_COMMON = {  # Python's name of a page -> the letters outside of ASCII that its languages use most
    "cp1252": _LATIN, "mac_roman": _LATIN, "cp850": _LATIN, "cp1250": _CENTRAL, "iso8859_2": _CENTRAL,
    "cp1254": "ığşçöüİâ’“”", "cp1257": "āčēģīķļņšūžąęėįųõäöü„“", "cp1251": _CYRILLIC + "іїєґўђјљњћџ", "koi8_r": _CYRILLIC,
    "cp866": _CYRILLIC, "iso8859_5": _CYRILLIC, "cp1253": _GREEK, "iso8859_7": _GREEK,
    "cp1255": _HEBREW, "cp1256": _ARABIC, "cp874": "านรอกเงมยลวดทสตะปบคหแจพชขใไโ่้าิีุู็์ัำ", "cp932": "", "euc_jp": "", "gb18030": "",
    "big5": "", "cp949": ""}
_OF_ICONV = {"mac_roman": "MACINTOSH", "koi8_r": "KOI8-R", "iso8859_2": "ISO-8859-2",
             "iso8859_5": "ISO-8859-5", "iso8859_7": "ISO-8859-7", "euc_jp": "EUC-JP"}
# Rows of the pages of two bytes that hold the characters of every day
_DAILY_ROWS = {"gb18030": range(0xB0, 0xD8), "big5": range(0xA4, 0xC7), "cp949": range(0xB0, 0xC9)}
_KANA = range(0x3041, 0x30FF)
_ODD = -1.0  # for a character that stands where none of its kind does
_SHOUTED = 0.75  # of a letter in a word of capitals, which are rare
SURE, _AHEAD, _FEWEST = 0.45, 0.12, 4  # score of a guess, how far others must be behind, bytes outside of ASCII
_FAR_AHEAD = 0.3  # of the page of the voice's language


def _of_place(char, before, after) -> float:
    """What speaks against a character outside of ASCII between two others."""
    if not char.isalpha() and before.isalpha() and after.isalpha() and char not in "’‘·" and not unicodedata.combining(char):
        return _ODD
    beside = [other for other in (before, after) if other.isalpha()]
    if not char.isalpha() or not beside:
        return _ODD if beside and unicodedata.category(char)[0] == "S" else 0.0
    if unicodedata.name(char, "").startswith("LATIN"):  # among letters of ASCII, not in a row of others
        return _ODD if len(beside) == 2 and not any(map(str.isascii, beside)) else 0.0
    return _ODD if any(map(str.isascii, beside)) else 0.0


def _is_cased(word) -> bool:
    """Whether its capitals stand where words have them."""
    return word.isupper() or word[1:] == word[1:].lower()


def fit(data: bytes, page: str) -> float:
    """How well `data` reads in `page`: the share of letters that its languages use most, less those in odd places; -1..1."""
    try:
        text = data.decode(page)
    except UnicodeDecodeError:
        return -1.0
    page = {"cp936": "gb18030"}.get(page, page)
    if page not in _COMMON:
        return SURE
    beyond = [i for i, char in enumerate(text) if char > "\x7f"]
    if not beyond:
        return 0.0
    if page in _DAILY_ROWS:
        rows = [char.encode(page)[0] in _DAILY_ROWS[page] for i in beyond if (char := text[i]).isalpha()]
        return sum(rows) / len(beyond) if rows else 0.0
    if page in ("cp932", "euc_jp"):
        return min(1.0, 2 * sum(ord(text[i]) in _KANA for i in beyond) / len(beyond))
    oddly_cased = {i for word in re.finditer(r"[^\W\d_]+", text) if not _is_cased(word[0]) for i in range(*word.span())}
    total = 0.0
    for i in beyond:
        against = _ODD if i in oddly_cased else _of_place(text[i], text[i - 1:i], text[i + 1:i + 2])
        total += against or (text[i].lower() in _COMMON[page]) * (_SHOUTED if text[i - 1:i + 1].isupper() and i else 1)
    return total / len(beyond)


def guess(data: bytes) -> str:
    """The page that `data` is written in, empty where several fit about as well, or there is little to go by."""
    if sum(byte > 0x7F for byte in data) < _FEWEST:
        return ""
    scores = {page: fit(data, page) for page in _COMMON}
    page = max(scores, key=scores.__getitem__)
    rivals = [score for other, score in scores.items() if score > -1 and data.decode(other) != data.decode(page)]
    return page if scores[page] >= SURE and scores[page] - max(rivals, default=-1) >= _AHEAD else ""


def fits(data: bytes, page: str) -> bool:
    """Whether `data` reads well in `page`, and in no other much better."""
    own, best = fit(data, page), max(fit(data, other) for other in _COMMON)
    return own > 0 and own > best - (_FAR_AHEAD if own >= SURE else _AHEAD)


def iconv_name(page: str) -> str:
    """What the program iconv calls a page."""
    return _OF_ICONV.get(page, page.upper())
