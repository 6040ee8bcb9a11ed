"""Ten thousand clips through every stage that reads an index: seconds and memory of each, and of each once more.

Reads: nothing; the clips are made here, of three frames each, no two alike. Writes: a temporary folder; prints a table.
`python -m tests.many`, or `python -m tests.many --n 200` to try it.
"""

import sys
import tempfile
from pathlib import Path

import click

from core.cost import python

ROOT = Path(__file__).resolve().parent.parent
N_FRAMES, SIDE_PX, A_SPEAKER = 12, 96, 10  # clips of a speaker


def make_corpus(folder: Path, n: int) -> None:
    """`n` talking clips: four that differ, the others their copies with other bytes behind."""
    sys.path.insert(0, str(ROOT / "tests"))
    import cv2
    from conftest import SENTENCES, VOICES, loudness, speak, talking_frames

    from core.media.audio import write_wav
    from core.media.video import write_video
    bases = []
    for number, (sentence, voice) in enumerate(zip(SENTENCES, VOICES)):
        sound = speak(sentence, voice, N_FRAMES / 25)
        frames = [cv2.resize(frame, (SIDE_PX, SIDE_PX)) for frame in talking_frames(loudness(sound))]
        write_video(base := folder / f"base{number}.mp4", frames, speech=write_wav(folder / "speech.wav", sound))
        bases.append(base.read_bytes())
    for number in range(n):
        path = folder / "corpus" / f"speaker{number // A_SPEAKER:05d}" / f"{number:06d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bases[number % len(bases)] + (8 + 8).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big"))


def stages(folder: Path, jobs: int) -> dict[str, tuple]:
    """Name -> arguments of each stage, in order."""
    data, work = folder / "data", ("--jobs", jobs)
    index, landmarks, pack = data / "recordings" / "index.csv", data / "landmarks", data / "train.h5"
    return {
        "list_recordings": ("-m", "preprocess.list_recordings", folder / "corpus", "--out", index.parent),
        "extract_fft": ("-m", "preprocess.extract_fft", "--index", index, "--out", data / "fft", *work),
        "extract_landmarks": ("-m", "preprocess.extract_landmarks", "--index", index, "--out", landmarks, *work),
        "extract_head": ("-m", "preprocess.extract_head", "--landmarks", landmarks, "--out", data / "heads", *work),
        "crop_faces": ("-m", "preprocess.crop_faces", "--landmarks", landmarks, "--out", data / "crops", "--size", 64, *work),
        "pack_hdf5": ("-m", "preprocess.pack_hdf5", "--fft", data / "fft", "--landmarks", landmarks, "--out", pack),
        "train, first batch": ("-m", "landmarks.train", "--pack", pack, "--record", data / "runs", "--dry-run"),
        "inspect the index": ("-m", "viewer.inspect", landmarks / "index.csv"),
    }


@click.command()
@click.option("--n", type=click.IntRange(20), default=10_000, help="Clips.")
@click.option("--jobs", type=click.IntRange(1), default=2, help="Processes of a stage.")
@click.option("--only", multiple=True, help="Only this stage; may be repeated. With --folder.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to keep everything.  [default: a temporary folder]")
def main(n, jobs, only, folder) -> None:
    """Measure what many clips cost, the first time and once more."""
    with tempfile.TemporaryDirectory(prefix="many ") as name:
        folder = folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "corpus").exists():
            make_corpus(folder, n)
        click.echo(f"| {n} clips | s | s of a core | MB | once more: s | s of a core | MB |\n|---{'|---:' * 6}|")
        for title, arguments in stages(folder, jobs).items():
            if only and title not in only:
                continue
            first, again = python(*arguments), python(*arguments)
            click.echo(f"| {title} | {first.seconds:.1f} | {first.cpu_s:.1f} | {first.peak_mb:.0f} | {again.seconds:.1f} | "
                       f"{again.cpu_s:.1f} | {again.peak_mb:.0f} |")


if __name__ == "__main__":
    main()
