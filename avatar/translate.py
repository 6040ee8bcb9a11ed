"""A photo or a video becomes a comic: all of the picture, in the same place, and nobody's own face.

Reads: a photo, or a video; MODEL (picture-model). Writes: OUT (avatar, or talking-video) and its sidecar, which says how
far the comic is from the person, by dlib's face embedding (King 2017: below 0.6 is the same person), and how far its 68 points
moved.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from avatar.comics import PRIVACY, STYLE, Avatars
from avatar.identity.embed import read_face
from avatar.pairs import STYLES
from core import artifacts, metrics
from core.errors import InputError, absent
from core.face import face68, face_detector
from core.media.provenance import mark_synthetic
from core.media.video import encode, probe, read_frames
from core.stage import progress, say, stage

STAGE = "avatar.translate"
SAME_PERSON = 0.6  # dlib's embeddings: nearer ones are taken for one person
DETECT_EVERY, STEADY_SIGMA = 4, 1.0  # frames of a video
VIDEOS = (".mp4", ".mov", ".webm", ".mkv", ".avi")


def likeness(picture: NDArray, drawn: NDArray, points: NDArray) -> dict:
    """How far a comic is from its photo: `identity_distance` (dlib), `landmark_drift` (eye distances); None if not seen."""
    before, after = (face_detector.embedding(p) for p in (picture, drawn))
    seen, _ = face_detector.landmarks_of_picture(drawn)
    drift = None if seen is None else metrics.landmark_drift(seen[None], points[None]) / float(face68.eye_distance(points))
    apart = None if before is None or after is None else float(np.linalg.norm(before - after))
    return {"identity_distance": apart, "landmark_drift": drift}


def in_words(measured: dict) -> str:
    """`likeness` as a line."""
    apart, drift = measured["identity_distance"], measured["landmark_drift"]
    if apart is None:
        return "likeness: no face is seen in the comic"
    taken = "another person" if apart > SAME_PERSON else "the same person"
    return f"likeness: {apart:.2f} from the photo, taken for {taken}; points moved by {100 * drift:.1f} % of the eyes' distance"


def write_avatar(picture: NDArray, points: NDArray, out: str | Path, source: str | Path, *, style: str = STYLE,
                 privacy: float = PRIVACY, model: str | Path | None = None) -> NDArray:
    """Draw a photo as a comic, write it and say how alike it is; return the picture."""
    drawn, _ = Avatars(model, style, privacy)(picture, points)
    measured = likeness(picture, drawn, points)
    with artifacts.described(out, "avatar", stage=STAGE, options={"style": style, "privacy": privacy}, inputs=[source],
                             **measured) as (part, _):
        Image.fromarray(drawn).save(part)
    say(in_words(measured))
    return drawn


def points_in_time(frames: Iterable[NDArray]) -> NDArray:
    """The 68 points of a video's face: float [frame, 68, 2] px, steadied; NaN frames where none is near in time."""
    found, box = [], None
    for t, frame in enumerate(frames):
        grey = face_detector.grey(frame)
        if box is None or t % DETECT_EVERY == 0:
            boxes = face_detector.detect(grey)
            box = face_detector.largest(boxes) if len(boxes) else box
        found.append(np.full((face68.N_POINTS, 2), np.nan) if box is None else face_detector.landmarks_in(grey, box))
    points = face68.fill_missing(np.stack(found))
    return gaussian_filter1d(points, STEADY_SIGMA, axis=0, mode="nearest")


def write_avatar_video(path: str | Path, out: str | Path, *, style: str = STYLE, privacy: float = PRIVACY,
                       model: str | Path | None = None, quality: str = "medium") -> Path:
    """Draw each frame of a video as a comic; the sound stays. Raises InputError without a face."""
    about = probe(path)
    points = points_in_time(read_frames(path))
    if not np.isfinite(points).all():
        raise InputError(path, f"no face in any of {len(points)} frames", "a video of a face, 80 px or more")
    avatars = Avatars(model, style, privacy)

    def drawn():
        past = None
        with progress(zip(read_frames(path), points), "translate", len(points)) as bar:
            for frame, at in bar:
                comic, past = avatars(frame, at, past)
                yield comic[:comic.shape[0] // 2 * 2, :comic.shape[1] // 2 * 2]

    options = {"style": style, "privacy": privacy}
    with artifacts.described(out, "talking-video", stage=STAGE, options=options, inputs=[path],
                             frames=len(points)) as (part, _):
        encode(part, drawn(), speech=path if about.has_sound else None, quality=quality, where=out)
        mark_synthetic(part)
    return Path(out)


def check_out(path: Path, suffix: str, kind: str, force: bool) -> None:
    """Refuse a name of another kind, or of a file made by somebody else."""
    if path.suffix.lower() != suffix:
        raise InputError(path, f"a {path.suffix or 'nameless'} file", f"a name that ends in {suffix}")
    if path.exists() and not force and artifacts.read_sidecar(path).get("kind") != kind:
        raise InputError(path, "exists, and was not made here", "a new name", "--force to overwrite it")


@stage(reads="SOURCE, a photo or a video; MODEL (picture-model)",
       writes="OUT (avatar .png, or talking-video .mp4) and its sidecar",
       examples=("python -m avatar.translate me.jpg avatar.png", "python -m avatar.translate clip.mp4 avatar.mp4"))
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--style", type=click.Choice(STYLES), default=STYLE, help="v1: ink over own colours. v2: flat paints.")
@click.option("--privacy", type=click.FloatRange(0, 1), default=PRIVACY,
              help="Share of another face that the comic wears in place of the person's.")
@click.option("--model", type=click.Path(path_type=Path), help="The translator.  [default: the one that ships]")
@click.option("--force", is_flag=True, help="Overwrite a file that was not made here.")
def main(source, out, style, privacy, model, force) -> None:
    """Turn a photo, or each frame of a video, into a comic."""
    if not source.is_file():
        raise InputError(source, absent(source), "a photo or a video")
    if source.suffix.lower() in VIDEOS:
        check_out(out, ".mp4", "talking-video", force)
        click.echo(write_avatar_video(source, out, style=style, privacy=privacy, model=model))
        return
    check_out(out, ".png", "avatar", force)
    write_avatar(*read_face(source), out, source, style=style, privacy=privacy, model=model)
    click.echo(out)


if __name__ == "__main__":
    main()
