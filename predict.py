"""Speech to landmarks in one command.

Reads: a .wav. Writes: predict_landmark/NAME/ and landmarks.gif beside this script.
"""

from pathlib import Path

import click

from core.stage import stage
from landmarks.predict import predict_file

HERE = Path(__file__).resolve().parent


@stage(reads="SPEECH (.wav), CNN_record/default/model.tflite",
       writes="OUT/NAME/landmarks.npy, rest_face.npy, landmarks.gif; landmarks.gif beside this script",
       examples=("python predict.py speech.wav",
                 "python predict.py speech.wav --model CNN_record/00001/model.tflite --pictures"))
@click.argument("speech", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "predict_landmark", show_default="predict_landmark",
              help="Folder that gets a folder NAME for the speech.")
@click.option("--model", type=click.Path(path_type=Path), help="A landmark-model; default the shipped one.")
@click.option("--pictures", is_flag=True, help="Also one PNG a frame, in OUT/NAME/frames/.")
def main(speech, out, model, pictures):
    """Turn speech into 68 moving face landmarks."""
    gif = HERE / "landmarks.gif"
    click.echo(predict_file(speech, out / speech.stem, model, gif, pictures))
    click.echo(gif)


if __name__ == "__main__":
    main()
