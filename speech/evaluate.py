"""Evaluate speech recognition (word error rate) and alignment (time error of words), each engine beside the others.

Reads: FOLDER/NAME.mp4 (or any recording), and what is said in it: FOLDER/words/NAME.align, lines `start end word` in TICKS a
second, sil and sp are silence, as the GRID corpus gives them (Cooke et al. 2006); or FOLDER/NAME.txt, words without times.
Writes: OUT (metrics).
Numbers are words on both sides: C5 is c five.
"""

import glob
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import decode_any
from core.media.words import Word, transcript
from core.metrics import n_errors
from core.stage import progress, stage
from learn.measures import report
from speech.align import align
from speech.recognise import ENGINES, default_engine, recognise
from speech.script import read_script
from speech.speakable import Piece, plain_words

STAGE = "speech.evaluate"
TICKS = 25_000  # a second
NO_SOUND = (".align", ".txt", ".json")
SILENT = {"sil", "sp"}
GRAMMAR = "sphinx, grammar"  # how PocketSphinx with a grammar is called in the measures


def read_align(path: str | Path) -> list:
    """The words of a .align file, a list of `Word`. Raises InputError."""
    try:
        rows = [line.split() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
        return [Word(word, int(start) / TICKS, int(end) / TICKS) for start, end, word in rows if word not in SILENT]
    except (ValueError, UnicodeDecodeError):
        raise InputError(path, "not word times", "lines `start end word`") from None


def start_errors(said: Sequence[Word], heard: Sequence[Word]) -> list:
    """By how much, in s, words that were heard rightly begin after their times in `said`."""
    tokens = [(token, word.start_s) for word in heard for token in plain_words(word.word)[:1]]
    match = SequenceMatcher(None, [word.word for word in said], [token for token, _ in tokens], autojunk=False)
    return [tokens[block.b + i][1] - said[block.a + i].start_s
            for block in match.get_matching_blocks() for i in range(block.size)]


def aligned_errors(said: Sequence[Word], sound: NDArray) -> list | None:
    """(start, end) errors in s of the words, found in the sound by forced alignment; None where they are not found."""
    try:
        found = align(sound, [Piece(word.word, word.word) for word in said])
    except InputError:
        return None
    return [(a.start_s - b.start_s, a.end_s - b.end_s) for a, b in zip(found, said)]


def summary(errors_s: Sequence | NDArray) -> dict:
    """Error of times (s) in ms: median, mean and 95th percentile of its size, and its mean with its sign."""
    if not len(errors_s):
        return {}
    size_ms, signed_ms = np.abs(errors_s) * 1000, np.asarray(errors_s) * 1000
    return {"median_ms": round(float(np.median(size_ms)), 1), "mean_ms": round(float(size_ms.mean()), 1),
            "p95_ms": round(float(np.quantile(size_ms, 0.95)), 1), "bias_ms": round(float(signed_ms.mean()), 1)}


def recordings(folder: str | Path, only: str = "*") -> list:
    """(recording, what is said, with times) of each clip of a folder whose name matches `only`; see the head of this file.

    What is said is a list of `Word`, or a text where its times are not known. Raises InputError when there is none.
    """
    times = {path.stem: path for path in sorted((Path(folder) / "words").glob(f"{only}.align"))}
    texts = {path.stem: path for path in sorted(Path(folder).glob(f"{only}.txt"))}
    found = []
    for name, path in (texts | times).items():
        said = read_align(path) if path.suffix == ".align" else read_script(path)
        beside = (clip for clip in sorted(Path(folder).glob(f"{glob.escape(name)}.*")) if clip.suffix not in NO_SOUND)
        found += [(clip, said) for clip in beside]
    if not found:
        raise InputError(folder, f"no words/NAME.align or NAME.txt beside a recording NAME{f' like {only}' * (only != '*')}",
                         "recordings whose words are known")
    return found


def _recognised(sound, ways) -> Iterator[tuple]:
    """(way, words, seconds it took) of each way of recognition."""
    for way, how in ways.items():
        began = time.perf_counter()
        yield way, recognise(sound, **how), time.perf_counter() - began


def evaluate(folder: str | Path, engines: Sequence[str] = ("whisper", "sphinx"), grammar: str | Path | None = None,
             only: str = "*") -> dict:
    """All measures over the clips of a folder, by name: of each engine, and of words that are known.

    Raises
    ------
    InputError : no clips; an engine that is not there.
    """
    ways = {engine: {"engine": engine} for engine in engines} | (
        {GRAMMAR: {"engine": "sphinx", "grammar": grammar}} if grammar else {})
    clips = recordings(folder, only)
    wrong, took_s, starts_s = defaultdict(int), defaultdict(float), defaultdict(list)
    aligned, n_words, n_lost, seconds = [], 0, 0, 0.0
    with progress(clips, "words") as bar:
        for clip, said in bar:
            sound = np.concatenate(list(decode_any(clip)))
            timed = not isinstance(said, str)
            plain = plain_words(transcript(said) if timed else said)
            for way, words, way_s in _recognised(sound, ways):
                wrong[way] += n_errors(plain, plain_words(transcript(words)))
                took_s[way] += way_s
                starts_s[way] += start_errors(said, words) if timed else []
            errors_s = aligned_errors(said, sound) if timed else []
            n_lost, aligned = n_lost + (errors_s is None), aligned + (errors_s or [])
            n_words, seconds = n_words + len(plain), seconds + len(sound) / SAMPLE_RATE
    starts, ends = np.array(aligned).reshape(-1, 2).T
    return {"clips": len(clips), "words": n_words, "word_error_rate": {way: round(wrong[way] / n_words, 3) for way in ways},
            "start_recognised": {way: summary(starts_s[way]) for way in ways},
            "times_real_time": {way: round(took_s[way] / seconds, 2) for way in ways},
            "clips_not_aligned": n_lost, "start": summary(starts), "end": summary(ends)}


_PATH = click.Path(path_type=Path)


@stage(reads="FOLDER/NAME.*, FOLDER/words/NAME.align or FOLDER/NAME.txt", writes="OUT (metrics)",
       examples=("python -m speech.evaluate data/samples",
                 "python -m speech.evaluate data/raw/grid --only 's3[01]_*' --grammar speech/grid.gram"))
@click.argument("folder", type=_PATH)
@click.option("--engine", "engines", type=click.Choice(ENGINES), multiple=True,
              help="Speech recognition to measure, again for each.  [default: whisper where it is installed, and sphinx]")
@click.option("--grammar", type=_PATH, help="JSGF file of all that may be said: sphinx is measured with it, too.")
@click.option("--only", default="*", help="Names of the clips that count, a pattern.")
@click.option("--out", type=_PATH, default=Path("results/words_metrics.json"), help="The measures.")
def main(folder, engines, grammar, only, out) -> None:
    """Measure recognition and word times on recordings whose words are known."""
    engines = engines or tuple(dict.fromkeys((default_engine(), "sphinx")))
    measured = evaluate(folder, engines, grammar, only)
    text = "\n".join(f"{name:<20}{value}" for name, value in measured.items())
    options = {"engines": list(engines), "grammar": grammar and grammar.name, "only": only}
    report(out, measured, text, stage=STAGE, options=options)


if __name__ == "__main__":
    main()
