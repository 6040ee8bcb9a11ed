"""A photo and a recording become a talking video, with one command: all stages in a row.

Reads: a photo; speech in any audio format.
Writes: the video, and the files in between in RESULT_DIR/NAME/: face.json and photo_check.png, speech.wav (when it
had to be converted), landmarks.npy, rest_face.npy, landmarks.gif
"""

import time
from pathlib import Path

import click

from core import artifacts
from core.audio import read_speech
from core.errors import InputError, absent
from core.stage import say, stage
from render import face_check, motion
from render.options import shared_options
from render.render import check_output, render_video


def as_wav(path, folder) -> Path:
    """The speech as a checked .wav: itself, or converted into `folder`."""
    if path.suffix.lower() != ".wav":
        from preprocess.convert_audio import convert
        path = convert(path, folder / "speech.wav")
        say(f"converted: {path}")
    read_speech(path)
    return path


def animate(image, audio, out, folder, *, model=None, template=None, which=None, points_file=None,
            **options) -> Path:
    """Run all stages, files in between in `folder`; return the video's path.

    `template` is a file of landmarks that stands for the prediction; `options` are those of `render_video`.
    """
    began, audio = time.monotonic(), Path(audio)
    if not audio.is_file():
        raise InputError(audio, absent(audio), "a recording of speech")
    found = face_check.check_photo(image, which, points_file)
    speech = as_wav(audio, folder)
    if template:
        artifacts.check(template, *motion.READS)
    else:
        from landmarks.predict import predict_file
        landmarks = predict_file(speech, folder, model)  # all that a person gives is read: nothing is left of a mistake
        say(f"landmarks: {landmarks}")
    say(f"face found: {face_check.write_check(found, folder)[-1]}")
    video = render_video(template or landmarks, out, face=found.photo, speech=speech, **options)
    say(f"done in {time.monotonic() - began:.1f} s")
    return video


_PATH = click.Path(path_type=Path)


@stage(reads="a photo, speech",
       writes="the video, its .preview.png; face.json, photo_check.png, landmarks.npy, rest_face.npy, landmarks.gif in "
              "RESULT_DIR/NAME/",
       examples=("python main.py --image me.jpg --audio speech.wav --output me.mp4",
                 "python main.py --source_image me.png --driven_audio speech.mp3 --preprocess crop --preview",
                 "python main.py --image me.jpg --audio speech.wav --motion data/landmarks/clip.face.npy"))
@click.option("--image", "--source-image", "image", type=_PATH, required=True, help="A frontal photo.")
@face_check.face_options
@click.option("--audio", "--driven-audio", "audio", type=_PATH, required=True, help="Speech; .wav, or converted first.")
@click.option("--output", type=_PATH, help="The video.  [default: RESULT_DIR/NAME.mp4]")
@click.option("--result-dir", type=_PATH, default=Path("results"), help="Folder of the files in between.")
@click.option("--motion", "template", type=_PATH,
              help="Landmarks, as long as the speech, that move the face in place of a prediction: also of a video.")
@shared_options
@click.option("--gpu", type=bool, default=True, help="Use CUDA when there is one and a stage gains by it.")
@click.option("--model", type=_PATH, help="Speech-to-landmark model.  [default: the one that ships]")
@click.option("--force", is_flag=True, help="Overwrite a video that was not made here.")
def main(image, audio, output, result_dir, gpu, force, **options):
    """Make a photo speak.

    Options may be spelt with - or with _: --result-dir, --result_dir.
    """
    name = f"{image.stem}_{audio.stem}_{time.strftime('%Y%m%d-%H%M%S')}"
    out = check_output(output or result_dir / f"{name}.mp4", force, **options)
    click.echo(animate(image, audio, out, result_dir / name, device="auto" if gpu else "cpu", **options))


if __name__ == "__main__":
    main()
