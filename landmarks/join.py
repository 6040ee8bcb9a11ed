"""Join several trained networks into one model that returns their mean.

Reads: CNN_record/00001 ...: runs of landmarks.train that ended, on the same pack, of different seeds.
Writes: CNN_record/00004/: run.json and model.tflite (landmark-model), which is used like a single one.
Source: Hansen and Salamon 1990, Neural network ensembles.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from core import runs
from core.errors import InputError
from core.face.face68 import N_POINTS
from core.stage import stage
from landmarks.model import export, untrained
from learn.keras_run import load_state
from learn.run import finish, run_options
from learn.tensorflow import keras

STAGE = "landmarks.join"


class Joined(keras.Model):
    """Networks (SpeechToLandmarks) side by side: codes and states one after another, faces their mean."""

    def __init__(self, members):
        super().__init__()
        self.members, self.built = members, True
        self.settings = {name: sum(member.settings[name] for member in members) for name in ("width", "hidden")}
        self.settings["ear"] = members[0].settings["ear"]

    def mel(self, spectrum):
        """FFT magnitudes [frame, hop, bin] -> mel power [frame, hop, mel]."""
        return self.members[0].mel(spectrum)

    def encode(self, **sound):
        """Sound of one recording, name -> [frame + CONTEXT, ...] -> codes [frame, width]."""
        return keras.ops.concatenate([member.encode(**sound) for member in self.members], -1)

    def step(self, code, state):
        """One frame: code [1, width], state [1, hidden] -> offset [1, 68, 2], face [1, 68, 2], the next state."""
        outs, at = [], {"width": 0, "hidden": 0}
        for member in self.members:
            ends = {name: start + member.settings[name] for name, start in at.items()}
            outs.append(member.step(code[:, at["width"]:ends["width"]], state[:, at["hidden"]:ends["hidden"]]))
            at = ends
        mean = {name: sum(out[name] for out in outs) / len(outs) for name in ("offset", "face")}
        return mean | {"state": keras.ops.concatenate([out["state"] for out in outs], -1)}


def network_of(run: str | Path) -> Any:
    """The network that the run at `run` ended with: the average of its weights. Raises InputError when it has not ended."""
    about = runs.read_run(run)
    if about["stage"] != "landmarks.train":
        raise InputError(run, f"a run of {about['stage']}", "a finished run of landmarks.train", "make train-cnn")
    if not (Path(run) / "done").is_file():
        raise InputError(run, "not a finished run of landmarks.train", "one that ended", about["resume"])
    rest = np.zeros((N_POINTS, 2), np.float32)
    network, average = untrained(rest, about["options"]), untrained(rest, about["options"])
    load_state(Path(run) / "state.npz", [*network.variables, *average.variables])
    return average


def join(folders: Sequence[str | Path], record: str | Path, trained: str | Path | None = None) -> Path:
    """Join the runs in `folders` into a new run under `record`; return the path of its model.tflite."""
    abouts = [runs.read_run(folder) for folder in folders]
    if len({about["data"].get("sha256") for about in abouts}) != 1:
        raise InputError(folders[-1], "trained on another pack than the runs before it", "runs of one pack", "make train-cnn")
    networks = [network_of(folder) for folder in folders]
    if len({(network.settings["ear"], about["options"].get("layers")) for network, about in zip(networks, abouts)}) != 1:
        raise InputError(folders[-1], "a run of other features than those before it", "runs with --ear of one kind, or without",
                         "make train-cnn")
    members = [about["options"] for about in abouts]
    options = {"runs": [str(folder) for folder in folders], "members": members}
    if "layers" in members[0]:
        options["layers"] = members[0]["layers"]
    run = runs.new_run(record, stage=STAGE, options=options, data=abouts[0]["data"]["file"], resumes=False)
    path = export(Joined(networks), run / "model.tflite", stage=STAGE, options=options,
                  inputs=[abouts[0]["data"]["file"]])
    return finish(run, path, trained)


@stage(reads="MODELs of landmarks.train, in the folders of their runs",
       writes="RECORD/00001/ with model.tflite, run.json",
       examples=("python -m landmarks.join CNN_record/00001/model.tflite CNN_record/00002/model.tflite",))
@click.argument("models", type=click.Path(path_type=Path), nargs=-1, required=True)
@run_options("CNN_record", resumes=False)
def main(models, record, trained) -> None:
    """Join trained networks into one model that predicts their mean."""
    click.echo(join([model.parent for model in models], record, trained))


if __name__ == "__main__":
    main()
