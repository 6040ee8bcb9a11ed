"""A face drawn as a comic and written: a photo or a video, in the same place, with how far it is from the person.

Reads: a photo or a video; the translator (picture-model). Writes: avatar .png, talking-video .mp4, their sidecars.
The distance is dlib's face embedding (King 2017: below 0.6 is the same person), and how far the 68 points moved.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avatar.comics import PRIVACY, STYLE, Avatars
from core import artifacts, metrics
from core.errors import InputError
from core.face import face68, face_detector
from core.media.marks.watermark import marked
from core.media.provenance import mark_synthetic
from core.media.video import encode, probe, read_frames
from core.smooth import gaussian_filter
from core.stage import progress, say

STAGE = "avatar.translate"
SAME_PERSON = 0.6  # dlib's embeddings: nearer ones are taken for one person
DETECT_EVERY, STEADY_SIGMA = 4, 1.0  # frames of a video


def likeness(picture: NDArray, drawn: NDArray, points: NDArray) -> dict:
    """How far a comic is from its photo: `identity_distance` (dlib), `landmark_drift` (eye distances); None if not seen."""
    before, after = (face_detector.embedding(p) for p in (picture, drawn))
    seen, _ = face_detector.landmarks_of_picture(drawn)
    drift = None if seen is None else metrics.landmark_drift(seen[None], points[None]) / float(face68.eye_distance(points))
    apart = None if before is None or after is None else float(np.linalg.norm(before - after))
    return {"identity_distance": apart, "landmark_drift": drift}


def in_words(measured: dict) -> str:
    """The measures of `likeness` as a line."""
    apart, drift = measured["identity_distance"], measured["landmark_drift"]
    if apart is None:
        return "identity distance unknown: no face is seen in the comic"
    taken = "another person" if apart > SAME_PERSON else "the same person"
    return (f"identity distance {apart:.2f} from the photo, taken for {taken}; "
            f"points moved by {100 * drift:.1f} % of the eyes' distance")


def write_avatar(picture: NDArray, points: NDArray, out: str | Path, source: str | Path, *, style: str = STYLE,
                 privacy: float = PRIVACY, model: str | Path | None = None, watermark: str = "") -> NDArray:
    """Draw a photo as a comic and write it, marked by `watermark`; say how alike it is; return the picture."""
    drawn, _ = Avatars(model, style, privacy)(picture, points)
    measured = likeness(picture, drawn, points)
    with artifacts.described(out, "avatar", stage=STAGE, options={"style": style, "privacy": privacy}, inputs=[source],
                             **measured) as (part, _):
        Image.fromarray(next(marked([drawn], watermark))).save(part)
    say(in_words(measured))
    return drawn


def track_points(frames: Iterable[NDArray]) -> NDArray:
    """The 68 points of a video's face: float [frame, 68, 2] px, steadied; NaN frames where none is near in time."""
    found, box = [], None
    for t, frame in enumerate(frames):
        grey = face_detector.grey(frame)
        if box is None or t % DETECT_EVERY == 0:
            boxes = face_detector.detect(grey)
            box = face_detector.largest(boxes) if len(boxes) else box
        found.append(np.full((face68.N_POINTS, 2), np.nan) if box is None else face_detector.landmarks_in(grey, box))
    points = face68.fill_missing(np.stack(found))
    return gaussian_filter(points, STEADY_SIGMA)


def write_avatar_video(path: str | Path, out: str | Path, *, style: str = STYLE, privacy: float = PRIVACY,
                       model: str | Path | None = None, quality: str = "medium", watermark: str = "") -> Path:
    """Draw each frame of a video as a comic, with a mark where `watermark` is a text; the sound stays.

    Raises InputError without a face.
    """
    about = probe(path)
    points = track_points(read_frames(path))
    if not np.isfinite(points).all():
        raise InputError(path, f"no face in any of {len(points)} frames", "a video of a face, 80 px or more")
    avatars = Avatars(model, style, privacy)

    def comics():
        past = None
        with progress(zip(read_frames(path), points), "translate", len(points)) as bar:
            for frame, at in bar:
                comic, past = avatars(frame, at, past)
                yield comic[:comic.shape[0] // 2 * 2, :comic.shape[1] // 2 * 2]

    options = {"style": style, "privacy": privacy}
    with artifacts.described(out, "talking-video", stage=STAGE, options=options, inputs=[path],
                             frames=len(points)) as (part, _):
        encode(part, marked(comics(), watermark), speech=path if about.has_sound else None, quality=quality, where=out)
        mark_synthetic(part)
    return Path(out)
