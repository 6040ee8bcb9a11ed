"""Speech to the features of a pretrained speech encoder: `python -m landmarks.ear`.

Reads: a .wav; the encoder of the pinned package, or --ear. Writes: OUT (ear-features), 50 vectors a second.
"""

from pathlib import Path

import click

from core import artifacts
from core.media.speech import Speech, open_speech
from core.pretrained import WHISPER
from core.stage import stage
from landmarks.ear.encoder import N_VALUES, RATE_HZ, require_encoder
from landmarks.ear.layers import LIPS, N_LAYERS
from landmarks.features import LOOK_AHEAD, recording_loudness

STAGE = "landmarks.ear"


def write_features(speech: Speech, out: str | Path, ear: str | Path | None = None, n_layers: int = LIPS) -> Path:
    """Write the features of a recording to `out`, and return its path; `ear`, `n_layers` are as for `require_encoder`."""
    encoder = require_encoder(ear, n_layers=n_layers)
    features = encoder.features(speech.sound, recording_loudness(speech.spectrum))[LOOK_AHEAD:-LOOK_AHEAD]
    return artifacts.save(out, features.reshape(-1, N_VALUES), "ear-features", stage=STAGE,
                          options={"ear": str(ear) if ear else f"{WHISPER.package}=={WHISPER.version}", "layers": n_layers},
                          inputs=[speech.path, encoder.path / "model.bin"], per_second=RATE_HZ)


@stage(reads="SPEECH (.wav), the speech encoder", writes="OUT (ear-features)",
       examples=("python -m landmarks.ear speech.wav", "python -m landmarks.ear speech.wav --ear models/whisper-tiny"))
@click.argument("speech", type=click.Path(path_type=Path))
@click.option("--ear", type=click.Path(path_type=Path), help="A faster-whisper model folder.  [default: Whisper tiny.en]")
@click.option("--layers", type=click.IntRange(1, N_LAYERS), default=LIPS, help="Of the encoder, the first ones, that are used.")
@click.option("--out", type=click.Path(path_type=Path), help="The features.  [default: predict_landmark/SPEECH/ear.npy]")
def main(speech, ear, layers, out) -> None:
    """Write what a pretrained speech encoder makes of a recording."""
    click.echo(write_features(open_speech(speech), out or Path("predict_landmark") / speech.stem / "ear.npy", ear, layers))


if __name__ == "__main__":
    main()
