"""Predicted lips of every clip, by the models that ship and by baselines, and pictures of the clips they follow worst.

Reads: a training-pack, an ear-pack, recordings, the models that ship. Writes: nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths
from core.clock import FPS
from core.face import draw, face68
from core.face.crop import align_face
from core.media.video import read_frames
from core.metrics import lag_of
from landmarks.dataset import Clip
from landmarks.lite import load_model
from landmarks.measure import file_predictor, measure, stream_predictor
from landmarks.timing import FRAME_MS, LARGEST_LAG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL, STREAM, FFT = "model", "model, as a stream", "FFT alone"
FIT = "opening_correlation"
MEASURES = (FIT, "opening_amplitude", "width_correlation", "late_ms", "lip_drift", "opening_speed_ratio",
            "opening_jitter_ratio", "box_mse")
N_SHOWN, SIDE_PX = 8, 160  # frames of a clip; of each


def predictors(clips: Sequence[Clip], sounds: dict) -> dict[str, Callable[[Clip], NDArray]]:
    """Name -> a function Clip -> face [frame, 68, 2], of the models that ship; `sounds` as for `stream_predictor`."""
    model, fft = load_model(None), load_model(paths.MODELS["landmark-fft"])
    return {MODEL: file_predictor(model), STREAM: stream_predictor(model, sounds), FFT: file_predictor(fft)}


def rows_of_lips(clips: Iterable[Clip], by: dict[str, Callable[[Clip], NDArray]], mean_offset: NDArray) -> list[dict]:
    """A row of `evaluation.spread` for each clip and method: those of `by`, and the still faces of `landmarks.measure`."""
    rows, still_rows = [], []
    for clip in clips:
        seen = np.isfinite(clip.face).all((1, 2))
        for name, predict in by.items():
            face = predict(clip)
            found = measure([clip], partial(_given, face), mean_offset if name == MODEL else None)[0]
            late = lag_of(face68.mouth_opening(face[seen]), face68.mouth_opening(clip.face[seen]), LARGEST_LAG)
            about = {"clip": clip.name, "source": clip.source}
            rows.append({**about, "method": name, **found["model"], "late_ms": None if np.isnan(late) else FRAME_MS * late})
            still_rows += [{**about, "method": still.replace("_", " "), **found[still]} for still in found
                           if still not in ("clip", "source", "model")]
    return rows + still_rows


def _given(face, _clip):
    return face


def curves(clip: Clip, face: NDArray) -> "Figure":
    """The mouth's opening over time, eye distances, as measured and as predicted (`face`)."""
    from matplotlib.figure import Figure
    figure = Figure((10, 2), dpi=100, layout="constrained")
    axis = figure.subplots()
    seconds = np.arange(len(face)) / FPS
    for label, shown, colour in (("measured", clip.face, "0.4"), ("predicted", face, "#c4313c")):
        axis.plot(seconds, face68.mouth_opening(shown), color=colour, label=label, linewidth=1)
    axis.set(xlabel="s", ylabel="mouth opening")
    axis.legend(loc="upper right", frameon=False)
    return figure


def sheet(clip: Clip, face: NDArray, picture: str | Path, landmarks: str | Path) -> NDArray:
    """Frames of the clip with its measured landmarks over those predicted: uint8 [row, column, rgb].

    Parameters
    ----------
    face : predicted, face space [frame, 68, 2], of the clip's rest face
    picture : the video
    landmarks : the folder of its CLIP.pose.npy
    """
    view, size = draw.face_view(SIDE_PX), (SIDE_PX, SIDE_PX)
    pose = artifacts.load(Path(landmarks) / f"{clip.name}.pose.npy", "head-pose").array[clip.first_frame:]
    seen = np.flatnonzero(np.isfinite(clip.face).all((1, 2)) & np.isfinite(pose[:len(clip.face)]).all(1))
    chosen = seen[np.unique(np.linspace(0, len(seen) - 1, N_SHOWN).round().astype(int))]
    frames = dict(enumerate(islice(read_frames(picture), clip.first_frame, clip.first_frame + int(chosen[-1]) + 1)))
    above, below = [], []
    for t in chosen:
        measured, predicted = (face68.to_pixel_space(each[t:t + 1], view)[0] for each in (clip.face, face))
        above.append(draw.on_picture(align_face(frames[t], pose[t], view, size), measured))
        below.append(draw.sketch_rgb(predicted, SIDE_PX))
    return draw.contact_sheet([*above, *below], len(chosen))
