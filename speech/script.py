"""The text of a file, whatever program wrote it: UTF-8, UTF-16, UTF-32, or the Windows code page of a language.

Reads: a text file. Writes: nothing.
"""

import codecs
import unicodedata
from pathlib import Path

from core.errors import InputError, absent, command_line
from core.files import named_after
from speech import code_pages
from speech.speakable import MOST_WORDS

MOST_BYTES = 1_000_000  # of a script; the longest text of MOST_WORDS words has far fewer
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
          (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# The code page of Windows for a language; of those not named here, 1252
_PAGES = {1250: "pl cs sk hu sl hr bs ro sq", 1251: "ru uk bg mk be sr kk ky tt ba cv", 1253: "el", 1254: "tr az", 1255: "he",
          1256: "ar fa ur sd ug", 1257: "et lv lt", 1258: "vi", 874: "th", 932: "ja", 936: "cmn zh", 949: "ko"}
_PAGE_OF = {language: page for page, languages in _PAGES.items() for language in languages.split()}
_OTHER_FORMATS = ((b"%PDF", "a PDF"), (b"{\\rtf", "an RTF file"), (b"PK\3\4", "a file of Word or another office program"),
                  (b"\xd0\xcf\x11\xe0", "a file of an old Word"))
_CONTROL_SHARE = 0.1  # of the characters of a text
_SAVE_IT = "save it as plain text (.txt, UTF-8)"
_WESTERN = "1252"


def _unmarked_utf_16(data) -> str:
    """The byte order of UTF-16 without a mark, by the zeros of its blanks and Latin letters; empty where there are none."""
    zeros = data[::2].count(0), data[1::2].count(0)
    if max(zeros) < len(data) / 20 or min(zeros) > max(zeros) / 10:
        return ""
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _page_of(voice) -> str:
    return f"cp{_PAGE_OF.get(voice.partition('+')[0].partition('-')[0].lower(), _WESTERN)}"


def _not_text(path, found, cure=_SAVE_IT):
    return InputError(path, found, "a text file in UTF-8", cure)


def _in_utf_8(path, encoding) -> str:
    out = named_after(path.with_suffix(""), f"-utf8{path.suffix}")
    return f"{command_line('iconv', '-f', encoding, '-t', 'UTF-8', path)} > {command_line(out)}"


def _decoded(data, path, voice) -> str:
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    encoding = encoding or (_unmarked_utf_16(data) if b"\0" in data else "utf-8")
    if not encoding:
        raise _not_text(path, "zero bytes in it: not a text")
    try:
        return data[len(mark):].decode(encoding)
    except UnicodeDecodeError:
        lenient = data[len(mark):].decode(encoding, errors="replace")
    n_broken, n_beyond = lenient.count("\ufffd"), sum(char > "\x7f" for char in lenient)
    if encoding != "utf-8" or mark or 2 * n_broken < n_beyond:
        raise _not_text(path, f"damaged {encoding.upper()}: {n_broken} characters are broken")
    page = _page_of(voice)
    if code_pages.fits(data, page):
        return data.decode(page)
    if other := code_pages.guess(data):
        raise _not_text(path, f"not UTF-8, and no {voice} in the Windows code page of it",
                        _in_utf_8(path, code_pages.iconv_name(other)))
    raise _not_text(path, f"neither UTF-8 nor the Windows code page of {voice}")


def read_script(path: str | Path, voice: str = "en") -> str:
    """The text of a file in UTF-8, UTF-16, UTF-32, or the Windows code page of the language of `voice`.

    Raises
    ------
    InputError : missing, too large, or not text.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, absent(path), "a text file")
    if path.stat().st_size > MOST_BYTES:
        raise InputError(path, f"{path.stat().st_size} bytes", f"a script of at most {MOST_WORDS} words", "say it in parts")
    data = path.read_bytes()
    if found := next((found for start, found in _OTHER_FORMATS if data.startswith(start)), ""):
        raise _not_text(path, found)
    text = _decoded(data, path, voice)
    if sum(unicodedata.category(char) == "Cc" and not char.isspace() for char in text) > _CONTROL_SHARE * len(text):
        raise _not_text(path, "control characters in it: not a text")
    return text
