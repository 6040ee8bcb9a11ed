"""Evaluate the emotion recogniser on held-out actors, and on people who do not act.

Reads: the acted recordings that INDEX lists, of the speakers of --apart; an emotion-model; other recordings, --unacted.
Writes: metrics.json beside the model (metrics).
Recall is unweighted: the mean over the classes. ECE: expected calibration error, ten bins (Guo et al. 2017). By chance: the
same, when every recording is called neutral.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.index import read_index, source_of
from core.media.audio import decode_any
from core.stage import progress, stage
from landmarks.emotion.measure import HELD_OUT_ACTORS, calibration_error, recall, scores_of
from landmarks.emotion.model import DEFAULT_MODEL, load_recogniser
from landmarks.emotion.recognise import SIX, emotion_of, six_of
from landmarks.expression import EMOTIONS
from learn.measures import markdown, report

STAGE = "landmarks.emotion.evaluate"
MOST_CLIPS = 15  # of a source of unacted speech
MILD_EMOTIONS = ("neutral", "calm")


def measured(wanted: NDArray, probabilities: NDArray, names: Sequence[str]) -> dict:
    """Recall, accuracy, calibration and confusion of probabilities [item, class] for the true classes [item]."""
    found = probabilities.argmax(1)
    confusion = np.array([[int(((wanted == i) & (found == j)).sum()) for j in range(len(names))] for i in range(len(names))])
    return {"recordings": len(wanted), "recall": recall(wanted, probabilities), "accuracy": float((found == wanted).mean()),
            "ece": calibration_error(found == wanted, probabilities.max(1)), "by_chance": 1 / len(np.unique(wanted)),
            "recalls": {name: float((found[wanted == i] == i).mean()) for i, name in enumerate(names) if (wanted == i).any()},
            "confusion": {name: dict(zip(names, row.tolist())) for name, row in zip(names, confusion)}}


def acted(index: str | Path, apart: Collection[str], model: str | Path) -> dict:
    """Measures on the acted recordings of the speakers `apart`, in eight classes and six, and without the encoder."""
    from landmarks.emotion.data import takes
    found = takes(index, apart)
    recogniser = load_recogniser(model)
    by_networks, by_moments, acted, by_ear = scores_of(recogniser, found)
    probabilities = np.array([recogniser.whole(recogniser.listen(*take.sounds, ear=take.ear)) for take in found])
    without = np.array([recogniser.whole(recogniser.listen(*take.sounds)) for take in found])
    wanted, speaker = np.array([take.emotion for take in found]), np.array([take.speaker for take in found])
    sixth = {EMOTIONS.index(name): i for i, names in enumerate(SIX.values()) for name in names}
    has_six = np.isin(wanted, list(sixth))
    return {"eight": measured(wanted, probabilities, EMOTIONS),
            "six": measured(np.array([sixth[w] for w in wanted[has_six]]), six_of(probabilities[has_six]), list(SIX)),
            "without": measured(wanted, without, EMOTIONS), "taken for acted": float((acted > 0).mean()),
            "all taken for acted": recall(wanted, recogniser.together(
                by_networks, by_moments, by_ear if recogniser.takes_ear else None)),
            "networks alone": recall(wanted, by_networks), "discriminant alone": recall(wanted, by_moments),
            "encoder alone": recall(wanted, by_ear),
            "speakers": {str(name): recall(wanted[speaker == name], probabilities[speaker == name])
                         for name in np.unique(speaker)}}


def unacted(index: str | Path, model: str | Path) -> dict:
    """What is heard in speech that nobody acted, by source: mean probabilities, and how often the first is a mild one."""
    sources = {}
    for row in read_index(index, "sound", "split"):
        if row["sound"] and not row.get("problem") and row["split"] == "val":
            sources.setdefault(source_of(row["clip"]), []).append(row["sound"])
    found = {}
    with progress(list(sources.items()), "unacted speech") as bar:
        for source, paths in bar:
            chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, MOST_CLIPS).astype(int))]
            recognised = np.array([emotion_of(np.concatenate(list(decode_any(path))), model).whole for path in chosen])
            mild = np.isin(recognised.argmax(1), [EMOTIONS.index(name) for name in MILD_EMOTIONS])
            found[source] = {"recordings": len(chosen), "mild_first": float(mild.mean()),
                             "mean": {name: float(p) for name, p in zip(EMOTIONS, recognised.mean(0))}}
    return found


def as_markdown(about: dict) -> str:
    """The measures as tables to paste into the documents."""
    acted, held = about["acted"], about["held_out"]
    confusion = [(name, *row.values(), f"{acted['eight']['recalls'].get(name, np.nan):.0%}")
                 for name, row in acted["eight"]["confusion"].items()]
    rows = [(f"{name} classes", m["recordings"], f"{m['recall']:.1%}", f"{m['accuracy']:.1%}", f"{m['ece']:.3f}",
             f"{m['by_chance']:.1%}")
            for name, m in (("eight", acted["eight"]), ("six", acted["six"]), ("without the encoder, eight", acted["without"]))]
    parts = {name: acted[name] for name in ("all taken for acted", "networks alone", "discriminant alone", "encoder alone")}
    parts |= acted["speakers"]
    rows += [(f"{name}, eight classes", "", f"{share:.1%}", "", "", "") for name, share in parts.items()]
    rows.append(("cross-validation, one network and discriminant each", held["recordings"], f"{held['recall']:.1%}", *[""] * 3))
    mild = [(name, m["recordings"], f"{m['mild_first']:.0%}", *(f"{p:.2f}" for p in m["mean"].values()))
            for name, m in about["unacted"].items()]
    return "\n\n".join((markdown(("said", *(f"heard {name}" for name in EMOTIONS), "recall"), confusion),
                        markdown(("", "recordings", "recall", "accuracy", "ECE", "by chance"), rows),
                        markdown(("unacted speech", "recordings", "neutral or calm first", *EMOTIONS), mild)))


_PATH = click.Path(path_type=Path)


@stage(reads="MODEL (emotion-model), the recordings that INDEX and --unacted list", writes="metrics.json beside the model",
       examples=("python -m landmarks.emotion.evaluate --index data/ravdess/index.csv",
                 "python -m landmarks.emotion.evaluate --unacted data/recordings/index.csv"))
@click.option("--index", type=_PATH, default=Path("data/ravdess/index.csv"), help="A list of acted recordings.")
@click.option("--model", type=_PATH, default=DEFAULT_MODEL, show_default="the shipped one")
@click.option("--apart", multiple=True, default=HELD_OUT_ACTORS, help="Speakers to measure on: not those it learnt from.")
@click.option("--unacted", "unacted_index", type=_PATH, help="A list of recordings of which those of split val are heard too.")
def main(index, model, apart, unacted_index) -> None:
    """Measure the emotion recogniser."""
    about = {"acted": acted(index, apart, model), "unacted": unacted(unacted_index, model) if unacted_index else {},
             "held_out": artifacts.read_sidecar(model).get("held_out", {"recordings": 0, "recall": np.nan})}
    report(model.with_name("metrics.json"), about, as_markdown(about), stage=STAGE, options={"apart": list(apart)},
           inputs=[model, index, *([unacted_index] if unacted_index else [])])


if __name__ == "__main__":
    main()
