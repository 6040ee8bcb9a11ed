"""Emotion recognition: probabilities of eight emotions, whole and over time, and the speech embedding.

Reads: a .wav, CNN_record/emotion/model.npz (emotion-model), CNN_record/voice/model.npz (voice-model), the speech encoder of
the pinned package where it is installed.
Writes: OUT/emotion.json (emotion), OUT/emotion.png, OUT/speech_embedding.npy (speech-embedding, a row a frame).
Where nobody speaks the emotion is neutral. The eight classes are those of RAVDESS; the six of CREMA-D are made from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.clock import FPS, SAMPLES_PER_FRAME, n_frames_of
from core.files import whole_file
from core.media.audio import spectrum_of
from landmarks.emotion.ear import ear_of, ear_steps
from landmarks.emotion.model import DEFAULT_MODEL, EVERY, NEUTRAL, kept_recogniser, sounds_of
from landmarks.expression import EMOTIONS, smooth_emotion
from landmarks.voice.gate import WholeVoice

STAGE = "landmarks.emotion"
BLOCK_S = 60  # about: a longer recording is heard in blocks, so that an hour fits in memory
# CREMA-D's classes and the RAVDESS classes that make them; surprise, which CREMA-D has not, is shared out in proportion.
SIX = {"angry": ("angry",), "disgusted": ("disgust",), "fearful": ("fearful",), "happy": ("happy",),
       "neutral": ("neutral", "calm"), "sad": ("sad",)}
COLOURS = ((150, 150, 150), (120, 180, 200), (240, 180, 40), (70, 100, 190), (210, 50, 50), (130, 80, 170), (90, 140, 60),
           (240, 120, 180))
PLOT_PX, LEFT_PX, LINE_PX, TEXT_PX = (900, 220), 70, 26, 16  # width, height of the plot; room beside it, for a line; letters
MOST_TICKS = 10  # of the axis of time


@dataclass(frozen=True)
class Emotion:
    """What `emotion_of` found; probabilities are in the order of EMOTIONS.

    Parameters
    ----------
    whole : float32 [8], of the recording
    over_time : float32 [frame, 8], of each frame; neutral where nobody speaks
    embedding : float32 [frame, width], the speech embedding
    spoken : share of the frames in which somebody speaks
    """

    whole: np.ndarray
    over_time: np.ndarray
    embedding: np.ndarray
    spoken: float


def six_of(probabilities: NDArray) -> NDArray:
    """Probabilities of the eight classes [..., 8] -> those of CREMA-D's six, in the order of SIX, float [..., 6]."""
    sums = np.stack([sum(probabilities[..., EMOTIONS.index(name)] for name in names) for names in SIX.values()], -1)
    neutral = np.eye(len(SIX), dtype=np.float32)[list(SIX).index("neutral")]
    total = sums.sum(-1, keepdims=True)
    return np.where(total > 1e-3, sums / np.maximum(total, 1e-3), neutral)


def emotion_of(sound: NDArray, model: str | Path | None = None, free: NDArray | None = None,
               spectrum: NDArray | None = None, ear: Mapping[int, NDArray] | None = None) -> Emotion:
    """The emotion of a recording: float32 [sample] at 16 kHz. Raises InputError when the model is missing or damaged.

    `free` is how far somebody speaks in each frame, `WholeVoice.free`, `spectrum` what `spectrum_of` gives, and `ear` what
    `Encoder.features` of the packaged speech encoder gives, by the number of its layers, where they are known. Where it is not
    installed, a line says so.
    """
    recogniser, n_frames = kept_recogniser(model or DEFAULT_MODEL), n_frames_of(len(sound))
    spectrum = spectrum_of(sound) if spectrum is None else spectrum
    heard = ear_of(sound, spectrum, recogniser.layers, ear) if recogniser.takes_ear else None
    bounds = np.linspace(0, n_frames, max(1, round(n_frames / FPS / BLOCK_S)) + 1).astype(int)
    parts = []
    for first, last in zip(bounds, bounds[1:]):
        end = last * SAMPLES_PER_FRAME if last < n_frames else len(sound)
        *sounds, power = sounds_of(sound[first * SAMPLES_PER_FRAME:end], recogniser.filters, spectrum[first:last])
        found = recogniser.listen(*sounds, None if heard is None else ear_steps(heard, first, last))
        parts.append((power, recogniser.whole(found), recogniser.over_time(found), recogniser.embedding(found)))
    powers, wholes, over_time, embedding = zip(*parts)
    free = WholeVoice(np.concatenate(powers)).free if free is None else free
    spoken = np.add.reduceat(free > 0.5, bounds[:-1])
    share, whole = free[:, None], spoken @ np.array(wholes) / spoken.sum() if spoken.any() else NEUTRAL
    over_time = smooth_emotion(share * np.concatenate(over_time) + (1 - share) * NEUTRAL)
    return Emotion(whole.astype(np.float32), over_time, np.concatenate(embedding), float((free > 0.5).mean()))


def as_json(found: Emotion) -> dict:
    """What emotion.json holds."""
    def rows(values, names):
        return {name: np.round(column.astype(float), 3).tolist() for name, column in zip(names, np.moveaxis(values, -1, 0))}

    moments = found.over_time[EVERY // 2::EVERY] if len(found.over_time) > EVERY // 2 else found.over_time
    times = (np.arange(len(moments)) * EVERY + min(EVERY // 2, len(found.over_time) - 1) + 0.5) / FPS
    return {"emotion": EMOTIONS[int(found.whole.argmax())], "spoken": round(found.spoken, 3),
            "probabilities": rows(found.whole, EMOTIONS), "six": rows(six_of(found.whole), SIX),
            "times_s": np.round(times, 2).tolist(), "over_time": rows(moments, EMOTIONS),
            "six_over_time": rows(six_of(moments), SIX)}


def tick_step(seconds: float, most: int = MOST_TICKS) -> float:
    """The smallest of 0.5, 1, 2, 5, 10, 20, 50, ... s that needs at most `most` steps for `seconds`."""
    steps = (0.5, *(base * 10 ** power for power in range(6) for base in (1, 2, 5)))
    return next((step for step in steps if seconds <= most * step), steps[-1])


def _legend(draw, shares, top_px):
    """Write each emotion, with its colour and its share of the whole, in two rows."""
    column_px = PLOT_PX[0] // 4
    for i, (name, colour, share) in enumerate(zip(EMOTIONS, COLOURS, shares)):
        x, y = LEFT_PX + i % 4 * column_px, top_px + LINE_PX * (i // 4)
        draw.rectangle((x, y + 2, x + TEXT_PX - 4, y + TEXT_PX - 2), fill=colour)
        draw.text((x + TEXT_PX + 2, y), f"{name} {share:.0%}", fill=0, font_size=TEXT_PX)


def _ink(colour):
    """Black or white, whichever stands out from a colour."""
    return (0, 0, 0) if np.dot(colour, (0.299, 0.587, 0.114)) > 120 else (255, 255, 255)


def _name_areas(draw, frames, top_px):
    """Write the name of each emotion where its area, [column, emotion] of the plot's height, is highest, if it fits there."""
    room_px = LEFT_PX // 2  # beside the middle of a name
    for i, name in enumerate(EMOTIONS):
        x = room_px + int(frames[room_px:-room_px, i].argmax())
        if frames[x, i] * PLOT_PX[1] > LINE_PX:
            y = top_px + (frames[x, :i].sum() + frames[x, i] / 2) * PLOT_PX[1]
            draw.text((LEFT_PX + x, y), name, fill=_ink(COLOURS[i]), font_size=TEXT_PX, anchor="mm")


def drawn(found: Emotion) -> Any:
    """The probabilities over time, stacked, with axes, and those of the whole as words: a PIL image."""
    from PIL import Image, ImageDraw  # its letters are there at once, those of OpenCV are not
    columns, rows = PLOT_PX
    top, seconds = LINE_PX + 8, len(found.over_time) / FPS
    frames = found.over_time[np.linspace(0, len(found.over_time) - 1, columns).round().astype(int)]
    above = (np.arange(rows)[:, None, None] + 0.5) / rows > np.cumsum(frames, 1)[:, :-1]  # [row, column, emotion]
    picture = np.full((top + rows + 5 * LINE_PX, LEFT_PX + columns + LEFT_PX // 2, 3), 255, np.uint8)
    picture[top:top + rows, LEFT_PX:LEFT_PX + columns] = np.array(COLOURS, np.uint8)[above.sum(-1)]
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    draw.text((LEFT_PX, 6), "Emotion of the voice: probability of each, over time", fill=0, font_size=TEXT_PX)
    for share in (0, 0.5, 1):
        y = top + round((1 - share) * (rows - 1))
        draw.line((LEFT_PX - 6, y, LEFT_PX - 1, y), fill=0)
        draw.text((LEFT_PX - 10, y), f"{share:.0%}", fill=0, font_size=TEXT_PX, anchor="rm")
    step = tick_step(seconds)
    for i in range(int(seconds / step) + 1):
        x = LEFT_PX + round(i * step / max(seconds, 1 / FPS) * (columns - 1))
        draw.line((x, top + rows, x, top + rows + 5), fill=0)
        draw.text((x, top + rows + 8), f"{i * step:g}", fill=0, font_size=TEXT_PX, anchor="ma")
    draw.text((LEFT_PX + columns // 2, top + rows + LINE_PX), "time, s", fill=0, font_size=TEXT_PX, anchor="ma")
    draw.rectangle((LEFT_PX - 1, top - 1, LEFT_PX + columns, top + rows), outline=0)
    _name_areas(draw, frames, top)
    _legend(draw, found.whole, top + rows + 2 * LINE_PX + 16)
    return image


def write_emotion(found: Emotion, folder: Path, *, stage: str = STAGE, inputs: Iterable[str | Path] = (),
                  drawing: bool = True) -> Path:
    """Write emotion.json, its `drawing` emotion.png, and speech_embedding.npy to `folder`; return the path of emotion.json."""
    folder = Path(folder)
    artifacts.save(folder / "speech_embedding.npy", found.embedding, "speech-embedding", stage=stage, inputs=inputs)
    if drawing:
        with whole_file(folder / "emotion.png") as part:
            drawn(found).save(part)
    return artifacts.save_described_json(folder / "emotion.json", as_json(found), "emotion", stage=stage, inputs=inputs)
