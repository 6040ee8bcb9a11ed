"""Train the emotion recogniser: cross-validation over groups of actors, all networks averaged.

Reads: the acted recordings that INDEX lists (RAVDESS, Livingstone and Russo 2018); others, --unacted; synthesised voices; the
speech encoder of the pinned package, without which the model does without it everywhere.
Writes: CNN_record/00001/: run.json, 1/ 2/ ... (a folder a network, to go on), model.npz (emotion-model) and `done`.
What each network says of the actors held out from it sets how much the discriminant of the moments counts beside it, then
that of the speech encoder's features, and both temperatures (Guo et al. 2017); it is the cross-validation in the
sidecar. The actors of --apart are in no network: landmarks.emotion.evaluate measures on them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError
from core.stage import say, stage
from landmarks.emotion.measure import HELD_OUT_ACTORS, calibration_error, recall, scores_of, surprise
from landmarks.emotion.trainer import acted_scores, discriminants, ear_discriminants, moments_of_takes, weighed_acted
from learn.run import run_options, train_as_asked

if TYPE_CHECKING:
    from landmarks.emotion.data import Take

STAGE = "landmarks.emotion.train"
SHARES, TEMPERATURES = np.arange(0, 1.01, 0.05), np.geomspace(0.3, 10, 90)  # looked through on the actors held out


def weighed(wanted: NDArray, by_network: NDArray, by_moments: NDArray) -> tuple[float, float]:
    """Share of the discriminant's scores, and temperature, under which the true classes are least surprising."""
    from landmarks.emotion.model import likely
    tried = [(surprise(wanted, likely((by_network + share * by_moments) / t)), share, t)
             for share in SHARES for t in TEMPERATURES]
    _, share, temperature = min(tried)
    return float(share), float(temperature)


def merged(networks: Sequence[dict], linear: dict, share: float = 0.0, temperature: float = 1.0) -> dict:
    """The arrays of an emotion-model made of some networks' (`train_one`) and of `discriminants`."""
    from landmarks.features import mel_filters
    arrays = {name: np.stack([network[name] for network in networks]).astype(np.float16) for name in networks[0]}
    return {**arrays, **linear, "mel": mel_filters(), "share": np.float32(share), "temperature": np.float32(temperature)}


def train_one(folder: Path, learnt: Sequence, held_out: Sequence, linear: dict, options: dict, seed: int) -> dict:
    """Train a network in `folder`, going on when it was stopped; return its arrays. `linear`: of `discriminants`."""
    from landmarks.emotion.data import Batches
    from landmarks.emotion.model import Recogniser
    from landmarks.emotion.network import DEFAULTS, arrays_of, built, make_train_step
    from learn.keras_run import add_to_curves, go_on, optimizer_of
    from learn.tensorflow import keras
    keras.utils.set_random_seed(seed)
    batches = Batches(learnt, options["batch"], seed)
    options = {**options, "steps": options["epochs"] * batches.per_epoch, "every": 5 * batches.per_epoch}
    network = built(**{name: options[name] for name in DEFAULTS})
    optimizer = optimizer_of(network, options)
    wanted = np.array([take.emotion for take in held_out])

    def check(step, losses):
        share = recall(wanted, scores_of(Recogniser(merged([arrays_of(network)], linear)), held_out)[0])
        add_to_curves(folder, {"step": step, **losses, "held out/recall": share})
        say(f"{folder}: step {step}, loss {losses['loss']:.3f}, recall of actors held out {share:.1%}")

    folder.mkdir(exist_ok=True)
    go_on(folder, options, batches, make_train_step(network, optimizer, options["smoothing"], options["strong"]),
          [*network.variables, *optimizer.variables], check, label=f"train {folder.name}")
    return arrays_of(network)


def networks_of(model: str | Path, options: dict) -> list[dict]:
    """The networks of an emotion-model, as of `train_one`. Raises InputError when others were held out from them."""
    from landmarks.emotion.model import NETWORK, load_recogniser
    about = artifacts.read_sidecar(model).get("options", {})
    for name in ("folds", "apart"):
        if about.get(name) != options[name]:
            raise InputError(model, f"networks of {name} {about.get(name)}", str(options[name]), "leave --networks away")
    arrays = load_recogniser(model).arrays
    return [{name: arrays[name][i] for name in NETWORK} for i in range(options["folds"])]


def train(run: Path, acted: "Sequence[Take]", unacted: "Sequence[Take]", options: dict, inputs: Iterable[str | Path]) -> Path:
    """Train all networks of a run and write the model. Returns its path."""
    from landmarks.emotion.model import Recogniser, likely
    takes, networks, wanted, scores, groups = [*acted, *unacted], [], [], [], {}
    is_acted: list = []
    others: list = []
    kept = networks_of(options["networks"], options) if options["networks"] else []
    moments, emotion = moments_of_takes(takes, options["seed"]), np.array([take.emotion for take in takes])
    folds = [np.array_split(sorted({take.speaker for take in part}), options["folds"]) for part in (acted, unacted)]
    for number, (actors, people) in enumerate(zip(*folds), 1):
        held_out = [take for take in acted if take.speaker in actors]
        apart = np.isin([take.speaker for take in takes], [*actors, *people])
        learnt, seed = [take for take in acted if take.speaker not in actors], options["seed"] + number
        rest = [take for take, out in zip(takes, apart) if not out]
        linear = discriminants(moments[:, ~apart], emotion[~apart]) | ear_discriminants(rest)
        networks.append(kept[number - 1] if kept else train_one(run / str(number), learnt, held_out, linear, options, seed))
        wanted.append(np.array([take.emotion for take in held_out]))
        scores.append(scores_of(Recogniser(merged(networks[-1:], linear)), held_out))
        for part, chosen in ((is_acted, apart & (emotion >= 0)), (others, apart & (emotion < 0))):
            part.append(acted_scores(moments[0, chosen], [takes[i] for i in np.flatnonzero(chosen)], linear))
        groups[", ".join(actors)] = len(held_out)
    wanted = np.concatenate(wanted)
    by_network, by_moments, _, by_ear = (np.concatenate(part) for part in zip(*scores))
    of_acted, of_others = np.concatenate(is_acted), np.concatenate(others)
    share, temperature = weighed(wanted, by_network, by_moments)
    least, weight, both = weighed_acted(of_acted, of_others)
    linear = discriminants(moments, emotion) | ear_discriminants(takes)
    linear["acted_bias"] -= least
    without, ends = by_network + share * by_moments, np.cumsum(list(groups.values()))
    all_of_it, heat = without, temperature
    if "ear" in linear:
        ear_share, heat = weighed(wanted, without, by_ear)
        linear |= {"ear_share": np.float32(ear_share), "ear_temperature": np.float32(heat)}
        linear["ear"][:, -1] *= weight
        linear["ear_bias"][-1] = weight * linear["ear_bias"][-1] + least - both
        all_of_it = without + ear_share * by_ear
    held = {"recordings": len(wanted), "recall": recall(wanted, all_of_it),
            "ece": calibration_error(all_of_it.argmax(1) == wanted, likely(all_of_it / heat).max(1)),
            "without the encoder": recall(wanted, without), "network alone": recall(wanted, by_network),
            "discriminant alone": recall(wanted, by_moments), "encoder alone": recall(wanted, by_ear),
            "groups": {names: recall(wanted[end - n:end], all_of_it[end - n:end])
                       for (names, n), end in zip(groups.items(), ends)},
            "acted weight of the encoder": weight, "acted taken for acted": float((of_acted @ (1, weight) >= both).mean()),
            "unacted taken for unacted": float((of_others @ (1, weight) < both).mean()) if len(of_others) else None,
            "by the moments alone": float((of_others[:, 0] < least).mean()) if len(of_others) else None}
    path = run / "model.npz"
    with artifacts.described(path, "emotion-model", stage=STAGE, options=options, inputs=inputs, share=share,
                             temperature=temperature, held_out=held) as (part, _):
        np.savez_compressed(part, **merged(networks, linear, share, temperature))
    say(f"of those held out: {held}; share {share:.2f}, temperature {temperature:.2f}")
    return path


@stage(reads="the recordings that INDEX lists", writes="RECORD/00001/ with model.npz, run.json, a folder a network",
       examples=("python -m preprocess.list_recordings path/to/ravdess --out data/ravdess",
                 "python -m landmarks.emotion.train --index data/ravdess/index.csv",
                 "python -m landmarks.emotion.train --networks CNN_record/emotion/model.npz"))
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/ravdess/index.csv"),
              help="A list of acted recordings, with emotion and intensity.")
@click.option("--unacted", "unacted_index", type=click.Path(path_type=Path),
              help="A list of recordings of people who do not act: what sounds like them is neutral.")
@click.option("--networks", type=click.Path(path_type=Path),
              help="An emotion-model of these speakers and folds, whose networks are kept: only discriminants are fitted.")
@run_options("CNN_record", resumes=False)
@click.option("--apart", multiple=True, default=HELD_OUT_ACTORS, help="Speakers kept for landmarks.emotion.evaluate.")
@click.option("--folds", type=click.IntRange(2), default=5, help="Groups of speakers, and so networks.")
@click.option("--epochs", type=click.IntRange(1), default=120, help="How often each recording is heard.")
@click.option("--batch", type=click.IntRange(2), default=32, help="Pieces a batch.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=3e-3, help="Highest learning rate.")
@click.option("--decay", type=click.FloatRange(0), default=0.01, help="Weight decay.")
@click.option("--smoothing", type=click.FloatRange(0, 0.9), default=0.1, help="Of the labels.")
@click.option("--strong", type=click.FloatRange(0), default=0.2, help="Weight of telling strong acting from normal.")
@click.option("--width", type=click.IntRange(1), default=96, help="Channels of the first convolution.")
@click.option("--channels", type=click.IntRange(1), default=64, help="Channels of the second.")
@click.option("--units", type=click.IntRange(1), default=48, help="Of each LSTM.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.3, help="Share of values hidden while training.")
@click.option("--seed", type=int, default=1, help="Of the first weights and of the batches.")
def main(index, unacted_index, networks, record, trained, apart, **options) -> None:
    """Train the recogniser of emotions."""
    from landmarks.emotion.data import takes, unacted
    inputs = [path for path in (unacted_index, networks) if path]
    options |= {"apart": list(apart), "unacted": [str(unacted_index)] if unacted_index else [],
                "networks": networks and str(networks)}
    learnt = [take for take in takes(index, copies=True) if take.speaker not in apart]
    if len({take.speaker for take in learnt}) < 2:
        raise InputError(index, "recordings of fewer than two speakers beside --apart", "two or more, to hold some out",
                         "fewer --apart, or recordings of more people")

    def prepare(options, index):
        return lambda run: train(run, learnt, unacted(unacted_index), options, [index, *inputs])

    click.echo(train_as_asked(prepare, stage=STAGE, data=index, options=options, record=record, trained=trained, resumes=False))


if __name__ == "__main__":
    main()
