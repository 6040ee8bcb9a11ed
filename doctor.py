"""Check the installation: packages, device, models, and two seconds of speech to video.

Reads: requirements.txt, the models that ship, data/samples/speech.wav, the portrait in scikit-image.
Writes: nothing that lasts.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from core import paths
from core.errors import InputError, command_line
from core.pretrained import DLIB_EMBEDDING, DLIB_POINTS, FACE_MESH, KOKORO, KOKORO_PARTS, SELFIE, WHISPER, Pretrained, find
from core.stage import listen, stage

ROOT = Path(__file__).resolve().parent
GOOD, MISSING, OPTIONAL, FACT = "ok", "MISSING", "not here", ""
SHIPPED = tuple(path.relative_to(ROOT).as_posix() for path in paths.SHIPPED)
WANTED_BY_NAME = {"gTTS": "--engine gtts", "edge-tts": "--engine edge", "piper-tts": "--engine piper",
                  "vosk": "--transcriber vosk", "pillow-heif": ".heic photos",
                  "c2pa-python": "--sign"}  # packages that are optional, and what for
WRITTEN = ("results", "predict_landmark", "data", "CNN_record", "GAN_record")  # folders
OLDEST_PYTHON = (3, 11)
ROOM_GB = 1
SELF_TEST_S, SELF_TEST_PX = 2, 256


@dataclass(frozen=True)
class Finding:
    """One line of the report; `state` is one of GOOD, MISSING, OPTIONAL, FACT."""

    what: str
    state: str
    found: str
    cure: str = ""


def _installed(package) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extras() -> dict:
    """The extra of pyproject.toml that asks for each package which the base does without, by its name in small letters."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return {re.split("[<>=]", line)[0].lower(): extra for extra, lines in listed.items() for line in lines if "[" not in line}


def packages(requirements: Path = ROOT / "requirements.txt") -> Iterator[Finding]:
    """Yield what is installed beside what is tested together."""
    version, wanted = ".".join(map(str, sys.version_info[:3])), ".".join(map(str, OLDEST_PYTHON))
    yield Finding("Python", GOOD if sys.version_info >= OLDEST_PYTHON else MISSING, version, f"Python {wanted} or newer")
    lines = (line.split("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    extras = _extras()
    from packaging.requirements import Requirement
    for asked in map(Requirement, filter(None, lines)):
        if asked.marker and not asked.marker.evaluate():
            continue
        name, tested = asked.name, str(asked.specifier).removeprefix("==")
        has = _installed(name)
        if has is None:
            extra = extras.get(re.sub(r"-model-\d+$", "", name.lower()))  # parts of a package are its own
            state, found = (OPTIONAL, f"only for the extra {extra}") if extra else (MISSING, "not installed")
            yield Finding(name, state, found, f"pip install {name}=={tested}")
        else:
            same = has.partition("+")[0] == tested
            yield Finding(name, GOOD, has if same else f"{has}; tested with {tested}")
    for name, purpose in WANTED_BY_NAME.items():
        has = _installed(name)
        yield Finding(name, GOOD if has else OPTIONAL, has or f"only for {purpose}", "" if has else f"pip install {name}")


def device() -> Iterator[Finding]:
    """Yield what there is to compute with."""
    yield Finding("CPU", FACT, f"{os.cpu_count()} cores")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield Finding("memory", FACT, f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB")
    try:
        import torch
        cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "none; nothing needs it"
    except ImportError:
        cuda = "not known without PyTorch"
    yield Finding("CUDA device", FACT, cuda)


def models(root: Path = ROOT) -> Iterator[Finding]:
    """Yield whether each model that ships is there and whole."""
    from core import artifacts
    for name in SHIPPED:
        try:
            about = artifacts.check(root / name)
            state, found = (GOOD, about["kind"]) if about else (MISSING, "no description beside it")
        except InputError as error:
            state, found = MISSING, error.found
        yield Finding(name, state, found, command_line("git", "-C", root, "checkout", "--", name, f"{name}.json"))
    for model in (DLIB_POINTS, DLIB_EMBEDDING, WHISPER, FACE_MESH, SELFIE, KOKORO, *KOKORO_PARTS):
        yield pretrained(model)


def pretrained(model: Pretrained) -> Finding:
    """Whether a model of a pinned package is there and is the one that was tested."""
    try:
        there = find(model)
    except InputError as error:
        return Finding(model.what, MISSING, error.found, model.cure)
    return Finding(model.what, GOOD if there else OPTIONAL, model.package if there else "not installed", model.cure)


def _nearest(folder) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _can_write(folder) -> bool:
    try:
        with tempfile.TemporaryFile(dir=_nearest(folder)):
            return True
    except OSError:
        return False


def surroundings(root: Path = ROOT) -> Iterator[Finding]:
    """Yield whether ffmpeg runs and folders can be written."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
        said = subprocess.run([get_ffmpeg_exe(), "-version"], capture_output=True, text=True, check=True).stdout
        yield Finding("ffmpeg", GOOD, " ".join(said.split()[1:3]))
    except (ImportError, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        yield Finding("ffmpeg", MISSING, str(error)[:80], "pip install --force-reinstall imageio-ffmpeg")
    for name in WRITTEN:
        can = _can_write(root / name)
        yield Finding(f"{name}/", GOOD if can else MISSING, "can be written" if can else "cannot be written",
                      command_line("chmod", "u+w", _nearest(root / name)))
    free_gb = shutil.disk_usage(root).free / 1e9
    yield Finding("room", GOOD if free_gb > ROOM_GB else MISSING, f"{free_gb:.0f} GB free", f"{ROOM_GB} GB or more")


def self_test(seconds: int = SELF_TEST_S) -> Iterator[Finding]:
    """Yield whether the start of the sample speech and the sample portrait become a video."""
    what, began = f"{seconds} s of speech to a video", time.monotonic()
    listen(lambda event: None)
    try:
        from animator import Animator
        from core.clock import SAMPLE_RATE
        from core.face.sample import write_photo
        from core.media.audio import read_speech, write_wav
        from core.media.video import probe
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            photo = write_photo(folder / "photo.png")
            speech = write_wav(folder / "speech.wav", read_speech(ROOT / "data/samples/speech.wav")[:seconds * SAMPLE_RATE])
            Animator(device="cpu").animate(photo, speech, video := folder / "video.mp4", size_px=SELF_TEST_PX)
            about = probe(video)
        whole = about.has_sound and round(about.seconds) == seconds
        state, found = (GOOD if whole else MISSING), f"{time.monotonic() - began:.1f} s, libraries and models read"
    except (InputError, ImportError, OSError, RuntimeError) as error:
        state, found = MISSING, str(error).splitlines()[0][:100]
    finally:
        listen(None)
    yield Finding(what, state, found, "make test says more")


@stage(reads="requirements.txt, the models that ship, the samples", writes="nothing; prints what it found",
       examples=("python doctor.py",))
def main() -> None:
    """Check the installation, part by part, and say the cure for what is missing.

    Exit status 1 when something needed is missing.
    """
    n_missing = 0
    for part in (packages, device, surroundings, models, self_test):
        try:
            findings = list(part())
        except ImportError as error:
            findings = [Finding(part.__name__, MISSING, f"not checked: {error}", "pip install -r requirements.txt")]
        for finding in findings:
            n_missing += finding.state == MISSING
            cure = f"; try: {finding.cure}" if finding.cure and finding.state in (MISSING, OPTIONAL) else ""
            click.echo(f"{finding.state:<9}{finding.what:<44}{finding.found}{cure}")
    if n_missing:
        raise InputError("doctor", f"{n_missing} of what is needed is missing", "none", "what stands beside each line")


if __name__ == "__main__":
    main()
