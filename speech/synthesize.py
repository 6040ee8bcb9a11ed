"""Text to speech: Kokoro or eSpeak NG here, or another engine when asked for.

Reads: --text, or a --script file. A blank line is a pause.
Writes: OUT.wav (speech; 44.1 kHz unless told otherwise, mono, 16 bit), OUT.words.json (words), and their sidecars.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from core import artifacts
from core.errors import InputError
from core.events import Warned
from core.files import named_after
from core.media.audio import encode_wav, resample
from core.media.out.place import check_place
from core.media.words import save_words
from core.stage import stage, tell
from preprocess.ravdess import EMOTIONS
from speech import espeak
from speech.align import align
from speech.engines import DEFAULT_RATE, DEFAULT_VOICE, ENGINES, default_engine, speak
from speech.script import read_script
from speech.speakable import check_text
from speech.voices.manner import STRONGEST
from speech.voices.table import listed_voices

STAGE = "speech.synthesize"
SAMPLE_RATE_OUT = 44100  # Hz


def said_text(text: str | None, script: str | Path | None, voice: str) -> tuple:
    """The text of --text or of the file of --script, checked, and where it came from. Raises InputError."""
    if (text is None) == (script is None):
        raise InputError("--text, --script", "both or none given", "one of the two", '--text "Good morning."')
    where = script or "--text"
    return check_text(read_script(script, voice) if script else text or "", voice, where), where


def write_speech(text: str, path: str | Path, *, where: str | Path = "--text", voice: str = DEFAULT_VOICE,
                 rate: int = DEFAULT_RATE, engine: str | None = None, emotion: str = "auto", pitch: float = 1.0,
                 voice_model: Path | None = None, sample_rate: int = SAMPLE_RATE_OUT,
                 inputs: Iterable[str | Path] = ()) -> list | None:
    """Speak `text` into `path`.

    Parameters
    ----------
    where : what `text` came from, for messages
    rate : words a minute
    engine : one of ENGINES; by default the best that speaks with this voice
    emotion, pitch, voice_model : see `speak`
    sample_rate : Hz of the file

    Returns
    -------
    list of `Word`; None when the words of an online voice are not found in its speech
    """
    engine = engine or default_engine(voice, voice_model)
    try:
        spoken = speak(text, voice, rate, engine, emotion, pitch, voice_model)
    except InputError as error:
        raise InputError(where if error.where == "text" else error.where, error.found, error.expected, error.cure) from None
    words = spoken.words
    if words is None:
        try:
            words = align(resample(spoken.sound, spoken.rate), spoken.said)
        except InputError as error:
            tell(Warned(f"no word times: {error}"))
    options = {"voice": voice, "rate": rate, "engine": engine, "sample_rate": sample_rate, **({} if inputs else {"text": text}),
               **({} if emotion == "auto" else {"emotion": emotion}), **({} if pitch == 1 else {"pitch": pitch}),
               **({"voice_model": str(voice_model)} if voice_model else {})}
    with artifacts.described(path, "speech", stage=STAGE, options=options, inputs=inputs,
                             seconds=round(len(spoken.sound) / spoken.rate, 3)) as (part, _):
        encode_wav(part, [resample(spoken.sound, spoken.rate, sample_rate)], sample_rate, where=path)
    return words


def _list_voices(context, _option, wanted):
    if wanted:
        click.echo(f"{'--voice':<22}{'language':<40}{'sex':<8}{'engine':<8}made of")
        for row in listed_voices(context.params.get("voice_model")):
            click.echo(f"{row.voice:<22}{row.language:<40}{row.sex:<8}{row.engine:<8}{row.made_of}".rstrip())
        click.echo("espeak: +NAME for another speaker, " + " ".join(v for v in espeak.variants() if " " not in v))
        context.exit()


def voice_options(function: Callable) -> Callable:
    """Click options of every command that speaks: `voice`, `rate`, `pitch`, `engine` and `voice_model` of `write_speech`."""
    for option in (
            click.option("--voice-model", type=click.Path(path_type=Path), is_eager=True,
                         help="More voices: kokoro's NAME.bin in a folder, or voices-v1.0.bin; piper's .onnx."),
            click.option("--engine", type=click.Choice(ENGINES),
                         help="Who speaks; gtts and edge send the text to Google, Microsoft.  [default: kokoro for "
                              "English, if installed, else espeak]"),
            click.option("--pitch", type=click.FloatRange(0.7, 1.4), default=1.0, help="Times the height of kokoro's voice."),
            click.option("--rate", type=click.IntRange(espeak.SLOWEST, espeak.FASTEST), default=DEFAULT_RATE,
                         metavar="N", help="Words a minute."),
            click.option("--voice", default=DEFAULT_VOICE,
                         help="Language and speaker, as en-in+f2; see speak --list-voices.")):
        function = option(function)
    return function


@stage(reads="--text, or the file of --script", writes="OUT.wav (mono, 16 bit), OUT.words.json, their sidecars",
       examples=('python -m speech.synthesize --text "Good morning." hello.wav',
                 "python -m speech.synthesize --script data/samples/reminder.txt reminder.wav",
                 "python -m speech.synthesize --script script.txt --voice en-gb+m1 --rate 140 --emotion calm talk.wav"))
@click.argument("out", metavar="OUT.wav", type=click.Path(path_type=Path))
@click.option("--text", help="What to say.")
@click.option("--script", type=click.Path(path_type=Path), help="Text file to say; a blank line is a pause.")
@voice_options
@click.option("--emotion", default="auto", metavar="NAME|NAME:STRENGTH",
              help=f"Of kokoro's voice: {', '.join(EMOTIONS)}; strength 0 to {STRONGEST:g}.")
@click.option("--sample-rate", type=click.IntRange(8000, 96000), default=SAMPLE_RATE_OUT, help="Hz of OUT.wav.")
@click.option("--list-voices", is_flag=True, is_eager=True, expose_value=False, callback=_list_voices,
              help="Print the voices and stop.")
@click.option("--force", is_flag=True, help="Overwrite OUT.wav if it exists.")
def main(out, text, script, sample_rate, force, **how) -> None:
    """Say a text and write it as sound.

    Amounts, dates, times and numbers are read as words in English: INR 5,053 as five thousand and fifty three rupees. In a
    script *this* is stressed, [pause 1s] is a pause, and [speed 0.8] slows the rest of a paragraph down.
    """
    text, where = said_text(text, script, how["voice"])
    check_place(out, (".wav",), force=force, sources=(script,))
    words = write_speech(text, out, where=where, sample_rate=sample_rate, inputs=[script] if script else [], **how)
    click.echo(out)
    if words is not None:
        click.echo(save_words(named_after(out.with_suffix(""), ".words.json"), words, stage=STAGE, inputs=[out]))


if __name__ == "__main__":
    main()
