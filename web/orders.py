"""What a visitor can ask for: a photo that speaks, a video with a new voice, a dialogue of the faces of one photo.

Reads: uploads. Writes: FOLDER/talking.mp4, and the files in between in FOLDER/talking/.
Each function takes what was given, uploads by their paths, and returns an `Order`, which makes the video in a folder.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversation import N_STAGES, Role, make_conversation, speak_lines
from core.errors import InputError
from core.events import Done
from core.media.footage import open_footage, read_planes
from core.stage import begin, tell
from landmarks.expression import parse_emotion
from learn.device import pick_device
from render.options import RenderOptions
from scenes.dialogue import Line, read_dialogue
from scenes.video import check_options
from speech.engines import DEFAULT_RATE
from web.limits import MOST_VIDEO_PX, MOST_VIDEO_S, check_text, short_speech

if TYPE_CHECKING:
    from animator import Animator

Order = Callable[[Path], object]
Casting = Callable[[Sequence[Line], int], Mapping[str, Role]]  # lines of a dialogue, number of faces in the photo -> roles
_ONE_OF = "a text or a recording"


@functools.cache
def shared_animator() -> "Animator":
    """The one Animator of this process; what it has read is read once."""
    from animator import Animator
    return Animator()


def _said(speech, text) -> dict:
    """What `Animator` takes for a recording or a text. Raises InputError."""
    if speech:
        return {"speech": short_speech(speech)}
    if not (text or "").strip():
        raise InputError("what is said", "nothing", _ONE_OF)
    return {"text": check_text(text), "text_from": "the text"}


def _uploaded(path, what, needed):
    if path is None:
        raise InputError(f"the {what}", "none chosen", needed)
    return path


def short_video(path: str | Path) -> Path:
    """Return a video that is short and small enough; where its header says no length, its frames are counted up to the limit.

    Raises
    ------
    InputError : longer than MOST_VIDEO_S, wider or higher than MOST_VIDEO_PX, or not readable as a video.
    """
    footage = open_footage(path)
    if max(footage.size) > MOST_VIDEO_PX:
        raise InputError(path, f"{footage.size[0]}x{footage.size[1]} px", f"at most {MOST_VIDEO_PX} px", "make it smaller")
    most_frames = round(MOST_VIDEO_S * footage.fps)
    counted = () if footage.seconds else read_planes(footage)
    if footage.seconds > MOST_VIDEO_S or any(n >= most_frames for n, _ in enumerate(counted)):
        raise InputError(path, f"more than {MOST_VIDEO_S} s of video", f"at most {MOST_VIDEO_S} s", "cut it into parts")
    return Path(path)


def photo_speaks(photo: str | Path | None, speech: str | Path | None = None, text: str | None = None, **options: Any) -> Order:
    """A photo speaks; `options` are of `Animator.animate`."""
    def make(folder: Path) -> object:
        face = _uploaded(photo, "photo", "a picture of a face")
        return shared_animator().animate(face, out=folder / "talking.mp4", folder=folder / "talking", keep=True,
                                         **_said(speech, text), **options)

    return make


def video_speaks(video: str | Path | None, speech: str | Path | None = None, text: str | None = None, **options: Any) -> Order:
    """A video gets a new voice; `options` are of `Animator.dub`."""
    def make(folder: Path) -> object:
        clip = short_video(_uploaded(video, "video", "a video of a face"))
        return shared_animator().dub(clip, out=folder / "talking.mp4", folder=folder / "talking", keep=True,
                                     **_said(speech, text), **options)

    return make


def faces_talk(photo: str | Path | None, text: str | None, casting: Casting, *, rate: int = DEFAULT_RATE, emotion: str = "auto",
               options: RenderOptions) -> Order:
    """The faces of a photo say a dialogue, `text`; `casting` gives each name a face and a voice."""
    def make(folder: Path) -> object:
        from viewer.page import write_page
        check, made = shared_animator().check, folder / "talking"
        face = _uploaded(photo, "photo", "a picture of several faces")
        if not (text or "").strip():
            raise InputError("what is said", "nothing", "a dialogue: lines as Anna: Good morning.")
        check_options(options)
        parse_emotion(emotion)
        n_stages = N_STAGES + 1
        begin("photo", 1, n_stages)
        n_faces = len(check(face, "1").boxes)
        lines = read_dialogue(check_text(text or ""), "the dialogue")
        roles = casting(lines, n_faces)
        begin("speech", 2, n_stages)
        parts, words = speak_lines(lines, roles, made, "the dialogue", rate=rate, emotion=emotion)
        video = folder / "talking.mp4"
        make_conversation(face, roles, parts, words, video, made, options, emotion=emotion, device=pick_device("auto", "photo"),
                          check=check, n_stages=n_stages)
        begin("page", n_stages, n_stages)
        write_page(made, video)
        tell(Done("done"))
        return video

    return make
