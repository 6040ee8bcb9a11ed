"""What people paste and save is read like the plain text it means, whatever its signs and its encoding."""

import time

import pytest

from core.errors import InputError
from core.media.words import LONGEST_WORD
from speech import espeak
from speech.code_pages import guess
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
    "below and above": ("H~2~O, x^2^, 10^-3^, ++in++; C++, i++ and ~5, a^b", "H2O, x2, 10-3, in; C++, i++ and ~5, a^b"),
    "names of emoji": ("Hi :smile:, :+1:! At 10:30:45 std::vector: a:b:c", "Hi , ! At 10:30:45 std::vector: a:b:c"),
    "a line ended by hand": ("One\\\nTwo", "One\nTwo"),
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


OF_PAGE = {
    "cp1252": ["Le café est fermé à côté de l’église, ça va être dur.", "Grüße aus München, die Straße ist schön und süß.",
               "El niño comió mañana en el jardín, ¿qué pasó?", "Não há razão para não ir à estação amanhã.", "It’s here.",
               "Han går på øen og køber æbler på båden.", "“Don’t worry,” she said – it’s fine…", "CRÈME BRÛLÉE À LA CARTE",
               "Été à Évian", "déjà vu, 5 € each", "Å, i åa ä e ö."],
    "mac_roman": ["Le café est fermé à côté de l’église, ça va être dur.", "“Don’t worry,” she said – it’s fine…"],
    "cp850": ["Le café est fermé à côté, ça va être dur.", "Grüße aus München, die Straße ist schön."],
    "cp1250": ["Zażółć gęślą jaźń, proszę pana, to był błąd.", "Příliš žluťoučký kůň úpěl ďábelské ódy."],
    "cp1251": ["Доброе утро, как у вас дела?", "Съешь ещё этих мягких французских булок.", "Привіт, як справи сьогодні?"],
    "koi8_r": ["Доброе утро, как у вас дела?", "Съешь ещё этих мягких французских булок."], "cp866": ["Доброе утро, как дела?"],
    "cp1253": ["Καλημέρα σας, τι κάνετε σήμερα;"], "cp1254": ["Günaydın, bugün nasılsınız? Şimdi çok güzel."],
    "cp1255": ["בוקר טוב, מה שלומך היום?"], "cp1256": ["صباح الخير، كيف حالك اليوم؟"],
    "cp1257": ["Labas rytas, kaip šiandien jūs jaučiatės? Ačiū, gerai."], "cp874": ["สวัสดีตอนเช้า คุณสบายดีไหม"],
    "cp932": ["おはようございます。お元気ですか。今日は天気がいいです。"],
    "gb18030": ["早上好，你今天怎么样？天气很好，我们去公园吧。"],
    "big5": ["早安，你今天好嗎？天氣很好，我們去公園吧。"], "cp949": ["안녕하세요. 오늘 날씨가 아주 좋습니다."]}
SAID_OF = {"cp1252": "en-in", "cp1250": "pl", "cp1251": "ru", "cp1253": "el", "cp1254": "tr", "cp1255": "he", "cp1256": "ar",
           "cp1257": "lt", "cp874": "th", "cp932": "ja", "gb18030": "cmn", "cp949": "ko"}


@pytest.mark.parametrize("page, text", [(page, text) for page, texts in OF_PAGE.items() for text in texts])
def test_a_cure_names_the_right_code_page_or_none(tmp_path, page, text):
    script = tmp_path / "a.txt"
    script.write_bytes(text.encode(page))
    others = {"cp1252": {"en-in", "ru"}, "cp1257": set()}.get(page, {"en-in"})  # Baltic letters look much like Western ones
    for voice in others | {SAID_OF.get(page, "en-in")}:
        try:
            assert read_script(script, voice) == text
        except InputError as told:
            assert voice != SAID_OF.get(page), "the page of its own language is read"
            words = told.cure.split()
            assert words[0] == "save" or script.read_bytes().decode(words[2].replace("MACINTOSH", "mac_roman")) == text


def test_code_pages_are_guessed():
    wanted = {page for page, texts in OF_PAGE.items() if any(guess(text.encode(page)) == page for text in texts)}
    assert wanted >= {"cp1252", "mac_roman", "cp850", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1256", "cp932"}
    assert not guess("café".encode("cp850")), "little to go by"


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
