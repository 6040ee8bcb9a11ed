"""Measure speed and memory on this machine: figures beside figures, nothing asserted, and how cost grows.

Reads: data/samples/speech.wav and reminder.txt, the portrait in scikit-image, the models that ship; the history of before.
Writes: results/bench.json, bench_history.json, which keeps every run, and bench.png; the rest lies in a temporary folder,
but for landmarks.gif, which predict.py always writes.
"""

import platform
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from core.cost import size
from core.files import read_json, save_json, whole_file
from core.stage import say, stage
from evaluation import speed
from evaluation.growth import GROWTHS, draw, dub, ear, page, voice

MEASURES = {"memory": speed.memory, "landmarks": speed.landmarks, "predict": speed.predict, "render": speed.render,
            "whole": speed.whole, "script": speed.script, "batch": speed.batch, "scene": speed.scene, "comic": speed.comic,
            "emotion": speed.emotion, "ear": ear, "voice": voice, "dub": dub, "page": page, "size": size}
GROWTH = "growth"  # with length, size and number
OUT = Path("results")


def add_to_history(path: Path, about: dict) -> list[dict]:
    """Put what was measured behind what was measured before, in the file `path`; return all of it."""
    history = read_json(path, "measures of before") if path.is_file() else []
    save_json(path, [*history, about])
    return [*history, about]


def changes(history: list[dict], most: float = 0.1) -> list[str]:
    """Lines on ratios that moved by more than the share `most` since the run before that measured the same."""
    lines = []
    for row in history[-1]["measures"]:
        before = [old["ratio"] for run in history[:-1] for old in run["measures"] if old["what"] == row["what"]]
        if before and abs(row["ratio"] / before[-1] - 1) > most:
            lines.append(f"{row['what']}: ratio {row['ratio']:.2f}, before {before[-1]:.2f}")
    return lines


@stage(reads="data/samples/speech.wav, data/samples/reminder.txt, the models that ship",
       writes="results/bench.json, bench_history.json, bench.png",
       examples=("python bench.py", "python bench.py --only predict --only render", "python bench.py --only growth"))
@click.option("--only", type=click.Choice([*MEASURES, GROWTH]), multiple=True, help="Measure only this; may be repeated.")
@click.option("--rows", type=click.IntRange(1), default=speed.N_ROWS, help="Of the batch that is measured.")
def main(only, rows) -> None:
    """Measure speed and memory on this machine, in about a quarter of an hour.

    The ratio is the figure over the one beside it, measured in the same run on the same input. What moved by more than a tenth
    since the time before is said.
    """
    measured, growths, measures = [], [], MEASURES | {"batch": partial(speed.batch, n_rows=rows)}
    click.echo(f"{'what':<66}{'value':>9} {'unit':<12}{'beside':<30}{'value':>9}{'ratio':>8}")
    for name in only or [*MEASURES, GROWTH]:
        say(f"measuring: {name}")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            if name == GROWTH:
                for kind, measure in GROWTHS.items():
                    (place := Path(folder) / kind).mkdir()
                    growths.append(measure(place))
                    told = ", ".join(f"{amount:g} {cost:.3g}" for amount, cost in growths[-1].points)
                    click.echo(f"{growths[-1].what}, {growths[-1].unit} by {growths[-1].of}: {told}")
                continue
            for row in measures[name](Path(folder)):
                measured.append({**vars(row), "ratio": row.ratio})
                click.echo(f"{row.what:<66}{row.value:>9.2f} {row.unit:<12}{row.beside:<30}{row.other:>9.2f}{row.ratio:>8.2f}")
    machine = f"{platform.machine()}, {speed.N_CORES} cores, Python {platform.python_version()}"
    about = {"machine": machine, "date": time.strftime("%Y-%m-%d"), "measures": measured, "growth": [*map(asdict, growths)]}
    save_json(OUT / "bench.json", about)
    for line in changes(add_to_history(OUT / "bench_history.json", about)):
        say(f"changed: {line}")
    if growths:
        with whole_file(OUT / "bench.png") as part:
            draw(growths).savefig(part, format="png")
    click.echo(OUT / "bench.json")


if __name__ == "__main__":
    main()
