"""Ear features of every clip to train on, also of distorted copies of its sound (augmentation).

Reads: data/train.h5 (training-pack), data/recordings/index.csv and the recordings' sound.
Writes: data/ear.h5 (ear-pack): ear [version, frame, half * value] of the clips of the training-pack, in its order, each with
LOOK_AHEAD frames more on both sides. The first version is the sound as it is. The others are played faster or slower, voice and
all, and stand where the frames of the landmarks stand. Besides, the same of sounds without a voice: quiet_ear [sound, frame,
half * value]. Clips that are done lie in data/.ear.h5.done until all are: a run that was killed goes on with them.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core import artifacts
from core.clock import FPS, SAMPLE_RATE
from core.corpus import workers
from core.errors import InputError, command_line
from core.files import new_hdf5, sha256, whole_file
from core.index import read_index
from core.media.audio import spectrum_of
from core.pretrained import WHISPER
from core.stage import only_one, progress, stage
from landmarks.batches import sample_at
from landmarks.dataset import open_pack, sound_of
from landmarks.ear.augment import distort
from landmarks.ear.encoder import HALVES, N_VALUES, require_encoder
from landmarks.ear.layers import LIPS, N_LAYERS
from landmarks.features import LOOK_AHEAD, recording_loudness
from landmarks.voice.wordless import wordless

STAGE = "landmarks.ear.pack"
BABBLE = 0.2  # of the distorted versions have others behind them
N_QUIET, QUIET_S = 60, 6


def encode_version(sound: NDArray, n_frames: int, n_layers: int, speed: float = 1.0) -> NDArray:
    """Ear features after `n_layers`, float16 [frame, half * value], on the clock of the landmarks.

    `n_frames` and twice LOOK_AHEAD of them, of a `sound` that is `speed` times as fast: what stands at t / speed stands at t.
    """
    ear = require_encoder(n_threads=1, n_layers=n_layers).features(sound, recording_loudness(spectrum_of(sound)))
    n, edge = n_frames + 2 * LOOK_AHEAD, LOOK_AHEAD * HALVES
    halves = sample_at(ear.reshape(-1, N_VALUES).astype(np.float32), (np.arange(n * HALVES) - edge) / speed + edge)
    return halves.reshape(n, -1).astype(np.float16)


def encode_clip(row: dict, n_versions: int, n_layers: int, seed: int) -> NDArray:
    """All versions of a clip, float16 [version, frame, half * value]."""
    sound = sound_of(row["sound"], row["first_hop"], row["n_frames"])
    versions = [encode_version(sound, row["n_frames"], n_layers)]
    for version in range(1, n_versions):
        rng = np.random.default_rng([seed, version, zlib.crc32(row["clip"].encode())])
        babble = row["others"][2 * version:2 * version + 2] if rng.random() < BABBLE else []
        other, speed = distort(sound, [sound_of(path) for path in babble], rng)
        versions.append(encode_version(other, row["n_frames"], n_layers, speed))
    return np.stack(versions)


def _finish_clip(row: dict, n_versions: int, n_layers: int, seed: int, folder: Path) -> Path:
    """Write `encode_clip` into `folder`, unless it is there; return where. Two of these run side by side, each on one core."""
    sound = Path(row["sound"])
    about = {**row, "sound": sha256(sound) if sound.is_file() else "", "n_versions": n_versions, "layers": n_layers,
             "seed": seed, "encoder": WHISPER.sha256}
    path = folder / f"{hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]}.npy"
    if not path.is_file():
        threadpool_limits(1)
        with whole_file(path) as part:
            np.save(part, encode_clip(row, n_versions, n_layers, seed))
    return path


def quiet_sounds(n_sounds: int, n_layers: int, seed: int) -> list:
    """`encode_version` of sounds without a voice, QUIET_S seconds each: silence first, then noise, hum, knocks, music."""
    rng, n = np.random.default_rng([seed, n_sounds]), QUIET_S * SAMPLE_RATE
    sounds = [np.zeros(n), *(wordless(rng, n) * 10 ** rng.uniform(-4, -1) for _ in range(n_sounds - 1))]
    return [encode_version(sound.astype(np.float32), QUIET_S * FPS, n_layers) for sound in sounds]


def clips_of(pack: str | Path, index: str | Path, n_versions: int, seed: int) -> list[dict]:
    """What is known of each clip of a training-pack: sound, first_hop, n_frames, and others' sound. Raises InputError."""
    sounds = {row["clip"]: row["sound"] for row in read_index(index, "sound")}
    with open_pack(pack) as file:
        names, splits = file["name"].asstr()[:], file["split"].asstr()[:]
        n_frames, first_hop = file["n_frames"][:], file["first_hop"][:]
    if lost := [name for name in names if name not in sounds]:
        raise InputError(index, f"clip {lost[0]} of the pack is not in it", "the index the pack was made of",
                         command_line("make", "preprocess"))
    rng, train = np.random.default_rng(seed), [sounds[n] for n, split in zip(names, splits) if split == "train"]
    return [{"clip": name, "sound": sounds[name], "split": split, "n_frames": int(n), "first_hop": int(hop),
             "others": list(rng.choice(train, 2 * n_versions)) if train else []}
            for name, split, n, hop in zip(names, splits, n_frames, first_hop)]


def pack(clips: Sequence[dict], path: str | Path, n_versions: int, n_layers: int, seed: int, jobs: int, finished: Path) -> None:
    """Write the ear-pack of `clips` to the HDF5 file `path`; only clips of split train have more than one version.

    The folder `finished` holds the clips that an earlier, unfinished call encoded, and those of this one.
    """
    n = np.array([clip["n_frames"] + 2 * LOOK_AHEAD for clip in clips])
    starts = np.cumsum(n) - n
    with new_hdf5(path, 2 * n_versions * int(n.sum()) * HALVES * N_VALUES) as file, workers(jobs, finished) as pool:
        ear = file.create_dataset("ear", (n_versions, n.sum(), HALVES * N_VALUES), "float16")
        file["quiet_ear"] = np.stack(quiet_sounds(N_QUIET, n_layers, seed))
        file["start"], file["name"] = starts, [clip["clip"].encode() for clip in clips]
        versions = [n_versions if clip["split"] == "train" else 1 for clip in clips]
        done = pool.map(_finish_clip, clips, versions, repeat(n_layers), repeat(seed), repeat(finished))
        with progress(zip(done, starts, n), "pack ear", len(clips)) as bar:
            for clip, start, n_frames in bar:
                features = np.load(clip, allow_pickle=False)
                ear[:len(features), start:start + n_frames] = features


def forget(finished: Path) -> None:
    """Remove what `pack` kept in `finished`, which is in the pack now."""
    with suppress(OSError):  # somebody else's file keeps the folder
        for path in finished.glob("*.npy"):
            path.unlink()
        finished.rmdir()


@stage(reads="PACK (training-pack), INDEX and its recordings", writes="OUT (ear-pack)",
       examples=("python -m landmarks.ear.pack", "python -m landmarks.ear.pack --versions 2 --out data/small.h5"))
@click.option("--pack", "source", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips to encode.")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Their recordings.")
@click.option("--versions", type=click.IntRange(1), default=6, help="Of each training clip: as it is, and distorted.")
@click.option("--layers", type=click.IntRange(1, N_LAYERS), default=LIPS, help="Of the encoder, the first ones, that are used.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the distortions.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/ear.h5"), help="The ear-pack.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="Processes; 0 is one a core.")
def main(source, index, versions, layers, seed, out, jobs) -> None:
    """Encode the speech of all clips, as it is and distorted."""
    clips = clips_of(source, index, versions, seed)
    options, finished = {"versions": versions, "layers": layers, "seed": seed}, out.with_name(f".{out.name}.done")
    with only_one(out.parent):
        with artifacts.described(out, "ear-pack", stage=STAGE, options=options, inputs=[source]) as (part, _):
            pack(clips, part, versions, layers, seed, jobs or os.cpu_count() or 1, finished)
        forget(finished)
    click.echo(out)


if __name__ == "__main__":
    main()
