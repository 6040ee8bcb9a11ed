"""The sync judge: audio-visual offset of a talking face, and its confidence.

Reads: a video, or landmarks (landmarks-face or -pixel) and a .wav; CNN_record/sync/model.tflite (sync-model).
Writes: nothing.
`offset_ms` is the time of a sound minus the time of the lip movement that made it: positive, the sound is late, as in
preprocess.estimate_offset. `confidence` is the highest similarity minus the median over all lags. A network of our own,
trained by landmarks.sync.train; its numbers are nobody else's score. How often it is right stands beside every answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import artifacts, paths
from core.clock import FPS
from core.errors import InputError, absent
from core.face import face68
from core.media.audio import decode_any, read_speech, spectrum_of
from core.metrics import peak_of
from core.models import read_model
from landmarks.features import LOOK_AHEAD, mel_power, normalise, pad_with_silence
from landmarks.lite import signatures

DEFAULT_MODEL = paths.SYNC_MODEL
FRAME_MS = 1000 // FPS
MAX_LAG = 15  # frames
N_LAGS = 2 * MAX_LAG + 1
FEWEST = 12  # frames with sound and a face that a lag must be judged on
LEAST_DEVIATION = 2e-3  # eye distances: a mouth whose opening deviates less does not move


@dataclass
class Judge:
    """A loaded sync-model: functions that embed sound and mouth, and how often it was right (the sidecar's `accuracy`)."""

    embed_sound: Callable  # `hear` in the file
    embed_mouth: Callable  # `see`
    accuracy: dict


@dataclass
class Verdict:
    """How late the sound is; NaN when that cannot be told."""

    offset_ms: float
    confidence: float
    similarity: np.ndarray  # [lag], -MAX_LAG..MAX_LAG frames of late sound


def load_judge(path: str | Path | None = None) -> Judge:
    """Load a sync-model (the shipped one by default). Raises InputError when it is missing or damaged."""
    return read_model(path or DEFAULT_MODEL, "sync-model", _load, "make train-sync, or leave --model away")


def _load(path, about) -> Judge:
    hear, see = signatures(path, "hear", "see")
    return Judge(lambda features: hear(features=features)["heard"], lambda shapes: see(shapes=shapes)["shown"],
                 about.get("accuracy", {}))


def sound_features(power: NDArray) -> NDArray:
    """What the sound encoder takes: mel power [frame, hop, mel] of one recording -> float32 [frame + CONTEXT, hop, mel]."""
    features, silence = normalise(power)
    return pad_with_silence(features, silence, LOOK_AHEAD, LOOK_AHEAD)


def mouth_features(face: NDArray) -> tuple[NDArray, NDArray]:
    """What the mouth encoder takes: the mouth's shape without its mean, in deviations of its opening.

    face : float [frame, 68, 2], face space, NaN without a face -> float32 [frame, N_MOUTH_SHAPE], bool [frame]
    """
    seen = np.isfinite(face).all((1, 2))
    if not seen.any():
        return np.zeros((len(face), face68.N_MOUTH_SHAPE), np.float32), seen
    shapes = face68.mouth_shape(face68.fill_missing(face))
    spread = max(float(face68.mouth_opening(face[seen]).std()), LEAST_DEVIATION)
    return ((shapes - shapes[seen].mean(0)) / spread).astype(np.float32), seen


def similarities(sound: NDArray, mouth: NDArray, seen: NDArray) -> NDArray:
    """Correlation of two sequences of vectors at each lag, their means over the clip taken away.

    sound, mouth : float [frame, size]; seen : bool [frame] -> float [lag], -1..1; NaN where fewer than FEWEST frames meet
    """
    n, found = min(len(sound), len(mouth)), np.full(N_LAGS, np.nan)
    sound, mouth, seen = sound[:n] - sound[:n].mean(0), mouth[:n], seen[:n]
    mouth = (mouth - mouth[seen].mean(0)) * seen[:, None] if seen.any() else mouth
    for i, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
        a, b = sound[max(0, lag):n + min(0, lag)], mouth[max(0, -lag):n - max(0, lag)]
        ok = seen[max(0, -lag):n - max(0, lag)]
        if ok.sum() >= FEWEST:
            found[i] = (a[ok] * b[ok]).sum() / np.sqrt(np.square(a[ok]).sum() * np.square(b[ok]).sum() + 1e-6)
    return found


def verdict_of(similarity: NDArray) -> Verdict:
    """The lag of the highest `similarity` [lag], between frames by a parabola, and the confidence."""
    if not np.isfinite(similarity).any():
        return Verdict(float("nan"), 0.0, similarity)
    confidence = float(np.nanmax(similarity) - np.nanmedian(similarity))
    return Verdict((peak_of(similarity) - MAX_LAG) * FRAME_MS, confidence, similarity)


def judge_power(judge: Judge, power: NDArray, face: NDArray) -> Verdict:
    """How late the sound is, from mel power [frame, hop, mel] and face landmarks [frame, 68, 2] of one clip."""
    shapes, seen = mouth_features(face)
    if seen.sum() < FEWEST or face68.mouth_opening(face[seen]).std() < LEAST_DEVIATION or not np.any(power):
        return Verdict(float("nan"), 0.0, np.full(N_LAGS, np.nan))
    return verdict_of(similarities(judge.embed_sound(sound_features(power)), judge.embed_mouth(shapes), seen))


def judge_clip(judge: Judge, sound: NDArray, face: NDArray) -> Verdict:
    """How late `sound` (float32 [sample], 16 kHz) is against `face` (float [frame, 68, 2], face space)."""
    return judge_power(judge, mel_power(spectrum_of(sound)), face)


def landmarks_of(path: str | Path) -> NDArray:
    """Face-space landmarks of a video (measured now) or of a landmarks .npy: float32 [frame, 68, 2], NaN without a face."""
    if Path(path).suffix.lower() == ".npy":
        pixel = artifacts.load(path, "landmarks-face", "landmarks-pixel").array
    else:
        from core.media.video import read_frames
        from preprocess.landmarks_of_video import face_boxes, measure_in_blocks, smooth_in_time
        boxes, _ = face_boxes(read_frames(path))
        if not np.isfinite(boxes).any():
            raise InputError(path, f"no face in any of {len(boxes)} frames", "a video of a face, seen from the front")
        pixel = smooth_in_time(np.concatenate(list(measure_in_blocks(path, boxes))))
    if not np.isfinite(pixel).all((1, 2)).any():
        raise InputError(path, "no face in it", "landmarks of a face")
    return face68.to_face_space(pixel)[0]


def sound_of(path: str | Path, speech: str | Path | None = None) -> NDArray:
    """The sound to judge, float32 [sample]: of `speech` (.wav), or of the video `path` itself."""
    if not Path(path).is_file():
        raise InputError(path, absent(path), "a video, or landmarks .npy")
    if speech:
        return read_speech(speech)
    if Path(path).suffix.lower() == ".npy":
        raise InputError(path, "landmarks alone", "their sound too", "--speech speech.wav")
    sound = list(decode_any(path))
    if not sound:
        raise InputError(path, "no sound in it", "a video with sound", "--speech speech.wav")
    return np.concatenate(sound)


def accuracy_for(accuracy: dict, seconds: float) -> dict:
    """The row of the sidecar's `accuracy` for clips of about this length: the longest that is no longer."""
    rows = accuracy.get("lengths", [])
    fitting = [row for row in rows if row["seconds"] <= seconds] or rows[:1]
    return fitting[-1] if fitting else {}
