"""A photo and a recording become a talking video, with one command: all stages in a row.

Reads: a photo; speech in any audio format.
Writes: the video, and the files in between in RESULT_DIR/NAME/: face.json and photo_check.png, speech.wav (when it
had to be converted), landmarks.npy, rest_face.npy, landmarks.gif
"""

import time
from pathlib import Path

import click

from core.audio import read_speech
from core.errors import InputError, absent
from core.stage import say, stage
from core.video import CRF
from render import face_check, photo
from render.render import check_output, render_video


def as_wav(path, folder) -> Path:
    """The speech as a checked .wav: itself, or converted into `folder`."""
    if path.suffix.lower() != ".wav":
        from preprocess.convert_audio import convert
        path = convert(path, folder / "speech.wav")
        say(f"converted: {path}")
    read_speech(path)
    return path


def animate(image, audio, out, folder, *, preprocess="full", size_px=0, model=None, which=None, points_file=None,
            **options) -> Path:
    """Run all stages, files in between in `folder`; return the video's path. `options` are those of `render_video`."""
    began, audio = time.monotonic(), Path(audio)
    if not audio.is_file():
        raise InputError(audio, absent(audio), "a recording of speech")
    found = face_check.check_photo(image, which, points_file)
    speech = as_wav(audio, folder)
    from landmarks.predict import predict_file
    landmarks = predict_file(speech, folder, model)  # all that a person gives is read by now: nothing is left of a mistake
    say(f"landmarks: {landmarks}")
    say(f"face found: {face_check.write_check(found, folder)[-1]}")
    face = photo.framed(found.photo, preprocess, size_px)
    video = render_video(landmarks, out, face=face, speech=speech, **options)
    say(f"done in {time.monotonic() - began:.1f} s")
    return video


_PATH = click.Path(path_type=Path)


@stage(reads="a photo, speech",
       writes="the video; face.json, photo_check.png, landmarks.npy, rest_face.npy, landmarks.gif in RESULT_DIR/NAME/",
       examples=("python main.py --image me.jpg --audio speech.wav --output me.mp4",
                 "python main.py --source_image me.png --driven_audio speech.mp3 --preprocess crop"))
@click.option("--image", "--source_image", "image", type=_PATH, required=True, help="A frontal photo.")
@face_check.face_options
@click.option("--audio", "--driven_audio", "audio", type=_PATH, required=True, help="Speech; .wav, or converted first.")
@click.option("--output", type=_PATH, help="The video.  [default: RESULT_DIR/NAME.mp4]")
@click.option("--result_dir", type=_PATH, default=Path("results"), help="Folder of the files in between.")
@click.option("--fps", type=click.FloatRange(1, 120), default=25, help="Frames a second.")
@click.option("--quality", type=click.Choice(list(CRF)), default="medium", help="Of the encoding.")
@click.option("--gpu", type=bool, default=True, help="Use CUDA when there is one and a stage gains by it.")
@click.option("--preprocess", type=click.Choice(photo.FRAMINGS), default="full", help="Whole photo, or face alone.")
@click.option("--size", type=click.IntRange(64, 4096), help="Longer side in px.  [default: the photo's own]")
@click.option("--expression_scale", type=click.FloatRange(0, 3), default=1.0, help="Bolder above 1, subtler below.")
@click.option("--model", type=_PATH, help="Speech-to-landmark model.  [default: the one that ships]")
@click.option("--force", is_flag=True, help="Overwrite a video that was not made here.")
def main(image, audio, output, result_dir, fps, quality, gpu, preprocess, size, expression_scale, model, force,
         which, points_file):
    """Make a photo speak."""
    name = f"{image.stem}_{audio.stem}_{time.strftime('%Y%m%d-%H%M%S')}"
    out = check_output(output or result_dir / f"{name}.mp4", force)
    click.echo(animate(image, audio, out, result_dir / name, preprocess=preprocess, size_px=size or 0, model=model,
                       which=which, points_file=points_file,
                       fps=fps, quality=quality, device="auto" if gpu else "cpu", expression_scale=expression_scale))


if __name__ == "__main__":
    main()
