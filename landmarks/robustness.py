"""Evaluate robustness: other microphones, rooms, codecs and voices.

Reads: a landmark-model; data/train.h5 (training-pack) and data/recordings/index.csv, whose sounds are changed; with
--voices a folder of recordings, pictures not needed.
Writes: metrics-robustness.json beside the model or where --out says.
Correlation and amplitude are those of the mouth opening against the measured one, means over clips.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core.clock import FPS
from core.face import face68
from core.media.audio import resample
from core.metrics import amplitude_ratio, correlation
from core.stage import progress, stage
from landmarks.dataset import Clip, load_clips, sound_of, with_sound
from landmarks.distort import distortions
from landmarks.lite import Model, load_model, model_files
from landmarks.predict import predict
from learn.measures import markdown, report
from preprocess.recordings import list_recordings

STAGE = "landmarks.robustness"
N_BABBLERS = 6
COUNTED = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."  # a synthesiser says it in any language
LANGUAGES = ("en-us", "de", "fr", "es", "it", "pt-br", "ru", "pl", "tr", "ar", "hi", "cmn", "ja", "ko", "sw")
SPEAKERS = {"man": "", "woman": "+f3"}  # eSpeak's variants
EVERY_VOICE = 7  # recordings of RAVDESS in --voices: each seventh is measured; it lists its 20 or 24 actors in turn
STILL = 0.05  # eye distances a second: a mouth that opens or shuts no faster is still


def opening_of(model: Model, sound: NDArray) -> NDArray:
    """Predicted mouth opening of a sound, [frame]."""
    return face68.mouth_opening(predict(model, sound))


def measure_distortions(model: Model, clips: Sequence[tuple[Clip, NDArray]], changes: dict[str, Callable]) -> dict:
    """Measures of each change: name -> source -> correlation and amplitude of the opening, and the drop from the first one."""
    table = {}
    with progress(changes.items(), "robustness") as bar:
        for name, change in bar:
            by_source = {}
            for clip, sound in clips:
                seen = np.isfinite(clip.face).all((1, 2))
                predicted, measured = opening_of(model, change(sound))[seen], face68.mouth_opening(clip.face[seen])
                pair = correlation(predicted, measured), amplitude_ratio(predicted, measured)
                by_source.setdefault(clip.source, []).append(pair)
            by_source["all clips"] = [pair for pairs in by_source.values() for pair in pairs]
            table[name] = {source: dict(zip(("correlation", "amplitude"), map(float, np.mean(pairs, 0))))
                           for source, pairs in sorted(by_source.items())}
    clean = next(iter(table.values()))
    for sources in table.values():
        for source, values in sources.items():
            values["drop"] = clean[source]["correlation"] - values["correlation"]
    return table


def voices_of(folder: Path) -> Iterator[tuple[str, NDArray]]:
    """The recordings of a folder, of RAVDESS each EVERY_VOICE-th: (group, sound), groups being sex and emotion, or speaker."""
    rows = [row for row in list_recordings(folder) if not row.get("problem")]
    for row in rows[::EVERY_VOICE] if any("emotion" in row for row in rows) else rows:
        sound = sound_of(row["sound"])
        if "emotion" in row:
            yield f"RAVDESS, {'woman' if int(row['speaker'][-2:]) % 2 == 0 else 'man'}", sound  # even actors are women
            yield f"RAVDESS, {row['emotion']}", sound
        else:
            yield row["speaker"], sound


def languages() -> Iterator[tuple[str, NDArray]]:
    """Counting to ten in many languages, by eSpeak NG: (group, sound)."""
    from speech.engines import speak
    for language in LANGUAGES:
        for speaker, variant in SPEAKERS.items():
            spoken = speak(COUNTED, language + variant)
            yield f"eSpeak {language}, {speaker}", resample(spoken.sound, spoken.rate)


def liveliness(model: Model, voices: Iterable[tuple[str, NDArray]], reference: float) -> dict:
    """How each group of `voices` (group, sound) moves the mouth, means over its recordings.

    `opening_std` is over `reference`, `least` that of one recording; `speed` is the mean of the opening's size of change, eye
    distances a second; `still` the share of frames in which it is below STILL.
    """
    groups = {}
    with progress(voices, "voices") as bar:
        for group, sound in bar:
            opening = opening_of(model, sound)
            speed = np.abs(np.diff(opening)) * FPS
            groups.setdefault(group, []).append((opening.std() / reference, speed.mean(), (speed < STILL).mean()))
    return {group: {"recordings": len(values), "least": float(min(values)[0]),
                    **dict(zip(("opening_std", "speed", "still"), np.mean(values, 0).tolist()))}
            for group, values in groups.items()}


def as_markdown(table: dict) -> str:
    """`measure_distortions` as a table to paste into the documents."""
    sources = list(next(iter(table.values())))
    return markdown(("sound", *(f"{source}: r / drop / amplitude" for source in sources)), [
        (name, *("{correlation:.3f} / {drop:+.3f} / {amplitude:.2f}".format(**values[source]) for source in sources))
        for name, values in table.items()])



@stage(reads="MODEL (landmark-model), PACK (training-pack), INDEX and the sounds it names, VOICES",
       writes="OUT (metrics-robustness.json)",
       examples=("python -m landmarks.robustness", "python -m landmarks.robustness --voices data/raw"))
@click.option("--model", "model_path", type=click.Path(path_type=Path), help="A landmark-model; default the shipped one.")
@click.option("--pack", type=click.Path(path_type=Path), default=Path("data/train.h5"), help="Clips to measure on.")
@click.option("--index", type=click.Path(path_type=Path), default=Path("data/recordings/index.csv"), help="Their recordings.")
@click.option("--split", default="val", help="Split to measure on.")
@click.option("--voices", type=click.Path(path_type=Path), help="More voices: a folder of recordings, sound is enough.")
@click.option("--voices-alone", is_flag=True, help="Measure those of the split and of --voices, and no changed sounds.")
@click.option("--out", type=click.Path(path_type=Path), help="Default metrics-robustness.json beside the model.")
def main(model_path, pack, index, split, voices, voices_alone, out) -> None:
    """Measure how much other microphones, rooms, codecs and voices disturb the prediction."""
    files = [path for path in model_files(model_path) if path]
    model, clips = load_model(model_path), list(with_sound(load_clips(pack, split), index))
    everyone = {clip.speaker: sound for clip, sound in clips}
    changes = {} if voices_alone else distortions(list(everyone.values())[-N_BABBLERS:])
    table = measure_distortions(model, clips, changes) if changes else {}
    reference = float(np.mean([opening_of(model, sound).std() for _, sound in clips]))
    moves = liveliness(model, [*((f"{split}, {clip.source}", sound) for clip, sound in clips),
                               *(() if voices_alone else languages()), *(voices_of(voices) if voices else ())], reference)
    voice_table = markdown(("voice", "recordings", "opening std, of that on the split", "least", "speed", "still"), [
        (group, v["recordings"], f"{v['opening_std']:.2f}", f"{v['least']:.2f}", f"{v['speed']:.2f}", f"{v['still']:.2f}")
        for group, v in moves.items()])
    report(out or files[0].with_name("metrics-robustness.json"),
           {"split": split, "clips": len(clips), "sounds": table, "voices": moves},
           "\n\n".join([*([as_markdown(table)] if table else []), voice_table]),
           stage=STAGE, options={"split": split}, inputs=[*files, pack])


if __name__ == "__main__":
    main()
