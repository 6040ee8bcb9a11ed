"""The photo check: which faces a photo holds, which one will speak, and what may spoil the result.

Reads: a photo; face.json (face-points) when the face is placed by hand. Writes: face.json, photo_check.png.
Sharpness is the variance of the Laplacian: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.errors import InputError, command_line
from core.events import Warned
from core.face import draw, face68
from core.face.choice import choose_face
from core.stage import tell
from render.face_points import read_points, write_points
from render.liveliness import BLINK_RATE
from render.parts import signs
from render.photo import Photo, read_photo

STAGE = "render.face_check"
SMALL_FACE_PX = 96
TURNED_DEG = 20  # of yaw; beyond it the far half of the mouth is too narrow to open well
BLURRED = 6  # sharpness; a face blurred by a fiftieth of its width has 0.6 to 6, a sharp one 20 and more
NOSE_DEPTH = 0.6  # eye distances (about 61 mm) from the plane of the eye corners to the nose's tip (about 37 mm)
SHARPNESS_PX = 128  # width a face is scaled to before its sharpness is measured
_A_PHOTO = f"a photo of a face, seen from the front, {SMALL_FACE_PX} px wide or more"


@dataclass(frozen=True)
class FaceCheck:
    """A photo with its face, all faces found in it, and the measures of the face that was chosen."""

    photo: Photo
    boxes: np.ndarray  # float64 [face, 4]: left, top, right, bottom, px; from left to right
    chosen: int  # row of `boxes`
    yaw_deg: float  # see `yaw_deg`
    roll_deg: float  # positive: the head leans clockwise in the picture
    width_px: float  # of the 68 points, along the line of the eyes
    sharpness: float  # see `sharpness`
    points_file: Path | None = None  # where the points or the box were given by hand

    @property
    def measures(self) -> dict:
        """The numbers as they are shown and kept."""
        return {"yaw_deg": round(self.yaw_deg), "roll_deg": round(self.roll_deg), "width_px": round(self.width_px),
                "sharpness": round(self.sharpness, 1)}


def yaw_deg(photo: Photo) -> float:
    """Estimate how far the head is turned, in degrees; positive when the nose points to the right of the picture.

    A head turned by t shows its eyes cos(t) as far apart, and its nose's tip NOSE_DEPTH * sin(t) off their middle: the
    offset in face space is NOSE_DEPTH * tan(t). The depth is that of an average face seen from afar; a long nose or a
    near camera adds some degrees.
    """
    return math.degrees(math.atan(float(photo.face[face68.GROUPS["nose_bridge"][-1], 0]) / NOSE_DEPTH))


def sharpness(photo: Photo) -> float:
    """Variance of the Laplacian in the box of the points, in thousandths of the variance of the grey values.

    The face is scaled to SHARPNESS_PX first, and the contrast divided out, so that the number means the same in every
    photo; 0 where the face is of one colour.
    """
    rows, columns = photo.picture.shape[:2]
    left, top = np.clip(np.floor(photo.points.min(0)), 0, (columns - 2, rows - 2)).astype(int)
    right, bottom = np.clip(np.ceil(photo.points.max(0)), (left + 2, top + 2), (columns, rows)).astype(int)
    factor = SHARPNESS_PX / (right - left)
    size = SHARPNESS_PX, max(2, min(round((bottom - top) * factor), 4 * SHARPNESS_PX))
    face = cv2.cvtColor(photo.picture[top:bottom, left:right], cv2.COLOR_RGB2GRAY).astype(np.float32)
    face = cv2.resize(face, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    contrast = float(face.var())
    return 1000 * float(cv2.Laplacian(face, cv2.CV_32F).var()) / contrast if contrast > 1 else 0.0


def _no_face(path, picture, grey_picture):
    """The error of a photo without a face; it says when turning the photo would help."""
    from core.face.face_detector import find_rotation_deg
    found = f"no face found in {picture.shape[1]}x{picture.shape[0]} px"
    if degrees := find_rotation_deg(grey_picture):
        return InputError(path, f"{found}; a face is found when the picture is turned by {degrees} degrees clockwise",
                          "an upright photo", "turn it and save it")
    return InputError(path, found, _A_PHOTO, "a larger or more frontal photo, cut so that the face fills about half of it; "
                      "or mark the face of a drawing with --landmarks")


def warnings_of(check: FaceCheck, which: str | None = None) -> list:
    """What may spoil the result, a line each."""
    told = []
    if len(check.boxes) > 1 and not which:
        told.append(f"{len(check.boxes)} faces; the largest speaks, number {check.chosen + 1} from the left; --face chooses")
    if round(check.width_px) < SMALL_FACE_PX:
        told.append(f"the face is {check.width_px:.0f} px wide; {SMALL_FACE_PX} or more give a clear mouth")
    if abs(check.yaw_deg) > TURNED_DEG:
        told.append(f"the face is turned to the side by about {abs(check.yaw_deg):.0f} degrees; a frontal photo moves better")
    if check.sharpness < BLURRED:
        told.append(f"the face is blurred (sharpness {check.sharpness:.1f}, {BLURRED} or more is clear)")
    if signs.is_cut(check.photo):
        told.append("the face is cut by the border of the picture; a photo that shows the whole face moves better")
    if signs.is_mouth_open(check.photo):
        told.append("the mouth is open wide; it is shut before it speaks, which may show: a photo with a shut one moves better")
    if signs.are_eyes_shut(check.photo):
        told.append("the eyes are shut; they stay shut and do not look about: a photo with open eyes is livelier")
    if check.points_file:  # often a drawing, whose lips need not be red
        return told
    if abs(check.yaw_deg) <= TURNED_DEG and signs.is_mouth_covered(check.photo):
        told.append("the mouth seems to be covered (by a mask, a hand, a microphone?); lips are drawn over whatever hides it")
    if signs.wears_glasses(check.photo):
        told.append(f"glasses: brows and lids hold still, so that rims do; --blink-rate {BLINK_RATE:g} makes the eyes blink")
    elif abs(check.yaw_deg) <= TURNED_DEG and (side := signs.hidden_eye(check.photo)):
        told.append(f"the {side} eye seems to be hidden (by hair, a hand, a patch?); its lids are moved all the same, "
                    "and neither eye looks about")
    return told


def check_photo(path: str | Path, which: str | None = None, points_file: str | Path | None = None,
                seen: FaceCheck | None = None) -> FaceCheck:
    """Read a photo, find its faces, choose one and measure it. Says what may spoil the result.

    Parameters
    ----------
    path : a picture
    which : see `choose_face`
    points_file : see `face_points.read_points`; then nothing is searched for
    seen : what was found in this photo before, of another face: it is neither read nor searched again

    Raises
    ------
    InputError : not a picture, no face in it, the mouth outside of it, or a wrong `which` or `points_file`.
    """
    from core.face.face_detector import detect_all, grey, landmarks_in
    from core.face.second_look import checked, look_again
    if which and points_file:
        raise InputError("--face", f"{which}, and --landmarks {points_file}", "one of the two")
    picture = seen.photo.picture if seen else read_photo(path)
    (rows, columns), grey_picture, chosen = picture.shape[:2], grey(picture), 0
    if points_file:
        points, box = read_points(points_file, columns, rows)
        boxes = box[None]
    else:
        points, boxes = None, seen.boxes if seen else detect_all(grey_picture)
        if not len(boxes):
            again = look_again(picture)
            if again is None:
                raise _no_face(path, picture, grey_picture)
            points, boxes = again.points, again.box[None]
        chosen = choose_face(boxes, which, path, columns, rows, command_line("python", "-m", STAGE, path))
    if points is None:
        points = checked(picture, landmarks_in(grey_picture, boxes[chosen]).astype(np.float32))
    mouth = points[face68.MOUTH]
    if (mouth < 0).any() or (mouth >= (columns, rows)).any():
        raise InputError(path, "the mouth lies outside the picture", "the whole face", "a photo that is cut less tightly")
    photo = Photo(Path(path), picture, points)
    px, roll = (float(v) for v in photo.pose[:2])
    check = FaceCheck(photo, boxes, chosen, yaw_deg(photo), math.degrees(roll), float(np.ptp(photo.face[:, 0])) * px,
                      sharpness(photo), Path(points_file) if points_file else None)
    for text in warnings_of(check, which):
        tell(Warned(text, path))
    return check


def find_face(path: str | Path, which: str | None = None, points_file: str | Path | None = None) -> Photo:
    """The photo and the face in it that will speak; see `check_photo`."""
    return check_photo(path, which, points_file).photo


def report(check: FaceCheck) -> list:
    """The check in words: (label, text) pairs."""
    rows, columns = check.photo.picture.shape[:2]
    boxes = [" ".join(f"{v:.0f}" for v in box) for box in check.boxes]
    now = check.measures
    return [("picture", f"{columns}x{rows} px"), *((f"face {i}", box) for i, box in enumerate(boxes, 1)),
            ("used", f"face {check.chosen + 1} of {len(boxes)}" + (", placed by hand" if check.points_file else "")),
            ("width", f"{now['width_px']} px ({SMALL_FACE_PX} or more)"),
            ("yaw", f"{now['yaw_deg']} degrees ({TURNED_DEG} or less to a side)"), ("roll", f"{now['roll_deg']} degrees"),
            ("sharpness", f"{now['sharpness']} ({BLURRED} or more)")]


def verdict(check: FaceCheck, which: str | None = None) -> str:
    """In one line whether anything was found that may spoil the result, see `warnings_of`."""
    n_found = len(warnings_of(check, which))
    if not n_found:
        return "nothing found that spoils it"
    return f"{n_found} thing{'s' * (n_found != 1)} found that may spoil it, see the warning{'s' * (n_found != 1)}"


def write_check(check: FaceCheck, folder: Path) -> list:
    """Write face.json and photo_check.png to `folder`; return their paths."""
    from PIL import Image

    from core.files import whole_file
    folder = Path(folder)
    drawing = folder / "photo_check.png"
    if drawing.resolve() == check.photo.path.resolve():
        raise InputError(drawing, "the photo itself", "another folder for the check")
    options = {"landmarks": check.points_file.name} if check.points_file else {"face": check.chosen + 1}
    numbers = write_points(folder / "face.json", check.photo, check.boxes, check.chosen, check.measures, stage=STAGE,
                           options=options, given=check.points_file)
    notes = [f"{label} {text}" for label, text in report(check) if not label.startswith("face")]
    drawn = draw.faces_on_picture(check.photo.picture, check.boxes, check.chosen, check.photo.points, notes)
    with whole_file(drawing) as part:
        Image.fromarray(drawn).save(part, compress_level=1)  # ten times as fast as the default, a third larger
    return [numbers, drawing]
