"""List the recordings of a folder: who speaks, in which split, and which sound belongs to which picture.

Reads: a folder with manifest.csv, or with RAVDESS file names, or with one sub-folder a speaker.
Writes: data/recordings/index.csv
RAVDESS names: Livingstone & Russo 2018, PLoS ONE 13(5): modality-channel-emotion-intensity-statement-repetition-actor.
"""

from pathlib import Path

import click

from core.index import write_index
from core.stage import say, stage
from preprocess.recordings import list_recordings


@stage(reads="a folder of recordings (never written to)", writes="OUT/index.csv",
       examples=("python -m preprocess.list_recordings data/raw",))
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/recordings"), help="Folder of the index.")
def main(corpus, out) -> None:
    """List the recordings of a folder with their speaker and split."""
    rows = list_recordings(corpus.resolve())
    say(f"{len(rows)} clips, {len({row['speaker'] for row in rows})} speakers")
    if failed := [row for row in rows if row.get("problem")]:
        say(f"{len(failed)} of them cannot be used, like {failed[0]['problem']}")
    click.echo(write_index(out / "index.csv", rows, stage="preprocess.list_recordings", options={"corpus": corpus.name}))


if __name__ == "__main__":
    main()
