"""Make the pictures of README.md and docs/how-it-works.md: the sample portrait speaks the sample recording, stage by stage.

Reads: the portrait in scikit-image, data/samples/speech.wav, the models that ship.
Writes: docs/gallery/speaking.webp, docs/how/*.jpg, each as `make inspect` draws it
"""

import tempfile
from itertools import islice
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from animator import Animator
from core.clock import FPS
from core.face.sample import write_photo
from core.files import whole_file
from core.media.picture import read_photo
from core.media.speech import open_speech
from core.media.video import read_frames
from core.stage import stage
from landmarks.ear.__main__ import write_features
from viewer.look import look_at

DOCS = Path(__file__).resolve().parent
SPEECH = DOCS.parent / "data" / "samples" / "speech.wav"
SHOWN_S, SHOWN_PX = 3, 400  # of the moving picture
PICTURE_WIDTH_PX = 900
FILES = ("speech.wav", "ear.npy", "landmarks.npy", "head.npy", "emotion.png", "photo_check.png", "rest_photo.png", "video.mp4")


def write_webp(video: str | Path, out: Path) -> Path:
    """The first SHOWN_S seconds of `video`, small and without sound, as a moving picture."""
    frames = [Image.fromarray(cv2.resize(frame, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_AREA))
              for frame in islice(read_frames(video), SHOWN_S * FPS)]
    with whole_file(out) as part:
        frames[0].save(part, save_all=True, append_images=frames[1:], duration=1000 // FPS, loop=0, quality=60, method=6)
    return out


def write_picture(path: Path, out: Path) -> Path:
    """What `make inspect FILE=path` draws, or the picture itself."""
    if path.suffix == ".png":
        picture = read_photo(path)
    else:
        canvas = look_at(path)[1]().canvas
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        canvas = FigureCanvasAgg(canvas.figure)
        canvas.draw()
        picture = np.asarray(canvas.buffer_rgba())[..., :3]
    height, width = picture.shape[:2]
    if width > PICTURE_WIDTH_PX:
        picture = cv2.resize(picture, (PICTURE_WIDTH_PX, height * PICTURE_WIDTH_PX // width), interpolation=cv2.INTER_AREA)
    with whole_file(out) as part:
        Image.fromarray(picture).save(part, quality=85)
    return out


@stage(reads="data/samples/speech.wav, the models that ship", writes="docs/gallery/speaking.webp, docs/how/*.jpg",
       examples=("python -m docs.pictures",))
def main() -> None:
    """Draw the pictures of the README and of "How it works"."""
    with tempfile.TemporaryDirectory() as folder:
        photo, kept = write_photo(Path(folder) / "portrait.png"), Path(folder) / "video"
        video = Path(folder) / "video.mp4"
        Animator(once=True).animate(photo, SPEECH, video, folder=kept, keep=True)
        write_features(open_speech(SPEECH), kept / "ear.npy")
        video.rename(kept / "video.mp4")
        click.echo(write_webp(kept / "video.mp4", DOCS / "gallery" / "speaking.webp"))
        for name in FILES:
            click.echo(write_picture(kept / name, DOCS / "how" / f"{Path(name).stem}.jpg"))


if __name__ == "__main__":
    main()
