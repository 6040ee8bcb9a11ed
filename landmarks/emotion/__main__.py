"""The emotion in a voice: `python -m landmarks.emotion`.

Reads: SPEECH (.wav), MODEL (emotion-model), the speech encoder where it is installed.
Writes: OUT/emotion.json, emotion.png, speech_embedding.npy.
"""

from pathlib import Path

import click

from core.media.audio import read_speech
from core.stage import only_one, say, stage
from landmarks.emotion.model import DEFAULT_MODEL
from landmarks.emotion.recognise import emotion_of, write_emotion
from landmarks.expression import EMOTIONS

_PATH = click.Path(path_type=Path)


@stage(reads="SPEECH (.wav), MODEL (emotion-model), the speech encoder where it is installed",
       writes="OUT/emotion.json (emotion), OUT/emotion.png, OUT/speech_embedding.npy (speech-embedding)",
       examples=("python -m landmarks.emotion speech.wav", "python -m landmarks.emotion speech.wav --out results/emotion"))
@click.argument("speech", type=_PATH)
@click.option("--out", type=_PATH, help="Folder.  [default: predict_landmark/SPEECH]")
@click.option("--model", type=_PATH, default=DEFAULT_MODEL, show_default="the shipped one")
def main(speech, out, model) -> None:
    """Find the emotion in a voice.

    Acted English taught it: it says what a voice sounds like, not what a person feels.
    """
    found = emotion_of(read_speech(speech), model)
    out = out or Path("predict_landmark") / speech.stem
    with only_one(out):
        path = write_emotion(found, out, inputs=[speech, model])
    say(", ".join(f"{name} {share:.0%}" for share, name in sorted(zip(found.whole, EMOTIONS), reverse=True) if share >= 0.05))
    click.echo(path)


if __name__ == "__main__":
    main()
