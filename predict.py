"""Speech to landmarks in one command.

Reads: a .wav, or raw sound on standard input. Writes: predict_landmark/NAME/ and landmarks.gif, in the folder you are in.
"""

import sys
from functools import partial
from pathlib import Path

import click

from core.stage import completing, say, stage
from landmarks.emphasis.style import DEFAULT, STYLES
from landmarks.expression import AUTO, EMOTIONS, MOST
from landmarks.predict import predict_file, predict_stream

GIF = Path("landmarks.gif")


@stage(reads="SPEECH (.wav; - is raw sound on standard input), CNN_record/default and fft/model.tflite, the speech encoder",
       writes="OUT/NAME/landmarks.npy, rest_face.npy, head.npy, noise.npy, landmarks.gif; with --emotion auto emotion.json, "
              "emotion.png, speech_embedding.npy; landmarks.gif in the folder you are in",
       examples=("python predict.py speech.wav",
                 "python predict.py speech.wav --emotion happy:1.5",
                 "python predict.py speech.wav --style vivid --seed 3",
                 "python predict.py speech.wav --model CNN_record/00001/model.tflite --pictures",
                 "arecord -q -t raw -f S16_LE -r 16000 -c 1 | python predict.py -"))
@click.argument("speech", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("predict_landmark"),
              help="Folder that gets a folder NAME for the speech.")
@click.option("--model", type=click.Path(path_type=Path), help="A landmark-model; default the shipped one.")
@click.option("--ear", type=click.Path(path_type=Path),
              help="A faster-whisper model folder, the speech encoder of the model.  [default: Whisper tiny.en]")
@click.option("--emotion", default=AUTO, metavar="auto|NAME|NAME:STRENGTH", shell_complete=completing(AUTO, *EMOTIONS),
              help=f"On the face: what the voice says, or one of {', '.join(EMOTIONS)}; strength 0 to {MOST:g}. - is neutral "
                   "with auto.")
@click.option("--style", type=click.Choice(list(STYLES)), default=DEFAULT,
              help="How far the face moves: less than people do, as they do, or as on a stage.")
@click.option("--seed", type=click.IntRange(0), default=0,
              help="Another motion of head and brows; the same number, the same one. - moves neither.")
@click.option("--pictures", is_flag=True, help="Also one PNG a frame, in OUT/NAME/frames/.")
def main(speech, out, model, ear, emotion, style, seed, pictures) -> None:
    """Turn speech into 68 moving face landmarks.

    SPEECH is a .wav, or - for raw sound on standard input: 16-bit little-endian samples (s16le), 16 kHz, mono. Then each frame
    is a line on standard output as soon as it is ready, a fifth of a second after its sound: its time in seconds, and x y of
    the 68 points in eye distances; OUT/stdin/ is written when the sound ends.
    """
    if str(speech) == "-":
        write_line = partial(print, flush=True)
        say(str(predict_stream(sys.stdin.buffer, write_line, out / "stdin", model, GIF, pictures, emotion=emotion, ear=ear,
                               style=style)))
        say(str(GIF))
    else:
        click.echo(predict_file(speech, out / speech.stem, model, GIF, pictures, emotion=emotion, seed=seed, ear=ear,
                                style=style))
        click.echo(GIF)


if __name__ == "__main__":
    main()
