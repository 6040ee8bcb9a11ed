"""Training runs: numbered folders with options, versions and curves, which can be resumed.

Writes: RECORD/00001/run.json with the options as resolved, the seed, versions, data hash, and the command to resume.
"""

import platform
import shlex
import sys
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from core.errors import InputError, absent, readable
from core.files import read_json, save_json, sha256
from core.renamed import present_name

_FIELDS = {"stage", "options", "versions", "started", "data", "command", "resume"}  # of run.json
_DICTS = ("options", "versions", "data")  # of these
_VERSIONS_OF = ("tensorflow", "torch", "numpy", "dlib-bin", "opencv-python-headless")


def _versions():
    found = {"python": platform.python_version()}
    for name in _VERSIONS_OF:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def new_run(record: str | Path, *, stage: str, options: dict, data: str | Path | None = None, resumes: bool = True) -> Path:
    """Make the next numbered folder under `record` and write its run.json; return the folder.

    `resumes`: whether the command has --resume; without it, the same command goes on.
    """
    record = Path(record)
    record.mkdir(parents=True, exist_ok=True)
    number = max((int(p.name) for p in record.iterdir() if p.name.isdigit()), default=0)
    while True:
        number += 1
        run = record / f"{number:05d}"
        try:
            run.mkdir()
            break
        except FileExistsError:
            continue  # another run took the number
    command = shlex.join(["python", "-m", stage, *sys.argv[1:]])
    save_json(run / "run.json", {
        "stage": stage, "options": options, "versions": _versions(), "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "data": {"file": str(data), "sha256": sha256(data)} if data else {},
        "command": command, "resume": shlex.join(["python", "-m", stage, "--resume", str(run)]) if resumes else command})
    return run


def read_run(run: str | Path) -> dict:
    """Read run.json of a run folder. Raises InputError when `run` is not one."""
    path = Path(run) / "run.json"
    about = read_json(path, "what a training wrote", "ls CNN_record GAN_record") if path.is_file() else {}
    if not isinstance(about, dict) or not about.keys() >= _FIELDS or not all(isinstance(about[k], dict) for k in _DICTS):
        raise InputError(run, "not a training run", "a folder with run.json", "ls CNN_record GAN_record")
    old, new = str(about["stage"]), present_name(str(about["stage"]))
    commands = {name: str(about[name]).replace(f"-m {old} ", f"-m {new} ") for name in ("command", "resume")}
    return about | {"stage": new, **commands}


def resumable_run(run: str | Path, *, stage: str) -> dict:
    """run.json of a run that the command `stage` is to go on with.

    Raises
    ------
    InputError : not a run, one of another command, or its data are missing or changed.
    """
    about = read_run(run)
    if about["stage"] != stage:
        raise InputError(run, f"a run of {about['stage']}", f"a run of {stage}", about["resume"])
    with readable(Path(run) / "run.json", "options of a run", cure="begin a new run"):
        file, wanted = Path(about["data"]["file"]), about["data"]["sha256"]
    if not file.is_file():
        raise InputError(file, absent(file), f"what {run} learns from")
    if sha256(file) != wanted:
        raise InputError(file, f"changed since {run} began", "the data it was trained on", f"python -m {stage}")
    return about


def unfinished_run(record: str | Path, *, stage: str, options: dict, data: str | Path | None = None) -> Path | None:
    """The newest run under `record` with these very options and data that never finished, or None."""
    data_hash = sha256(data) if data else None
    for run in sorted((p for p in Path(record).glob("*") if p.name.isdigit()), reverse=True):
        try:
            about = read_run(run)
        except InputError:
            continue
        same = about["stage"] == stage and about["options"] == options and about["data"].get("sha256") == data_hash
        if same and not (run / "done").exists():
            return run
    return None


def open_run(record: str | Path, *, resumes: bool = True, **about: Any) -> Path:
    """The newest unfinished run, as `unfinished_run` finds it, or a new one; `about`: stage, options, data."""
    return unfinished_run(record, **about) or new_run(record, resumes=resumes, **about)
