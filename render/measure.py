"""Measures of a photo renderer: one frame of a held-out clip is the photo, the clip's landmarks move it, the clip is the truth.

Reads: landmarks and recordings of a corpus; the mouth model (picture-model). Writes: nothing.
PSNR and SSIM near the mouth, sharpness by the Laplacian's energy, flicker, seams, opening of the mouth, dlib's identity.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import artifacts, metrics
from core.errors import InputError
from core.face import face68, face_detector
from core.index import read_index
from core.media.video import read_frames
from learn.measures import cell, markdown
from render.parts.part import lip_outline

LONGEST_FRAMES = 75  # of a clip
FEWEST_FRAMES = 10
EVERY = 3  # frames: pictures are measured this often, mouths and flicker on all
EVERY_IDENTITY = 25
AROUND = 0.25  # eye distances around the lips: the mouth's region
OPEN = 0.05  # eye distances between the lips: frames whose inside is measured
LEAST_INSIDE_PX = 40
METHODS = ("painted", "warp alone", "photo held still", "the clip itself")


def stretch(face: NDArray) -> slice:
    """Frames to measure on: the longest stretch with a face, at most LONGEST_FRAMES from its middle: slice."""
    seen = np.flatnonzero(np.isfinite(face).all((1, 2)))
    stretches = np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1)
    longest = max(stretches, key=len)
    start = longest[0] + max(0, len(longest) - LONGEST_FRAMES) // 2
    return slice(int(start), int(min(longest[-1] + 1, start + LONGEST_FRAMES)))


def moves_of(photo_face: NDArray, face: NDArray, pose: NDArray, still: int) -> list[tuple[NDArray, NDArray]]:
    """(face, head) of each frame, for a photo that is frame `still`: what `portrait.frames` takes."""
    from render.motion import head_of_pose, uncross
    offsets, head = face - face[still], head_of_pose(pose)
    head = head - head[still]
    return [(uncross(photo_face + offset), h) for offset, h in zip(offsets, head)]


def mouth_box(points: NDArray, size: tuple[int, int], unit_px: float) -> tuple[slice, slice]:
    """Rows and columns around the lips of `points` [68, 2] px: two slices."""
    lips, margin = points[face68.MOUTH], AROUND * unit_px
    low, high = np.floor(lips.min(0) - margin).astype(int), np.ceil(lips.max(0) + margin).astype(int)
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, size[::-1])
    return slice(top, bottom), slice(left, right)


def laplacian_energy(picture: NDArray) -> float:
    """Mean square of the Laplacian of uint8 [row, column, rgb]: what blur takes away."""
    return float(np.square(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F)).mean())


def shake(mouths: Sequence[NDArray]) -> float:
    """Mean square of the second difference in time of pictures of one size: what flickers."""
    grey = np.stack([cv2.cvtColor(m, cv2.COLOR_RGB2GRAY) for m in mouths]).astype(np.float32)
    return float(np.square(np.diff(grey, 2, axis=0)).mean())


def openings(frames: Iterable[NDArray], points: NDArray, unit_px: float, box: NDArray) -> NDArray:
    """Mouth openings that the landmark model measures, in eye distances: float [frame].

    `box`: where the detector finds the face of the first of `points` [frame, 68, 2]; it goes where the eyes go.
    """
    eyes = points[:, face68.RIGID].mean(1)
    boxes = box + np.tile(eyes - eyes[0], 2)
    found = [face_detector.landmarks_in(face_detector.grey(frame), b) for frame, b in zip(frames, boxes)]
    return face68.mouth_opening(np.stack(found)) / unit_px


def seam(painted: NDArray, moved: NDArray, truth: NDArray) -> float:
    """How steep the picture is where the painted part ends, relative to the real one there; NaN where nothing is painted."""
    changed = (np.abs(painted.astype(int) - moved).max(-1) > 0).astype(np.uint8)
    border = cv2.dilate(changed, np.ones((3, 3))) - cv2.erode(changed, np.ones((3, 3))) > 0
    steep = [np.abs(cv2.Sobel(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.CV_32F, 1, 0))
             + np.abs(cv2.Sobel(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.CV_32F, 0, 1)) for p in (painted, truth)]
    return float(steep[0][border].mean() / steep[1][border].mean()) if border.any() else float("nan")


def inside(frames: Sequence[NDArray], truth: Sequence[NDArray], points: NDArray, unit_px: float) -> tuple[float, float]:
    """How frames look between the lips of `points`, where they are open: detail and colour.

    Returns
    -------
    sharpness : energy of the Laplacian over the truth's, NaN when the mouth is never open
    colour : mean distance of the mean colour from the truth's, 0..255, each less the colour of the skin around
    """
    energies, colours = [], []
    for frame, true, at in zip(frames, truth, points):
        if face68.mouth_opening(at[None])[0] < OPEN * unit_px:
            continue
        mask, skin = (np.zeros(true.shape[:2], np.uint8) for _ in range(2))
        cv2.fillPoly(mask, [np.round(lip_outline(at) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        cv2.fillPoly(skin, [np.round(at[list(face68.GROUPS["outer_lips"])]).astype(np.int32)], 1)
        skin = cv2.dilate(skin, np.ones((3, 3), np.uint8), iterations=max(2, round(AROUND * unit_px))) - skin
        if mask.sum() < LEAST_INSIDE_PX:
            continue
        energies.append([np.square(cv2.Laplacian(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.CV_32F))[mask > 0].mean()
                         for p in (frame, true)])
        colours.append(np.subtract(*(p[mask > 0].mean(0) - p[skin > 0].mean(0) for p in (frame, true))))
    if not energies:
        return float("nan"), float("nan")
    painted, real = np.mean(energies, 0)
    return float(painted / max(real, 1e-6)), float(np.abs(colours).mean())


def identity(photo: NDArray, frames: Sequence[NDArray]) -> float:
    """Mean distance of face embeddings of `frames` to that of `photo`; NaN when none has a face."""
    first = face_detector.embedding(photo)
    others = [face_detector.embedding(frame) for frame in frames]
    distances = [float(np.linalg.norm(first - e)) for e in others if first is not None and e is not None]
    return float(np.mean(distances)) if distances else float("nan")


def known_mean(values: Iterable[float | None]) -> float | None:
    """Mean of the numbers that are known; None when none is: JSON has no NaN."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None


def mean_psnr_db(pairs: Sequence[tuple[NDArray, NDArray]]) -> float:
    """PSNR of the mean squared error of pairs of pictures: a frame that is the photo again does not count for ever."""
    error = np.mean([metrics.mse(*pair) for pair in pairs])
    return float(10 * np.log10(255**2 / error)) if error else float("nan")


def measure(frames: Sequence[NDArray], moved: Sequence[NDArray], truth: Sequence[NDArray], points: NDArray, unit_px: float,
            still: int) -> dict:
    """Measures of one method on one clip.

    `frames`, `moved` (by the warp alone) and `truth` lists of uint8 [row, column, rgb]; `points` of the truth.
    """
    size = truth[0].shape[:2]
    boxes = [mouth_box(p, size, unit_px) for p in points]
    whole = [(f, t) for i, (f, t) in enumerate(zip(frames, truth)) if i % EVERY == 0 and i != still]
    mouths = [(f[b], t[b]) for i, (f, t, b) in enumerate(zip(frames, truth, boxes)) if i % EVERY == 0 and i != still]
    middle = boxes[still]
    seen = face_detector.detect_any(face_detector.grey(truth[0]))
    box = face_detector.largest(seen) if len(seen) else np.concatenate([points[0].min(0), points[0].max(0)])
    driving, opened = face68.mouth_opening(points) / unit_px, openings(frames, points, unit_px, box)
    sharp, colour = inside(frames, truth, points, unit_px)
    return {"psnr_db": mean_psnr_db(whole),
            "ssim": np.mean([metrics.ssim(*pair) for pair in whole]),
            "mouth_psnr_db": mean_psnr_db(mouths),
            "mouth_ssim": np.mean([metrics.ssim(*pair) for pair in mouths]),
            "sharpness": np.mean([laplacian_energy(f) for f, _ in mouths]) / np.mean([laplacian_energy(t) for _, t in mouths]),
            "inside_sharpness": sharp, "inside_colour": colour,
            "flicker": shake([f[middle] for f in frames]) / shake([t[middle] for t in truth]),
            "seam": known_mean([seam(f, m, t) for f, m, t in zip(frames[::EVERY], moved[::EVERY], truth[::EVERY])]),
            "opening_r": metrics.correlation(opened, driving),
            "opening_gain": float(np.polyfit(driving, opened, 1)[0]),
            "identity": identity(truth[still], frames[::EVERY_IDENTITY])}


def render_clip(row: dict, landmarks: str | Path, model: str | Path | None) -> tuple[dict, list, NDArray, float, int]:
    """Render a clip by each method: name -> frames; truth; its points, px; eye distance, px; the photo's number."""
    from render import portrait
    from render.parts.painted import painted_parts
    from render.photo import Photo
    face, pose = (artifacts.load(Path(landmarks) / f"{row['clip']}.{name}.npy", kind).array for name, kind in
                  (("face", "landmarks-face"), ("pose", "head-pose")))
    part = stretch(face)
    truth = list(islice(read_frames(row["picture"]), part.start, part.stop))
    face, pose, points = face[part], pose[part], face68.to_pixel_space(face[part], pose[part])
    still = int(face68.mouth_opening(face).argmin())
    photo = Photo(Path(row["picture"]), truth[still], points[still])
    moves = moves_of(photo.face, face, pose, still)
    rendered = {"painted": list(portrait.frames(photo, moves, painted_parts(photo, model)[:1])),
                "warp alone": list(portrait.frames(photo, moves)), "photo held still": [truth[still]] * len(truth),
                "the clip itself": truth}
    return rendered, truth, points, float(np.median(pose[:, 0])), still


def rows_of(landmarks: Path, split: str, every_clip: int) -> list[dict]:
    """Every Nth clip of a split with a picture. Raises InputError without any."""
    rows = [row for row in read_index(landmarks / "index.csv", "split", "picture") if row["split"] == split
            and row["picture"] and not row.get("problem")][::every_clip]
    if not rows:
        raise InputError(landmarks / "index.csv", f"no clips of split {split!r}", "clips with pictures", "make preprocess")
    return rows


def means(rows: Sequence[dict]) -> dict:
    """Source -> method -> means over its clips."""
    table = {}
    for source in (*sorted({row["source"] for row in rows}), "all clips"):
        for method in dict.fromkeys(row["method"] for row in rows):
            chosen = [r for r in rows if r["method"] == method and source in (r["source"], "all clips")]
            table.setdefault(source, {})[method] = {
                key: known_mean([r[key] for r in chosen]) for key in chosen[0] if key not in ("source", "method")}
    return table


def as_markdown(table: dict) -> str:
    """The means as a table."""
    columns = list(next(iter(table["all clips"].values())))
    rows = [(source, method, *(cell(row[c]) for c in columns)) for source, methods in table.items()
            for method, row in methods.items()]
    return markdown(("source", "method", *columns), rows, n_names=2)
