"""Train voice activity detection: recorded and synthesised speech in noise, against noise and music alone.

Reads: the sound of the clips that index.csv files list (split train), and what landmarks.voice.wordless makes up.
Writes: CNN_record/00001/: run.json, model.npz (voice-model) and `done`.
What counts as voice is told by the loudness of the clean speech, with short pauses, a little before and a little after.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from core.media.audio import HOPS_PER_FRAME, spectrum_of
from core.smooth import moving_average
from core.stage import progress, say, stage
from landmarks.distort import telephone_band
from landmarks.features import N_MELS, VOICED, level_and_channel, log_mel, mel_power
from landmarks.hearing import Loudness
from landmarks.voice.data import VOICES, recorded, synthesised
from landmarks.voice.gate import LAG, Features, loudness_of
from landmarks.voice.revoice import shrink, sing, whisper
from landmarks.voice.wordless import level_of, reverberate, steady, wordless
from learn.run import run_options, train_as_asked

STAGE = "landmarks.voice.train"
PIECE_S = 10
SAID = 10**-3.5  # of a clip's loud frames: quieter is a pause
PAUSE, BEFORE, AFTER = 10, 3, 5  # frames: shorter pauses count as speech, and so do the frames around it
AS_IT_IS, WHISPERED, SUNG = 0.4, 0.5, 0.7  # of the bouts, summed up; the others are shrunk alone
SHRUNK_OCTAVES, LOWEST_HZ, SUNG_OCTAVES = (-0.25, 1.0), 90, 2.3
WITHOUT_SPEECH, ALL_SPEECH = 0.4, 0.75  # of the pieces, summed up; in the others another sound begins when the speech ends
VISITOR_DECADES = (-0.2, 1.8)  # it is softer than the speech
NARROW, LOW_HZ, HIGH_HZ = 0.25, (120, 450), (2600, 6000)  # share of the pieces that come by telephone or the like, and its band
BORDER, BORDER_WEIGHT = 2, 0.3  # frames around a change that weigh less: where it lies is a matter of taste


def spoken(sound: NDArray) -> NDArray:
    """Which frames of a clean recording belong to speech, bool [frame]."""
    frames = sound[:len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    power = moving_average(np.square(frames, dtype=np.float64).mean(1), 3, mode="constant")
    return power > max(SAID * np.percentile(power, 95), 1e-9)


def with_margins(voiced: NDArray) -> NDArray:
    """`voiced` bool [frame] with short pauses filled, and some frames before and after."""
    at = np.flatnonzero(voiced)
    out = voiced.copy()
    for a, b in zip(at[:-1], at[1:]):
        out[a:b] |= b - a <= PAUSE
    return np.convolve(out, np.ones(BEFORE + AFTER + 1))[BEFORE:BEFORE + len(out)] > 0  # from BEFORE ahead to AFTER later


def another_voice(rng: np.random.Generator, sound: NDArray) -> NDArray:
    """Speech [sample] as it is, of a smaller or larger person, whispered, or sung."""
    kind = rng.random()
    if kind < AS_IT_IS:
        return sound
    if kind < WHISPERED:
        return whisper(sound, rng)
    if kind < SUNG:
        sound = sing(sound, rng, LOWEST_HZ * 2 ** rng.uniform(0, SUNG_OCTAVES), rng.uniform(1, 3))
    return shrink(sound, 2 ** rng.uniform(*SHRUNK_OCTAVES))


def talk(rng: np.random.Generator, speakers: dict, end: int) -> tuple[NDArray, NDArray]:
    """Ten seconds with bouts of speech before the frame `end`, and which frames are voice: float [sample], bool [frame]."""
    n = PIECE_S * SAMPLE_RATE
    speech, voiced = np.zeros(n), np.zeros(n // SAMPLES_PER_FRAME, bool)
    at, names = int(rng.exponential(0.5) * FPS), list(speakers)
    while at < end:
        sounds = speakers[names[rng.integers(len(names))]]
        sound = sounds[rng.integers(len(sounds))]
        start = int(rng.integers(0, len(sound) // 2)) if rng.random() < 0.5 else 0
        sound = another_voice(rng, sound[start:start + n])
        said = spoken(sound)[:end - at]
        speech[at * SAMPLES_PER_FRAME:(at + len(said)) * SAMPLES_PER_FRAME] = \
            sound[:len(said) * SAMPLES_PER_FRAME] / level_of(sound)
        voiced[at:at + len(said)] = said
        at += len(said) + int(rng.exponential(1.0) * FPS)
    return reverberate(rng, speech) if rng.random() < 0.3 else speech, voiced


def visitor(rng: np.random.Generator, start: int) -> NDArray:
    """Ten seconds in which a sound without words begins at the frame `start`, and may go again: float [sample]."""
    n = PIECE_S * SAMPLE_RATE
    sound = steady(rng, n) if rng.random() < 0.5 else wordless(rng, n)
    sound[:max(0, start) * SAMPLES_PER_FRAME] = 0
    if rng.random() < 0.3:
        sound[int(rng.uniform(0, n)):] = 0
    return sound * 10 ** -rng.uniform(*VISITOR_DECADES)


def piece(rng: np.random.Generator, speakers: dict) -> tuple[NDArray, NDArray]:
    """Ten seconds of sound and which frames are voice: float [sample], bool [frame].

    In the pieces with speech it comes in bouts, in a room, with other sounds behind it; or it ends, and another sound begins
    at about that time.
    """
    n_frames, kind = PIECE_S * FPS, rng.random()
    speech, voiced = np.zeros(PIECE_S * SAMPLE_RATE), np.zeros(n_frames, bool)
    if kind < WITHOUT_SPEECH:
        background = 0 * speech if rng.random() < 0.1 else wordless(rng, len(speech))
        if rng.random() < 0.3:
            background = background + visitor(rng, int(rng.uniform(0, n_frames)))
    else:
        end = n_frames if kind < ALL_SPEECH else int(rng.uniform(0.15, 0.7) * n_frames)
        speech, voiced = talk(rng, speakers, end)
        background = 10 ** -rng.uniform(*((0, 2.5) if kind < ALL_SPEECH and rng.random() < 0.7 else (2.5, 4))) * \
            wordless(rng, len(speech))
        if kind >= ALL_SPEECH or rng.random() < 0.2:
            background = background + visitor(rng, end + int(rng.normal(0, FPS)))
    sound = (speech + background) * 10 ** rng.uniform(-2.5, -0.7)
    if rng.random() < NARROW:
        sound = telephone_band(sound, (rng.uniform(*LOW_HZ), rng.uniform(*HIGH_HZ)))
    return sound, with_margins(voiced)


def tinted(rng: np.random.Generator, power: NDArray) -> NDArray:
    """Mel power [frame, hop, mel] through a random smooth equaliser: another microphone."""
    knots = rng.normal(0, 0.4, 7)
    return power * (10 ** np.interp(np.arange(N_MELS), np.linspace(0, N_MELS - 1, len(knots)), knots)).astype(np.float32)


def examples(rng: np.random.Generator, speakers: dict, n: int) -> tuple[NDArray, NDArray, NDArray]:
    """`n` pieces as the network takes them: [item, frame, hop * mel], wanted and weight [item, frame], delayed by `LAG`."""
    x, wanted, weight = [], [], []
    with progress(range(n), "mix pieces") as bar:
        for _ in bar:
            sound, voiced = piece(rng, speakers)
            power = tinted(rng, mel_power(spectrum_of(sound.astype(np.float32))))
            loudness = loudness_of(power) if rng.random() < 0.5 else Loudness()  # a file knows its own, a stream learns it
            x.append(Features(loudness).push(power).astype(np.float16))
            wanted.append(np.concatenate([np.zeros(LAG), voiced[:-LAG]]))
            changes = np.convolve(np.abs(np.diff(wanted[-1], prepend=wanted[-1][0])), np.ones(2 * BORDER + 1), "same") > 0
            weight.append(np.where(changes, BORDER_WEIGHT, 1.0) * (np.arange(len(voiced)) >= LAG))
    return np.stack(x).astype(np.float16), np.stack(wanted).astype(np.float32), np.stack(weight).astype(np.float32)


def network(width: int, hidden: int) -> Any:
    """The network, untrained: a dense layer, a GRU, a probability (Keras)."""
    from learn.tensorflow import keras, layers
    return keras.Sequential([keras.Input((None, (HOPS_PER_FRAME + 1) * N_MELS)), layers.Dense(width, activation="relu"),
                             layers.Dropout(0.1), layers.GRU(hidden, return_sequences=True),
                             layers.Dense(1, activation="sigmoid")])


def fit(net: Any, data: Sequence[NDArray], *, epochs: int, batch: int, rate: float) -> None:
    """Fit `net` to `examples`, falling from `rate` to nothing."""
    from learn.tensorflow import keras
    x, wanted, weight = data
    steps = epochs * -(-len(x) // batch)
    net.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)), "binary_crossentropy")
    for epoch in range(epochs):
        done = net.fit(x.astype(np.float32), wanted[..., None], sample_weight=weight, batch_size=batch, verbose=0)
        say(f"epoch {epoch + 1}: loss {done.history['loss'][0]:.4f}")


def weights(net: Any) -> dict:
    """The arrays of `net` under the names that landmarks.voice.Voice knows."""
    names = "dense", "dense_bias", "kernel", "recurrent", "bias", "out", "out_bias"
    return dict(zip(names, (np.asarray(variable) for variable in net.trainable_weights)))


def typical(speakers: dict) -> NDArray:
    """The mean log-mel of a voice, over speakers: float32 [mel]."""
    means = []
    for sounds in speakers.values():
        powers = [mel_power(spectrum_of(sound)) for sound in sounds[:5]]
        voiced = [(power, level_and_channel(power)[0]) for power in powers]
        means.append(np.mean([log_mel(p[p.sum((1, 2)) > VOICED * loud], loud).mean((0, 1)) for p, loud in voiced], 0))
    return np.mean(means, 0).astype(np.float32)


def train(run: Path, speakers: dict, options: dict, inputs: Iterable[str | Path]) -> Path:
    """Train on `speakers`, name -> sounds, and write the model into the folder `run`. Returns its path."""
    from learn.tensorflow import keras
    keras.utils.set_random_seed(options["seed"])
    net = network(options["width"], options["hidden"])
    pieces = examples(np.random.default_rng(options["seed"]), speakers, options["pieces"])
    fit(net, pieces, epochs=options["epochs"], batch=32, rate=3e-3)
    path = run / "model.npz"
    with artifacts.described(path, "voice-model", stage=STAGE, options=options, inputs=inputs) as (part, _):
        np.savez(part, **weights(net), typical=typical(speakers))
    say(f"{len(speakers) - len(VOICES)} recorded speakers, {len(VOICES)} synthesised voices")
    return path


@stage(reads="the recordings that INDEX lists", writes="RECORD/00001/ with model.npz, run.json",
       examples=("python -m landmarks.voice.train",
                 "python -m preprocess.list_recordings data/raw --out data/more",
                 "python -m landmarks.voice.train --index data/recordings/index.csv --index data/more/index.csv"))
@click.option("--index", "indexes", type=click.Path(path_type=Path), multiple=True,
              default=(Path("data/recordings/index.csv"),), help="A list of recordings of speech; may be repeated.")
@run_options("CNN_record", resumes=False)
@click.option("--pieces", type=click.IntRange(8), default=2400, help="Pieces of ten seconds to learn from.")
@click.option("--epochs", type=click.IntRange(1), default=20, help="How often each is seen.")
@click.option("--width", type=click.IntRange(1), default=64, help="Values that describe a frame.")
@click.option("--hidden", type=click.IntRange(1), default=48, help="Values the network remembers.")
@click.option("--seed", type=int, default=1, help="Of the pieces and of the first weights.")
def main(indexes, record, trained, **options) -> None:
    """Train the detector of voices."""
    def prepare(options, _index):
        speakers = {}
        for name, sound in [*recorded(indexes, "train"), *synthesised()]:
            speakers.setdefault(name, []).append(sound)
        return lambda run: train(run, speakers, options, indexes)

    click.echo(train_as_asked(prepare, stage=STAGE, data=indexes[0], options=options, record=record, trained=trained,
                              resumes=False))


if __name__ == "__main__":
    main()
