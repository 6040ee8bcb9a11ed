"""What people paste and save is read like the plain text it means, whatever its signs and its encoding."""

import time

import pytest

from core.errors import InputError
from core.media.words import LONGEST_WORD
from speech import espeak
from speech.plain import EMPHASIS, NO_EMPHASIS, plain
from speech.script import read_script
from speech.speakable import check_text, pieces
from speech.subtitles import said_in_subtitles

MARKED = {  # what it is -> as it is written, as it is read
    "heading": ("# Title #\nBody", "Title\n\nBody"),
    "underlined heading": ("Title\n=====\nBody", "Title\n\nBody"),
    "emphasis": (
        "**Note:** a ***very*** *good* _thing_, __really__, ~~bad~~ ==fine==",
        "Note: a very good thing, really, bad fine",
    ),
    "link": ('[there](https://example.org/a?b=c) [x](u "title") [y][1] [![logo](i.png)](u)', "there x y logo"),
    "link with brackets": ("a [page](https://e.org/wiki/A_(b)_and_a_very_long_path_that_nobody_reads_aloud).", "a page."),
    "definition": ("See [it][1].\n\n[1]: https://example.org 'It'", "See it."),
    "address": ("See https://example.org/a_b/?q=1, (www.x.org).", "See example.org/a_b, (www.x.org)."),
    "long address": (f"See https://example.org/{'x' * 300}.", "See example.org."),
    "mail": ("<me@x.org>, mailto:b@x.org", "me@x.org, b@x.org"),
    "list": ("- Milk\n* **Bread**\n  and butter\n• Eggs!\n+ [x] Done", "Milk.\nBread and butter.\nEggs!\nDone."),
    "numbered list": ("1. One\n2) Two", "1. One.\n2) Two."),
    "quote": ("> Quoted\n> > twice", "Quoted\ntwice"),
    "table": ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a, b.\n1, 2."),
    "bare table": ("A | B\n--|--\n5 | 6\n\nx | y", "A, B.\n5, 6.\n\nx | y"),
    "code": ("```python\nprint\n```\nand `x`", "print\nand x"),
    "rule": ("a\n\n---\n***\nb", "a\n\nb"),
    "front matter": ("---\ntitle: x\n---\nBody", "Body"),
    "notes": ("A fact[^1] and more.[2][3]\n\n[^1]: Its source.", "A fact and more.\n\nIts source."),
    "escapes": (r"\*no\* \# 5 \_x\_", "*no* # 5 _x_"),
    "sums": ("2 * 3, 2*3, snake_case, I <3 a < b", "2 * 3, 2*3, snake_case, I <3 a < b"),
    "placeholders": ("Dear <Name>, [Anna]: hi", "Dear <Name>, [Anna]: hi"),
    "page": (
        "<!doctype html><html><head><title>T</title></head><body><h1>Hi</h1><p>A &amp;\n b<br>c</p><script>x</script><!-- y -->"
        "<ul><li>m<li>n</ul><img alt='a cat'></body>",
        "Hi\n\nA & b\nc\n\nm.\nn.\n\na cat",
    ),
    "tags": ("A <b>b</b>&nbsp;c &lt;d&gt; AT&T", "A b c <d> AT&T"),
    "page's table": ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A, B.\n1, 2."),
    "SSML": (
        '<speak>Hi<break time="1s"/><sub alias="World Wide Web">WWW</sub> <emphasis>now</emphasis></speak>',
        "Hi [pause 1s] World Wide Web now",
    ),
    "emoji": ("Hi 👨‍👩‍👧👍🏽 1️⃣ ❤️🇮🇳!", "Hi 1 !"),
    "unseen": ("soft\u00adware zero\u200bwidth\ufeff \x1b[31mred\x1b[0m", "software zerowidth red"),
    "shapes": ("𝗯𝗼𝗹𝗱 ﬁne ＡＢ cafe\u0301", "bold fine AB café"),
    "twice encoded": ("CafÃ© donâ€™t", "Café don’t"),
    "joined letters": ("می\u200cخواهم क\u094d\u200dष", "می\u200cخواهم क\u094d\u200dष"),
    "line ends": ("a\r\nb\rc\u2029d", "a\nb\nc\n\nd"),
    ".srt": (
        "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> there.\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}- In 1984\n1985\n",
        "Hello there.\nIn 1984\n1985",
    ),
    ".srt without blank lines": ("1\n0:00:01.000 --> 0:00:02.500\nHello\n2\n0:00:03.0 --> 0:00:04.0\nYou", "Hello\nYou"),
    ".vtt": (
        "WEBVTT - t\nKind: captions\n\nNOTE x\ny\n\nid one\n00:01.000 --> 00:02.000 align:start\n"
        "<v Bob>Hi <c.x>you</c> &amp; me\n\n00:03.000 --> 00:04.000\nHi you &amp; me\n<00:03.500>Bye ♪",
        "Hi you & me\nBye",
    ),
    ".sbv": ("0:00:01.000,0:00:02.000\nHello\n\n0:00:03.000,0:00:04.000\nyou", "Hello\nyou"),
    ".ass": (
        "[Script Info]\nTitle: x\n[Events]\nFormat: a\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\b1}Hi, you\\Nthere",
        "Hi, you there",
    ),
    ".lrc": ("[ar:me]\n[00:01.20]La la\n[00:03][00:09]Lo", "La la\nLo"),
    "transcript": ("0:00 Hello\n0:05 there", "Hello\nthere"),
    "hours of a day": ("10:00 Breakfast\n11:00 Tour", "10:00 Breakfast\n11:00 Tour"),
}


@pytest.mark.parametrize("name", MARKED)
def test_marks_are_not_read(name):
    written, said = MARKED[name]
    assert plain(written) == said
    checked = check_text(written, "ar" if name == "joined letters" else "en-in", "--text")
    assert checked.replace(EMPHASIS, "").replace(NO_EMPHASIS, "") == said


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        "A line\nand another\n\nAfter a pause - yes.",
        "“Quote” – it’s… 50% of #1, C# and a/b!",
        "INR 5,053 by 31/12/2024 (at 5:30 pm); -5 °C",
        "[[h@loU]]",
        "Grüße 你好 नमस्ते Привет",
    ],
)
def test_plain_text_stays(text):
    assert plain(text) == plain(plain(text)) == text
    assert said_in_subtitles(text) is None


@pytest.mark.parametrize(
    "mark",
    [
        "<!--",
        "<a ",
        "<b",
        "[",
        "*",
        "_ ",
        "* ",
        "[a](",
        "| ",
        "a|b\n-|-\n",
        "&#",
        "<p>",
        "`",
        "- ",
        "  ",
        "\\",
        "0:00 ",
        "http://",
        "a-",
        "AB ",
        "a@b.",
        "</p ",
    ],
)
def test_many_marks_take_no_longer(mark):
    began = time.process_time()
    pieces(plain(mark * (30_000 // len(mark))))
    assert time.process_time() - began < 5  # a hundredth of it; what grows with the square takes minutes


@pytest.mark.parametrize(
    "curly, straight", [("I’m “here”, don’t", "I'm \"here\", don't"), ("cafe\u0301", "café"), ("HELLO THERE", "hello there")]
)
def test_the_voice_says_the_same(curly, straight):
    assert espeak.phonemes(plain(curly), "en-in") == espeak.phonemes(straight, "en-in")


@pytest.mark.parametrize(
    "written, said",
    [
        (
            "Mail me.you@example.co.in, or see www.x.org/a-b.",
            "Mail me dot you at example dot co dot in, or see www dot x dot org slash a dash b.",
        ),
        ("PLEASE OPEN THE BOX. Thanks, UPI.", "PLEASE OPEN THE BOX. Thanks, U.P.I."),
        ("Then.We left", "Then.We left"),
    ],
)
def test_addresses_and_capitals(written, said):
    assert " ".join(piece.spoken for piece in pieces(written)) == said


@pytest.mark.parametrize("text", ["a" * 500, "我们今天去公园散步，" * 60, "x_" * 300, "-" * 400])
def test_captions_hold_every_word(text):
    assert "".join(piece.written for piece in pieces(text)) == text
    assert max(len(piece.written) for piece in pieces(text)) < LONGEST_WORD


@pytest.mark.parametrize(
    "encoding, voice",
    [
        ("utf-8", "en"),
        ("utf-8-sig", "en"),
        ("utf-16", "en"),
        ("utf-16-le", "en"),
        ("utf-16-be", "en"),
        ("utf-32", "en"),
        ("cp1252", "en-in"),
        ("cp1250", "pl"),
        ("cp1251", "ru+f2"),
        ("cp1253", "el"),
        ("cp1254", "tr"),
        ("cp1255", "he"),
        ("cp932", "ja"),
        ("cp936", "cmn"),
    ],
)
def test_a_script_of_any_encoding(tmp_path, encoding, voice):
    text = {
        "pl": "Zażółć gęślą jaźń",
        "ru+f2": "Доброе утро",
        "el": "Καλημέρα",
        "tr": "Işık ığdır",
        "he": "שלום עולם",
        "ja": "日本語です",
        "cmn": "我们今天",
    }.get(voice, "“Café” – it’s naïve, and 5 € more.\nIt rains.")
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert read_script(tmp_path / "a.txt", voice) == text


@pytest.mark.parametrize(
    "content, found",
    [
        (b"%PDF-1.7 x", "a PDF"),
        (b"{\\rtf1 x}", "an RTF"),
        (b"PK\3\4word", "Word"),
        (b"\0\1\2\3" * 99, "not a text"),
        ("Grüße – café".encode() + b"\xc3", "damaged UTF-8"),
        ("Доброе утро".encode("cp1251"), "not UTF-8"),
        (b"caf\xe9 \x81", "neither UTF-8"),
    ],
)
def test_what_is_no_text_is_said(tmp_path, content, found):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=found):
        read_script(tmp_path / "a.txt", "en-in")
