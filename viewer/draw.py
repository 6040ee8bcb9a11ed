"""What a file holds, as a picture: every function returns a matplotlib Figure, drawn without a screen.

Reads: arrays and plain values handed over by `viewer.inspect`.
Writes: nothing; `viewer.inspect` saves the figure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.clock import FPS, SAMPLE_RATE
from core.face import draw, face68

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.media.speech import Speech

N_TILES = 12  # pictures on a contact sheet
TILE_PX = 200
MAX_COLUMNS = 2000  # of a drawn spectrogram or waveform; more would be finer than the picture
MAX_BARS = 24
DB_RANGE = 80.0
_BAND_PX, _LETTERS, _INK, _MARK = 22, 0.5, (40, 44, 52), (196, 49, 60)  # under a frame: height, size, colours


def _axes(n_rows, row_height=2.6, **grid):
    """A figure of `n_rows` plots one above the other -> Figure, list of axes."""
    from matplotlib.figure import Figure  # a Figure without pyplot saves through Agg and opens no window
    figure = Figure((10, 0.6 + row_height * n_rows), dpi=100, layout="constrained")
    return figure, list(figure.subplots(n_rows, 1, squeeze=False, **grid)[:, 0])


def spread_indices(n: int, n_wanted: int = N_TILES) -> NDArray:
    """Up to `n_wanted` indices spread over `range(n)`."""
    return np.unique(np.linspace(0, n - 1, min(n, n_wanted)).round().astype(int)) if n else np.zeros(0, int)


def tile(picture: NDArray, side_px: int = TILE_PX) -> NDArray:
    """Shrink or grow uint8 [row, column, rgb] until its longer side is `side_px`."""
    import cv2
    scale = side_px / max(picture.shape[:2])
    size = [max(1, round(n * scale)) for n in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)


def with_time(picture: NDArray, seconds: float, note: str = "") -> NDArray:
    """`picture` (uint8 [row, column, rgb]) with its time in a band under it; one with a `note` is framed, and says it."""
    import cv2
    words, font = f"{seconds:.2f} s {note}".strip(), cv2.FONT_HERSHEY_SIMPLEX
    columns, ink = picture.shape[1], _MARK if note else _INK
    shown = np.concatenate([picture, np.full((_BAND_PX, columns, 3), 255, np.uint8)])
    scale = min(_LETTERS, _LETTERS * (columns - 12) / cv2.getTextSize(words, font, _LETTERS, 1)[0][0])
    left = (columns - cv2.getTextSize(words, font, scale, 1)[0][0]) // 2
    cv2.putText(shown, words, (left, len(shown) - _BAND_PX // 3), font, scale, ink, 1, cv2.LINE_AA)
    if note:
        cv2.rectangle(shown, (1, 1), (columns - 2, len(shown) - 2), ink, 3)
    return shown


def _show(axis, picture, title=""):
    axis.imshow(picture)
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()


def sheet(pictures: Sequence[NDArray], title: str = "") -> "Figure":
    """Equal uint8 [row, column, rgb] pictures, tiled."""
    figure, (axis,) = _axes(1, 5)
    _show(axis, draw.contact_sheet(pictures, min(6, len(pictures))), title)
    return figure


def _pool(values, n_columns=MAX_COLUMNS):
    """Mean of `values` [time, ...] over equal stretches, so that at most `n_columns` remain."""
    step = -(-len(values) // n_columns)
    whole = values[: len(values) // step * step]
    return whole.reshape(-1, step, *values.shape[1:]).mean(1)


def _spectrogram(axis, magnitudes):
    """Draw float [frame, hop, bin] magnitudes in dB below their peak."""
    seconds = len(magnitudes) / FPS
    power = _pool(magnitudes.reshape(-1, magnitudes.shape[-1]).astype(np.float32))
    level_db = 20 * np.log10(np.maximum(power, 1e-6))
    peak_db = level_db.max()
    axis.imshow(level_db.T, origin="lower", aspect="auto", cmap="magma", vmin=peak_db - DB_RANGE, vmax=peak_db,
                extent=(0, seconds, 0, SAMPLE_RATE / 2000))
    axis.set(xlabel="s", ylabel="kHz", title="FFT magnitude, dB")


def spectrogram(magnitudes: NDArray) -> "Figure":
    """Magnitudes, float [frame, hop, bin] -> Figure."""
    figure, (axis,) = _axes(1, 3.4)
    _spectrogram(axis, magnitudes)
    return figure


def peaks_of(samples: NDArray) -> NDArray:
    """Largest amplitude of each 10 ms of float [sample] -> float [hop]; a last broken hop counts as one."""
    from core.media.audio import HOP
    padded = np.pad(np.abs(samples), (0, -len(samples) % HOP))
    return padded.reshape(-1, HOP).max(1)


def _waveform(axis, peaks):
    """Draw float [hop] from `peaks_of`."""
    from core.media.audio import HOP
    shown = _pool(peaks)
    t_s = np.linspace(0, len(peaks) * HOP / SAMPLE_RATE, len(shown))
    axis.fill_between(t_s, -shown, shown, linewidth=0.4, color="#345")
    axis.set(xlabel="s", ylabel="amplitude", ylim=(-1, 1), title="sound")
    axis.margins(x=0)


def sound(speech: "Speech") -> "Figure":
    """A `core.media.speech.Speech` -> waveform and spectrogram."""
    figure, (above, below) = _axes(2)
    _waveform(above, peaks_of(speech.sound))
    _spectrogram(below, speech.spectrum)
    return figure


def film(pictures: Sequence[NDArray], peaks: NDArray) -> "Figure":
    """Frames spread over a video, and its sound (float [hop] from `peaks_of`, may be empty)."""
    if not len(peaks):
        return sheet(pictures, "frames, evenly spaced")
    figure, (above, below) = _axes(2, 3.4, height_ratios=(2.2, 1))
    _show(above, draw.contact_sheet(pictures, min(6, len(pictures))), "frames, evenly spaced")
    _waveform(below, peaks)
    return figure


def _fit_to_tile(points):
    """Scale pixel-space [frame, 68, 2] so that all frames together fill a tile, as they lay in the picture."""
    if not np.isfinite(points).any():
        return points
    low, high = np.nanmin(points, (0, 1)), np.nanmax(points, (0, 1))
    return (points - (low + high) / 2) * (0.9 * TILE_PX / max(high - low)) + TILE_PX / 2


def _sketches(points, in_face_space):
    points = face68.to_pixel_space(points, draw.face_view(TILE_PX)) if in_face_space else _fit_to_tile(points)
    return [draw.sketch_rgb(face, TILE_PX) for face in points]


def landmarks(points: NDArray, in_face_space: bool, unit: str) -> "Figure":
    """Points, float [frame, 68, 2] -> a strip of sketches over time and the mouth opening."""
    figure, (above, below) = _axes(2, 3.2, height_ratios=(1.6, 1))
    shown = spread_indices(len(points))
    strip = draw.contact_sheet(_sketches(points[shown], in_face_space), min(6, len(shown)))
    _show(above, strip, "frames " + " ".join(map(str, shown)))
    below.plot(np.arange(len(points)) / FPS, face68.mouth_opening(points), linewidth=1)
    below.set(xlabel="s", ylabel=unit, title="mouth opening (gaps: no face)")
    return figure


def one_face(points: NDArray) -> "Figure":
    """Points, float [68, 2], face space -> one sketch."""
    return sheet(_sketches(points[None], True), "face at rest")


def curves(named: dict, x_label: str) -> "Figure":
    """Plots one above the other: {title: (x, y)} -> Figure."""
    figure, axes = _axes(len(named), 1.7)
    for axis, (title, (x, y)) in zip(axes, named.items(), strict=True):
        axis.plot(x, y, linewidth=1, marker="." if len(x) < 50 else None)
        axis.set_title(title, fontsize=9)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel(x_label)
    return figure


def carpet(values: NDArray, per_second: float = FPS) -> "Figure":
    """Values, float [frame, value] -> one picture, a column a frame, a row a value less its median."""
    figure, (axis,) = _axes(1, 3.4)
    seconds, pooled = len(values) / per_second, _pool(values.astype(np.float32))
    pooled = pooled - np.median(pooled, 0)  # what changes, not what is always large
    most = np.percentile(np.abs(pooled), 98) or 1.0
    axis.imshow(pooled.T, aspect="auto", cmap="coolwarm", vmin=-most, vmax=most, extent=(0, seconds, values.shape[1], 0))
    axis.set(xlabel="s", ylabel="value")
    return figure


def bars(charts: dict) -> "Figure":
    """Horizontal bars, the largest first: {title: {label: number}} -> Figure."""
    heights = [0.5 + 0.24 * min(len(chart), MAX_BARS) for chart in charts.values()]
    figure, axes = _axes(len(charts), sum(heights) / len(heights), height_ratios=heights)
    for axis, (title, counts) in zip(axes, charts.items(), strict=True):
        rows = sorted(counts.items(), key=lambda item: -item[1])
        left_out = f", {len(rows) - MAX_BARS} smaller ones left out" if len(rows) > MAX_BARS else ""
        labels, values = [str(label)[:60] for label, _ in rows[:MAX_BARS]], [n for _, n in rows[:MAX_BARS]]
        axis.bar_label(axis.barh(range(len(values)), values, color="#567"), fontsize=8, fmt="%g")
        axis.set_yticks(range(len(values)), labels, fontsize=8)
        axis.invert_yaxis()
        axis.margins(x=0.1)
        axis.set_title(title + left_out, fontsize=9)
    return figure


def text(lines: Sequence[str]) -> "Figure":
    """Lines of text as a picture, for files that hold nothing to draw."""
    figure, (axis,) = _axes(1, 0.5 + 0.19 * len(lines))
    axis.set_axis_off()
    axis.text(0, 1, "\n".join(line[:120] for line in lines), family="monospace", fontsize=9, va="top",
              transform=axis.transAxes, parse_math=False)
    return figure
