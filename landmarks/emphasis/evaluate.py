"""Does a strong voice open the mouth further than a normal one that says the same, with emphasis and without.

Reads: data/ravdess/index.csv and the recordings of actors who taught nothing; MODEL (emphasis-model), the landmark-model that
ships. Writes: metrics.json beside the model or where --out says.
Measured talkers tell how far this is true of people: the correlation over the people of `val` of the effort of their voices and
of how much further than predicted their mouths open.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from core import paths
from core.face import face68
from core.media.audio import spectrum_of
from core.metrics import correlation
from core.models import read_arrays, read_model
from core.stage import progress, stage
from landmarks.dataset import sound_of
from landmarks.emphasis.data import APART, SOURCES, Phrase, acted, measured, pairs_of, slopes_of
from landmarks.emphasis.effort import WholeEffort
from landmarks.emphasis.style import STYLES, enlarge
from landmarks.lite import Model, load_model
from landmarks.predict import predict_power
from learn.measures import markdown, report

STAGE = "landmarks.emphasis.evaluate"
METHODS = ("without", *STYLES)


def openings(phrase: Phrase, model: Model, emphasis: dict) -> dict:
    """How far a phrase opens the mouth by each of METHODS, 5th to 95th percentile, eye distances."""
    sound = sound_of(phrase.path)
    power = model.power(spectrum_of(sound))
    face, effort = predict_power(model, power, model.ear(sound, power)), WholeEffort(power, emphasis).effort
    faces = {"without": face} | {name: enlarge(face, model.rest_face, style, effort, emphasis["slopes"])
                                 for name, style in STYLES.items()}
    return {name: float(np.subtract(*np.percentile(face68.mouth_opening(moved), [95, 5]))) for name, moved in faces.items()}


def strong_over_normal(phrases: Sequence[Phrase], model: Model, emphasis: dict) -> dict:
    """Method -> median of strong over normal opening, and in what share of the pairs it is above 1."""
    pairs = pairs_of(phrases)
    with progress(pairs, "evaluate emphasis") as bar:
        both = [[openings(phrase, model, emphasis) for phrase in pair] for pair in bar]
    table = {}
    for name in METHODS:
        ratio = np.array([strong[name] / max(normal[name], 1e-6) for normal, strong in both])
        table[name] = {"ratio": float(np.median(ratio)), "larger": float((ratio > 1).mean())}
    return table


def of_people(pack: str | Path, ear: str | Path, emphasis: dict, sources: Sequence[str] = SOURCES) -> dict:
    """Over the people of `val`: correlation and slope of effort and of how much further than predicted they open the mouth."""
    windows = measured(pack, ear, "val", sources)
    effort = windows.features @ emphasis["weights"] - emphasis["mean"]
    of = [windows.person == person for person in np.unique(windows.person)]
    means = [[values[chosen].mean() for chosen in of] for values in (effort, *windows.larger.T)]
    opening, corners = slopes_of(windows, effort).tolist()
    return {"people": len(of), "opening_correlation": correlation(*map(np.array, means[:2])), "opening_slope": opening,
            "corners_correlation": correlation(np.array(means[0]), np.array(means[2])), "corners_slope": corners}


@stage(reads="INDEX and its recordings, PACK, EAR, MODEL (emphasis-model)", writes="OUT (metrics.json)",
       examples=("python -m landmarks.emphasis.evaluate",))
@click.option("--model", "path", type=click.Path(path_type=Path), default=paths.EMPHASIS_MODEL, show_default="the shipped one")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/ravdess/index.csv"), help="Acted recordings.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Measured talkers.")
@click.option("--ear", type=click.Path(path_type=Path), default=Path("data/ear.h5"), help="Their ear-pack.")
@click.option("--actor", "actors", multiple=True, default=APART, help="Actors to measure on: not those it learnt from.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the measures go; default metrics.json beside the model.")
def main(path, index, pack, ear, actors, out) -> None:
    """Measure emphasis: strong against normal intensity, and the people of val."""
    emphasis = read_model(path, "emphasis-model", read_arrays, "make train-emphasis")
    phrases = acted(index, actors)
    table, people = strong_over_normal(phrases, load_model(), emphasis), of_people(pack, ear, emphasis)
    text = markdown(("opening, strong over normal", "median ratio", "pairs in which it is larger"),
                    [(name, f"{row['ratio']:.2f}", f"{row['larger']:.0%}") for name, row in table.items()])
    about = {"pairs": len(pairs_of(phrases)), "actors": list(actors), "strong_over_normal": table, "people": people}
    report(out or Path(path).with_name("metrics.json"), about, f"{text}\n\n{about['pairs']} pairs; people of val: " + ", ".join(
        f"{name} {value:.2f}" for name, value in people.items()), stage=STAGE, inputs=[path, index, pack])


if __name__ == "__main__":
    main()
