"""Any recording to the sound the other stages read: 16 kHz, mono, 16-bit .wav.

Reads: an audio or video file of any kind ffmpeg knows.
Writes: OUT.wav (speech) and its sidecar. Sound passes through second by second: memory does not grow with the length.
"""

import shutil
from dataclasses import replace
from itertools import chain
from pathlib import Path

import click

from core import artifacts
from core.clock import SAMPLE_RATE
from core.errors import InputError, absent
from core.media.audio import decode_any, encode_wav
from core.media.out.place import check_place
from core.media.speech import Speech, open_speech
from core.stage import say, stage

STAGE = "preprocess.convert_audio"


def convert(source: str | Path, path: str | Path, *, force: bool = False) -> Path:
    """Write the sound of `source` as 16 kHz mono `path`.

    Raises
    ------
    InputError : `source` is missing, not readable or has no sound; `path` may not be written.
    """
    source, path = Path(source), Path(path)
    if not source.is_file():
        raise InputError(source, absent(source), "an audio or video file")
    check_place(path, (".wav",), force=force, sources=(source,))
    blocks = decode_any(source)
    first = next(blocks, None)
    if first is None:
        raise InputError(source, "no sound", "a recording with sound")
    with artifacts.described(path, "speech", stage=STAGE, inputs=[source]) as (part, facts):
        n_samples = encode_wav(part, chain([first], blocks), where=path)
        facts["seconds"] = round(n_samples / SAMPLE_RATE, 3)
    return path


def open_recording(path: str | Path, folder: Path, keep: bool = False, passing: bool = False) -> Speech:
    """Decode a recording of any kind, by way of a .wav in `folder` unless it is one; with `keep` it is copied there.

    With `passing` nobody finds the .wav afterwards, and its path is not told.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, absent(path), "a recording of speech")
    with open(path, "rb") as stream:
        is_wav = path.suffix.lower() == ".wav" and stream.read(4) in (b"RIFF", b"RIFX", b"RF64", b"")
    if is_wav:
        speech = open_speech(path)
    else:
        speech = open_speech(convert(path, folder / "speech.wav"), path)
        path = speech.path
        say("converted for the networks" if passing else f"converted for the networks: {path}")
    if keep and path.parent != folder:
        folder.mkdir(parents=True, exist_ok=True)
        speech = replace(speech, path=Path(shutil.copyfile(path, folder / "speech.wav")))
    return speech


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
