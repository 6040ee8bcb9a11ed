"""Measure what is heard and when: word error rate of recognition, time error of words that are found.

Reads: FOLDER/NAME.mp4 (or any recording) and FOLDER/words/NAME.align, lines `start end word` in TICKS a second; sil and sp
are silence. So the GRID corpus gives them (Cooke et al. 2006).
Writes: OUT (metrics).
"""

import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.media.audio import decode_any
from core.media.words import Word
from core.stage import progress, say, stage
from speech.align import align
from speech.recognise import recognise
from speech.speakable import Piece

STAGE = "speech.evaluate"
TICKS = 25_000  # a second
SILENT = {"sil", "sp"}


def read_align(path: str | Path) -> list:
    """The words of a .align file, a list of `Word`. Raises InputError."""
    try:
        rows = [line.split() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
        return [Word(word, int(start) / TICKS, int(end) / TICKS) for start, end, word in rows if word not in SILENT]
    except (ValueError, UnicodeDecodeError):
        raise InputError(path, "not word times", "lines `start end word`") from None


def n_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out or exchanged between two lists of words: their edit distance."""
    before = np.arange(len(heard) + 1)
    for i, word in enumerate(said, 1):
        row = np.empty_like(before)
        row[0] = i
        for j, other in enumerate(heard, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other))
        before = row
    return int(before[-1])


def measure(said: Sequence[Word], sound: NDArray, grammar: str | Path | None) -> tuple[dict[str, int],
            list[tuple[float, float]] | None]:
    """Errors of one clip: words wrong by each way of recognition; (start, end) errors in s of the words found, or None."""
    words = [word.word for word in said]
    wrong = {"any English": n_errors(words, [word.word for word in recognise(sound)])}
    if grammar:
        wrong["grammar"] = n_errors(words, [word.word for word in recognise(sound, grammar=grammar)])
    try:
        found = align(sound, [Piece(word, word) for word in words])
    except InputError:
        return wrong, None
    return wrong, [(a.start_s - b.start_s, a.end_s - b.end_s) for a, b in zip(found, said)]


def summary(errors_s: NDArray) -> dict:
    """Error of times (s) in ms: median, mean and 95th percentile of its size, and its mean with its sign."""
    size_ms, signed_ms = np.abs(errors_s) * 1000, np.asarray(errors_s) * 1000
    return {"median_ms": round(float(np.median(size_ms)), 1), "mean_ms": round(float(size_ms.mean()), 1),
            "p95_ms": round(float(np.quantile(size_ms, 0.95)), 1), "bias_ms": round(float(signed_ms.mean()), 1)}


def evaluate(folder: str | Path, grammar: str | Path | None = None) -> dict:
    """All measures over the clips of a folder. Raises InputError when it has none."""
    times = sorted((Path(folder) / "words").glob("*.align"))
    clips = [(path, clip) for path in times for clip in Path(folder).glob(f"{path.stem}.*") if clip.suffix != ".align"]
    if not clips:
        raise InputError(folder, "no words/NAME.align beside a recording NAME", "recordings with word times")
    wrong, errors_s, n_words, n_lost, seconds, began = {}, [], 0, 0, 0.0, time.perf_counter()
    with progress(clips, "words") as bar:
        for path, clip in bar:
            said, sound = read_align(path), np.concatenate(list(decode_any(clip)))
            of_clip, times_s = measure(said, sound, grammar)
            wrong = {way: wrong.get(way, 0) + n for way, n in of_clip.items()}
            errors_s += times_s or []
            n_lost += times_s is None
            n_words, seconds = n_words + len(said), seconds + len(sound) / SAMPLE_RATE
    starts, ends = np.array(errors_s).reshape(-1, 2).T
    return {"clips": len(clips), "words": n_words, "word_error_rate": {way: round(n / n_words, 3) for way, n in wrong.items()},
            "clips_not_aligned": n_lost, "start": summary(starts), "end": summary(ends),
            "times_real_time": round((time.perf_counter() - began) / seconds, 2)}


_PATH = click.Path(path_type=Path)


@stage(reads="FOLDER/NAME.*, FOLDER/words/NAME.align", writes="OUT (metrics)",
       examples=("python -m speech.evaluate data/raw/grid",
                 "python -m speech.evaluate data/raw/grid --grammar speech/grid.gram"))
@click.argument("folder", type=_PATH)
@click.option("--grammar", type=_PATH, help="JSGF file of all that may be said: recognition is measured with it, too.")
@click.option("--out", type=_PATH, default=Path("results/words_metrics.json"), help="The measures.")
def main(folder, grammar, out) -> None:
    """Measure recognition and word times on recordings whose words are known."""
    measured = evaluate(folder, grammar)
    for name, value in measured.items():
        say(f"{name:<20}{value}")
    click.echo(artifacts.save_described_json(out, measured, "metrics", stage=STAGE,
                                             options={"grammar": grammar and grammar.name}))


if __name__ == "__main__":
    main()
