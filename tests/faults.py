"""Commands are killed, told to end, left without room or reader at random moments; run again, they give the same bytes.

Reads: nothing; the recordings are made here. Writes: a temporary folder; prints a table.
`make faults N=50`, or `python -m tests.faults --n 5 --seed 7 --command predict`. The same seed draws the same faults.
After each fault: no traceback, no process left, nothing half-written under a final name. After the same command once more:
status 0, every file as if nothing had happened, nothing left over.
"""

import csv
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

import click
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FAULTS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT, "SIGHUP": signal.SIGHUP,
          "no room": None, "closed pipe": None, "twice at once": None}
SIGNALS = [name for name, number in FAULTS.items() if number]
MARK = "TALKING_FACE_FAULT"  # in the environment of a trial's processes
MOST_S, ENDS_S = 600, 10
# Names, times and the like that may differ: what a run says of itself
_OTHER_EACH_TIME = (".lock", "run.json", "run.json.json")
TRAINING = ("--every", 2, "--steps", 4)


@dataclass(frozen=True)
class Work:
    """A command, and what its first run gave: name -> hash of every file, and how long it took."""

    name: str
    arguments: tuple
    files: dict
    seconds: float


def commands(shared: Path) -> dict:
    """Name -> arguments of every command that is tried, paths of its own relative; `shared` is what they read."""
    data = shared / "data"
    index, landmarks, pack = (data / part for part in ("recordings/index.csv", "landmarks", "train.h5"))
    corpus = ("--index", index, "--jobs", 2, "--out")
    return {
        "list_recordings": ("-m", "preprocess.list_recordings", shared / "corpus", "--out", "out"),
        "extract_fft": ("-m", "preprocess.extract_fft", *corpus, "out"),
        "extract_landmarks": ("-m", "preprocess.extract_landmarks", *corpus, "out"),
        "pack_hdf5": ("-m", "preprocess.pack_hdf5", "--fft", data / "fft", "--landmarks", landmarks, "--out", "train.h5"),
        "ear.pack": ("-m", "landmarks.ear.pack", "--pack", pack, "--index", index, "--versions", 1, "--jobs", 1,
                     "--out", "ear.h5"),
        "crop_faces": ("-m", "preprocess.crop_faces", "--landmarks", landmarks, "--out", "out", "--jobs", 2),
        "parts.pairs": ("-m", "render.parts.pairs", "--landmarks", landmarks, "--out", "out", "--most", 6, "--jobs", 2),
        "speak": ("-m", "speech.synthesize", "--text", "Good morning. It is nine.", "hello.wav", "--force"),
        "predict": ("predict.py", shared / "speech.wav", "--out", "out", "--emotion", "auto"),
        "main": ("main.py", "--image", shared / "photo.png", "--audio", shared / "speech.wav", "--output", "me.mp4",
                 "--size", 128, "--force"),
        "dub": ("main.py", "--video", shared / "corpus/anna/0.mp4", "--audio", shared / "speech.wav", "--output", "dub.mp4",
                "--force"),
        "batch": ("batch.py", shared / "table.csv", "--out", "out"),
        "train landmarks": ("-m", "landmarks.train", "--pack", pack, *TRAINING, "--batch", 2, "--frames", 24,
                            "--record", "runs"),
        "train sync": ("-m", "landmarks.sync.train", "--pack", pack, *TRAINING, "--record", "runs"),
        "train mouth": ("-m", "render.parts.train", "--pairs", shared / "pairs", "--epochs", 1, "--batch", 2,
                        "--record", "runs"),
    }


def make_shared(folder: Path) -> None:
    """What the commands read: clips that talk, their arrays and packs, a photo, speech, a table."""
    sys.path.insert(0, str(ROOT / "tests"))
    from conftest import SENTENCES, VOICES, portrait, speak, write_talking_clip
    from PIL import Image

    from core.media.audio import write_wav
    for i, (sentence, voice) in enumerate(zip(SENTENCES, VOICES)):
        path = folder / "corpus" / ("anna", "ben")[i // 2] / f"{i}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_talking_clip(path, speak(sentence, voice, 1.2))
    (folder / "corpus" / "manifest.csv").write_text("clip,split,speaker\n" + "".join(
        f"{name}/{i}.mp4,{'val' if i == 3 else 'train'},{name}\n" for i, name in enumerate(("anna", "anna", "ben", "ben"))))
    Image.fromarray(portrait()).save(folder / "photo.png")
    write_wav(folder / "speech.wav", speak(SENTENCES[0], seconds=1.0))
    (folder / "table.csv").write_text(f"image,audio,output,size\n{folder}/photo.png,{folder}/speech.wav,a.mp4,128\n"
                                      f"{folder}/photo.png,{folder}/speech.wav,b.mp4,128\n")
    data, index = folder / "data", folder / "data" / "recordings" / "index.csv"
    for arguments in (("preprocess.list_recordings", folder / "corpus", "--out", index.parent),
                      ("preprocess.extract_fft", "--index", index, "--out", data / "fft"),
                      ("preprocess.extract_landmarks", "--index", index, "--out", data / "landmarks"),
                      ("preprocess.pack_hdf5", "--fft", data / "fft", "--landmarks", data / "landmarks",
                       "--out", data / "train.h5"),
                      ("render.parts.pairs", "--landmarks", data / "landmarks", "--out", folder / "pairs", "--most", 6)):
        subprocess.run([sys.executable, "-m", *map(str, arguments)], cwd=ROOT, check=True, capture_output=True)


def start(arguments: tuple, folder: Path, n_bytes: int | None = None, stdout: int = subprocess.DEVNULL) -> subprocess.Popen:
    """Begin a command in `folder`, its standard error in a file beside; none it writes may become longer than `n_bytes`."""
    script = [str(ROOT / arguments[0])] if str(arguments[0]).endswith(".py") else [str(arguments[0])]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (n_bytes, n_bytes)) if n_bytes else None
    with open(talk_of(folder), "a", encoding="utf-8") as talk:
        return subprocess.Popen([sys.executable, *script, *map(str, arguments[1:])], cwd=folder, preexec_fn=limit,
                                stdout=stdout, stderr=talk,
                                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", MARK: str(folder)})


def talk_of(folder: Path) -> Path:
    """Where the commands in `folder` say what they say."""
    return folder.with_name(f"{folder.name}.txt")


def ended(*processes: subprocess.Popen) -> int:
    """Wait for processes to end; the largest status."""
    return max(process.wait(MOST_S) for process in processes)


def living(folder: Path) -> list[int]:
    """Processes that a trial in `folder` has left."""
    found, mark = [], f"{MARK}={folder}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has just ended, or is another's
            continue
    return found


def _lasting(path: Path) -> bytes:
    """What a file holds, but for the seconds that a training took."""
    if path.name != "curves.csv":
        return path.read_bytes()
    with open(path, encoding="utf-8", newline="") as stream:
        rows = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(stream)]
    return repr(rows).encode()


def contents(folder: Path) -> dict:
    """Name -> hash of every file that somebody sees."""
    return {str(path.relative_to(folder)): hashlib.sha256(_lasting(path)).hexdigest() for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".") and ".part" not in path.name
            and not path.name.endswith(_OTHER_EACH_TIME)}


def run_whole(name: str, arguments: tuple, folder: Path) -> Work:
    """A run without a fault; then a second one elsewhere: what differs between the two, by name or bytes, is not compared."""
    found, took = [], []
    for k in range(2):
        place = folder / f"whole {k}"
        place.mkdir(parents=True)
        began, process = time.monotonic(), start(arguments, place)
        if status := ended(process):
            raise SystemExit(f"{name}: without a fault it ends with {status}: {talk_of(place).read_text()[-600:]}")
        took.append(time.monotonic() - began)
        found.append(contents(place))
    same = {file: digest for file, digest in found[0].items() if found[1].get(file) == digest}
    return Work(name, arguments, same, min(took))


def _meet(work, fault, folder, rng) -> None:
    """Let a fault happen to one run, and wait for its end."""
    if fault == "twice at once":
        ended(*(start(work.arguments, folder) for _ in range(2)))
        return
    n_bytes = 2 ** int(rng.integers(6, 18)) if fault == "no room" else None
    process = start(work.arguments, folder, n_bytes, subprocess.PIPE if fault == "closed pipe" else subprocess.DEVNULL)
    if not n_bytes:
        time.sleep(float(rng.uniform(0, work.seconds)))
    if process.stdout:
        process.stdout.close()
    elif number := FAULTS[fault]:
        process.send_signal(number)
    ended(process)


def _said(folder) -> str:
    """What was said since this was last asked."""
    text = talk_of(folder).read_text(encoding="utf-8", errors="replace")
    talk_of(folder).write_text("", encoding="utf-8")
    return text.strip()


def _living_on(folder) -> list[str]:
    """Whether processes are left when the command has ended; they are then ended, too."""
    until = time.monotonic() + ENDS_S
    while (left := living(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    for number in left:
        os.kill(number, signal.SIGKILL)
    while left and living(folder):
        time.sleep(0.1)
    return [f"{len(left)} processes live on"] if left else []


def trial(work: Work, fault: str, folder: Path, rng: np.random.Generator) -> list[str]:
    """One fault, and the command once more; what is wrong afterwards."""
    folder.mkdir(parents=True)
    _meet(work, fault, folder, rng)
    wrong = _living_on(folder)
    talk = _said(folder)
    is_starting = talk.endswith("KeyboardInterrupt") and "_find_and_load" in talk  # Python reads its libraries
    if "Traceback" in talk and not is_starting:
        wrong.append("a traceback: " + talk.splitlines()[-1][:100])
    half = [name for name, digest in contents(folder).items() if work.files.get(name, digest) != digest and fault == "SIGKILL"
            and not name.endswith((".csv", ".csv.json"))]  # lists of what is done grow row by row
    wrong += [f"half-written: {name}" for name in half[:2]]
    again = start(work.arguments, folder)
    status = ended(again)
    wrong += _living_on(folder)
    if status:
        return [*wrong, f"again: status {status}: {_said(folder)[-120:]}"]
    found = contents(folder)
    wrong += [f"again: {name} {'differs' if name in found else 'is missing'}" for name, digest in work.files.items()
              if found.get(name) != digest][:3]
    old = [path.name for path in folder.rglob("*") if path.is_file() and ".part" in path.name]
    return wrong + [f"left over: {name}" for name in old[:2] if fault != "SIGKILL"]


def trials(work: Work, n: int, seed: int, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The fault of each of `n` trials, and what is wrong after it."""
    for number in range(n):
        rng = np.random.default_rng([seed, number, crc32(work.name.encode())])
        names = SIGNALS if number % 2 else list(FAULTS)
        fault = names[int(rng.integers(len(names)))]
        yield fault, trial(work, fault, folder / f"{work.name} {number}", rng)


@click.command()
@click.option("--n", type=click.IntRange(1), default=5, help="Faults for each command.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the moments and kinds.")
@click.option("--command", "chosen", multiple=True, help="Only this one; may be repeated.")
def main(n, seed, chosen) -> None:
    """Interrupt every command at random moments, and look whether anything is lost."""
    n_wrong = 0
    with tempfile.TemporaryDirectory(prefix="faults ") as name:
        folder = Path(name)
        make_shared(folder / "shared")
        for title, arguments in commands(folder / "shared").items():
            if chosen and title not in chosen:
                continue
            work, kinds, wrongs = run_whole(title, arguments, folder / "reference" / title), Counter(), []
            for fault, wrong in trials(work, n, seed, folder):
                kinds[fault] += 1
                wrongs += [f"{fault}: {each}" for each in wrong]
            told = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
            click.echo(f"| {title} | {n} | {told} | {len(work.files)} files | {'; '.join(wrongs) or 'nothing'} |")
            n_wrong += len(wrongs)
    raise SystemExit(bool(n_wrong))


if __name__ == "__main__":
    main()
