"""Measures of dubbing: a clip's own sound over itself, where the truth is known, and another's sound over it.

Reads: videos; the models that ship. Writes: landmarks in a temporary folder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import metrics
from core.clock import FPS
from core.face import face68, face_detector
from core.media import nv12
from core.media.audio import write_wav
from core.media.footage import read_planes
from landmarks.dataset import sound_of
from landmarks.predict import predict_file
from landmarks.sync.judge import Judge, judge_clip
from preprocess.video_faces import light_of
from render import motion
from render.dub.clip import Clip, see
from render.dub.dub import SEEN, painted
from render.dub.mouth import Mouth
from render.dub.own import put_in_place, steadied
from render.dub.references import read_references
from render.measure import EVERY, EVERY_IDENTITY, known_mean, mean_psnr_db, mouth_box, seam, shake
from render.warp import FADE

LONGEST_S = 8.0  # of a clip
FOUND_MS = 40.0  # the judge finds a sound within a frame of where it is
METHODS = ("dub", "dub, moved as the clip", "box pasted", "clip untouched")


@dataclass
class Trial:
    """A clip, ready to be dubbed: its frames in NV12, their number, and the offsets that its own sound gives."""

    clip: Clip
    frames: list[NDArray]
    sound: NDArray

    def __len__(self):
        return len(self.frames)


def open_trial(picture: str | Path, sound: str | Path, folder: Path) -> Trial:
    """Look at the first LONGEST_S of a clip. Raises InputError without a face."""
    clip = see(picture, folder / SEEN)
    frames = list(islice(read_planes(clip.footage), round(LONGEST_S * clip.footage.fps)))
    return Trial(clip, frames, sound_of(sound)[:round(LONGEST_S * 16000)])


def offsets_of(sound: NDArray, fps: float, n_frames: int, folder: Path) -> NDArray:
    """What the shipped model predicts for a sound, from the face at rest: float32 [frame, 68, 2]."""
    speech = write_wav(folder / "speech.wav", sound)
    moves, _ = motion.read_motion(predict_file(speech, folder))
    return np.stack([offset for offset, _ in motion.resample(moves, fps, range(n_frames))])


def own_offsets(clip: Clip, n_frames: int) -> NDArray:
    """The clip's own motion, as offsets from its face at rest: with it a perfect painter draws the clip again."""
    return np.nan_to_num(clip.own.face[:n_frames] - clip.own.rest[:n_frames])


def dubbed(trial: Trial, offsets: NDArray) -> list[NDArray]:
    """The frames with another mouth, NV12."""
    return list(painted(trial.clip, offsets, ((k, frame.copy()) for k, frame in enumerate(trial.frames))))


def pasted(trial: Trial, offsets: NDArray) -> list[NDArray]:
    """The baseline: the mouth of one frame, painted and laid over the others as a rectangle."""
    clip, own = trial.clip, trial.clip.own
    reference = next(iter(read_references(clip.footage, own, [0]).values()))[0]
    mouth, made = Mouth(reference), []
    view = mouth.view
    corners = np.array([[[0, 0], [1, 0], [0, 1]]])
    for k, frame in enumerate(trial.frames):
        frame = frame.copy()
        if own.strength[k]:
            steady, at = steadied(own, k, put_in_place(own, k, offsets[k])[1])
            patch = mouth.paint([steady])[0][..., :3]
            there, here = (face68.to_pixel_space(corners, np.asarray(p))[0] for p in (view.view, at))
            turn = cv2.getAffineTransform(there, here)
            for plane, half, own_channels in zip(nv12.views(frame), (1, 2), (slice(0, 1), slice(1, 3))):
                to_plane = np.column_stack([turn[:, :2], turn[:, 2] - (half - 1) / 2]) / half
                size = plane.shape[1::-1]
                laid = cv2.warpAffine(np.ascontiguousarray(patch[..., own_channels]), to_plane, size).reshape(plane.shape)
                mask = cv2.warpAffine(np.full(patch.shape[:2], 255, np.uint8), to_plane, size) > 127
                plane[mask] = laid[mask]
        made.append(frame)
    return made


def _skin_box(points, size, unit_px):
    """A box around cheeks and jaw."""
    low, high = points[face68.LOWER_FACE].min(0), points[face68.LOWER_FACE].max(0) + FADE * unit_px
    (left, top), (right, bottom) = np.maximum(low, 0).astype(int), np.minimum(high, size[::-1]).astype(int)
    return slice(top, bottom), slice(left, right)


def against_truth(frames: Sequence[NDArray], truth: Sequence[NDArray], points: NDArray, unit_px: float) -> dict:
    """Measures of frames in NV12 whose truth is known; `points` float [frame, 68, 2] px of the truth."""
    made, real = ([nv12.to_rgb(frame) for frame in pictures[::EVERY]] for pictures in (frames, truth))
    at, size = points[::EVERY], real[0].shape[:2]
    known = [k for k in range(len(at)) if np.isfinite(at[k]).all()]
    boxes = {k: mouth_box(at[k], size, unit_px) for k in known}
    pairs = [(made[k][boxes[k]], real[k][boxes[k]]) for k in known]
    middle = np.nanmedian(points, 0)
    held, wide = mouth_box(middle, size, unit_px), _skin_box(middle, size, unit_px)
    light = [[np.repeat(frame[:size[0], :, None], 3, 2) for frame in pictures] for pictures in (frames, truth)]
    apart = [float(np.linalg.norm(a - b)) for a, b in ((face_detector.embedding(made[k]), face_detector.embedding(real[k]))
             for k in known[::max(1, EVERY_IDENTITY // EVERY)]) if a is not None and b is not None]
    return {"mouth_psnr_db": mean_psnr_db(pairs), "mouth_ssim": np.mean([metrics.ssim(*pair) for pair in pairs]),
            "identity": known_mean(apart),
            "seam": known_mean([seam(made[k][wide], real[k][wide], real[k][wide]) for k in known]),
            "mouth_flicker": shake([f[held] for f in light[0]]) / shake([f[held] for f in light[1]]),
            "face_flicker": shake([f[wide] for f in light[0]]) / shake([f[wide] for f in light[1]]),
            "changed_beyond": _changed_beyond(frames, truth, points, unit_px)}


def _changed_beyond(frames, truth, points, unit_px):
    """The share of pixels further than an eye distance from all points that are not the truth's to the bit."""
    changed = total = 0
    for frame, real, at in zip(frames[::EVERY], truth[::EVERY], points[::EVERY]):
        if np.isfinite(at).all():
            (left, top), (right, bottom) = np.maximum(at.min(0) - unit_px, 0).astype(int), (at.max(0) + unit_px).astype(int)
            far = np.ones((len(frame) * 2 // 3, frame.shape[1]), bool)
            far[top:bottom, left:right] = False
            changed += int((frame[:len(far)][far] != real[:len(far)][far]).sum())
            total += int(far.sum())
    return changed / max(total, 1)


def face_of(frames: Sequence[NDArray], points: NDArray) -> NDArray:
    """Landmarks that are measured in frames, in face space, 25 a second as they come; `points` say where the face is."""
    found = np.full_like(points, np.nan)
    for k, (frame, at) in enumerate(zip(frames, points)):
        if np.isfinite(at).all():
            low, high = at.min(0), at.max(0)
            side = (high - low).max() / 2
            middle = (low + high) / 2
            found[k] = face_detector.landmarks_in(light_of(frame), np.r_[middle - side, middle + side])
    from preprocess.landmarks_of_video import smooth_in_time
    return face68.to_face_space(smooth_in_time(found))[0]


def at_clock(face: NDArray, fps: float) -> NDArray:
    """Frames of a video, [frame, ...], as FPS a second have them: the nearest ones."""
    n = round(len(face) * FPS / fps)
    return face if abs(fps - FPS) < 1e-3 else face[np.minimum(np.round((np.arange(n) + 0.5) * fps / FPS - 0.5).astype(int),
                                                              len(face) - 1)]


def judged(judge: Judge, frames: Sequence[NDArray], points: NDArray, fps: float, sounds: dict[str, NDArray]) -> dict:
    """What the sync judge says of frames beside each of some sounds: name -> offset_ms, confidence."""
    face = at_clock(face_of(frames, points), fps)
    verdicts = {name: judge_clip(judge, sound, face) for name, sound in sounds.items()}
    return {name: (verdict.offset_ms, verdict.confidence) for name, verdict in verdicts.items()}


Method = Callable[[Trial, NDArray], list[NDArray]]
