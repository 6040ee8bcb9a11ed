"""What holds for every text that is read aloud, tried on many that Hypothesis makes up: numbers, amounts, dates, subtitles."""

import calendar
import re
from itertools import groupby

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from test_properties import settings, timed

from core.errors import InputError
from core.media import words
from core.media.marks.watermark import check_mark
from render.exchange import mouth_shapes
from speech.plain import plain
from speech.script import read_script
from speech.speakable import Piece, check_text, pieces, plain_words
from speech.subtitles import said_in_subtitles
from speech.voices.manner import manner_of, sentences

settings.load_profile("quick")

SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = dict(zip(SMALL.split(), range(20))) | dict(zip(TENS.split(), range(20, 100, 10)))
LARGE = {"crore": 10**7, "trillion": 10**12, "billion": 10**9, "million": 10**6, "lakh": 10**5, "thousand": 10**3,
         "hundred": 100}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12, "twentieth": 20,
            "thirtieth": 30}


def spoken(text):
    return " ".join(piece.spoken for piece in pieces(text))


def number_of(said):
    """The whole number that English words say, Indian ones too: what `speech.expand` does, undone."""
    head, tail = [], [word for word in said.split() if word != "and"]
    for name, value in LARGE.items():
        if name in tail:
            last = len(tail) - 1 - tail[::-1].index(name)
            head, tail = tail[:last], tail[last + 1:]
            return number_of(" ".join(head)) * value + number_of(" ".join(tail))
    return sum(UNITS[word] for word in tail)


def grouped(number, indian):
    """A number with commas, as it is written in India or elsewhere."""
    text = str(number)
    if not indian:
        return f"{number:,}"
    head, tail = text[:-3], text[-3:]
    parts = [head[max(0, end - 2):end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*parts, tail]) if head else tail


WHOLE = st.integers(0, 999_999_999_999_999) | st.integers(0, 99_999)


@given(WHOLE, st.booleans())
@example(100_000_000_000_000, True)
def test_a_number_is_said_in_words_that_mean_it(number, indian):
    assume(not 1100 <= number <= 2099)  # a year
    written = grouped(number, indian)
    assume(indian or len(written) < 8 or "," in written)
    assert number_of(spoken(f"we sold {written} of them").removeprefix("we sold ").removesuffix(" of them")) == number


@given(WHOLE.filter(lambda n: n < 10**13), st.integers(0, 99), st.sampled_from(["₹", "INR ", "Rs. ", "$", "EUR ", "£"]))
def test_an_amount_is_said_in_words_that_mean_it(number, hundredths, unit):
    indian = unit in ("₹", "INR ", "Rs. ")
    said = spoken(f"{unit}{grouped(number, indian)}" + (f".{hundredths:02d}" if hundredths else "") + " is due")
    found = re.fullmatch(r"(.+) (rupees?|dollars?|euros?|pounds?)(?: and (.+) (?:paise|cents|pence))? is due", said)
    assert found, said
    assert number_of(found[1]) == number and number_of(found[3] or "zero") == hundredths
    assert found[2].endswith("s") == (number != 1)


def _ordinal(said):
    whole = 0
    for word in said.split():
        whole += ORDINALS.get(word) or UNITS.get(word) or UNITS[word.removesuffix("th")]
    return whole


@given(st.integers(1900, 2099), st.integers(1, 12), st.integers(1, 31), st.integers(0, 3))
def test_a_date_is_said_alike_in_every_spelling(year, month, day, how):
    assume(day <= calendar.monthrange(year, month)[1])
    name, ordinal = calendar.month_name[month], spoken(f"{day}th")
    spellings = f"{day}/{month}/{year}", f"{year}-{month:02d}-{day:02d}", f"{day} {name[:3]} {year}", f"{name} {day}, {year}"
    assert _ordinal(ordinal) == day
    parts = (name, ordinal) if how == 3 else (ordinal, name)
    assert spoken(f"by {spellings[how]} please") == " ".join(["by", *parts, spoken(str(year)), "please"])


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_is_said(hour, minute):
    after = "oh " * (minute < 10) + spoken(str(minute)) if minute else "o'clock"
    assert spoken(f"at {hour}:{minute:02d} today") == f"at {spoken(str(hour))} {after} today"
    assert number_of(spoken(str(hour))) == hour


@given(st.text("0123456789", min_size=10, max_size=10))
def test_a_telephone_number_is_said_digit_by_digit(digits):
    names = [name for name, value in UNITS.items() if value < 10]
    for written in (f"{digits[:5]} {digits[5:]}", f"+91 {digits[:5]} {digits[5:]}"):
        said = spoken(f"call {written} now").split()[1:-1]
        assert said == [{"+": "plus"}.get(c) or names[int(c)] for c in written if c != " "], written


ODD = r"[₹$]?\d{1,3}(,\d\d\d){0,3}(\.\d{1,3})?%?|\d{1,2}[:/.-]\d{1,2}([/.-]\d{4})?|\d{1,4}(st|nd|km|kg|GB)|[A-Z]{2,4}"
WORDS_AND_NUMBERS = st.lists(st.sampled_from(["pay", "by", "on", "the", "(about)", "-", "and", "Dr."]) | WHOLE.map(str)
                             | st.from_regex(ODD, fullmatch=True), min_size=1, max_size=8).map(" ".join)


@given(WORDS_AND_NUMBERS)
@example("0:0 - 0")
def test_what_is_written_stays_and_what_is_said_has_no_digit(text):
    made = pieces(text)
    assert " ".join(piece.written for piece in made).split() == text.split()
    left = [piece.spoken for piece in made if re.search(r"(?<![\w.:/-])\d+(?![\w.:/-])", piece.spoken)]
    assert not left, "a number by itself is put into words"


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_a_line(text):
    try:
        marked = check_text(text, "en-us", "--text")
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        said = [piece for line in marked.split("\n") for piece in pieces(line)]
        assert said and all(piece.written.strip() and "\n" not in piece.spoken for piece in said)
        assert [piece for part in sentences(said) for piece in part] == said, "no word is lost between sentences"
        plain_words(text)


PLAIN = st.lists(st.from_regex(r"[A-Za-z]{1,9}[,.?!]?", fullmatch=True), min_size=1, max_size=9).map(" ".join)


@given(PLAIN)
def test_plain_text_stays_as_it_is(text):
    assert plain(text) == text


@given(st.lists(PLAIN, min_size=1, max_size=4),
       st.sampled_from(["*{}*", "**{}**", "_{}_", "<b>{}</b>", "`{}`", "[{}](https://a.org/b)"]))
def test_marks_of_a_text_go_and_its_words_stay(lines, mark):
    assert plain("\n\n".join(mark.format(line) for line in lines)) == "\n\n".join(lines)


@given(st.lists(PLAIN, min_size=1, max_size=4).map("\n".join), st.sampled_from(
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]))
def test_a_script_is_read_whatever_its_unicode(tmp_path_factory, text, encoding):
    (path := tmp_path_factory.getbasetemp() / "script.txt").write_bytes(text.encode(encoding))
    assert read_script(path) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_script_of_any_letters_is_read(tmp_path_factory, text, encoding):
    (path := tmp_path_factory.getbasetemp() / "letters.txt").write_bytes(text.encode(encoding))
    assert read_script(path) == text


@given(timed(st.from_regex(r"[A-Za-zéß]{1,12}[,.?!]?", fullmatch=True)))
def test_subtitles_that_we_write_are_read_with_all_their_words(said):
    lines = [line for cue in words.cues(said) for line in cue.text.split("\n")]
    for text in (words.srt(said), words.vtt(said)):
        assert (said_in_subtitles(text) or "").split("\n") == [line for line, _ in groupby(lines)], "a line twice is said once"


@given(st.text(max_size=20))
@example("happy:nan")
def test_a_manner_is_read_or_refused_in_a_line(text):
    try:
        manner = manner_of(text)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert 0 < manner.speed < 2


@given(st.text(max_size=70))
def test_a_mark_is_taken_or_refused_in_a_line(text):
    try:
        check_mark(text)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert not text or text.strip()


@given(st.lists(st.tuples(st.floats(0, 2), st.sampled_from("ABCDEFGHX")), min_size=1, max_size=10),
       st.sampled_from([".tsv", ".xml", ".json"]))
def test_mouth_cues_are_read_as_they_were_written(tmp_path_factory, made, suffix):
    at, cues = 0.0, []
    for seconds, shape in made:
        cues.append(mouth_shapes.Cue(round(at, 2), round(at + seconds, 2), shape))
        at += seconds
    path = mouth_shapes.write_cues(tmp_path_factory.getbasetemp() / f"cues{suffix}", cues)
    read = mouth_shapes.read_cues(path)
    assert [cue.shape for cue in read] == [cue.shape for cue in cues]
    assert all(abs(one.start_s - other.start_s) < 0.011 for one, other in zip(read, cues))


def test_a_number_is_understood_by_its_words():
    assert number_of("ninety nine crore two lakh and five") == 99_02_00_005
    assert number_of("two thousand crore one") == 2000 * 10**7 + 1 and number_of("one lakh crore") == 10**12
    assert number_of("one billion two hundred and three thousand and four") == 1_000_203_004
    assert pytest.raises(KeyError, number_of, "a dozen")
    assert pieces("one") == [Piece("one", "one")]
