"""Sound to FFT magnitudes, four windows a landmark frame.

Reads: data/recordings/index.csv and the recordings' sound.
Writes: data/fft/CLIP.npy (spectrum, float16 [frame, hop, bin]) and data/fft/index.csv
"""

from pathlib import Path

import click

from core import artifacts, blocks
from core.corpus import jobs_option, output_path, run_stage
from core.errors import InputError
from core.media.audio import decode_any, spectrum_blocks
from core.stage import stage

STAGE = "preprocess.extract_fft"


def extract_clip(row: dict, out: str | Path, options: dict) -> dict:
    """Write one clip's spectrum, block by block; return its number of frames."""
    path, source = output_path(out, row, ".npy"), row["sound"]
    if not artifacts.is_current(path, "spectrum", stage=STAGE, options=options, inputs=[source]):
        shape = blocks.save(path, spectrum_blocks(decode_any(source)), "spectrum", stage=STAGE,
                            options=options, inputs=[source])
        if not shape:
            raise InputError(source, "no sound", "a recording with sound, or an audio-only twin")
    return {"sound_frames": artifacts.read_sidecar(path)["shape"][0]}


@stage(reads="data/recordings/index.csv", writes="OUT/CLIP.npy, OUT/index.csv",
       examples=("python -m preprocess.extract_fft",))
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Clips to read.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/fft"), help="Folder of the spectra.")
@jobs_option
def main(index, out, jobs) -> None:
    """Turn the sound of every clip into FFT magnitudes."""
    click.echo(run_stage(extract_clip, index, out, stage=STAGE, options={}, jobs=jobs, columns=("sound",)))


if __name__ == "__main__":
    main()
