"""Speech to words with times: recognised, or, when the script is known, found in the recording.

Reads: SPEECH.wav; --script, a text in UTF-8.
Writes: OUT/words.json (words), OUT/words.srt (subtitles) and OUT/words.vtt (web-subtitles), each with its sidecar.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from numpy.typing import NDArray

from core.errors import InputError
from core.events import Transcribed, Warned
from core.files import fitting
from core.media.audio import read_speech
from core.media.words import Word, confidence, save_subtitles, save_words, transcript
from core.stage import say, stage, tell
from speech.align import align
from speech.recognise import ENGINES, recognise
from speech.script import read_script
from speech.speakable import check_text, pieces

STAGE = "speech.transcribe"
CONFIDENT = 0.55  # mean probability; noise, other languages and wrong transcripts lie below: docs/experiments.md


def words_of(sound: NDArray, *, text: str | None = None, engine: str | None = None, grammar: str | Path | None = None,
             model: str | Path | None = None, where: str | Path = "--script") -> list:
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
        return recognise(sound, engine, grammar, model)
    try:
        return align(sound, pieces(check_text(text, "en", where)))
    except InputError as error:
        raise InputError(where, error.found, error.expected, error.cure) from None


def check_confidence(words: Sequence[Word], where: str | Path, *, captions: bool = True, forced: bool = False) -> bool:
    """Say how sure the recogniser is of `words`, and whether captions may be made of them.

    Parameters
    ----------
    where : the recording, for messages
    captions : they were asked for: words that are too unsure are an error then, and a warning otherwise
    forced : they are made all the same

    Raises
    ------
    InputError : captions of words whose mean probability is below CONFIDENT.
    """
    if not words:
        tell(Warned("no words understood, no captions", where))
        return False
    sure = confidence(words)
    if sure is None:
        return True
    say(f"confidence: {sure:.2f}, the mean probability of {len(words)} words")
    if sure >= CONFIDENT or forced:
        return True
    unsure = InputError(where, f"words understood with a confidence of {sure:.2f}", f"at least {CONFIDENT} for captions: clear "
                        "English, no other language, no music", "--force-captions, or give what is said with --script")
    if captions:
        raise unsure
    tell(Warned(f"no captions: {unsure}"))
    return False


def write_words(words: Sequence[Word], folder: Path, *, stage: str = STAGE, options: dict | None = None,
                inputs: Iterable[str | Path] = (), captions: bool = True) -> list:
    """Write words.json and, for `captions`, words.srt and words.vtt to `folder`, and say what was said; return their paths."""
    folder = Path(folder)
    path = save_words(folder / "words.json", words, stage=stage, options=options, inputs=inputs)
    tell(Transcribed(transcript(words) or "(no words understood)"))
    return [path, *(save_subtitles(folder / "words.srt", words, stage=stage, inputs=[path]) if captions else ())]


_PATH = click.Path(path_type=Path)
force_captions = click.option("--force-captions", is_flag=True,
                              help=f"Captions also of words recognised with less than {CONFIDENT}.")


@stage(reads="SPEECH (.wav), --script, --grammar, --whisper-model",
       writes="OUT/words.json (words), OUT/words.srt (subtitles), OUT/words.vtt (web-subtitles)",
       examples=("python -m speech.transcribe speech.wav",
                 "python -m speech.transcribe speech.wav --script said.txt --out results/words"))
@click.argument("speech", type=_PATH)
@click.option("--script", type=_PATH, help="What is said, in English: it is found in the sound, not recognised.")
@click.option("--engine", type=click.Choice(ENGINES),
              help="Speech recognition. vosk if installed; google sends the recording away.  [default: whisper; sphinx with "
                   "--grammar or without Whisper's packages]")
@click.option("--grammar", type=_PATH, help="JSGF file of all that may be said, for sphinx.")
@click.option("--whisper-model", type=_PATH, help="Folder of another model of faster-whisper.  [default: tiny.en]")
@force_captions
@click.option("--out", type=_PATH, help="Folder.  [default: results/SPEECH_words]")
def main(speech, script, engine, grammar, whisper_model, force_captions, out) -> None:
    """Write down what is said in a recording, and when.

    Whisper tiny.en understands clear English; a script that is known is found to a few hundredths of a second.
    """
    sound = read_speech(speech)
    words = words_of(sound, text=read_script(script) if script else None, engine=engine, grammar=grammar, model=whisper_model,
                     where=script)
    captions = check_confidence(words, speech, forced=force_captions)
    options = {"script": script.name} if script else {"engine": engine, "grammar": grammar and grammar.name,
                                                      "whisper_model": whisper_model and whisper_model.name}
    inputs = [path for path in (speech, script, grammar) if path]
    out = out or Path("results") / f"{fitting(speech.stem)}_words"
    for path in write_words(words, out, options=options, inputs=inputs, captions=captions):
        click.echo(path)


if __name__ == "__main__":
    main()
