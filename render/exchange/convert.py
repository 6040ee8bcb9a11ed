"""Landmarks to a motion file of another program, or such a file to landmarks.

Reads: landmarks .npy (landmarks-face) with rest_face.npy and head.npy beside it; or .csv (ARKit's blendshapes), .tsv, .xml,
.json (mouth shapes of Rhubarb Lip Sync).
Writes: such a file; or in the folder OUT landmarks.npy, rest_face.npy, and head.npy where the file tells how the head moves.
"""

from pathlib import Path

import click
import numpy as np

from core import artifacts
from core.errors import InputError, absent
from core.stage import stage
from preprocess.recordings import SOUND, VIDEO
from render.exchange import blendshapes, mouth_shapes
from render.motion import read_motion

STAGE = "render.exchange.convert"
FORMATS = (".csv", *mouth_shapes.SUFFIXES)
_ONE_OF = f"a name that ends in {', '.join(FORMATS)}"


def _rest(path):
    """The rest face in a file, or that of the model that ships."""
    if path:
        return artifacts.load(path, "rest-face").array
    from landmarks.lite import load_model
    return load_model(None).rest_face


def sound_of(landmarks: Path) -> str:
    """The name of the recording that landmarks were predicted from, as their sidecar has it; else one after their folder."""
    inputs = artifacts.read_sidecar(landmarks).get("inputs", {})
    named = (name for name in inputs if Path(name).suffix.lower() in SOUND | VIDEO)
    return next(named, f"{landmarks.resolve().parent.name}.wav")


def export(landmarks: Path, out: Path) -> Path:
    """Write landmarks of one person as a file of FORMATS. Raises InputError."""
    moves, rest = read_motion(landmarks)
    if out.suffix.lower() == ".csv":
        return blendshapes.write_blendshapes(out, blendshapes.weights_of(moves.face), moves.head)
    return mouth_shapes.write_cues(out, mouth_shapes.cues_of(rest + moves.face, rest), sound_of(landmarks))


def bring_in(source: Path, out: Path, rest_file: Path | None = None, fps: float = 60) -> Path:
    """Write the landmarks of a file of FORMATS into the folder `out`; return the path of landmarks.npy. Raises InputError."""
    rest, head = np.asarray(_rest(rest_file), np.float32), None
    if source.suffix.lower() == ".csv":
        weights, head = blendshapes.read_blendshapes(source, fps)
        offsets = blendshapes.offsets_of(weights)
    else:
        offsets = mouth_shapes.offsets_of_cues(mouth_shapes.read_cues(source))
    inputs = [source, *([rest_file] if rest_file else [])]
    if head is not None:
        moved = np.concatenate([head, np.zeros((len(head), 2), np.float32)], axis=1)
        artifacts.save(out / "head.npy", moved, "head-motion", stage=STAGE, inputs=inputs)
    artifacts.save(out / "rest_face.npy", rest, "rest-face", stage=STAGE, inputs=inputs)
    return artifacts.save(out / "landmarks.npy", rest + offsets, "landmarks-face", stage=STAGE, inputs=inputs)


_PATH = click.Path(path_type=Path)


@stage(reads="IN: landmarks.npy, rest_face.npy and head.npy beside it; or .csv, .tsv, .xml, .json",
       writes="OUT: .csv (blendshapes), .tsv, .xml, .json (mouth shapes); or OUT/landmarks.npy, rest_face.npy, head.npy",
       examples=("python -m render.exchange.convert predict_landmark/speech/landmarks.npy speech.csv",
                 "python -m render.exchange.convert predict_landmark/speech/landmarks.npy speech.tsv",
                 "python -m render.exchange.convert iphone.csv iphone/"))
@click.argument("source", metavar="IN", type=_PATH)
@click.argument("out", metavar="OUT", type=_PATH)
@click.option("--rest", "rest_file", type=_PATH, help="The face the motion of a file is about.  [default: the model's]")
@click.option("--fps", type=click.FloatRange(1, 240), default=60, help="Rows a second of a .csv without time codes.")
def main(source, out, rest_file, fps) -> None:
    """Write landmarks for game engines and cartoons, or read the motion such programs wrote.

    .csv: ARKit's 52 blendshapes as Live Link Face has them. .tsv, .xml, .json: the mouth shapes of Rhubarb Lip Sync.
    Landmarks that were read move a photo: python main.py --image me.jpg --audio speech.wav --motion OUT/landmarks.npy
    """
    if not source.is_file():
        raise InputError(source, absent(source), "landmarks.npy, or a motion file")
    if source.suffix.lower() in FORMATS:
        click.echo(bring_in(source, out, rest_file, fps))
        return
    if out.suffix.lower() not in FORMATS:
        raise InputError(out, f"a {out.suffix or 'nameless'} file", _ONE_OF)
    click.echo(export(source, out))


if __name__ == "__main__":
    main()
