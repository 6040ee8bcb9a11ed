"""Turn a photo or a video into a comic of another person.

Reads: a photo, or a video; MODEL (picture-model). Writes: OUT (avatar, or talking-video) and its sidecar, which says how
far the comic is from the person, by dlib's face embedding (King 2017: below 0.6 is the same person), and how far its 68 points
moved.
"""

from pathlib import Path

import click

from avatar.alignment import STYLES
from avatar.comics import PRIVACY, STYLE
from avatar.inputs import read_face
from avatar.translation import write_avatar, write_avatar_video
from core.errors import InputError, absent
from core.media.marks.watermark import check_mark, watermark_option
from core.media.out.place import check_place
from core.stage import stage

VIDEOS = (".mp4", ".mov", ".webm", ".mkv", ".avi")


@stage(reads="SOURCE, a photo or a video; MODEL (picture-model)",
       writes="OUT (avatar .png, or talking-video .mp4) and its sidecar",
       examples=("python -m avatar.translate me.jpg avatar.png", "python -m avatar.translate clip.mp4 avatar.mp4"))
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--style", type=click.Choice(STYLES), default=STYLE, help="v1: ink over own colours. v2: flat paints.")
@click.option("--privacy", type=click.FloatRange(0, 1), default=PRIVACY,
              help="Share of another face that the comic wears in place of the person's.")
@click.option("--model", type=click.Path(path_type=Path), help="The translator.  [default: the one that ships]")
@watermark_option
@click.option("--force", is_flag=True, help="Overwrite a file that this tool did not write.")
def main(source, out, style, privacy, model, watermark, force) -> None:
    """Turn a photo, or each frame of a video, into a comic."""
    check_mark(watermark)
    if not source.is_file():
        raise InputError(source, absent(source), "a photo or a video")
    if source.suffix.lower() in VIDEOS:
        check_place(out, (".mp4",), "talking-video", force, (source, model))
        click.echo(write_avatar_video(source, out, style=style, privacy=privacy, model=model, watermark=watermark))
        return
    check_place(out, (".png",), "avatar", force, (source, model))
    write_avatar(*read_face(source), out, source, style=style, privacy=privacy, model=model, watermark=watermark)
    click.echo(out)


if __name__ == "__main__":
    main()
