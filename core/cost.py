"""What things cost on this machine: seconds and memory of a process, megabytes of packages.

Reads: pyproject.toml, the installed packages' lists of files. Writes: nothing.
"""

import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from core.errors import InputError
from core.paths import ROOT

N_LARGEST = 5  # packages


@dataclass
class Ended:
    """A process that has ended, and what it said on standard error."""

    seconds: float
    peak_mb: float  # of the largest process, itself or one it started
    cpu_s: float  # of all of them
    talk: str


@dataclass
class Row:
    """One line of a table; `ratio` is `value` over `other`."""

    what: str
    value: float
    unit: str
    beside: str
    other: float

    @property
    def ratio(self) -> float:
        return self.value / self.other


def python(*arguments: Any) -> Ended:
    """Run `python ARGUMENTS` in a process of its own, as a user would; InputError with its last line when it fails."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace") as process:
        talk = process.stderr.read() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise InputError(" ".join(["python", *map(str, arguments)]), (talk.strip() or "failed").splitlines()[-1])
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return Ended(time.perf_counter() - began, usage.ru_maxrss * unit_bytes / 1e6, usage.ru_utime + usage.ru_stime, talk)


def seconds_of(work: Callable) -> float:
    """What `work()` takes on the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def sizes_mb(*extras: str) -> dict:
    """Size on the disk of each package that the project asks for, with these of its extras, and of those they ask for.

    Markers and extras are followed; a package that is not installed here is left out.

    Returns
    -------
    name -> MB, as the installed files take, compiled ones too
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    left, followed = [(Requirement(line), {""}) for line in wanted], {}
    while left:
        requirement, asked = left.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in asked):
            continue
        name, own = canonicalize_name(requirement.name), {"", *requirement.extras}
        if own <= followed.get(name, set()):
            continue
        followed[name] = followed.get(name, set()) | own
        try:
            left += [(Requirement(line), followed[name]) for line in metadata.distribution(name).requires or ()]
        except metadata.PackageNotFoundError:
            del followed[name]
    return {name: _size_mb(metadata.distribution(name)) for name in followed}


def _size_mb(distribution) -> float:
    paths = [file.locate() for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def size(_folder: Any = None) -> list[Row]:
    """What the packages of pyproject.toml take on the disk, without its extras, and the largest of them."""
    base, every = sizes_mb(), sum(sizes_mb("train", "web").values())
    total = sum(base.values())
    largest = sorted(base, key=base.__getitem__, reverse=True)[:N_LARGEST]
    return [Row(f"size of the base requirements, {len(base)} packages", total, "MB", "with train and web", every),
            *(Row(f"  of them {name}", base[name], "MB", "all of the base", total) for name in largest)]
