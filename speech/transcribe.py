"""Speech to words with times: recognised, or, when the script is known, found in the recording.

Reads: SPEECH.wav; --script, a text in UTF-8.
Writes: OUT/words.json (words) and OUT/words.srt (subtitles), each with its sidecar.
"""

from pathlib import Path

import click

from core.errors import InputError
from core.events import Transcribed
from core.media.audio import read_speech
from core.media.words import save_srt, save_words, transcript
from core.stage import stage, tell
from speech.align import align
from speech.recognise import ENGINES, recognise
from speech.speakable import check_text, pieces, read_script

STAGE = "speech.transcribe"


def words_of(sound, *, text=None, engine="sphinx", grammar=None, where="--script") -> list:
    """Words of a recording: `text` found in it, or what an engine hears without one.

    Parameters
    ----------
    sound : float32 [sample], 16 kHz
    where : what `text` came from, for messages

    Raises
    ------
    InputError : see `align`, `recognise`.
    """
    if text is None:
        return recognise(sound, engine, grammar)
    try:
        return align(sound, pieces(check_text(text, "en", where)))
    except InputError as error:
        raise InputError(where, error.found, error.expected, error.cure) from None


def write_words(words, folder, *, stage=STAGE, options=None, inputs=()) -> list:
    """Write words.json and words.srt to `folder`, and say what was said; return their paths."""
    folder = Path(folder)
    path = save_words(folder / "words.json", words, stage=stage, options=options, inputs=inputs)
    tell(Transcribed(transcript(words) or "(no words understood)"))
    return [path, save_srt(folder / "words.srt", words, stage=stage, inputs=[path])]


_PATH = click.Path(path_type=Path)


@stage(reads="SPEECH (.wav), --script, --grammar", writes="OUT/words.json (words), OUT/words.srt (subtitles)",
       examples=("python -m speech.transcribe speech.wav",
                 "python -m speech.transcribe speech.wav --script said.txt --out results/words"))
@click.argument("speech", type=_PATH)
@click.option("--script", type=_PATH, help="What is said, in English: it is found in the sound, not recognised.")
@click.option("--engine", type=click.Choice(ENGINES), default="sphinx",
              help="Who listens. whisper and vosk if installed; google sends the recording away.")
@click.option("--grammar", type=_PATH, help="JSGF file of all that may be said, for sphinx.")
@click.option("--out", type=_PATH, help="Folder.  [default: results/SPEECH_words]")
def main(speech, script, engine, grammar, out):
    """Write down what is said in a recording, and when.

    PocketSphinx understands clear US English half-way; a script that is known is found to a few hundredths of a second.
    """
    sound = read_speech(speech)
    words = words_of(sound, text=read_script(script) if script else None, engine=engine, grammar=grammar, where=script)
    options = {"script": script.name} if script else {"engine": engine, "grammar": grammar and grammar.name}
    inputs = [path for path in (speech, script, grammar) if path]
    for path in write_words(words, out or Path("results") / f"{speech.stem}_words", options=options, inputs=inputs):
        click.echo(path)


if __name__ == "__main__":
    main()
