"""Evaluate voice activity detection: how free the face is in voices of many kinds, and in sounds that are none.

Reads: voice-models; the recordings that INDEX lists, split val; VOICES, a folder of speech. Writes: OUT (metrics).
Voices count in their loud frames, 20 dB around those of the clean recording; other sounds in all frames, from SETTLED_S after
the speech on where they follow one. What is made up here has other seeds, voices and speakers than the training.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.errors import InputError
from core.media.audio import decode_any, resample, spectrum_of
from core.models import read_arrays, read_model
from core.smooth import moving_average
from core.stage import progress, stage
from landmarks.distort import add_noise, limit_bandwidth, shift_pitch, telephone_band
from landmarks.features import mel_power
from landmarks.voice import wordless as made
from landmarks.voice.data import recorded
from landmarks.voice.gate import MODEL, Voice, loudness_of, with_hindsight
from landmarks.voice.revoice import sing, whisper
from learn.measures import markdown, report
from preprocess.recordings import SOUND
from speech import espeak

STAGE = "landmarks.voice.evaluate"
LOUD = 1e-2  # of a recording's loud frames
FREE = 0.5
LONGEST_S, SETTLED_S, AFTER_S = 12, 0.8, 6
AFTER_DB = (0, 10, 20, 30)  # below the speech
N_MADE, SEED = 12, 77  # sounds of each kind
PER_SPEAKER = 2  # recordings of INDEX
TEXT = "Good morning, everybody! We will visit the old lighthouse tomorrow, if it stays warm, and have soup by the sea."
USUAL = ("en-us+m7", "en-gb+f1", "it", "pl+f4", "sw", "es+m1", "ru+f2", "ar")  # eSpeak: voice and variant
CARTOONS = tuple((f"{voice}+{variant}", pitch) for voice in ("en-us", "de", "hi") for variant, pitch in
                 (("f5", 99), ("f5", 80), ("f4", 99), ("f3", 95), ("m3", 99), ("m5", 90), ("Annie", 99), ("f2", 90)))
WHISPERS = tuple(f"{voice}+{variant}" for voice in ("en-us", "de", "fr", "hi") for variant in ("whisper", "whisperf"))


@dataclass
class Sound:
    """A sound [sample] of a group, and its frames that count [frame]: with a voice, or all without one."""

    group: str
    sound: NDArray
    counts: NDArray
    has_voice: bool


def loud_frames(sound: NDArray) -> NDArray:
    """Which frames of a clean recording are loud, bool [frame]."""
    frames = np.resize(np.pad(sound, (0, SAMPLES_PER_FRAME)), (n_frames_of(len(sound)), SAMPLES_PER_FRAME))
    power = moving_average(np.square(frames, dtype=np.float64).mean(1), 3, mode="constant")
    return power > max(LOUD * np.percentile(power, 95), 1e-9)


def voice(group: str, sound: NDArray, clean: NDArray | None = None) -> Sound:
    """A sound with a voice, whose loud frames are those of `clean`."""
    return Sound(group, sound, loud_frames(sound if clean is None else clean), True)


def said(name: str, pitch: int = 50, words_per_minute: int = 160) -> NDArray:
    """TEXT by an eSpeak voice, its pitch 0 to 99, float32 [sample]."""
    sound, _, rate = espeak.say(TEXT.split(), name, words_per_minute, pitch)
    return resample(sound, rate)


def pink(rng: np.random.Generator, n: int) -> NDArray:
    """Noise of 3 dB less an octave, float [n], `level_of` it is 1."""
    spectrum = np.fft.rfft(rng.normal(0, 1, n))
    sound = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 10), n)
    return sound / made.level_of(sound)


def voices(people: list, more: list) -> Iterator[Sound]:
    """Voices of every kind, made of the speech of `people`, and `more` speech, each [(name, sound)]."""
    for group, sounds in (("recordings of val", people), ("--voices", more)):
        yield from (voice(group, sound) for _, sound in sounds)
    for name, sound in people:
        rng = np.random.default_rng([SEED, *name.encode()])
        yield voice("the same, whispered", whisper(sound, rng))
        yield voice("the same, sung", sing(sound, rng, rng.choice([110, 160, 220, 320])))
        for semitones in (4, 8, 12):
            yield voice(f"the same, {semitones} semitones higher", shift_pitch(sound, semitones))
        for db in (20, 10):
            yield voice(f"the same, {db} dB over pink noise", add_noise(sound, pink(rng, len(sound)), db), sound)
        yield voice("the same, by telephone", telephone_band(sound))
        yield voice("the same, 8 kHz and back", limit_bandwidth(sound, SAMPLE_RATE // 2))
    yield from (voice("eSpeak", said(name)) for name in USUAL)
    yield from (voice("eSpeak, children and cartoons", said(*cartoon)) for cartoon in CARTOONS)
    yield from (voice("eSpeak, whispered", said(name)) for name in WHISPERS)


def others(people: list) -> Iterator[Sound]:
    """Sounds without a voice, alone and after the speech of `people`."""
    n = LONGEST_S * SAMPLE_RATE
    may_follow = {"hum and hiss": made.hum_and_hiss, "pink noise": pink, "music": made.music, "knocks": made.knocks}
    kinds = {"silence": lambda rng, n: np.zeros(n), **may_follow, "mains hum": made.hum, "motors": made.engine,
             "tones that glide": made.sweep, "any of the training's kinds": made.wordless}
    for name, make in kinds.items():
        for i in range(N_MADE):
            rng = np.random.default_rng([SEED, i])
            sound = make(rng, n)
            yield Sound(name, 0.1 * sound / made.level_of(sound), np.ones(n_frames_of(n), bool), False)
    for name, make in may_follow.items():
        for db in AFTER_DB:
            for i, (_, sound) in enumerate(people[::max(1, len(people) // N_MADE)]):
                rng, n_after = np.random.default_rng([SEED, i, db]), AFTER_S * SAMPLE_RATE
                after = make(rng, n_after)
                after *= made.level_of(sound) * 10 ** (-db / 20) / made.level_of(after)
                whole = np.concatenate([sound, after])
                counts = np.arange(n_frames_of(len(whole))) > (len(sound) / SAMPLE_RATE + SETTLED_S) * FPS
                yield Sound(f"{name} after speech", whole, counts, False)


def by_model(weights: dict, whole: bool) -> Callable[[NDArray], NDArray]:
    """What a voice-model says: sound [sample] -> freedom [frame], of a `whole` recording or as a stream."""
    def free(sound):
        power = mel_power(spectrum_of(sound.astype(np.float32)))
        judge = Voice(weights, loudness_of(power) if whole else None)
        found = np.concatenate([judge.push(power), judge.finish(power.shape[1:])])
        return with_hindsight(found) if whole else found

    return free


def by_probability(judge: Callable[[NDArray], NDArray]) -> Callable[[NDArray], NDArray]:
    """The same gate on another detector's probabilities [frame], for a whole recording."""
    def free(sound):
        gate = Voice({"recurrent": np.zeros((1, 3))})
        return with_hindsight(np.array([gate.freedom(p) for p in judge(sound)], np.float32))

    return free


def silero(sound: NDArray) -> NDArray:
    """Probability of a voice by Silero, as faster-whisper carries it: sound [sample] -> [frame]."""
    try:
        from faster_whisper.vad import get_vad_model
    except ImportError:
        raise InputError("--silero", "faster-whisper is not installed", "the package", "pip install faster-whisper") from None
    n = 512  # samples it judges together
    probabilities = get_vad_model()(np.pad(sound, (0, -len(sound) % n)).astype(np.float32)).ravel()
    return np.interp((np.arange(n_frames_of(len(sound))) + 0.5) * SAMPLES_PER_FRAME, (np.arange(len(probabilities)) + 0.5) * n,
                     probabilities)


def evaluate(judges: dict, sounds: list) -> dict:
    """Group -> has_voice, sounds, and by judge the share of counted frames that are free, and the `worst` sound's."""
    groups: dict = {}
    with progress(sounds, "evaluate") as bar:
        for one in bar:
            group = groups.setdefault(one.group, {"has_voice": one.has_voice, "shares": {name: [] for name in judges}, "n": []})
            group["n"].append(int(one.counts.sum()))
            for name, judge in judges.items():
                free = judge(one.sound)[:len(one.counts)]
                group["shares"][name].append(float((free[one.counts[:len(free)]] > FREE).mean()))
    return {group: {"has_voice": found["has_voice"], "sounds": len(found["n"]), "frames": sum(found["n"]),
                    "free": {name: float(np.average(shares, weights=found["n"])) for name, shares in found["shares"].items()},
                    "worst": {name: (min if found["has_voice"] else max)(shares) for name, shares in found["shares"].items()}}
            for group, found in groups.items()}


def as_markdown(groups: dict) -> str:
    """The measures as a table to paste into the documents: the share of frames that are free, and the worst sound's."""
    judges = list(next(iter(groups.values()))["free"])
    return markdown(("free: voices in their loud frames, others in all", "sounds", *judges), [
        (group, m["sounds"], *(f"{m['free'][name]:.1%} ({m['worst'][name]:.0%})" for name in judges))
        for group, m in groups.items()])


def speech_in(folder: str | Path) -> list:
    """The recordings below a folder, [(name, float32 [sample])], LONGEST_S of each."""
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SOUND)
    if not paths:
        raise InputError(folder, "no recordings", "sound files of speech in it", "leave --voices away")
    with progress(paths, "read speech") as bar:
        return [(path.stem, np.concatenate([np.zeros(0, np.float32), *decode_any(path)])[:LONGEST_S * SAMPLE_RATE])
                for path in bar]


_PATH = click.Path(path_type=Path)


@stage(reads="MODEL (voice-model), the recordings of INDEX, the sound files below VOICES", writes="OUT (metrics)",
       examples=("python -m landmarks.voice.evaluate", "python -m landmarks.voice.evaluate --voices data/raw --silero"))
@click.option("--model", "models", type=_PATH, multiple=True, default=(MODEL,), show_default="the shipped one",
              help="May be repeated: they are measured side by side.")
@click.option("--index", type=_PATH, default=Path("data/recordings/index.csv"), help="A list of recordings: split val is used.")
@click.option("--voices", "folder", type=_PATH, help="More voices: a folder of recordings of speech.")
@click.option("--silero", "with_silero", is_flag=True, help="Silero's detector beside them, of the package faster-whisper.")
@click.option("--out", type=_PATH, help="Default metrics.json beside the first model.")
def main(models, index, folder, with_silero, out) -> None:
    """Measure voice activity detection: voices should be free, other sounds not."""
    judges = {}
    for path in models:
        weights = read_model(path, "voice-model", read_arrays, "make train-voice")
        name = f"{path.parent.name}, " if len(models) > 1 else ""
        judges |= {f"{name}file": by_model(weights, True), f"{name}stream": by_model(weights, False)}
    if with_silero:
        judges["Silero, file"] = by_probability(silero)
    people = [(name, sound[:LONGEST_S * SAMPLE_RATE]) for name, sound in recorded([index], "val", PER_SPEAKER)]
    more = speech_in(folder) if folder else []
    groups = evaluate(judges, [*voices(people, more), *others(people)])
    report(out or models[0].with_name("metrics.json"), groups, as_markdown(groups), stage=STAGE,
           options={"silero": with_silero}, inputs=[*models, index])


if __name__ == "__main__":
    main()
