"""What a text means when it is read aloud: signs of Markdown, HTML and subtitles, emoji and long addresses go.

Reads: text. Writes: nothing. Words stay, but for those that a page hides, and those that describe a subtitle.
Sources: CommonMark 0.31 and the tables of GitHub; HTML; SSML; SubRip, WebVTT (W3C), SubViewer, Advanced SubStation, LRC.
"""

import re
import unicodedata
from html import unescape
from urllib.parse import urlsplit

from speech.subtitles import said_in_subtitles

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028]")
_ESCAPE_CODES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours of a terminal
# Emoji with what joins and colours them, and what has no width; signs that are read, such as arrows, are not among them
_UNSEEN = re.compile("\u200d?[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\ufe00-\ufe0f\u20e3"
                     "\U000e0020-\U000e007f\u200b\u200e\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\u00ad\ufffc"
                     "\ue000-\uf8ff]")
# Letters of other shapes: ligatures, wide ones, and the bold and script letters of social media
_SHAPED = re.compile("[\ufb00-\ufb06\uff01-\uff5e\U0001d400-\U0001d7ff\u2460-\u2473]+")
_TWICE_ENCODED = re.compile("Ã[\x80-\xbf\u0152-\u2122]|â€|Â[\xa0-\xbf]|à¤")  # UTF-8 that was taken for Windows-1252
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});")

_APART = set(re.findall(r"\S+", (
    "address article aside blockquote body br break center dd details div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr html legend main nav ol option p paragraph pre section speak summary table "
    "tbody tfoot thead title tr ul li td th caption")))
_WITHIN = set(re.findall(r"\S+", (
    "a abbr acronym amazon:effect audio b bdi bdo big button cite code data del dfn emphasis em font i img input ins "
    "kbd label lang mark mstts:express-as meta link path phoneme prosody q s s1 samp say-as small span strike strong "
    "sub sup svg time tt u var voice wbr lexicon base col colgroup iframe video source picture lookup w")))
_HIDDEN = {"script", "style", "template", "noscript", "head"}
_KNOWN = "|".join(sorted(_APART | _WITHIN | _HIDDEN, key=len, reverse=True))
_TAG = re.compile(rf"<!--|<!doctype|<\?xml|</?(?:{_KNOWN})(?=[\s/>])", re.I)
_ANY_TAG = re.compile(r"(</?[a-zA-Z][^<>]*>|<[!?][a-zA-Z][^<>]*>)")
_NAME = re.compile(r"(?s)<[/!?]?([^\s/<>]*).*")
_SAID_FOR = re.compile(r"""\s(?:alt|alias)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""", re.I)
_LENGTH = re.compile(r"""\stime\s*=\s*["'](\d+(?:\.\d+)?m?s)["']""", re.I)
_A_PAGE = re.compile(r"<(?:!doctype|html|body)\b", re.I)

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_FRONT_MATTER = re.compile(r"\A\s*---\n(?:(?:[\w-]+:|\s|- ).*\n|\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_QUOTED = re.compile(r"^(?:\s*>)+[ \t]?")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})[^`~]*$")
_RULE = re.compile(r"\s*(?:([-=*_])(?:\s*\1){2,}|=+|--+)\s*$")
_HEADING = re.compile(r"\s*#{1,6}\s+(.*?)(?:\s+#+)?\s*$")
_ALERT = re.compile(r"\s*\[!(\w+)\]\s*$")
_ITEM = re.compile(r"\s*(?:[-*+•◦▪▫‣⁃·●○■□–—→]\s+(?:\[[ xX]\]\s+)?|(\d{1,3}[.)])\s+)(.*)$")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_BELOW_HEADS = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_DEFINED = re.compile(r"\s*\[[^\]^]+\]:\s+<?(?:\w+:|[/#.]|\S+\.\S)\S*(?:\s+[\"'(].*)?\s*$")
_NOTE = re.compile(r"^\s*\[\^[^\]]+\]:\s*")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)")
_LINKS = ((_LINK, r"\1"), (_LINK, r"\1"),  # twice: a picture in a link
          (re.compile(r"<(?:mailto:)?([^\s<>]+[@:.][^\s<>]+)>"), r"\1"),
          (re.compile(r"\[\^[^\]\s]+\](?!:)|(?<=[\w.,;:!?)\"”’])(?:\[\d{1,3}\])+|【[^】]{0,40}†[^】]{0,40}】"), ""),
          (re.compile(r"\[([^\[\]]+)\]\[[^\[\]]*\]"), r"\1"))
_INLINE = ((re.compile(r"`+|~~|(?<!\w)(?:==|\|\|)(?=\w)|(?<=[\w.!?])(?:==|\|\|)(?!\w)"), ""), (re.compile(r"_{3,}(?!\w)"), " "),
           (re.compile(r"(?<![^\W_])_+(?=[^\s_])|(?<=[^\s_])_+(?![^\W_])"), ""))
_MARKED = (  # below and above the line, inserted, a line that ends by hand, names of emoji
    (re.compile(r"(?<=\w)([~^])([\w+-]{1,8})\1(?!\1)"), r"\2"), (re.compile(r"\+\+(?=\w)([^+\n]+)(?<=\S)\+\+(?!\+)"), r"\1"),
    (re.compile(r"\\(?=\n)"), ""), (re.compile(r"(?<![\w:]):(?:(?=\w*[a-z])[a-z0-9_+-]{2,40}|[+-]1):(?![\w:])"), ""))
_STARS = re.compile(r"(?<!\*)([^*\n]?)(\*+)(?=(.?))")
_ADDRESS = re.compile(r"\b(?:https?|ftp)://[^\s<>\"“”|]+|\bmailto:(?=\S)|\bwww\.[^\s<>\"“”|]+", re.I)
_AFTER_ADDRESS = ".,;:!?'’*_~)]}"
_LONGEST_PATH = 40  # characters of an address that are read; a longer one is for machines
EMPHASIS, NO_EMPHASIS = "\u2062", "\u2063"  # around what is stressed: no text has them, for what nobody sees has gone
_STRESSED = re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])([^*\n]{0,199}[^\s*\\])\1(?![\w*])")
_KEPT_UNDERSCORE = chr(0xE000 + ord("_"))
_ENDED = re.compile(r"[^\w%)\]\"'”’»$€£₹°]$")


def _once_encoded(text) -> str:
    """Undo that UTF-8 was read as Windows-1252 and written again: cafÃ© is café."""
    if _TWICE_ENCODED.search(text):
        try:
            return text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            pass
    return text


def _plain_characters(text) -> str:
    text = _LINE_ENDS.sub("\n", _ESCAPE_CODES.sub("", _once_encoded(text))).replace("\u2029", "\n\n")
    text = _SHAPED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _UNSEEN.sub("", text))
    text = "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)
    return unicodedata.normalize("NFC", text)


def _without_comments(text) -> str:
    first, *others = text.split("<!--")
    return first + "".join(part.partition("-->")[2] if "-->" in part else "<!--" + part for part in others)


class _Page:
    """HTML or SSML as lines of Markdown; what is no tag of either stays as it stands."""

    def __init__(self, text):
        self.made, self.hidden, whole = list[str](), "", bool(_A_PAGE.search(text))
        for part in _ANY_TAG.split(_without_comments(text)):
            tag = _ANY_TAG.fullmatch(part)
            name = _NAME.sub(r"\1", part).lower() if tag else ""
            if tag and (name in _APART | _WITHIN | _HIDDEN or part[1] in "!?"):
                self._end(name) if part[1] == "/" else self._begin(name, part)
            elif not self.hidden:
                self.made.append(re.sub(r"\s+", " ", part) if whole else part)

    def _begin(self, name, tag):
        if self.hidden:
            return
        said = _SAID_FOR.search(tag)
        if (name in _HIDDEN or (name == "sub" and said)) and not tag.endswith("/>"):
            self.hidden = name
        if said and name in ("img", "sub"):
            self.made.append(said[1].strip("\"'"))
        elif name == "break" and (length := _LENGTH.search(tag)):
            self.made.append(f" [pause {length[1]}] ")
        elif name == "emphasis":
            self.made.append("*")
        elif name in _APART:
            self.made.append({"li": "\n- ", "tr": "\n| ", "br": "\n", "td": "", "th": ""}.get(name, "\n\n"))

    def _end(self, name):
        if self.hidden:
            self.hidden = "" if self.hidden == name else self.hidden
        elif name == "emphasis":
            self.made.append("*")
        elif name in _APART and name not in ("li", "tr", "br", "break"):
            self.made.append(" | " if name in ("td", "th") else "\n\n")


def _without_tags(text) -> str:
    return "".join(_Page(text).made) if _TAG.search(text) else text


def _ended(text) -> str:
    """A line of a list as a sentence."""
    text = text.strip()
    return text if not text or _ENDED.search(text.rstrip("*_~`")) else text + "."


def _cells(line) -> str:
    return _ended(", ".join(cell for cell in map(str.strip, line.strip().strip("|").split("|")) if cell))


def _is_block(line) -> bool:
    return not line.strip() or any(form.match(line) for form in (_FENCE, _RULE, _HEADING, _ITEM, _ROW, _QUOTED, _NOTE))


def _without_blocks(text) -> str:
    """Headings, lists, tables, quotes and rules as paragraphs and sentences."""
    lines = [_QUOTED.sub("", line) for line in _FRONT_MATTER.sub("", text).split("\n")]
    made, i, in_table = [], 0, False
    while i < len(lines):
        line, following = lines[i], lines[i + 1] if i + 1 < len(lines) else ""
        i += 1
        heads = "|" in line and "|" in following and bool(_BELOW_HEADS.match(following))
        in_table = "|" in line and (heads or in_table)
        if _FENCE.match(line) or _DEFINED.match(line) or ("|" in line and _BELOW_HEADS.match(line)):
            continue
        if in_table or _ROW.match(line):
            made.append(_cells(line))
        elif _RULE.match(line):
            made.append("")
        elif found := _HEADING.match(line) or _ALERT.match(line):
            made += ["", found[1], ""]
        elif found := _ITEM.match(line):
            item = [f"{found[1] or ''} {found[2]}"]
            while i < len(lines) and not _is_block(lines[i]):
                item.append(lines[i].strip())
                i += 1
            made.append(_ended(" ".join(item)))
        else:
            made.append(_NOTE.sub("", line))
    return "\n".join(made)


def _without_stars(found) -> str:
    """Stars are marks of emphasis and notes, but for one that multiplies: 2 * 3, 2*3, a * b."""
    before, stars, after = found.groups()
    multiplies = len(stars) == 1 and ((before + after).isdigit() or (before + after).isspace() and len(before + after) == 2)
    return found[0] if multiplies else before


def _short_address(found) -> str:
    """An address as people say it: without protocol, query, and a path that is for machines."""
    address = found[0].rstrip(_AFTER_ADDRESS)
    after = found[0][len(address):]
    if address.lower() == "mailto":  # its colon is the rest
        return ""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
    except ValueError:
        return found[0]
    host, path = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
    return (host + (path if len(path) <= _LONGEST_PATH else "")).replace("_", _KEPT_UNDERSCORE) + after


def plain(text: str) -> str:
    """What is read aloud of a text that people paste or save: Markdown, HTML, SSML, subtitles, or plain already.

    Words stay, and so do the blank lines that part paragraphs; text without marks is returned as it is, but for characters that
    nobody sees or reads.
    """
    return re.sub(f"[{EMPHASIS}{NO_EMPHASIS}]", "", with_marks(text))


def with_marks(text: str) -> str:
    """The same, with EMPHASIS and NO_EMPHASIS around what is *stressed*."""
    text = _plain_characters(text)
    subtitles = said_in_subtitles(text)
    text = _without_tags(text if subtitles is None else subtitles)
    text = _ENTITY.sub(lambda found: unescape(found[0]), text)
    text = _ESCAPED.sub(lambda found: chr(0xE000 + ord(found[1])), re.sub(r"[^\S\n]+", " ", text))
    text = _without_blocks(text)
    for form, said in _LINKS:
        text = form.sub(said, text)
    text = _STRESSED.sub(rf"{EMPHASIS}\2{NO_EMPHASIS}", text)
    text = _STARS.sub(_without_stars, _ADDRESS.sub(_short_address, text))
    for form, said in (*_INLINE, *_MARKED):
        text = form.sub(said, text)
    text = re.sub("[\ue000-\ue0ff]", lambda found: chr(ord(found[0]) - 0xE000), text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()
