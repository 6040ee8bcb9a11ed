"""Any recording to the sound the other stages read: 16 kHz, mono, 16-bit .wav.

Reads: an audio or video file of any kind ffmpeg knows.
Writes: OUT.wav (speech) and its sidecar. Sound passes through second by second: memory does not grow with the length.
"""

from itertools import chain
from pathlib import Path

import click

from core import artifacts
from core.clock import SAMPLE_RATE
from core.errors import InputError, absent
from core.media.audio import decode_any, encode_wav
from core.stage import stage

STAGE = "preprocess.convert_audio"


def check_output(path: str | Path, force: bool, source: str | Path | None = None) -> None:
    """Raise InputError unless `path` is a .wav that may be written: new, or `force`d, and never the `source` itself."""
    path = Path(path)
    if path.suffix.lower() != ".wav":
        raise InputError(path, f"a {path.suffix or 'nameless'} file as output", "a name that ends in .wav")
    if source is not None and path.exists() and path.samefile(source):
        raise InputError(path, "input and output are the same file", "another name for the output")
    if path.exists() and not force:
        raise InputError(path, "already there", "a new file", "another name, or --force to overwrite it")


def convert(source: str | Path, path: str | Path, *, force: bool = False) -> Path:
    """Write the sound of `source` as 16 kHz mono `path`.

    Raises
    ------
    InputError : `source` is missing, not readable or has no sound; `path` may not be written.
    """
    source, path = Path(source), Path(path)
    if not source.is_file():
        raise InputError(source, absent(source), "an audio or video file")
    check_output(path, force, source)
    blocks = decode_any(source)
    first = next(blocks, None)
    if first is None:
        raise InputError(source, "no sound", "a recording with sound")
    with artifacts.described(path, "speech", stage=STAGE, inputs=[source]) as (part, facts):
        n_samples = encode_wav(part, chain([first], blocks), where=path)
        facts["seconds"] = round(n_samples / SAMPLE_RATE, 3)
    return path


@stage(reads="IN: any audio or video file", writes="OUT.wav (16 kHz, mono, 16 bit), OUT.wav.json",
       examples=("python -m preprocess.convert_audio song.mp3 song.wav",
                 "python -m preprocess.convert_audio talk.mp4 talk.wav --force"))
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.wav", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite OUT.wav if it exists.")
def main(source, out, force) -> None:
    """Convert any recording to a .wav file that every stage reads."""
    click.echo(convert(source, out, force=force))


if __name__ == "__main__":
    main()
