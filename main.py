"""A photo, or a video, and a recording, or a script, become a talking video, with one command: all stages in a row.

Reads: a photo, or a video; speech in any audio format, or a text to speak.
Writes: the video; with RESULT_DIR, --keep, or without OUTPUT the files in between in RESULT_DIR/NAME/, see `animator`.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from animator import Animator
from batches.preset import preset_option
from core.errors import InputError
from core.files import fitting, own_folder
from core.media.out.stream import taken
from core.media.out.target import TARGET, chosen, stream_options
from core.stage import completing, listen, stage
from landmarks.expression import AUTO, EMOTIONS, MOST
from render.dub.options import dub_options
from render.options import face_options, render_options
from render.render import check_output
from speech.engines import DEFAULT_VOICE
from speech.recognise import ENGINES
from speech.script import read_script
from speech.synthesize import voice_options
from speech.transcribe import force_captions


def what_is_said(text: str | None, script: str | Path | None, voice: str = DEFAULT_VOICE) -> dict:
    """`text` and `text_from` of `Animator.animate`, from --text or --script; empty without either. Raises InputError."""
    if text is not None and script:
        raise InputError("--text, --script", "both given", "one of the two")
    if script:
        return {"text": read_script(script, voice), "text_from": script}
    return {} if text is None else {"text": text}


@contextmanager
def files_between(folder: Path | None, name: str) -> Iterator[Path]:
    """The folder of the files in between: FOLDER/NAME, or without FOLDER one that is gone afterwards."""
    if folder:
        with own_folder(folder, name) as kept:
            yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="talking-face-") as passing:
            yield Path(passing)


_PATH = click.Path(path_type=Path)
RESULTS = Path("results")


@stage(reads="a photo or a video; speech, or a text",
       writes="the video, its .preview.png; files in between in RESULT_DIR/NAME/, see docs/guides.md",
       examples=("python main.py --image me.jpg --audio speech.wav --output me.mp4",
                 "python main.py --image me.jpg --script data/samples/reminder.txt --voice en-in --captions burn",
                 "python main.py --source_image me.png --driven_audio speech.mp3 --preprocess crop --preview",
                 "python main.py --video talk.mp4 --audio new.wav",
                 "python main.py --image me.jpg --audio speech.wav --emotion happy:1.5",
                 "python main.py --image me.jpg --audio speech.wav --motion data/landmarks/clip.face.npy"))
@click.option("--image", "--source-image", "image", type=_PATH, help="A frontal photo.")
@dub_options
@face_options
@click.option("--audio", "--driven-audio", "audio", type=_PATH, help="Speech, in any format.")
@click.option("--script", type=_PATH, help="Text to speak; with --audio, what is said in it.")
@click.option("--text", help="The same, given here.")
@voice_options
@click.option("--transcriber", type=click.Choice(("none", *ENGINES)),
              help="Recognises the words of --audio.  [default: whisper with --captions or --keep, else none]")
@force_captions
@click.option("--output", "-o", type=TARGET,
              help="The video: .mp4, .webm, silent .webp, .gif; NAME/ a folder of .png; - a pipe.  "
                   "[default: RESULT_DIR/NAME.mp4]")
@stream_options
@click.option("--result-dir", type=_PATH,
              help="Folder of the files in between; not kept with --output alone.  [default: results]")
@click.option("--motion", "template", type=_PATH,
              help="Landmarks in place of a prediction, as long as the speech.")
@click.option("--emotion", default=AUTO, metavar="auto|NAME|NAME:STRENGTH", shell_complete=completing(AUTO, *EMOTIONS),
              help=f"What the voice says, or {', '.join(EMOTIONS)}; strength 0 to {MOST:g}.")
@render_options
@click.option("--gpu", type=bool, default=True, help="Use CUDA where it helps.")
@click.option("--model", type=_PATH, help="Speech-to-landmark model.  [default: what ships]")
@click.option("--keep", is_flag=True, help="Also leave the speech, and a page that shows all files.")
@click.option("--json-progress", is_flag=True,
              help="Standard error is JSON, see docs/progress.md.")
@click.option("--force", is_flag=True, help="Overwrite a video that this tool did not write.")
@preset_option
def main(image, video, audio, script, text, output, stream, piped, result_dir, gpu, model, json_progress, force, options,
         loop, tail, **given) -> None:
    """Make a photo speak, or a video speak anew: a recording, or a text that is read aloud.

    Only use a face or a voice whose owner has agreed. The video says of itself that it is synthetic.

    Options may be spelt with - or with _: --result-dir, --result_dir.
    """
    if json_progress:
        listen(lambda event: click.echo(json.dumps(event.as_json(), ensure_ascii=False), err=True))
    if bool(image) == bool(video):
        raise InputError("--image, --video", "both given" if image else "neither of them", "--image PHOTO, or --video VIDEO")
    stems = [fitting(path.stem) for path in (image or video, audio or script or Path("text"))]
    name, output = "_".join([*stems, time.strftime("%Y%m%d-%H%M%S")]), chosen(output, stream, piped)
    if given["keep"] and output and not isinstance(output, Path):
        raise InputError("--keep", f"given with {output}", "a file, for its page to show")
    left = result_dir or (RESULTS if given["keep"] or not output else None)
    with files_between(left, name) as folder, \
            taken(check_output(output or folder.with_name(f"{folder.name}.mp4"), force, options,
                               (image, video, audio, script))) as out:
        animator = Animator(model, "auto" if gpu else "cpu", once=True)
        given |= {"options": options, "folder": folder, "passing": not left, **what_is_said(text, script, given["voice"])}
        click.echo(animator.dub(video, audio, out, loop=loop, tail=tail, **given) if video
                   else animator.animate(image, audio, out, **given))


if __name__ == "__main__":
    main()
