"""face.json, the face of a photo in numbers: written by the check, corrected or written by hand, and read back.

Reads: face.json (face-points): `{"points": [[x, y], 68 of them]}`, numbered as in core/face/face68.py, or
`{"box": [left, top, right, bottom]}`, the face from the brows to the chin; px of the photo as it is seen upright.
Writes: face.json and its sidecar.
"""

import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.errors import InputError, absent, command_line
from core.face.face68 import GROUPS, MOUTH, N_POINTS, eye_distance, to_face_space
from core.files import read_json, sha256
from render.photo import Photo

KIND = "face-points"
MARGIN = 0.25  # shares of the picture's size that a point may lie outside: the ears and the chin of a cut-off face
LEAST_EYES_PX, LEAST_BOX_PX = 4, 16
_EXPECTED = f'{{"points": [[x, y] * {N_POINTS}]}} or {{"box": [left, top, right, bottom]}}, in px of the photo'
_CURE = '{"box": [left, top, right, bottom]} around the face, from the brows to the chin'


def _numbers(path, name, value, shape, size_px):
    """`value` of the JSON as float64 of `shape`, its x and y checked to lie in or near a picture of `size_px`."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # lists of different lengths, numbers of hundreds of digits
        array = np.array(None)
    if array.shape != shape or array.dtype.kind not in "iuf":
        found = f"{len(value)} entries" if isinstance(value, list) and len(value) != shape[0] else "not all numbers"
        raise InputError(path, f"{name}: {found}", _EXPECTED, _CURE)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(path, f"{name}: not finite", _EXPECTED, _CURE)
    xy, size = array.reshape(-1, 2), np.array(size_px)
    outside = ((xy < -MARGIN * size) | (xy > (1 + MARGIN) * size)).any(1)
    if outside.any():
        x, y = xy[outside.argmax()]
        which = f"{name}[{outside.argmax()}]" if name == "points" else name
        raise InputError(path, f"{which}: ({x:g}, {y:g}) lies outside of the picture", f"px of {size[0]}x{size[1]}",
                         "measure in the photo as it is seen upright, at its full size")
    return array


def _check_points(path, points):
    """Refuse points that are no face: eyes in one place, left and right swapped, the order of another model."""
    eyes_px = float(eye_distance(points))
    if eyes_px < LEAST_EYES_PX:
        raise InputError(path, f"points: the eyes lie {eyes_px:.1f} px apart", f"{LEAST_EYES_PX} px or more", _CURE)
    face = to_face_space(points[None])[0][0]
    if face[MOUTH, 1].mean() <= face[GROUPS["nose_bridge"][0], 1]:
        raise InputError(path, "points: the mouth lies above the eyes", "the order of core/face/face68.py, which begins with "
                         "the jaw and has the eye on the left of the picture first", _CURE)


def read_points(path: str | Path, columns: int, rows: int) -> tuple[NDArray | None, NDArray]:
    """Read hand-placed points or a box, for a photo of `columns` x `rows` px.

    Its sidecar's hash is not asked for: the file is there to be corrected.

    Returns
    -------
    points : float32 [68, 2], px, or None when the file holds a box alone
    box : float64 [4], left, top, right, bottom in px; around the points when the file holds no box

    Raises
    ------
    InputError : missing, not JSON, of another kind or for another photo, a wrong number of values, not finite,
        outside of the picture, a box that is flipped, points that are no face.
    """
    path, size_px = Path(path), (columns, rows)
    if not path.is_file():
        raise InputError(path, absent(path), _EXPECTED, _CURE)
    if (kind := artifacts.read_sidecar(path).get("kind", KIND)) != KIND:
        raise InputError(path, f"a file of kind {kind!r}", KIND, _CURE)
    data = read_json(path, _EXPECTED, "a comma or a bracket may be missing")
    if not isinstance(data, dict) or not {"points", "box"} & data.keys():
        raise InputError(path, "neither points nor a box", _EXPECTED, _CURE)
    if data.get("picture", list(size_px)) != list(size_px):
        raise InputError(path, f"made for a picture of {data['picture']} px", f"one of {list(size_px)} px",
                         "the face.json of this photo")
    points = box = None
    if "box" in data:
        box = _numbers(path, "box", data["box"], (4,), size_px)
        if (box[2:] - box[:2] < LEAST_BOX_PX).any():
            raise InputError(path, "box: flipped or too small", f"left < right and top < bottom, {LEAST_BOX_PX} px or more",
                             _CURE)
    if "points" in data:
        points = _numbers(path, "points", data["points"], (N_POINTS, 2), size_px).astype(np.float32)
        _check_points(path, points)
        if box is None:
            box = np.concatenate([points.min(0), points.max(0)]).astype(np.float64)
    assert box is not None  # one of the two is there
    return points, box


def write_points(path: str | Path, photo: Photo, boxes: NDArray, chosen: int, measures: dict, *, stage: str, options: dict,
                 given: str | Path | None = None) -> Path:
    """Write face.json, one point a line, and its sidecar. A file changed by hand stays: kept when it is `given`.

    Raises
    ------
    InputError : there is such a file that somebody made or changed by hand.
    """
    path = Path(path)
    if path.exists() and artifacts.read_sidecar(path).get("sha256") != sha256(path):
        if given and path.resolve() == Path(given).resolve():
            return path
        raise InputError(path, "made or changed by hand", "a folder without it",
                         f"another folder, or {command_line('--landmarks', path)}")
    rows, columns = photo.picture.shape[:2]
    data = {"picture": [columns, rows], "face": chosen + 1, **measures, "box": boxes[chosen].round(2).tolist(),
            "faces": boxes.round(2).tolist(), "points": photo.points.astype(np.float64).round(2).tolist()}
    text = json.dumps(data, indent=1)
    text = re.sub(r"\[[^\[\]]*\]", lambda numbers: " ".join(numbers[0].split()), text)  # a point or a box is one line
    with artifacts.described(path, KIND, stage=stage, options=options, inputs=[photo.path]) as (part, _):
        part.write_text(text + "\n", encoding="utf-8")
    return path
