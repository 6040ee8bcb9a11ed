"""Evaluate the motion of head and brows beside measured motion, coloured noise, replayed motion and a still head.

Reads: a head-model, data/train.h5 (training-pack), data/heads (preprocess.extract_head).
Writes: metrics.json beside the model or where --out says.
Held-out clips of heads that move freely. `noise` is what the network begins with: noise with the spectrum, the sizes and the
correlations of measured motion. `replay` is the motion of the training clip whose loudness follows a like course.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from core.clock import FPS
from core.errors import InputError
from core.stage import progress, stage
from landmarks.head.baselines import FAST_S, correlation, filtered, loudness, predict_motion, replay_motion
from landmarks.head.data import MOVING, HeadClip, load_heads, turning
from landmarks.head.knots import CHANNELS, N_HEAD, to_frames, to_knots
from landmarks.head.motion import DEFAULT_MODEL, HeadModel, load_head_model, motion_of, seeded_noise
from landmarks.head.prosody import melody
from landmarks.head.sound import knot_features
from landmarks.voice.gate import WholeVoice
from learn.measures import markdown, report

STAGE = "landmarks.head.evaluate"
SEEDS = 4
BAND_HZ = (0.2, 3.0)  # of the spectra that are compared
LONG_S, SILENT_S = 300, 20
_TINY = 1e-9
_SLOW_S = 1.0  # of the Gaussian that accents are quicker than


def accents(values: NDArray) -> NDArray:
    """What rises and falls within a second in `values` [frame]."""
    return filtered(values, FAST_S) - filtered(values, _SLOW_S)


def measures_of(motion: NDArray, clip: HeadClip) -> dict:
    """What a motion [frame, channel] is like by itself, and how it goes with the sound of a clip."""
    motion = motion - motion.mean(0)
    frequency, power = welch(motion, FPS, nperseg=min(128, len(motion)), axis=0)
    band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    speed = np.linalg.norm(np.diff(motion[:, :3], axis=0, prepend=motion[:1, :3]), axis=1)
    brow, height = motion[:, N_HEAD:].mean(1), melody(clip.height)[:, 0]
    return {"sd": motion.std(0), "speed": np.abs(np.diff(motion, axis=0)).mean(0) * FPS,
            "jitter": np.abs(np.diff(motion, 2, axis=0)).mean(0), "spectrum": 10 * np.log10(power[band] + 1e-12),
            "speed_loudness": correlation(filtered(speed, FAST_S), loudness(clip)),
            "nod_loudness": correlation(accents(motion[:, 1]), accents(loudness(clip))),
            "brow_melody": correlation(accents(brow), accents(height))}


def compare(found: Sequence[dict], truth: Sequence[dict]) -> dict:
    """Measures of a method, a list of `measures_of`, beside those of the clips: ratios of medians, and means."""
    def ratio(name):
        return np.median([m[name] for m in found], 0) / np.median([m[name] for m in truth], 0)

    apart = np.median([m["spectrum"] for m in found], 0) - np.median([m["spectrum"] for m in truth], 0)
    return {"sd_ratio": dict(zip(CHANNELS, ratio("sd").tolist())), "speed_ratio": dict(zip(CHANNELS, ratio("speed").tolist())),
            "jitter_ratio": float(ratio("jitter").mean()), "spectrum_distance_db": float(np.abs(apart).mean()),
            **{name: float(np.mean([m[name] for m in found])) for name in ("speed_loudness", "nod_loudness", "brow_melody")}}


def diversity(motions: Sequence[NDArray]) -> float:
    """`difference` of the motions of different seeds, mean over pairs."""
    return float(np.mean([difference(a, b) for i, a in enumerate(motions) for b in motions[:i]]))


def difference(a: NDArray, b: NDArray) -> float:
    """Distance of two motions over that of two that have nothing in common: 0 the same, about 1 strangers."""
    n = min(len(a), len(b))
    return float(np.mean(np.std(a[:n] - b[:n], 0) / (np.sqrt(a[:n].var(0) + b[:n].var(0)) + _TINY)))


def long_and_silent(model: HeadModel, clips: Sequence[HeadClip]) -> dict:
    """Five minutes of speech, and silence: in standard deviations of a channel."""
    many = [*clips] * 20
    power, height = (np.concatenate([getattr(clip, name) for clip in many])[:LONG_S * FPS] for name in ("power", "height"))

    def motion(power, height):
        free = WholeVoice(power).free
        sound = knot_features(power, height)
        return np.concatenate(motion_of(model, sound, seeded_noise(len(power)), free), 1) / model.size

    spoken = motion(power, height)
    quiet = motion(np.zeros_like(power[:SILENT_S * FPS]), np.full_like(height[:SILENT_S * FPS], np.nan))
    minutes = spoken[:len(spoken) // (60 * FPS) * 60 * FPS].reshape(-1, 60 * FPS, spoken.shape[1])
    return {"largest": float(np.abs(spoken).max()), "minute_mean": float(np.abs(minutes.mean(1)).max()),
            "last_minute_over_first": float((minutes[-1].std(0) / (minutes[0].std(0) + _TINY)).mean()),
            "ends": float(np.abs(spoken[[0, -1]]).max()),
            "silent_head": float((quiet.std(0) / (spoken.std(0) + _TINY))[:N_HEAD].mean()),
            "silent_brows": float(np.abs(quiet[:, N_HEAD:]).max())}


def measure(model: HeadModel, clips: Sequence[HeadClip], train: Sequence[HeadClip]) -> dict:
    """Everything: `methods`, `diversity` between seeds, `by_sound` between sounds, `same_seed`, `long`."""
    truth, spread, by_sound = [], [], []
    found = {name: [] for name in ("model", "another's sound", "noise", "replay", "still")}
    with progress(list(enumerate(clips)), "evaluate head") as bar:
        for i, clip in bar:
            n = len(clip.face)
            truth.append(measures_of(to_frames(to_knots(clip.face), n), clip))
            motions = [predict_motion(model, clip, seed) for seed in range(SEEDS)]
            spread.append(diversity(motions))
            found["model"] += [measures_of(motion, clip) for motion in motions]
            others = [predict_motion(model, clip, seed, clips[i - 1])[:n] for seed in range(SEEDS)]
            by_sound += map(difference, motions, others)
            found["another's sound"] += [measures_of(motion, clip) for motion in others]
            begun = [model.begin(noise=seeded_noise(n, seed))["motion"] for seed in range(SEEDS)]
            found["noise"] += [measures_of(to_frames(motion, n), clip) for motion in begun]
            found["replay"].append(measures_of(replay_motion(clip, train), clip))
            found["still"].append(measures_of(np.zeros_like(clip.face), clip))
    measured = {name: float(np.mean([m[name] for m in truth])) for name in ("speed_loudness", "nod_loudness", "brow_melody")}
    same = bool(np.array_equal(predict_motion(model, clips[0], 1), predict_motion(model, clips[0], 1)))
    methods = {name: compare(rows, truth) for name, rows in found.items()}
    return {"clips": len(clips), "measured": measured, "methods": methods, "diversity": float(np.mean(spread)),
            "by_sound": float(np.mean(by_sound)), "same_seed": same, "long": long_and_silent(model, clips)}


def as_text(about: dict) -> str:
    """The measures as a table to paste into the documents, and what is not in it."""
    names = "spectrum_distance_db", "jitter_ratio", "speed_loudness", "nod_loudness", "brow_melody"
    rows = [(method, *(" ".join(f"{v:.2f}" for v in values[name].values()) for name in ("sd_ratio", "speed_ratio")),
             *(f"{values[name]:.2f}" for name in names)) for method, values in about["methods"].items()]
    rows.append(("measured", "", "", "", "", *(f"{about['measured'][name]:.2f}" for name in names[2:])))
    table = markdown(("method", "sd: " + ", ".join(CHANNELS), "speed", *names), rows, n_names=3)
    return (f"{table}\n\ndifference between seeds {about['diversity']:.2f}, between sounds {about['by_sound']:.2f}; same seed, "
            f"same motion: {about['same_seed']}\nin standard deviations: "
            + ", ".join(f"{name} {value:.2f}" for name, value in about["long"].items()))


@stage(reads="MODEL (head-model), PACK (training-pack), HEADS", writes="OUT (metrics.json)",
       examples=("python -m landmarks.head.evaluate",
                 "python -m landmarks.head.evaluate --model CNN_record/00002/model.tflite"))
@click.option("--model", type=click.Path(path_type=Path), default=DEFAULT_MODEL, show_default="the shipped one")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="The sound of the clips.")
@click.option("--heads", type=click.Path(path_type=Path), default=Path("data/heads"), help="How head and brows move in them.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the measures go; default metrics.json beside the model.")
def main(model, pack, heads, out) -> None:
    """Measure how natural the motion of head and brows is, beside its baselines."""
    clips, train = ([clip for clip in load_heads(pack, heads, split) if turning(clip) > MOVING] for split in ("val", "train"))
    if not clips:
        raise InputError(heads, f"no head of split 'val' turns more than {MOVING:g} degrees a second", "one at least")
    about = measure(load_head_model(model), clips, train)
    report(out or Path(model).with_name("metrics.json"), about, as_text(about), stage=STAGE, inputs=[model, pack])


if __name__ == "__main__":
    main()
