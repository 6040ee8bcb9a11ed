"""People who speak in one photo to a video.

Reads: landmarks of each person, the sound of all. Writes: OUT.mp4 (talking-video) with its sidecar, OUT.preview.png.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.clock import SAMPLE_RATE, n_frames_of
from core.errors import InputError
from core.media.marks.watermark import marked
from core.media.out.target import Target, form_of, place_of, target_of
from core.media.speech import Speech
from core.media.talking import caption_words, write_talking
from render import background as behind
from render import motion
from render.life.talker import talker
from render.options import RenderOptions
from render.parts.rest import shut_lips
from render.photo import Photo, frame_photo
from render.preview import write_preview
from scenes.picture import shares, together

STAGE = "scene"


@dataclass(frozen=True)
class Person:
    """One who speaks: a face of the photo, and its landmarks for the whole scene."""

    name: str
    face: Photo
    landmarks: Path


def check_options(options: RenderOptions) -> None:
    """Raise InputError for what a picture of several people cannot have."""
    if options.preprocess == "crop":
        raise InputError("--preprocess", "crop, to one of several faces", "full or resize")
    if options.background == behind.NONE:
        raise InputError("--background", "none, of several people", "keep, blur, #rrggbb or a picture file")
    if options.avatar != "none":
        raise InputError("--avatar", f"{options.avatar}, of several people", "none", "--avatar none")


def _as_shown(people, options) -> list[Photo]:
    """The photo of each person: with one background, framed, the own lips shut."""
    first = behind.replace_background(people[0].face, options.background)
    framed = (frame_photo(replace(person.face, picture=first.picture), options.preprocess, options.size_px or 0,
                          at_once=True) for person in people)
    return [shut_lips(photo) for photo in framed]


def write_scene(people: Sequence[Person], out: str | Target, options: RenderOptions, speech: Speech, *,
                words: Path | None = None, device: str = "cpu") -> Target:
    """Write the video of several people and its sidecar; return where it is.

    Parameters
    ----------
    people : two or more, of one photo
    speech : what all say, as it is heard; it sets the length
    words : words.json, for captions
    device : cpu or cuda, where the photo renderer's networks run

    Raises
    ------
    InputError : options that a scene cannot have, landmarks of another length.
    """
    check_options(options)
    out = target_of(out)
    shown_words = caption_words(options.captions, words, speech.path)
    seconds = len(speech.sound) / SAMPLE_RATE
    n_frames = motion.n_output_frames(seconds, options.fps)
    photos = _as_shown(people, options)
    parts, talkers = shares(photos), []
    for i, (person, photo, own) in enumerate(zip(people, photos, parts)):
        moves, rest = motion.read_motion(person.landmarks)
        motion.check_length(person.landmarks, len(moves), n_frames_of(len(speech.sound)), speech.path)
        alone = replace(options, seed=options.seed + i)
        person = behind.person_of(photo)
        person = None if person is None else person * own
        talkers.append(talker(moves, rest, n_frames, alone, face=photo, device=device, person=person))
    if options.preview:
        moments = 0, talkers[0].widest
        pictures = together(parts, [one.draw(one.moves_at(moments)) for one in talkers])
        write_preview(place_of(out), list(marked(pictures, options.watermark)))
    is_rgb = options.captions == "burn" or not form_of(out).sound
    frames = together(parts, [one.frames(n_frames) if is_rgb else one.frames(n_frames, encoded=True) for one in talkers])
    made_with = {"people": [person.name for person in people], **options.as_made()}
    inputs = [people[0].face.path, *(person.landmarks for person in people), speech.path, *([words] if words else [])]
    return write_talking(out, frames, n_frames, fps=options.fps, stage=STAGE, captions=options.captions,
                         shown_words=shown_words, heard=speech.heard, quality=options.quality,
                         watermark=options.watermark, signed_by=options.sign, options=made_with, inputs=inputs)
