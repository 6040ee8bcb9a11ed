"""A folder of recordings as rows of an index: by its own manifest, by RAVDESS names, or by its sub-folders.

Reads: a folder of recordings. Writes: nothing.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from core.errors import InputError
from core.files import cut_name
from core.index import LONGEST_CLIP, read_rows
from preprocess.ravdess import RAVDESS_NAME, parse_ravdess

VIDEO = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v", ".ts", ".mts", ".wmv", ".3gp", ".flv"}
SOUND = {".wav", ".ogg", ".flac", ".mp3", ".m4a", ".opus"}
AUDIO_VIDEO, VIDEO_ONLY, AUDIO_ONLY = "01", "02", "03"


def _media(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO | SOUND and not p.name.startswith("."))


def _clip_name(path, folder):
    return "/".join(cut_name(part, LONGEST_CLIP) for part in path.relative_to(folder).with_suffix("").parts)


def _make_unique(rows):
    """Rows in which files that differ by their ending alone are different clips: the picture keeps the short name."""
    owner = {}
    for row in sorted(rows, key=lambda row: not row["picture"]):
        owner.setdefault(row["clip"], row)
    return [row if owner[row["clip"]] is row else {**row, "clip": row["clip"] + Path(row["sound"]).suffix} for row in rows]


def _row(path, folder, **columns):
    is_sound = path.suffix.lower() in SOUND
    return {"clip": _clip_name(path, folder), **columns, "picture": "" if is_sound else str(path), "sound": str(path)}


def from_manifest(folder: Path) -> list[dict]:
    """Rows of a folder that has a manifest.csv with columns clip, split, speaker."""
    rows = []
    for n, entry in enumerate(read_rows(folder / "manifest.csv", "clip", "split", "speaker"), 1):
        if not (entry["split"] and entry["speaker"]):
            raise InputError(folder / "manifest.csv", f"row {n} has no split or no speaker", "both, for each clip")
        path = folder / entry.pop("clip")
        row = _row(path, folder, **entry)
        rows.append(row if path.is_file() else {**row, "problem": f"{path}: named in manifest.csv, not in the folder"})
    return rows


def from_ravdess(folder: Path, paths: Sequence[Path], val_actors: Collection[int] = (21, 22),
                 test_actors: Collection[int] = (23, 24)) -> list[dict]:
    """Rows of RAVDESS recordings; an audio-only twin (03-...) speaks for a video without sound (02-...)."""
    takes = {}
    for path in paths:
        if about := parse_ravdess(path.stem):
            takes.setdefault(path.stem[2:], {})[about["modality"]] = (path, about)
    rows = []
    for _, take in sorted(takes.items()):
        for modality in sorted(take):
            path, about = take[modality]
            actor = about.pop("actor")
            split = "test" if actor in test_actors else "val" if actor in val_actors else "train"
            row = _row(path, folder, split=split, language="en", **about)
            if modality == VIDEO_ONLY and AUDIO_ONLY in take:
                row["sound"] = str(take[AUDIO_ONLY][0])
            if modality == VIDEO_ONLY and AUDIO_VIDEO in take:
                row["problem"] = f"{path}: the same take as {take[AUDIO_VIDEO][0].name}"
            if modality == AUDIO_ONLY and len(take) > 1:
                continue  # it is the sound of a row already listed
            rows.append(row)
    return rows


def from_folders(folder: Path, paths: Sequence[Path], val_share: int = 10) -> list[dict]:
    """Rows of a folder with one sub-folder a speaker: every tenth speaker, or clip when there are few, is `val`."""
    spoken_by = [p.parent.relative_to(folder).as_posix() for p in paths]
    numbers = {speaker: number for number, speaker in enumerate(sorted(set(spoken_by)))}
    by_speaker = len(numbers) >= val_share // 2
    rows = []
    for i, (path, speaker) in enumerate(zip(paths, spoken_by)):
        number = numbers[speaker] if by_speaker else i
        rows.append(_row(path, folder, split="val" if number % val_share == val_share // 2 - 1 else "train",
                         speaker=speaker if speaker != "." else folder.name))
    return rows


def list_recordings(folder: Path) -> list:
    """Rows for every recording under `folder`; raises InputError when there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "a file" if folder.is_file() else "no such folder", "a folder of recordings",
                         "python -m preprocess.fetch_ravdess, or make preprocess CORPUS=your/folder")
    if (folder / "manifest.csv").is_file():
        return _make_unique(from_manifest(folder))
    paths = _media(folder)
    if not paths:
        raise InputError(folder, "no recordings", f"files like {', '.join(sorted(VIDEO)[:4])}",
                         "python -m preprocess.fetch_ravdess, or make preprocess CORPUS=your/folder")
    ravdess = [p for p in paths if RAVDESS_NAME.fullmatch(p.stem)]
    if len(ravdess) == len(paths):
        return from_ravdess(folder, paths)
    return _make_unique(from_folders(folder, paths))
