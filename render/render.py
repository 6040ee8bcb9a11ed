"""Landmarks to a talking video: drawn, by the DCGAN, or with a photo's own pixels.

Reads: landmarks .npy (landmarks-face) and the rest face beside it, a photo, the speech .wav.
Writes: OUT.mp4 (talking-video) with its sidecar. Frames are made, encoded and forgotten one by one.
"""

import time
from itertools import islice
from pathlib import Path

import click
import numpy as np

from core import artifacts
from core.audio import read_speech
from core.clock import FPS, SAMPLE_RATE, n_frames_of
from core.errors import InputError
from core.stage import progress, say, stage
from core.video import CRF, write_video
from render import dcgan, face_check, motion, photo, sketch

STAGE = "render.render"
RENDERERS = ("sketch", "dcgan", "photo")


def pick_device(device: str, renderer: str) -> str:
    """Turn auto, cpu or cuda into cpu or cuda, and say which. Raises InputError when CUDA is asked for and missing."""
    chosen = "cpu"
    if device != "cpu" and (device == "cuda" or renderer == "dcgan"):
        import torch  # takes seconds: only for those who need it
        if torch.cuda.is_available():
            chosen = "cuda"
        elif device == "cuda":
            raise InputError("--device", "cuda, but PyTorch sees no CUDA device", "cpu or auto", "--device auto")
    note = "" if renderer == "dcgan" else f" (the {renderer} renderer needs no GPU)"
    say(f"device: {'cpu' if note else chosen}{note}")
    return chosen


def check_output(path, force: bool = False) -> Path:
    """Refuse a video path that is not .mp4, or that holds a file made by somebody else."""
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise InputError(path, f"a {path.suffix or 'nameless'} file", "a name that ends in .mp4",
                         f'"{path.with_suffix(".mp4")}"')
    if path.is_dir():
        raise InputError(path, "a folder", "a name for the video")
    if above := next((folder for folder in path.parents if folder.exists() and not folder.is_dir()), None):
        raise InputError(path, f"{above} is a file", "a folder that can be made")
    if path.exists() and not force and artifacts.read_sidecar(path).get("kind") != "talking-video":
        raise InputError(path, "exists, and was not made here", "a new name", "--force to overwrite it")
    return path


def _pictures(renderer, moves, rest, face, *, model, device, scale, size_px):
    if renderer == "sketch":
        return sketch.frames(moves, rest, scale, size_px)
    if renderer == "dcgan":
        return dcgan.frames(moves, model, device, scale, size_px)
    return photo.frames(face, moves, scale)


def render_video(landmarks, out, *, renderer="photo", face=None, speech=None, rest=None, model=None, fps=FPS,
                 size_px=0, quality="medium", device="auto", expression_scale=1.0) -> Path:
    """Write a talking video and its sidecar; return its path.

    Parameters
    ----------
    landmarks : landmarks-face .npy, predicted or measured
    face : `photo.Photo`, needed by the photo renderer; it gives the size of the video
    speech : .wav that sounds in the video and sets its length; without it the landmarks do
    rest : rest-face .npy the landmarks are offsets from; by default the one beside them
    fps : frames per second of the video; landmarks are resampled in time, the sound never is
    size_px : side of the square pictures of `sketch` and `dcgan`; 0 is their own
    expression_scale : factor on the motion; 1 is as predicted

    Raises
    ------
    InputError : a file of another kind, or landmarks and speech of different length.
    """
    for option, value in (("--fps", fps), ("--expression-scale", expression_scale)):
        if not np.isfinite(value):
            raise InputError(option, f"{value}", "a number")
    if renderer == "photo" and face is None:
        raise InputError("--photo", "missing", "a photo for the photo renderer", "--renderer sketch needs none")
    moves, rest_points = motion.read_motion(landmarks, rest)
    seconds = len(moves) / FPS
    if speech:
        n_samples = len(read_speech(speech))
        motion.check_length(landmarks, len(moves), n_frames_of(n_samples), speech)
        seconds = n_samples / SAMPLE_RATE
    n_frames = motion.n_output_frames(seconds, fps)
    pictures = _pictures(renderer, motion.resampled(moves, fps, n_frames), rest_points, face, model=model,
                         device=pick_device(device, renderer), scale=expression_scale,
                         size_px=size_px - size_px % 2)  # H.264 needs even sizes
    began = time.monotonic()
    with progress(islice(pictures, n_frames), "render", n_frames) as bar:
        write_video(out, bar, fps=fps, speech=speech, quality=quality)
    took = time.monotonic() - began
    say(f"{n_frames} frames, {seconds:.2f} s of video in {took:.2f} s: {n_frames / took:.0f} frames a second")
    options = {"renderer": renderer, "fps": fps, "quality": quality, "expression_scale": expression_scale}
    inputs = [p for p in (landmarks, face and face.path, speech) if p]
    return artifacts.describe_with(out, "talking-video", stage=STAGE, options=options, inputs=inputs, fps=fps,
                                   frames=n_frames)


_PATH = click.Path(path_type=Path)


@stage(reads="LANDMARKS (landmarks-face), rest_face.npy or CLIP.rest.npy beside it, a photo, speech",
       writes="OUT (talking-video) and its sidecar",
       examples=("python -m render.render predict_landmark/speech/landmarks.npy --photo me.jpg --speech speech.wav",
                 "python -m render.render data/landmarks/clip.face.npy --renderer sketch --out clip.mp4"))
@click.argument("landmarks", type=_PATH)
@click.option("--renderer", type=click.Choice(RENDERERS), default="photo", help="What the landmarks move.")
@click.option("--photo", "photo_path", type=_PATH, help="The face, for the photo renderer.")
@face_check.face_options
@click.option("--speech", type=_PATH, help="The sound, a .wav; the video lasts as long as it.")
@click.option("--out", type=_PATH, default=Path("results/video.mp4"), help="The video.")
@click.option("--rest", type=_PATH, help="The face the landmarks are offsets from.  [default: the one beside them]")
@click.option("--model", type=_PATH, help="Of the dcgan renderer.  [default: the one that ships]")
@click.option("--fps", type=click.FloatRange(1, 120), default=FPS, help="Frames a second; the sound stays as it is.")
@click.option("--size", type=click.IntRange(64, 4096), help="Longer side in px.  [default: the picture's own]")
@click.option("--quality", type=click.Choice(list(CRF)), default="medium", help="Of the encoding.")
@click.option("--preprocess", type=click.Choice(photo.FRAMINGS), default="full", help="Whole photo, or face alone.")
@click.option("--expression-scale", type=click.FloatRange(0, 3), default=1.0, help="Factor on the motion.")
@click.option("--device", type=click.Choice(("auto", "cpu", "cuda")), default="auto", help="Where networks run.")
@click.option("--force", is_flag=True, help="Overwrite a video that was not made here.")
def main(landmarks, renderer, photo_path, speech, out, rest, model, fps, size, quality, preprocess, expression_scale,
         device, force, which, points_file):
    """Turn landmarks into a video: a drawing, the DCGAN's face, or a photo that speaks."""
    check_output(out, force)
    face = None
    if renderer == "photo" and photo_path:
        face = photo.framed(face_check.find_face(photo_path, which, points_file), preprocess, size or 0)
    click.echo(render_video(landmarks, out, renderer=renderer, face=face, speech=speech, rest=rest, model=model,
                            fps=fps, size_px=size or 0, quality=quality, device=device,
                            expression_scale=expression_scale))


if __name__ == "__main__":
    main()
