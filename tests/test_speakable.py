"""What is written, as it is spoken."""

import pytest
from conftest import ROOT

from core.errors import InputError
from speech.speakable import MOST_WORDS, Piece, check_text, pieces


def spoken(text, language="en"):
    return " ".join(piece.spoken for piece in pieces(text, language))


@pytest.mark.parametrize("written, said", [
    ("INR 5,053", "five thousand and fifty three rupees"),
    ("Rs. 1,20,000.50", "one lakh twenty thousand rupees and fifty paise"),
    ("by UPI, do NOT pay", "by U.P.I, do NOT pay"), ("PAY BY UPI", "PAY BY UPI"), ("at NASA (ATM)", "at NASA (A.T.M)"),
    ("₹1", "one rupee"), ("₹2.5 lakh", "two point five lakh rupees"), ("5,053 INR", "five thousand and fifty three rupees"),
    ("$12.05", "twelve dollars and five cents"), ("£3", "three pounds"), ("Rs 1,00,00,000", "one crore rupees"),
    ("31st December 2024", "thirty first December twenty twenty four"), ("3 Jan. 2005", "third January two thousand and five"),
    ("December 31, 2024", "December thirty first twenty twenty four"),
    ("2024-12-31", "thirty first December twenty twenty four"), ("31/12/2024", "thirty first December twenty twenty four"),
    ("32/13/2024", "three two one three two zero two four"),
    ("5:30 pm", "five thirty P.M"), ("5:30PM", "five thirty P.M"),
    ("9 a.m", "nine A.M"), ("10AM", "ten A.M"), ("17:05", "seventeen oh five"), ("10:00", "ten o'clock"),
    ("the 3rd", "the third"),
    ("12.5%", "twelve point five percent"), ("1,234,567", "one million two hundred and thirty four thousand five hundred and "
                                                         "sixty seven"),
    ("12,34,567", "twelve lakh thirty four thousand five hundred and sixty seven"), ("-5", "minus five"),
    ("5 km at 60 km/h", "five kilometres at sixty kilometres an hour"), ("1 kg, -3 °C", "one kilogram, minus three degrees "
                                                                                        "Celsius"),
    ("98765 43210", "nine eight seven six five four three two one zero"),
    ("080-2345-6789", "zero eight zero two three four five six seven eight nine"),
    ("1800 123 4567", "one eight zero zero one two three four five six seven"),
    ("account number is 1234", "account number is one two three four"),
    ("card ending in 4321", "card ending in four three two one"), ("a/c XX1234", "account one two three four"),
    ("Flight 302, 302 rooms", "Flight three zero two, three hundred and two rooms"), ("5-7 days", "five to seven days"),
    ("2020–2024", "twenty twenty to twenty twenty four"), ("3-2", "three two"), ("EMIs by RTGS", "E.M.I's by R.T.G.S"),
    ("Acme Pvt. Ltd.", "Acme Private Limited"), ("No. 5, #1", "number five, number one"),
    ("No 5 star hotel", "No five star hotel"),
    ("open 24/7", "open twenty four seven"),
    ("in 1999", "in nineteen ninety nine"), ("9876543210", "nine eight seven six five four three two one zero"),
    ("+91 98765 43210", "plus nine one nine eight seven six five four three two one zero"),
    ("Mr. Rao & Dr Sen", "Mister Rao and Doctor Sen"), ("my a/c, etc.", "my account, et cetera"),
    ("B2B on 4G, COVID-19 at A4", "B2B on 4G, COVID-19 at A4"), ("I may go", "I may go"), ("[[h@loU]]", "[ [h@loU]]")])
def test_it_is_spoken_so(written, said):
    assert spoken(written) == said


@pytest.mark.parametrize("written, said", [
    ("INR 10,00,00,00,000", "one thousand crore rupees"), ("INR 10,000,000,000", "one thousand crore rupees"),
    ("INR 999999999999", "ninety nine thousand nine hundred and ninety nine crore ninety nine lakh ninety nine thousand nine "
                         "hundred and ninety nine rupees"),
    ("INR 1,00,00,00,00,001 due", "ten thousand crore one rupees due"), ("$10000000000", "ten billion dollars"),
    ("1,00,00,00,00,000", "ten thousand crore"),
    ("9999999999.5%", "nine billion nine hundred and ninety nine million nine hundred and ninety nine thousand nine hundred "
                      "and ninety nine point five percent")])
def test_large_amounts_are_said(written, said):
    assert spoken(written) == said


@pytest.mark.parametrize("digits", ["7" * 16, "7" * 30, "7" * 100, "7" * 5000])
@pytest.mark.parametrize("form", ["INR {}", "{} USD", "{}%", "{}th", "{}.5", "-{}", "{}"])
def test_longer_numbers_are_read_digit_by_digit(digits, form):
    assert spoken(form.format(digits)).count("seven") == len(digits)


@pytest.mark.parametrize("text, found", [("INR " + "9" * 5000, "a number of 5000"), ("Hello \ud800.", "half of a character"),
                                         ("\udfff", "half of a character"), ("a" * 70_000, "70000 characters"),
                                         ("1" * 60_001, "60001 characters")])
def test_what_would_never_end_is_refused(text, found):
    with pytest.raises(InputError, match=found):
        check_text(text, "en-in", "--text")


def test_punctuation_stays_where_it_was():
    assert spoken('Pay "INR 20", (INR 1), by 31st December. It is 7, now!') == \
        'Pay "twenty rupees", (one rupee), by thirty first December. It is seven, now!'


def test_what_is_between_stars_is_stressed():
    said = pieces(check_text("You *must* pay **right now**, 2 * 3.", "en-in", "--text"))
    assert [piece.written for piece in said] == ["You", "must", "pay", "right", "now,", "2", "*", "3."]
    assert [piece.written for piece in said if piece.emphasis] == ["must", "right", "now,"]


def test_pauses_and_speed_are_asked_for_in_the_script():
    text = 'Wait. [pause 800ms] Now [speed 0.8] slowly [speed] fast [pause]end<break time="2s"/>here.'
    said = pieces(check_text(text, "en-in", "--text"))
    assert [(piece.written, piece.pause_s, piece.speed) for piece in said] == [
        ("Wait.", None, 1), ("Now", 0.8, 1), ("slowly", None, 0.8), ("fast", None, 1), ("end", 0.5, 1), ("here.", 2, 1)]


@pytest.mark.parametrize("text, found", [("a [pause 60s] b", "a pause of 60 s"), ("[speed 9] b", "speed 9"),
                                         ("[pause]", "nothing")])
def test_directions_that_cannot_be_are_refused(text, found):
    with pytest.raises(InputError, match=found):
        check_text(text, "en-in", "--text")


def test_each_piece_is_a_word_as_it_is_written():
    text = "Pay INR 5,053 by 31st December 2024,\n please."
    assert pieces(text) == [Piece("Pay", "Pay"), Piece("INR 5,053", "five thousand and fifty three rupees"), Piece("by", "by"),
                            Piece("31st December 2024,", "thirty first December twenty twenty four,"),
                            Piece("please.", "please.")]


def test_other_languages_read_numbers_themselves():
    assert spoken("Das kostet 20 Euro", "de") == "Das kostet 20 Euro"


def test_the_sample_script():
    """About a hundred words, with a name, an amount, a date; all numbers become words."""
    text = (ROOT / "data" / "samples" / "reminder.txt").read_text(encoding="utf-8")
    assert 90 <= len(text.split()) <= 120
    said = spoken(text)
    assert "five thousand and fifty three rupees is due on thirty first December twenty twenty four" in said
    assert not any(char.isdigit() for char in said)


@pytest.mark.parametrize("text, voice", [("Good morning.", "en-in"), ("Good morning.", "hi"), ("नमस्ते दुनिया, Bob", "hi+f3"),
                                         ("42", "en-us"), ("Привет", "ru"), ("कृपया UPI", "mr"), ("Grüße", "de")])
def test_a_voice_reads_its_script_and_latin(text, voice):
    assert check_text(text, voice, "--text") == text


@pytest.mark.parametrize("text, found", [("Привет, Bob", "Cyrillic letters"), ("", "nothing to say"),
                                         ("a " * (MOST_WORDS + 1), f"{MOST_WORDS + 1} words")])
def test_what_a_voice_cannot_say_is_refused(text, found):
    with pytest.raises(InputError, match=found):
        check_text(text, "en-in", "--text")
