"""Landmarks to a talking video: drawn, by the DCGAN, or with a photo's own pixels.

Reads: landmarks .npy (landmarks-face, landmarks-pixel), rest face and head pose beside it, a photo, the speech .wav.
Writes: OUT.mp4 (talking-video) with its sidecar, OUT.preview.png. Frames are made, encoded and forgotten one by one.
"""

from collections.abc import Iterable
from pathlib import Path

import click

from core.clock import FPS, SAMPLE_RATE, n_frames_of
from core.errors import InputError, command_line
from core.files import named_after
from core.media.formats import FORMATS
from core.media.marks.credentials import signer
from core.media.marks.watermark import marked
from core.media.out.place import check_place
from core.media.out.stream import taken
from core.media.out.target import TARGET, Stream, Target, check_target, form_of, kind_of, place_of, target_of
from core.media.speech import Speech, open_speech
from core.media.talking import caption_words, write_talking
from core.stage import stage
from learn.device import pick_device
from render import background as behind
from render import motion, photo, photo_check
from render.avatar import as_comic
from render.dub.dub import dub_file
from render.dub.options import dub_options
from render.life.talker import talker
from render.options import DEFAULTS, RenderOptions, face_options, render_options
from render.parts.rest import shut_lips
from render.preview import check_preview, write_preview

STAGE = "render.render"
RENDERERS = ("sketch", "dcgan", "photo")


def check_output(out: str | Target, force: bool = False, options: RenderOptions = DEFAULTS,
                 sources: Iterable[str | Path | None] = ()) -> Target:
    """Refuse a video path of no known format, or that holds what somebody else made, and options that cannot be met.

    The video never takes the place of one of its `sources`, whoever made it.
    """
    out = target_of(out)
    path = place_of(out)
    if isinstance(out, Path):
        check_place(out, FORMATS, "talking-video", force, sources, cure=command_line(path.with_suffix(".mp4")),
                    expected=f"a name that ends in {' or '.join(FORMATS)}, or in /")
    else:
        check_target(out, force)
    if options.captions == "mux" and form_of(out) != FORMATS[".mp4"]:
        raise InputError("--captions", f"mux, into {kind_of(out)}", "burn, or a name that ends in .mp4", "--captions burn")
    if options.background == behind.NONE and not form_of(out).see_through:
        through = " or ".join(suffix for suffix, form in FORMATS.items() if form.see_through)
        raise InputError("--background", f"none, in {kind_of(out)}", f"a name that ends in {through} or /",
                         command_line(path.with_suffix(".webm")))
    if options.background == behind.NONE and options.captions == "burn":
        raise InputError("--captions", "burn, before --background none", "a background to draw them on", "--captions none")
    if options.sign and form_of(out) != FORMATS[".mp4"]:
        raise InputError("--sign", f"of {kind_of(out)}", "a name that ends in .mp4", command_line(path.with_suffix(".mp4")))
    if options.sign:
        signer(*options.sign)
    if options.preview and isinstance(out, Stream):
        raise InputError("--preview", f"of {kind_of(out)}", "a file or a folder, beside which it lies")
    if options.preview:
        check_preview(path, force)
    behind.check(options.background)
    return out


def _frame_photo(face, renderer, background, preprocess, size_px, avatar):
    """The photo as it is shown, its lips shut; None for a renderer that needs none. Raises InputError for what cannot be."""
    if renderer == "photo":
        if face is None:
            raise InputError("--photo", "missing", "a photo for the photo renderer", "--renderer sketch needs none")
        framed = photo.frame_photo(behind.replace_background(face, background), preprocess, size_px)
        return framed if avatar != "none" else shut_lips(framed)
    if background != behind.KEEP:
        raise InputError("--background", f"{background}, for the {renderer} renderer", "keep: it draws no background",
                         "--renderer photo")
    return None


def render_video(landmarks: str | Path, out: str | Target, options: RenderOptions = DEFAULTS, *, renderer: str = "photo",
                 face: photo.Photo | None = None, speech: str | Path | Speech | None = None, rest: str | Path | None = None,
                 model: str | Path | None = None, device: str = "auto", words: str | Path | None = None) -> Target:
    """Write a talking video and its sidecar; return where it is.

    Parameters
    ----------
    landmarks : landmarks-face or landmarks-pixel .npy, predicted or measured
    options : `RenderOptions`, how the video looks and moves
    renderer : one of RENDERERS, what the landmarks move
    face : `photo.Photo` as found, needed by the photo renderer
    speech : a recording, a path or a `Speech`, that sounds in the video and sets its length; without it the landmarks do
    rest : rest-face .npy the landmarks are offsets from; by default the one beside them
    model : of the photo or dcgan renderer; None is the one that ships
    device : auto, cpu or cuda, where networks run
    words : words.json, for the captions

    Raises
    ------
    InputError : a file of another kind, or landmarks and speech of different length.
    """
    shown_words = caption_words(options.captions, words, speech.path if isinstance(speech, Speech) else speech)
    out, fps = target_of(out), options.fps
    shown_before = behind.DARK_AND_LIGHT if options.background == behind.NONE else (options.background,)
    faces = [_frame_photo(face, renderer, before, options.preprocess, options.size_px or 0, options.avatar)
             for before in shown_before]
    alone = photo.frame_photo(face, options.preprocess, options.size_px or 0) if face and len(faces) > 1 else faces[0]
    person = behind.person_of(alone) if alone else None
    moves, rest_points = motion.read_motion(landmarks, rest)
    moves = motion.in_style(moves, rest_points, landmarks, options.style)
    seconds, wav, heard = len(moves) / FPS, None, None
    if speech:
        recording = open_speech(speech)
        n_samples, wav, heard = len(recording.sound), recording.path, recording.heard
        motion.check_length(landmarks, len(moves), n_frames_of(n_samples), wav)
        seconds = n_samples / SAMPLE_RATE
    n_frames = motion.n_output_frames(seconds, fps)
    device = pick_device(device, renderer)
    shown, *others = (talker(moves, rest_points, n_frames, options, renderer=renderer, face=one, model=model, device=device,
                             person=person) for one in faces)
    if options.preview:
        write_preview(place_of(out), list(marked(shown.draw(shown.moves_at((0, shown.widest))), options.watermark)))
    made_with = {"renderer": renderer, **options.as_made(), "blink_rate": shown.blink_rate}
    inputs = [p for p in (landmarks, face and face.path, wav, behind.picture_file(options.background), words) if p]
    is_rgb = renderer != "photo" or options.captions == "burn" or others or not form_of(out).sound
    frames = shown.frames(n_frames) if is_rgb else shown.frames(n_frames, encoded=True)
    if others:
        frames = behind.see_through(frames, others[0].frames(n_frames))
    return write_talking(out, frames, n_frames, fps=fps, stage=STAGE, captions=options.captions, shown_words=shown_words,
                         heard=heard, quality=options.quality, watermark=options.watermark, signed_by=options.sign,
                         options=made_with, inputs=inputs)


_PATH = click.Path(path_type=Path)


@stage(reads="LANDMARKS (landmarks-face, or landmarks-pixel), CLIP.rest.npy or rest_face.npy and CLIP.pose.npy beside it, "
             "a photo or a video, speech, words",
       writes="OUT (talking-video) and its sidecar, OUT.preview.png, OUT.avatar.png (avatar), OUT.pixel.npy",
       examples=("python -m render.render predict_landmark/speech/landmarks.npy --photo me.jpg --speech speech.wav",
                 "python -m render.render predict_landmark/new/landmarks.npy --video talk.mp4 --speech new.wav",
                 "python -m render.render --motion data/landmarks/clip.face.npy --photo me.jpg --preview",
                 "python -m render.render data/landmarks/clip.face.npy --renderer sketch --out clip.mp4"))
@click.argument("landmarks", type=_PATH, required=False)
@click.option("--motion", "template", type=_PATH, help="Another name for LANDMARKS, as in main.py.")
@click.option("--renderer", type=click.Choice(RENDERERS), default="photo", help="What the landmarks move.")
@click.option("--photo", "photo_path", type=_PATH, help="The face, for the photo renderer.")
@face_options
@dub_options
@click.option("--seen", type=_PATH, help="Landmarks of the --video.  [default: measured now, to OUT.pixel.npy]")
@click.option("--speech", type=_PATH, help="The sound, any recording; the video lasts as long as it.")
@click.option("--out", type=TARGET, default=Path("results/video.mp4"), help="The video, or NAME/ for pictures, - for a pipe.")
@click.option("--words", type=_PATH, help="Words with times (words.json), for --captions.")
@click.option("--rest", type=_PATH, help="The face the landmarks are offsets from.  [default: the one beside them]")
@click.option("--model", type=_PATH, help="Of the photo or dcgan renderer.  [default: the one that ships]")
@render_options
@click.option("--device", type=click.Choice(("auto", "cpu", "cuda")), default="auto", help="Where networks run.")
@click.option("--force", is_flag=True, help="Overwrite a video that this tool did not write.")
def main(landmarks, template, renderer, photo_path, which, points_file, out, force, options, video, seen, loop, tail,
         **given) -> None:
    """Turn landmarks into a video: a drawing, the DCGAN's face, a photo that speaks, or a video that speaks anew.

    LANDMARKS are predicted from speech, or were seen in a video: then the head moves and the eyes blink as they did there.
    """
    if bool(landmarks) == bool(template):
        raise InputError("LANDMARKS", "two files" if landmarks else "missing", "one file of landmarks, or --motion and one",
                         "python predict.py speech.wav")
    check_output(out, force, options, (landmarks, template, photo_path, video, given["speech"]))
    with taken(out) as target:
        if video:
            click.echo(dub_file(video, landmarks or template, target, options, seen=seen, which=which, points_file=points_file,
                                loop=loop, tail=tail, **given))
            return
        face = None
        if renderer == "photo" and photo_path:
            checked = photo_check.check_photo(photo_path, which, points_file)
            comic = named_after(place_of(target).with_suffix(""), ".avatar.png")
            face = (as_comic(checked, comic) if options.avatar != "none" else checked).photo
        click.echo(render_video(landmarks or template, target, options, renderer=renderer, face=face, **given))


if __name__ == "__main__":
    main()
