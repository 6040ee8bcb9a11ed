"""Models that were trained here become those that every command uses.

Reads: RECORD/trained-NAME, the path of a model, which a training writes (--trained); the model, its sidecar, its measures.
Writes: the model with its sidecar in the place that core.paths names, its hash in weights.sha256; metrics*.json beside it,
in place of the old ones.
"""

import shutil
from pathlib import Path

import click

from core import artifacts, paths
from core.errors import InputError
from core.files import locked, part_of, sha256, whole_file
from core.pretrained import shipped_hashes
from core.stage import stage

_AVATAR = "train-avatar COMICS=path/to/face2comics"
# Name -> the kind of the model, and the make target that trains it
TRAINED = {"landmark": ("landmark-model", "train-cnn"), "landmark-fft": ("landmark-model", "train-cnn-fft"),
           "head": ("head-model", "train-head"), "beat": ("beat-model", "train-beat"),
           "sync": ("sync-model", "train-sync"),
           "emotion": ("emotion-model", "train-emotion"), "emphasis": ("emphasis-model", "train-emphasis"),
           "voice": ("voice-model", "train-voice"),
           "offsets": ("offset-model", "train-offsets"), "dcgan": ("picture-model", "train-gan"),
           "mouth": ("picture-model", "train-render"), "large_mouth": ("picture-model", "train-render"),
           "eyes": ("picture-model", "train-render"),
           "avatar": ("picture-model", _AVATAR), "faces": ("other-faces", _AVATAR), "identity": ("picture-model", _AVATAR)}


def trained_file(name: str) -> Path:
    """The file that holds the path of the newest trained model of this name, relative to the toolkit."""
    return paths.MODELS[name].parent.parent / f"trained-{name}"


def publish(name: str) -> Path:
    """Put the trained model `name`, a key of `core.paths.MODELS`, in the place of the one that shipped; return that place.

    Raises
    ------
    InputError : none was trained, it is gone, of another kind, or changed since it was written.
    """
    (kind, target), pointer, place = TRAINED[name], trained_file(name), paths.MODELS[name]
    if not pointer.is_file():
        raise InputError(pointer, "no such file", "what a training writes when it has ended", f"make {target}")
    model = paths.ROOT / pointer.read_text(encoding="utf-8").strip()
    if not artifacts.check(model, kind, cure=f"make {target}"):
        raise InputError(model, "no description beside it", f"a {kind} that a training wrote", f"make {target}")
    with part_of(place) as part:
        shutil.copyfile(model, part)
        pending = artifacts.pending_path(place)
        with locked():
            shutil.copyfile(artifacts.sidecar_path(model), pending)
            part.replace(place)
            pending.replace(artifacts.sidecar_path(place))
            _list(place)
    if place.stem == model.stem == "model":  # the faces lie beside a model whose measures these are
        _publish_measures(model.parent, place.parent)
    return place


def _list(place):
    """Give the model its line in weights.sha256, in place of the old one."""
    hashes = shipped_hashes() | {place.relative_to(paths.ROOT).as_posix(): sha256(place)}
    with whole_file(paths.HASHES) as part:
        part.write_text("".join(f"{value}  {name}\n" for name, value in hashes.items()), encoding="utf-8")


def _publish_measures(run, folder):
    for old in folder.glob("metrics*.json*"):
        old.unlink()
    for measured in run.glob("metrics*.json*"):
        with whole_file(folder / measured.name) as part:
            shutil.copyfile(measured, part)


@stage(reads="RECORD/trained-NAME and the model it names",
       writes="RECORD/NAME/: the model, its sidecar, its measures; weights.sha256",
       examples=("python -m learn.publish", "python -m learn.publish sync head"))
@click.argument("names", nargs=-1, type=click.Choice(list(paths.MODELS)))
def main(names) -> None:
    """Make the models that were trained here the default ones: those that are named, or all."""
    chosen = names or [name for name in paths.MODELS if trained_file(name).is_file()]
    if not chosen:
        raise InputError(paths.CNN_RECORD, "no model was trained here", "one at least", "make train-cnn")
    for name in chosen:
        click.echo(publish(name))


if __name__ == "__main__":
    main()
