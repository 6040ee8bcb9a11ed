"""Ten thousand clips through every stage that reads an index: seconds and memory of each, and of each once more.

Reads: nothing; the clips are made here, half a second each, no two alike. Writes: a temporary folder; prints a table.
`python -m tests.many`, or `python -m tests.many --n 200` to try it.
What a clip costs by itself is known (docs/scale.md); this is about the list. So the outputs of `extract_fft` and
`extract_landmarks` are made of four clips and given to all others, each with its own hashes: these stages find them current.
"""

import json
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

from core.artifacts import sidecar_path
from core.cost import python
from core.files import sha256

ROOT = Path(__file__).resolve().parent.parent
N_FRAMES, A_SPEAKER, N_BASES = 12, 10, 4  # of a clip; clips of a speaker; clips that are measured
SUFFIXES = {"fft": (".npy",), "landmarks": (".pixel.npy", ".face.npy", ".pose.npy", ".rest.npy")}


def make_corpus(folder: Path, n: int) -> None:
    """`n` talking clips: four that differ, the others their copies with other bytes behind; what two stages make of them."""
    sys.path.insert(0, str(ROOT / "tests"))
    from conftest import SENTENCES, VOICES, speak, write_talking_clip
    bases, done = [], folder / "base"
    for number, (sentence, voice) in enumerate(zip(SENTENCES, VOICES)):
        path = done / "corpus" / "someone" / f"{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        bases.append(write_talking_clip(path, speak(sentence, voice, N_FRAMES / 25)).read_bytes())
    for arguments in list(stages(done, 1).values())[:3]:
        python(*arguments)
    for number in range(n):
        name = Path(f"speaker{number // A_SPEAKER:05d}", f"{number:06d}")
        path, base = (folder / "corpus" / name).with_suffix(".mp4"), Path("someone", str(number % N_BASES))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bases[number % N_BASES] + (8 + 8).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big"))
        inputs = {path.name: sha256(path)}
        for made, suffix in ((made, suffix) for made, suffixes in SUFFIXES.items() for suffix in suffixes):
            old, new = (top / "data" / made / f"{clip}{suffix}" for top, clip in ((done, base), (folder, name)))
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(old.read_bytes())
            about = json.loads(sidecar_path(old).read_text(encoding="utf-8"))
            sidecar_path(new).write_text(json.dumps({**about, "inputs": inputs}), encoding="utf-8")


def stages(folder: Path, jobs: int) -> dict[str, tuple]:
    """Name -> arguments of each stage, in order."""
    data, work = folder / "data", ("--jobs", jobs)
    index, landmarks, pack = data / "recordings" / "index.csv", data / "landmarks", data / "train.h5"
    return {
        "list_recordings": ("-m", "preprocess.list_recordings", folder / "corpus", "--out", index.parent),
        "extract_fft, all current": ("-m", "preprocess.extract_fft", "--index", index, "--out", data / "fft", *work),
        "extract_landmarks, all current": ("-m", "preprocess.extract_landmarks", "--index", index, "--out", landmarks, *work),
        "extract_head": ("-m", "preprocess.extract_head", "--landmarks", landmarks, "--out", data / "heads", *work),
        "crop_faces of 100 speakers": ("-m", "preprocess.crop_faces", "--landmarks", landmarks, "--out", data / "crops",
                                       "--size", 64, "--speaker", "speaker000", *work),
        "pack_hdf5": ("-m", "preprocess.pack_hdf5", "--fft", data / "fft", "--landmarks", landmarks, "--out", pack),
        "landmarks.train, two steps": ("-m", "landmarks.train", "--pack", pack, "--record", data / "runs", "--dry-run"),
        "inspect the index": ("-m", "viewer.inspect", landmarks / "index.csv"),
    }


@click.command()
@click.option("--n", type=click.IntRange(20), default=10_000, help="Clips.")
@click.option("--jobs", type=click.IntRange(1), default=2, help="Processes of a stage.")
def main(n, jobs) -> None:
    """Measure what many clips cost, the first time and once more."""
    with tempfile.TemporaryDirectory(prefix="many ") as name:
        folder = Path(name)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # else its memory counts as the stages'
            pool.submit(make_corpus, folder, n).result()
        click.echo(f"| {n} clips | s | s of a core | MB | once more: s | s of a core | MB |\n|---{'|---:' * 6}|")
        for title, arguments in stages(folder, jobs).items():
            costs = [python(*arguments) for _ in range(2)]
            told = (f"{cost.seconds:.1f} | {cost.cpu_s:.1f} | {cost.peak_mb:.0f}" for cost in costs)
            click.echo(f"| {title} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
