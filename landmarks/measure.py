"""Measures of predicted landmarks on labelled clips, of a file or as a stream, and their means per source.

Reads, writes: nothing. Opening, width and speed of the mouth: core.metrics.lip_measures.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.face import face68
from core.index import number_in, read_index
from core.metrics import landmark_drift, lip_measures, mse, scale_to_box
from landmarks.dataset import Clip
from landmarks.emphasis.style import Style
from landmarks.lite import Model
from landmarks.predict import predict_as_stream, predict_power

LANDMARK_MEASURES = ("box_mse", "drift", "lip_drift")
LIP_MEASURES = ("opening_correlation", "opening_amplitude", "width_correlation", "opening_speed_ratio",
                "opening_jitter_ratio")
AGREED = 0.8  # correlation of two measurements of the mouth's opening from which a clip's labels are trusted


def mean_offset_of(clips: Sequence[Clip]) -> NDArray:
    """The mean offset from rest over speakers of `clips`, float [68, 2]: what a dead mouth should look like."""
    by_speaker = {}
    for clip in clips:
        by_speaker.setdefault(clip.speaker, []).append(np.nanmean(clip.face, 0) - clip.rest)
    return np.mean([np.mean(offsets, 0) for offsets in by_speaker.values()], 0)


def file_predictor(model: Model, **options: Any) -> Callable[[Clip], NDArray]:
    """A function Clip -> face [frame, 68, 2] by a landmark-model, on the clip's own rest face.

    `options` are those of `landmarks.predict.predict_power`.
    """
    return lambda clip: on_rest_face(model, clip, predict_power(model, clip.power, clip.ear, **options))


def stream_predictor(model: Model, sounds: dict, gated: bool = True, style: Style | None = None) -> Callable[[Clip], NDArray]:
    """The same for the clip's sound as a stream, which `sounds` holds by the clip's name: float32 [sample]."""
    return lambda clip: on_rest_face(model, clip, predict_as_stream(model, sounds[clip.name], gated, style)[:len(clip.face)])


def on_rest_face(model: Model, clip: Clip, face: NDArray) -> NDArray:
    """Predicted landmarks [frame, 68, 2] as of a photo of the clip's own rest face."""
    return face68.uncross_lips(face - model.rest_face + clip.rest)


def measure(clips: Sequence[Clip], predict: Callable[[Clip], NDArray], mean_offset: NDArray | None = None) -> list:
    """Measure `predict` (Clip -> [frame, 68, 2]) and the baselines on each clip.

    Returns
    -------
    list of dicts: clip, source, and per method a dict of measures
    """
    rows = []
    for clip in clips:
        seen = np.isfinite(clip.face).all((1, 2))
        measured = clip.face[seen]
        methods = {"model": predict(clip)[seen]}
        if mean_offset is not None:
            stills = {"mean_face": clip.rest + mean_offset, "first_frame*": measured[0], "clip_mean*": measured.mean(0)}
            methods |= {name: np.broadcast_to(still, measured.shape) for name, still in stills.items()}
        rows.append({"clip": clip.name, "source": clip.source,
                     **{name: measures_of(face, measured) for name, face in methods.items()}})
    return rows


def measures_of(predicted: NDArray, measured: NDArray) -> dict:
    """All measures of one clip, face space [frame, 68, 2]: `box_mse` is the recipe's, the rest are in eye distances."""
    return {"box_mse": mse(scale_to_box(predicted), scale_to_box(measured)), "drift": landmark_drift(predicted, measured),
            **lip_measures(predicted, measured)}


def summary(rows: Sequence[dict]) -> dict:
    """Mean over clips: source -> method -> measure."""
    table = {}
    for source in sorted({row["source"] for row in rows}):
        chosen = [row for row in rows if row["source"] == source]
        table[source] = {method: {name: float(np.mean([row[method][name] for row in chosen])) for name in chosen[0][method]}
                         for method in chosen[0] if method not in ("clip", "source")}
    return table


def trusted(rows: Sequence[dict], second_opinion: str | Path) -> dict:
    """The opening's correlation over the clips whose labels a second measurement bears out.

    Parameters
    ----------
    rows : of `measure`
    second_opinion : index of `preprocess.second_opinion`

    Returns
    -------
    source -> clips; agreed, how many of them are of AGREED or more; the mean of the opening's correlation over all
    (opening_correlation), where_agreed, and elsewhere (None: over no clip)

    Raises
    ------
    InputError : the index lacks its column, or holds something else than numbers in it.
    """
    agreement = {row["clip"]: number_in(second_opinion, row, "opening_agreement", -1, 1)
                 for row in read_index(second_opinion, "opening_agreement", cure="python -m preprocess.second_opinion")
                 if not row.get("problem")}
    table = {}
    for source in dict.fromkeys([*sorted({row["source"] for row in rows}), "all clips"]):
        chosen = [row for row in rows if source in (row["source"], "all clips")]
        agrees = np.array([agreement.get(row["clip"], -1) >= AGREED for row in chosen])
        fits = np.array([row["model"]["opening_correlation"] for row in chosen])
        table[source] = {"clips": len(chosen), "agreed": int(agrees.sum()),
                         **{name: float(part.mean()) if len(part) else None for name, part in
                            (("opening_correlation", fits), ("where_agreed", fits[agrees]), ("elsewhere", fits[~agrees]))}}
    return table
