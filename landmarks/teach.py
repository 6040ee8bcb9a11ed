"""What several models agree on, as a training-pack: one small model learns from it, also of speech nobody was filmed at.

Reads: PACK (training-pack), landmark-models, SPEECH/index.csv and its spectra (preprocess.extract_fft).
Writes: OUT (training-pack): the training clips with a mixture of what was measured and what the models predict, the speech
with what they predict; all other clips as they were.
Sources: Hinton, Vinyals and Dean 2015, Distilling the knowledge in a neural network; Lee 2013, Pseudo-label.
"""

from pathlib import Path

import click
import h5py
import numpy as np

from core import artifacts
from core.corpus import output_path
from core.index import read_index
from core.stage import only_one, stage
from landmarks.dataset import open_pack
from landmarks.features import mel_filters
from landmarks.predict import load_model, predict_power

STAGE = "landmarks.teach"
FRAMES = "spectrum", "face"


def offsets_by(models, spectrum):
    """Mean offset from rest that `models` predict for a recording's `spectrum` [frame, hop, bin] -> float32 [frame, 68, 2]."""
    power = np.square(spectrum.astype(np.float32)) @ mel_filters()
    return np.mean([predict_power(model, power, gated=False) - model.rest_face for model in models], 0)


def mixed(measured, taught, share: float):
    """`taught` [frame, 68, 2] in a share, the rest `measured`; where nothing was measured (NaN), `taught` alone."""
    return np.where(np.isfinite(measured), (1 - share) * measured + share * taught, taught).astype(np.float32)


def taught_clips(pack, models, share: float, speech, every: int = 1):
    """Yield the clips of the new pack: name, split, speaker, rest [68, 2], spectrum, face [frame, 68, 2]."""
    for i, (start, n) in enumerate(zip(pack["start"][:], pack["n_frames"][:])):
        about = [pack[name].asstr()[i] for name in ("name", "split", "speaker")]
        rest, spectrum, face = pack["rest"][i], pack["spectrum"][start:start + n], pack["face"][start:start + n]
        if about[1] == "train":
            face = mixed(face, rest + offsets_by(models, spectrum), share)
        yield *about, rest, spectrum, face
    rest = np.mean([model.rest_face for model in models], 0)
    for row in read_index(speech, "speaker", "sound_frames")[::every] if speech else ():
        if not row.get("problem") and row.get("split", "train") == "train":
            spectrum = artifacts.load(output_path(speech.parent, row, ".npy"), "spectrum").array
            yield row["clip"], "train", row["speaker"], rest, spectrum, (rest + offsets_by(models, spectrum)).astype(np.float32)


def write(path, clips):
    """Write `clips` as a training-pack, one after another; return their number and that of their frames."""
    about, n_total = {"name": [], "split": [], "speaker": [], "rest": [], "n_frames": []}, 0
    with h5py.File(path, "w") as file:
        for name, split, speaker, rest, spectrum, face in clips:
            for key, value in zip(about, (name.encode(), split.encode(), speaker.encode(), rest, len(face))):
                about[key].append(value)
            for key, value, dtype in zip(FRAMES, (spectrum, face), ("float16", "float32")):
                if key not in file:
                    file.create_dataset(key, (0, *value.shape[1:]), dtype, maxshape=(None, *value.shape[1:]))
                file[key].resize(n_total + len(value), 0)
                file[key][n_total:] = value
            n_total += len(face)
        for key, values in about.items():
            file[key] = values
        file["start"] = np.cumsum(about["n_frames"]) - about["n_frames"]
    return len(about["name"]), n_total


@stage(reads="PACK (training-pack), MODELs (landmark-model), SPEECH (index of preprocess.extract_fft)",
       writes="OUT (training-pack)",
       examples=("python -m landmarks.teach --model CNN_record/00001/model.tflite --model CNN_record/00002/model.tflite",
                 "python -m landmarks.teach --speech data/speech_fft/index.csv"))
@click.option("--model", "paths", type=click.Path(path_type=Path), multiple=True, required=True,
              help="A teacher; once for each.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips with sound and a face.")
@click.option("--speech", type=click.Path(path_type=Path), help="Further speech, without a face: index.csv of its spectra.")
@click.option("--every", type=click.IntRange(1), default=7, help="Take every Nth recording of the further speech.")
@click.option("--share", type=click.FloatRange(0, 1), default=0.5, help="Of the teachers, where a face was measured too.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/taught.h5"), help="The new pack.")
def main(paths, pack, speech, every, share, out):
    """Let several trained models teach: write what they agree on as a pack to train one model from."""
    models = [load_model(path) for path in paths]
    with open_pack(pack) as source, only_one(out.parent), artifacts.whole_file(out) as part:
        n_clips, n_frames = write(part, taught_clips(source, models, share, speech, every))
    click.echo(artifacts.describe_with(out, "training-pack", stage=STAGE, options={"share": share, "every": every},
                                       inputs=[pack, *paths, *([speech] if speech else [])], clips=n_clips, frames=n_frames))


if __name__ == "__main__":
    main()
