"""Make the pictures of docs/gallery.md: the sample portrait, its comic, a drawn face speak the sample recording; a dialogue.

Reads: the portrait in scikit-image, data/samples/speech.wav and dialogue.txt, the models that ship.
Writes: docs/gallery/portrait.jpg, comic.jpg, drawing.jpg, dialogue.jpg; web/portrait.jpg, comic.jpg, pair.jpg: buttons
"""

import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from avatar.comics import Avatars
from core.cost import python
from core.face import face68, face_detector
from core.face.draw import contact_sheet
from core.face.sample import write_photo
from core.files import whole_file
from core.media.video import read_frames
from core.stage import stage
from landmarks.predict import load_model, predict_file
from render import liveliness, motion, photo, photo_check, portrait
from render.parts.drawn import drawn_parts
from render.parts.painted import painted_parts
from render.parts.rest import shut_lips

ROOT = Path(__file__).resolve().parent.parent
TILE_PX, N_COLUMNS, NAME_PX = 256, 4, 18
BUTTON_PX = 96  # of a picture on a button of the page
DRAWING_PX = 512
_SKIN, _LINE, _LIPS = (242, 206, 178), (70, 45, 40), (205, 95, 95)


def draw_face(face: NDArray) -> tuple[NDArray, NDArray]:
    """A face drawn with flat colours through `face` [68, 2] (face space): a picture, and its points in px."""
    view = np.array([DRAWING_PX * 0.2, 0, DRAWING_PX / 2, DRAWING_PX * 0.45])
    points = face68.to_pixel_space(face[None], view)[0]
    picture = np.full((DRAWING_PX, DRAWING_PX, 3), (120, 170, 190), np.uint8)
    groups = {name: np.round(points[list(group)] * 16).astype(np.int32) for name, group in face68.GROUPS.items()}

    def fill(outline, colour):
        cv2.fillPoly(picture, [outline], colour, cv2.LINE_AA, 4)
        cv2.polylines(picture, [outline], True, _LINE, 2, cv2.LINE_AA, 4)

    low, high = points.min(0), points.max(0)
    top = ((low[0] + high[0]) / 2, low[1] + 20)
    hair = cv2.ellipse2Poly(tuple(int(v) for v in top), (int((high[0] - low[0]) * 0.62), 150), 0, 180, 360, 5)
    ends = [[high[0] + 25, high[1] - 60], [low[0] - 25, high[1] - 60]]
    fill(np.concatenate([hair, ends]).astype(np.int32) * 16, (90, 60, 45))
    brow = cv2.ellipse2Poly(tuple(int(v) for v in top), (int((high[0] - low[0]) * 0.5), 90), 0, 180, 360, 5) * 16
    fill(np.concatenate([groups["jaw"], brow[::-1]]), _SKIN)
    for side in ("right", "left"):
        fill(groups[f"{side}_eye"], (250, 250, 250))
        middle = np.round(points[list(face68.GROUPS[f"{side}_eye"])].mean(0) * 16).astype(int)
        cv2.circle(picture, middle.tolist(), 7 * 16, _LINE, -1, cv2.LINE_AA, 4)
        cv2.polylines(picture, [groups[f"{side}_brow"]], False, _LINE, 5, cv2.LINE_AA, 4)
    cv2.polylines(picture, [groups["nose_base"]], False, _LINE, 2, cv2.LINE_AA, 4)
    fill(groups["outer_lips"], _LIPS)
    cv2.polylines(picture, [groups["inner_lips"]], True, _LINE, 2, cv2.LINE_AA, 4)
    return picture, points


def moments(moves: motion.Motion, face: NDArray) -> dict[str, tuple[NDArray, NDArray]]:
    """Name -> (face, head): what a talking face should show, chosen from the motion itself."""
    rest, still = face68.closed_mouth(face), np.zeros(5, np.float32)
    shown = [f for f, _ in motion.apply_to_face(motion.resample(moves, 25, range(len(moves))), rest)]
    opening, width = face68.mouth_opening(np.stack(shown)), face68.mouth_width(np.stack(shown))
    round_ = int((opening / opening.std() - 1.5 * width / width.std()).argmax())
    chosen = {"lips meet": shown[int(opening.argmin())], "half open": shown[int(np.argsort(opening)[-30])],
              "wide open": shown[int(opening.argmax())], "round": shown[round_],
              "blink": liveliness.close_lids(rest, 1.0)}
    found = {name: (points, still) for name, points in chosen.items()}
    found["turned"] = (shown[int(opening.argmax())], np.array([0.12, 0, 0.04, 0.03, 0], np.float32))
    found["turned back"] = (rest, np.array([-0.12, 0.05, -0.04, -0.03, 0], np.float32))
    return found


def _tile(picture, name):
    tile = Image.fromarray(picture).resize((TILE_PX, TILE_PX), Image.Resampling.BOX)
    ImageDraw.Draw(tile).text((8, TILE_PX - 8), name, "white", ImageFont.load_default(NAME_PX), "lb", stroke_width=2,
                              stroke_fill="black")
    return np.asarray(tile)


def sheet(given: NDArray, face: photo.Photo, moves: motion.Motion, parts: Sequence) -> NDArray:
    """Moments of a photo, `given` first, then its `face` with the `parts` that are painted of it, as one picture."""
    moved = {name: next(portrait.frames(face, [move], parts)) for name, move in moments(moves, face.face).items()}
    return contact_sheet([_tile(picture, name) for name, picture in {"the photo": given, **moved}.items()], N_COLUMNS)


def dialogue(photo_of_two: Path, folder: Path) -> NDArray:
    """Two people in one photo speak the sample dialogue: where the one, and where the other, opens the mouth furthest."""
    video = folder / "dialogue.mp4"
    python("scene.py", photo_of_two, "--script", ROOT / "data" / "samples" / "dialogue.txt", "--output", video)
    with Image.open(photo_of_two) as picture:
        half = picture.width // 2
    frames = list(islice(read_frames(video), 0, None, 3))
    openings = np.array([[_opening(part) for part in (frame[:, :half], frame[:, half:])] for frame in frames])
    lead = openings - openings[:, ::-1]
    shown = [cv2.resize(frames[at], None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA) for at in lead.argmax(0)]
    return contact_sheet(shown, 2)


def _opening(picture):
    points, _ = face_detector.landmarks_of_picture(picture)
    return 0.0 if points is None else float(face68.mouth_opening(points) / face68.eye_distance(points))


def write_button(picture: Image.Image, out: Path) -> Path:
    """Write the middle of a picture, small, for a button of the page; return the path."""
    with whole_file(out) as part:
        ImageOps.fit(picture, (BUTTON_PX, BUTTON_PX), Image.Resampling.LANCZOS).save(part, quality=85)
    return out


@stage(reads="data/samples/speech.wav, the models that ship", writes="docs/gallery/*.jpg, web/*.jpg",
       examples=("python -m docs.gallery",))
def main() -> None:
    """Draw the gallery."""
    import click
    with tempfile.TemporaryDirectory() as folder:
        moves, _ = motion.read_motion(predict_file(ROOT / "data" / "samples" / "speech.wav", Path(folder)))
        path = write_photo(Path(folder) / "portrait.png")
        as_given = photo.frame_photo(photo_check.find_face(path), "crop", 2 * TILE_PX)
        person = shut_lips(as_given)
        drawing = photo.Photo(path, *draw_face(load_model().rest_face))
        comic = photo.Photo(path, Avatars()(person.picture, person.points)[0], person.points)
        for name, given, face, parts in (("portrait", as_given.picture, person, painted_parts(person)),
                                         ("comic", comic.picture, comic, drawn_parts(comic)),
                                         ("drawing", drawing.picture, drawing, painted_parts(drawing))):
            out = ROOT / "docs" / "gallery" / f"{name}.jpg"
            with whole_file(out) as part:
                Image.fromarray(sheet(given, face, moves, parts)).save(part, quality=88)
            click.echo(out)
        of_two = write_photo(Path(folder) / "pair.png", pair=True)
        with whole_file(out := ROOT / "docs" / "gallery" / "dialogue.jpg") as part:
            Image.fromarray(dialogue(of_two, Path(folder))).save(part, quality=88)
        click.echo(out)
        pair = Image.open(of_two)
        for name, picture in (("portrait", Image.fromarray(person.picture)), ("comic", Image.fromarray(comic.picture)),
                              ("pair", pair)):
            click.echo(write_button(picture, ROOT / "web" / f"{name}.jpg"))


if __name__ == "__main__":
    main()
