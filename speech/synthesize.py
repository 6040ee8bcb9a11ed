"""Text to speech: eSpeak NG here, or an online voice when asked for.

Reads: --text, or a --script file. A blank line is a pause of half a second.
Writes: OUT.wav (speech; 44.1 kHz unless told otherwise, mono, 16 bit), OUT.words.json (words), and their sidecars.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from core import artifacts
from core.errors import InputError
from core.events import Warned
from core.files import named_after
from core.media.audio import check_output, encode_wav, resample
from core.media.words import save_words
from core.stage import stage, tell
from speech import espeak
from speech.align import align
from speech.engines import DEFAULT_RATE, DEFAULT_VOICE, ENGINES, speak
from speech.script import read_script
from speech.speakable import check_text

STAGE = "speech.synthesize"
SAMPLE_RATE_OUT = 44100  # Hz


def said_text(text: str | None, script: str | Path | None, voice: str) -> tuple:
    """The text of --text or of the file of --script, checked, and where it came from. Raises InputError."""
    if (text is None) == (script is None):
        raise InputError("--text, --script", "both or none given", "one of the two", '--text "Good morning."')
    where = script or "--text"
    return check_text(read_script(script, voice) if script else text or "", voice, where), where


def write_speech(text: str, path: str | Path, *, where: str | Path = "--text", voice: str = DEFAULT_VOICE,
                 rate: int = DEFAULT_RATE, engine: str = "espeak", sample_rate: int = SAMPLE_RATE_OUT,
                 inputs: Iterable[str | Path] = ()) -> list | None:
    """Speak `text` into `path`.

    Parameters
    ----------
    where : what `text` came from, for messages
    rate : words a minute
    sample_rate : Hz of the file

    Returns
    -------
    list of `Word`; None when the words of an online voice are not found in its speech
    """
    try:
        spoken = speak(text, voice, rate, engine)
    except InputError as error:
        raise InputError(where if error.where == "text" else error.where, error.found, error.expected, error.cure) from None
    words = spoken.words
    if words is None:
        try:
            words = align(resample(spoken.sound, spoken.rate), spoken.said)
        except InputError as error:
            tell(Warned(f"no word times: {error}"))
    options = {"voice": voice, "rate": rate, "engine": engine, "sample_rate": sample_rate, **({} if inputs else {"text": text})}
    with artifacts.described(path, "speech", stage=STAGE, options=options, inputs=inputs,
                             seconds=round(len(spoken.sound) / spoken.rate, 3)) as (part, _):
        encode_wav(part, [resample(spoken.sound, spoken.rate, sample_rate)], sample_rate, where=path)
    return words


def _list_voices(context, _option, wanted):
    if wanted:
        click.echo("voices:   " + " ".join(espeak.voices()))
        click.echo("variants: " + " ".join(v for v in espeak.variants() if " " not in v))
        context.exit()


def voice_options(function: Callable) -> Callable:
    """Click options of every command that speaks: `voice`, `rate` and `engine` of `write_speech`."""
    for option in (
            click.option("--engine", type=click.Choice(ENGINES), default="espeak",
                         help="Who speaks. gtts and edge, if installed, send the text to Google or Microsoft."),
            click.option("--rate", type=click.IntRange(espeak.SLOWEST, espeak.FASTEST), default=DEFAULT_RATE,
                         help="Words a minute; gtts has its own."),
            click.option("--voice", default=DEFAULT_VOICE,
                         help="Language, with +f1..+f5 or +m1..+m8 for another speaker; en-in is Indian English, female.")):
        function = option(function)
    return function


@stage(reads="--text, or the file of --script", writes="OUT.wav (mono, 16 bit), OUT.words.json, their sidecars",
       examples=('python -m speech.synthesize --text "Good morning." hello.wav',
                 "python -m speech.synthesize --script data/samples/reminder.txt reminder.wav",
                 "python -m speech.synthesize --script script.txt --voice en-gb-x-rp+f3 --rate 140 talk.wav"))
@click.argument("out", metavar="OUT.wav", type=click.Path(path_type=Path))
@click.option("--text", help="What to say.")
@click.option("--script", type=click.Path(path_type=Path), help="Text file to say; a blank line is a pause.")
@voice_options
@click.option("--sample-rate", type=click.IntRange(8000, 96000), default=SAMPLE_RATE_OUT, help="Hz of OUT.wav.")
@click.option("--list-voices", is_flag=True, is_eager=True, expose_value=False, callback=_list_voices,
              help="Print the voices and stop.")
@click.option("--force", is_flag=True, help="Overwrite OUT.wav if it exists.")
def main(out, text, script, voice, rate, engine, sample_rate, force) -> None:
    """Say a text and write it as sound.

    Amounts, dates, times and numbers are read as words in English: INR 5,053 as five thousand and fifty three rupees.
    """
    text, where = said_text(text, script, voice)
    check_output(out, force)
    words = write_speech(text, out, where=where, voice=voice, rate=rate, engine=engine, sample_rate=sample_rate,
                         inputs=[script] if script else [])
    click.echo(out)
    if words is not None:
        click.echo(save_words(named_after(out.with_suffix(""), ".words.json"), words, stage=STAGE, inputs=[out]))


if __name__ == "__main__":
    main()
