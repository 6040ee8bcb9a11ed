"""Who is who in a dialogue: each face of the photo has a name and a voice.

Reads: the uploaded photo. Writes: nothing.
"""

import base64
import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from conversation import Role
from core.errors import InputError
from scenes.dialogue import MOST_PEOPLE, faces_of, named, people_of, voices_of
from speech.engines import DEFAULT_VOICE
from web import controls
from web.orders import Casting, shared_animator

NAMES = ("Anna", "Ben", "Clara", "David", "Eva", "Felix")[:MOST_PEOPLE]
MOST_NAME_CHARS, FACE_PX = 40, 80
_AROUND = 0.25  # of a face's width, shown beside it


def faces_in(photo: str | None) -> tuple:
    """The faces of an uploaded photo, from the left, as `data:` addresses of small pictures; none where nothing is found."""
    if not photo:
        return ()
    try:
        check = shared_animator().check(photo, "1")
    except InputError:  # it is said when a video is asked for
        return ()
    picture, faces = Image.fromarray(check.photo.picture), []
    for left, top, right, bottom in check.boxes:
        wider = _AROUND * (right - left)
        face = picture.crop((round(left - wider), round(top - wider), round(right + wider), round(bottom + wider)))
        face.resize((FACE_PX, FACE_PX)).convert("RGB").save(stream := io.BytesIO(), "JPEG")
        faces.append("data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode())
    return tuple(faces)


@functools.cache
def default_voices() -> tuple:
    """ENGINE:VOICE for each of NAMES: women and men in turn."""
    known = {voice.partition(":")[2]: voice for _, voice in reversed(controls.voice_choices())}  # the best first
    return tuple(known.get(voice, controls.default_voice()) for voice in voices_of(NAMES, [], DEFAULT_VOICE, None).values())


@dataclass
class Cast:
    """The rows of the page, one a face; those of faces that are not there are hidden."""

    rows: list
    pictures: list
    names: list
    voices: list

    def outputs(self) -> list:
        """All components that `values` changes."""
        return [*self.rows, *self.pictures, *self.names]

    def values(self, faces: Sequence[str]) -> list:
        """What changes for a photo with these faces."""
        shown = [*faces[:len(NAMES)], *[""] * (len(NAMES) - len(faces))]
        pictures = [f'<img src="{face}" alt="Face {i}">' if face else "" for i, face in enumerate(shown, 1)]
        return [*(gr.Row(visible=bool(face)) for face in shown), *pictures, *NAMES]


def add() -> Cast:
    """Add the rows, hidden."""
    cast = Cast([], [], [], [])
    for i, (name, voice) in enumerate(zip(NAMES, default_voices()), 1):
        with gr.Row(visible=False, elem_classes="face") as row:
            cast.pictures.append(gr.HTML("", elem_classes="portrait"))
            cast.names.append(gr.Textbox(name, label=f"Name of face {i}", max_length=MOST_NAME_CHARS, min_width=80, scale=2,
                                         elem_classes="name"))
            cast.voices.append(gr.Dropdown(controls.voice_choices(), value=voice, label="Voice", min_width=120, scale=3))
        cast.rows.append(row)
    return cast


def by_rows(names: Sequence[Any], voices: Sequence[Any]) -> Casting:
    """Roles as the page has them: a name and a voice, ENGINE:VOICE, for each face."""
    def roles(lines, n_faces):
        faces: dict[str, int] = {}
        for face, name in enumerate(names[:n_faces], 1):
            key = name.strip().casefold() if isinstance(name, str) else ""
            if key in faces:
                raise InputError("the names", f"{name.strip()!r} for two faces", "a name for each")
            if key:
                faces[key] = face
        people = people_of(lines)
        if missing := [person for person in people if person.casefold() not in faces]:
            raise InputError("the dialogue", f"no face has the name {missing[0]}",
                             f"lines of {', '.join(str(name).strip() for name in names[:n_faces])}")
        return {person: _role(faces[person.casefold()], voices[faces[person.casefold()] - 1]) for person in people}

    return roles


def by_words(cast: Any, voices: Any) -> Casting:
    """Roles as a program asks for them: `Anna=2, Ben=1`, and `Anna=ENGINE:VOICE`; what is left out is chosen for it."""
    def roles(lines, n_faces):
        people = people_of(lines)
        faces = faces_of(people, _parts(cast, "cast"), n_faces, "the photo")
        asked = named(_parts(voices, "voices"), people, "voices")
        others = voices_of(people, [f"{name}={voice.partition(':')[2]}" for name, voice in asked.items()], DEFAULT_VOICE, None)
        return {name: _role(face, asked[name]) if name in asked else Role(face, others[name]) for name, face in faces.items()}

    return roles


def _parts(words, where) -> list:
    if not isinstance(words, str):
        raise InputError(where, "no text", "NAME=VALUE, parted by commas")
    return [part.strip() for part in words.split(",") if part.strip()]


def _role(face, voice) -> Role:
    given = controls.to_options({"voice": voice})
    if "voice" not in given:
        raise InputError("voice", "none", "what the page offers")
    return Role(face, given["voice"], given["engine"])
