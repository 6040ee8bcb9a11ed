"""Evaluate steadiness: held vowels, and drift over five minutes.

Reads: a landmark-model; data/train.h5 (training-pack), whose steady stretches say how still a measured mouth is;
data/samples/speech.wav, said over and over.
Writes: metrics-steadiness.json beside the model or where --out says.
A steady stretch is STEADY_FRAMES frames in which the measured opening, without its jitter, goes no further than STEADY.
Jitter is the mean absolute second difference, of the opening and of the coordinates of the lips.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.face import face68
from core.media.audio import read_speech
from core.metrics import correlation, jitter, lag_of
from core.paths import SAMPLE_SPEECH as SPEECH
from core.smooth import moving_average
from core.stage import stage
from landmarks.dataset import load_clips
from landmarks.lite import Model, load_model, model_files
from landmarks.predict import predict
from learn.measures import markdown, report

STAGE = "landmarks.steadiness"
VOWELS_HZ = {"a": (730, 1090, 2440), "i": (270, 2290, 3010), "u": (300, 870, 2240)}  # Peterson & Barney 1952, men
BANDWIDTHS_HZ = (80, 100, 140)
PITCHES_HZ = (120, 210)
HELD_S, SILENT_S, SETTLING_S = 2.0, 0.5, 0.4  # before and after the vowel; what its onset takes
STEADY_FRAMES, STEADY, JITTER_FRAMES = 12, 0.02, 5  # frames, eye distances, frames averaged to take the jitter out
MINUTES = 5
PAUSE_S = 0.43  # between the sentences: they begin anywhere within a frame


def vowel(formants_hz: Sequence[float], pitch_hz: float) -> NDArray:
    """A held vowel between two silences: pulses through three resonances (Klatt 1980), float32 [sample]."""
    t = np.arange(round(HELD_S * SAMPLE_RATE)) / SAMPLE_RATE
    sound = np.diff(np.floor(t * pitch_hz), prepend=0)
    for hz, width_hz in zip(formants_hz, BANDWIDTHS_HZ):
        radius = np.exp(-np.pi * width_hz / SAMPLE_RATE)
        poles = [1, -2 * radius * np.cos(2 * np.pi * hz / SAMPLE_RATE), radius**2]
        sound = lfilter([sum(poles)], poles, sound)
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.05)
    silence = np.zeros(round(SILENT_S * SAMPLE_RATE))
    return np.concatenate([silence, 0.3 * fade * sound / np.abs(sound).max(), silence]).astype(np.float32)


def jitters(face: NDArray) -> dict:
    """Jitter of the opening and of the lips' coordinates, and the mean opening, eye distances: face [frame, 68, 2]."""
    lips, opening = face[:, face68.MOUTH].reshape(len(face), -1), face68.mouth_opening(face)
    return {"opening": jitter(opening), "lips": float(np.mean([jitter(x) for x in lips.T])),
            "mean_opening": float(opening.mean())}


def mean_of(rows: Sequence[dict]) -> dict:
    """The mean of dicts of numbers, key by key; empty of none."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}


def steady_stretches(faces: Iterable[NDArray]) -> Iterator[NDArray]:
    """Yield the stretches [STEADY_FRAMES, 68, 2] of measured landmarks (list of [frame, 68, 2]) whose mouth holds still."""
    for face in faces:
        opening = moving_average(face68.mouth_opening(face), JITTER_FRAMES)
        start = 0
        while start + STEADY_FRAMES <= len(face):
            if np.ptp(opening[start:start + STEADY_FRAMES]) < STEADY:
                yield face[start:start + STEADY_FRAMES]
                start += STEADY_FRAMES
            else:
                start += 1


def held_vowels(model: Model) -> dict:
    """The predicted mouth while a vowel is held: name -> `jitters`."""
    first, last = (round((SILENT_S + s) * FPS) for s in (SETTLING_S, HELD_S - SETTLING_S))
    table = {}
    for name, formants_hz in VOWELS_HZ.items():
        for pitch_hz in PITCHES_HZ:
            table[f"/{name}/ at {pitch_hz} Hz"] = jitters(predict(model, vowel(formants_hz, pitch_hz))[first:last])
    return table


def end_of_long_speech(model: Model, sentence: NDArray, minutes: float = MINUTES) -> dict:
    """Say `sentence` for so many minutes; compare the last one's mouth with the same sentence predicted alone.

    Returns
    -------
    dict: frames, frames_expected, late_ms (of the last sentence's mouth), correlation of the two openings
    """
    n_samples, unit = round(minutes * 60 * SAMPLE_RATE), np.pad(sentence, (0, round(PAUSE_S * SAMPLE_RATE)))
    start = n_samples - len(sentence)
    start -= start % SAMPLES_PER_FRAME  # so that both see the same windows
    sound = np.concatenate([np.resize(unit, start), sentence])
    whole, alone = (face68.mouth_opening(predict(model, s)) for s in (sound, sentence))
    last = whole[start // SAMPLES_PER_FRAME:]
    lag = lag_of(last, alone)
    return {"frames": len(whole), "frames_expected": n_frames_of(len(sound)), "late_ms": 1000 / FPS * lag,
            "correlation": correlation(last, alone[:len(last)])}


@stage(reads="MODEL (landmark-model), PACK (training-pack), data/samples/speech.wav", writes="OUT (metrics-steadiness.json)",
       examples=("python -m landmarks.steadiness",))
@click.option("--model", "model_path", type=click.Path(path_type=Path), help="A landmark-model; default the shipped one.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Measured mouths to compare with.")
@click.option("--split", default="val", help="Split of them.")
@click.option("--out", type=click.Path(path_type=Path), help="Default metrics-steadiness.json beside the model.")
def main(model_path, pack, split, out) -> None:
    """Measure how still a held vowel is, and whether long speech ends in time."""
    files = [path for path in model_files(model_path) if path]
    model = load_model(model_path)
    stretches = list(steady_stretches([clip.face for clip in load_clips(pack, split)]))
    measured, held = mean_of([jitters(face) for face in stretches]), held_vowels(model)
    rows = {f"measured mouths, {len(stretches)} steady stretches": measured, **held}
    table = markdown(("what", "jitter of the opening", "of the lips", "mean opening"), [
        (name, f"{v['opening']:.5f}", f"{v['lips']:.5f}", f"{v['mean_opening']:.3f}") for name, v in rows.items() if v])
    end = end_of_long_speech(model, read_speech(SPEECH))
    text = (f"{table}\n\n{MINUTES} minutes: {end['frames']} frames of {end['frames_expected']}; the last sentence is "
            f"{end['late_ms']:+.1f} ms from itself said alone, correlation {end['correlation']:.3f}")
    about = {"split": split, "stretches": len(stretches), "measured": measured, "held_vowels": held, "long_speech": end}
    report(out or files[0].with_name("metrics-steadiness.json"), about, text, stage=STAGE, options={"split": split},
           inputs=[*files, pack])


if __name__ == "__main__":
    main()
