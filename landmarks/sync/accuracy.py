"""How often a judge of audio-visual offsets is right: held-out speech, shifted by known amounts.

Reads: a training-pack. Writes: the accuracy into a sync-model's sidecar.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import FPS
from core.files import save_json
from core.index import source_of
from core.media.audio import HOPS_PER_FRAME
from core.stage import progress
from landmarks.dataset import open_pack
from landmarks.features import mel_power
from landmarks.sync.judge import FRAME_MS, Judge, judge_power, load_judge
from learn.measures import cell, markdown, report
from preprocess.offset import offset_of

HOP_MS = FRAME_MS / HOPS_PER_FRAME
LARGEST_SHIFT = 400 // FRAME_MS  # frames
LENGTHS_S = (1, 2, 3, 5)
STAGE = "landmarks.sync.evaluate"  # the command whose measures these are
N_SHIFTS = 4  # trials a stretch


def recordings(pack: str | Path, split: str) -> list:
    """The clips of a split, those of a speaker end to end: (source, spectrum float16 [frame, hop, bin], face)."""
    parts = {}
    with open_pack(pack) as file:
        for i in (i for i, name in enumerate(file["split"].asstr()) if name == split):
            name, start = file["name"].asstr()[i], int(file["start"][i])
            own = slice(start, start + int(file["n_frames"][i]))
            key = source_of(name), file["speaker"].asstr()[i]
            parts.setdefault(key, []).append((file["spectrum"][own], file["face"][own]))
    return [(source, *(np.concatenate(part) for part in zip(*clips))) for (source, _), clips in sorted(parts.items())]


def trials(found: Sequence[tuple[str, NDArray, NDArray]], seconds: float,
           seed: int = 0) -> Iterator[tuple[str, float, NDArray, NDArray]]:
    """Yield (source, late_ms, spectrum, face) of stretches of this length, each with N_SHIFTS moved sounds."""
    rng, n = np.random.default_rng(seed), round(seconds * FPS)
    for source, spectrum, face in found:
        hops = spectrum.reshape(-1, spectrum.shape[-1])
        for start in range(LARGEST_SHIFT, len(face) - n - LARGEST_SHIFT + 1, n):
            limit = LARGEST_SHIFT * HOPS_PER_FRAME
            for late in rng.integers(-limit, limit + 1, N_SHIFTS):
                shifted = hops[start * HOPS_PER_FRAME - late:][:n * HOPS_PER_FRAME]
                yield source, late * HOP_MS, shifted.reshape(n, HOPS_PER_FRAME, -1), face[start:start + n]


def by_judge(judge: Judge) -> Callable[[NDArray, NDArray], tuple[float, float]]:
    """A function (spectrum, face) -> offset_ms, confidence."""
    def answer(spectrum, face):
        verdict = judge_power(judge, mel_power(spectrum), face)
        return verdict.offset_ms, verdict.confidence

    return answer


def share_right(truth: NDArray, answers: NDArray) -> dict:
    """How often `answers` [trial] (ms) lie within a frame of the `truth`, by how much they miss, and what chance would give."""
    error = np.abs(answers - truth)
    return {"trials": len(truth), "within_frame": float((error <= FRAME_MS).mean()),
            "median_error_ms": float(np.nanmedian(error)) if np.isfinite(error).any() else None,
            "chance": float((np.abs(answers[:, None] - truth) <= FRAME_MS).mean())}


def measure(found: Sequence[tuple[str, NDArray, NDArray]], answer: Callable[[NDArray, NDArray], tuple[float, float]],
            lengths: Sequence[float] = LENGTHS_S) -> list:
    """`share_right` of all trials and by source, a row a length; `answer` as of `by_judge`."""
    rows = []
    for seconds in lengths:
        results = [(source, late, *answer(spectrum, face)) for source, late, spectrum, face in trials(found, seconds)]
        if not results:
            continue
        sources, truth, answers, _ = map(np.array, zip(*results))
        rows.append({"seconds": seconds, **share_right(truth, answers), "sources": {
            str(source): share_right(truth[sources == source], answers[sources == source]) for source in np.unique(sources)}})
    return rows


def publish_accuracy(model: str | Path, pack: str | Path, split: str = "val", is_told: bool = False) -> dict:
    """Measure a sync-model file and the baseline; write the sidecar's `accuracy` and metrics.json; return the measures.

    `is_told`: print them
    """
    found, answer = recordings(pack, split), by_judge(load_judge(model))
    with progress((("judge", answer), ("ridge regression", offset_of)), "evaluate sync") as bar:
        methods = {name: measure(found, each) for name, each in bar}
    about = {"split": split, "methods": methods, "confidence": confidences(found, answer, 3)}
    rows = [{**row, "sources": {source: values["within_frame"] for source, values in row["sources"].items()}}
            for row in methods["judge"]]
    save_json(artifacts.sidecar_path(model), {**artifacts.read_sidecar(model), "accuracy": {"split": split, "lengths": rows}})
    report(Path(model).with_name("metrics.json"), about, as_text(about) if is_told else None, stage=STAGE,
           options={"split": split}, inputs=[model, pack])
    return about



def confidences(found: Sequence[tuple[str, NDArray, NDArray]], answer: Callable[[NDArray, NDArray], tuple[float, float]],
                seconds: float) -> dict:
    """Confidence with the own sound and with that of the stretch before.

    `told_apart`: how often the own is the higher of two drawn at random (the area under the ROC curve).
    """
    stretches = list(trials(found, seconds))
    own = np.array([answer(spectrum, face)[1] for _, _, spectrum, face in stretches])
    foreign = np.array([answer(before[2], after[3])[1] for before, after in zip(stretches, stretches[N_SHIFTS:])])
    return {"seconds": seconds, "own": float(np.median(own)), "foreign": float(np.median(foreign)),
            "told_apart": float((own[:, None] > foreign).mean())}


def as_text(about: dict) -> str:
    """The measures as a table to paste into the documents, and a sentence."""
    table = markdown(("source", "seconds", "trials", "method", "within one frame", "median error, ms", "by chance"), [
        (source, row["seconds"], right["trials"], name, f"{right['within_frame']:.1%}", cell(right["median_error_ms"], ".0f"),
         f"{right['chance']:.1%}")
        for name, rows in about["methods"].items() for row in rows for source, right in {**row["sources"], "all": row}.items()])
    sure = about["confidence"]
    return (f"{table}\n\nConfidence on {sure['seconds']} s: median {sure['own']:.2f} with the own sound, {sure['foreign']:.2f} "
            f"with another's; told apart in {sure['told_apart']:.0%} of pairs")
