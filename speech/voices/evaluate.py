"""Measure voices: how well a recogniser understands them, how fast they speak, how steady and how unlike each other they are.

Reads: SENTENCES, a text with a sentence in each line; what the engines and Whisper read.
Writes: OUT (metrics).
Word error rate: words put in, left out or exchanged, of those that are said; a small recogniser errs too. Likeness: the share
of sentences whose mean spectrum lies nearer to the mean of their own speaker, without that sentence, than to any other's.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import level_dbfs, resample, spectrum_of
from core.media.words import transcript
from core.metrics import n_errors
from core.stage import progress, say, stage
from learn.measures import report
from speech.engines import DEFAULT_RATE, ENGINES, speak
from speech.recognise import recognise
from speech.script import read_script
from speech.speakable import plain_words
from speech.whisper import PIECE_S

STAGE = "speech.voices.evaluate"
DEFAULT_VOICES = tuple(f"kokoro:{language}+{name}" for language in ("en-us", "en-in") for name in ("f1", "f2", "m1")) + (
    "espeak:en-us", "espeak:en-in")
_GAP_S = 0.4  # of silence between two sentences
_N_BANDS, _LOUD = 24, 0.3  # bands, and the share of the loudest frame that a frame of the mean has at least


def _signature(sound) -> NDArray:
    """Mean log spectrum in bands, of loud frames, without its level: [band]."""
    magnitudes = spectrum_of(sound).astype(np.float32).mean(1)
    power = np.square(magnitudes).sum(1)
    edges = np.unique(np.geomspace(2, magnitudes.shape[1], _N_BANDS + 1).astype(int))
    loud = magnitudes[power > _LOUD ** 2 * power.max()]
    bands = np.log(np.stack([loud[:, first:last].mean(1) for first, last in zip(edges, edges[1:])], 1) + 1e-6).mean(0)
    return bands - bands.mean()


def likeness(signatures: dict[str, NDArray]) -> dict[str, float]:
    """Share of the sentences of each speaker that are nearest to their own others: signatures [sentence, band] by speaker."""
    def own(name, i):
        return np.delete(signatures[name], i, 0).mean(0)

    def nearest(name, i):
        means = {other: own(name, i) if other == name else rows.mean(0) for other, rows in signatures.items()}
        return min(means, key=lambda other: float(np.abs(means[other] - signatures[name][i]).sum()))

    return {name: round(float(np.mean([nearest(name, i) == name for i in range(len(rows))])), 3)
            for name, rows in signatures.items()}


def _groups(sounds) -> list[list[int]]:
    """Numbers of sentences that Whisper hears in one go."""
    groups, length = [[]], 0.0
    for i, sound in enumerate(sounds):
        length += len(sound) / SAMPLE_RATE + _GAP_S
        if groups[-1] and length > PIECE_S:
            groups.append([])
            length = len(sound) / SAMPLE_RATE + _GAP_S
        groups[-1].append(i)
    return groups


def _understood(sentences, sounds) -> tuple[int, int, list]:
    """Words that are wrong, words that are said, and what was heard of each group of sentences with a wrong word in it."""
    wrong, n_words, misheard = 0, 0, []
    gap = np.zeros(round(_GAP_S * SAMPLE_RATE), np.float32)
    for group in _groups(sounds):
        together = np.concatenate([part for i in group for part in (sounds[i], gap)])
        said = [word for i in group for word in plain_words(sentences[i])]
        heard = plain_words(transcript(recognise(together, "whisper")))
        if errors := n_errors(said, heard):
            misheard.append({"said": " ".join(said), "heard": " ".join(heard), "errors": errors})
        wrong, n_words = wrong + errors, n_words + len(said)
    return wrong, n_words, misheard


def measure(voice: str, sentences: Sequence[str], voice_model: Path | None = None) -> tuple[dict, NDArray]:
    """Measures of ENGINE:VOICE, and the signature of each sentence [sentence, band]."""
    engine, _, name = voice.partition(":")
    sounds, began = [], time.process_time()
    with progress(sentences, voice) as bar:
        for sentence in bar:
            spoken = speak(sentence, name, DEFAULT_RATE, engine, voice_model=voice_model)
            sounds.append(resample(spoken.sound, spoken.rate))
    took_s, seconds = time.process_time() - began, sum(map(len, sounds)) / SAMPLE_RATE
    wrong, n_words, misheard = _understood(sentences, sounds)
    return {"word_error_rate": round(wrong / n_words, 3), "words": n_words, "words_per_minute": round(60 * n_words / seconds),
            "level_dbfs": round(float(np.mean([level_dbfs(sound) for sound in sounds])), 1),
            "cpu_s_a_second": round(took_s / seconds, 2),
            "misheard": misheard}, np.array([_signature(sound) for sound in sounds])


_PATH = click.Path(path_type=Path)


@stage(reads="SENTENCES, a text", writes="OUT (metrics)",
       examples=("python -m speech.voices.evaluate data/samples/sentences.txt",
                 "python -m speech.voices.evaluate data/samples/sentences.txt --voice kokoro:en-gb+f1 --every 4"))
@click.argument("sentences", metavar="SENTENCES", type=_PATH)
@click.option("--voice", "voices", multiple=True, default=DEFAULT_VOICES, help="ENGINE:VOICE, again for each.")
@click.option("--voice-model", type=_PATH, help="More speakers, see speak.")
@click.option("--every", type=click.IntRange(1), default=1, help="Every how manieth sentence.")
@click.option("--out", type=_PATH, default=Path("results/voices_metrics.json"), help="The measures.")
def main(sentences, voices, voice_model, every, out) -> None:
    """Measure voices on sentences that they say: words that a recogniser gets wrong, speed, likeness."""
    for voice in voices:
        if voice.partition(":")[0] not in ENGINES:
            raise InputError(f"--voice {voice}", "no such engine", f"ENGINE:VOICE, an engine of {', '.join(ENGINES)}")
    lines = [line for line in read_script(sentences).splitlines() if line.strip()][::every]
    measured, signatures = {}, {}
    for voice in voices:
        measured[voice], signatures[voice] = measure(voice, lines, voice_model)
        say(f"{voice}: word error rate {measured[voice]['word_error_rate']}")
    for voice, share in likeness(signatures).items():
        measured[voice]["likeness"] = share
    text = "\n".join(f"{voice:<20} " + "  ".join(f"{name} {value}" for name, value in about.items() if name != "misheard")
                     for voice, about in measured.items())
    report(out, measured, text, stage=STAGE, inputs=[sentences], options={"every": every})


if __name__ == "__main__":
    main()
