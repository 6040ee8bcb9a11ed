"""Lines, or recordings, of several people to a video of them: all stages in a row, for programs. `scene.py` is the command.

Reads: a photo with several faces; recordings.
Writes: the video; in FOLDER: speech.wav, all that is heard; words.json, words.srt, words.vtt of a script; lines/, each line
spoken; for each person a folder with speech.wav, landmarks.npy and what lies beside them, face.json, photo_check.png.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.clock import SAMPLE_RATE
from core.errors import InputError
from core.files import fitting
from core.media.out.target import Target
from core.media.speech import open_speech
from core.media.words import Word
from core.stage import begin
from landmarks.predict import predict_file
from render.options import RenderOptions
from render.photo_check import FaceCheck, check_photo, write_check
from scenes.dialogue import Line
from scenes.tracks import Part, in_turn, write_track
from scenes.video import STAGE, Person, write_scene
from speech.engines import DEFAULT_RATE
from speech.speakable import check_text
from speech.synthesize import write_speech
from speech.transcribe import write_words

N_STAGES = 4  # photo, speech, landmarks, render
_TAIL_S = 0.4  # of stillness after the last word


@dataclass(frozen=True)
class Role:
    """Who speaks with which face of the photo, from 1 on the left, and, of a script, with which voice of which engine."""

    face: int
    voice: str = ""
    engine: str | None = None


def seconds_of(path: str | Path) -> float:
    """How long a recording is, s. Raises InputError."""
    return len(open_speech(path).sound) / SAMPLE_RATE


def speak_lines(lines: Sequence[Line], roles: Mapping[str, Role], folder: Path, where: str | Path, *, rate: int = DEFAULT_RATE,
                emotion: str = "auto") -> tuple[list[Part], list[Word] | None]:
    """A `Part` for each line, spoken, and the words of all of them on the clock of the scene; None when an engine tells none.

    Parameters
    ----------
    where : the lines stand, for messages
    rate : words a minute

    Raises
    ------
    InputError : a text or a voice that cannot be spoken.
    """
    parts, said = [], []
    for i, line in enumerate(lines, 1):
        path, role = folder / "lines" / f"{i:03d}_{fitting(line.name)}.wav", roles[line.name]
        text = check_text(line.text, role.voice, where)
        said.append(write_speech(text, path, where=where, voice=role.voice, engine=role.engine, rate=rate, emotion=emotion))
        parts.append(Part(line.name, path, seconds_of(path)))
    parts = in_turn(parts)
    timed = [(part.start_s, word) for part, words in zip(parts, said) for word in words or ()]
    return parts, None if None in said else [replace(word, start_s=word.start_s + start_s, end_s=word.end_s + start_s)
                                             for start_s, word in timed]


def make_conversation(photo: str | Path, roles: Mapping[str, Role], parts: Sequence[Part], words: Sequence[Word] | None,
                      out: Target, folder: Path, options: RenderOptions, *, emotion: str = "auto", device: str = "cpu",
                      check: Callable[[str | Path, str], FaceCheck] = check_photo, n_stages: int = N_STAGES) -> Target:
    """Write the video of people who say `parts`; return its path.

    Parameters
    ----------
    photo : a picture of all of them
    roles : of the people, by their names
    words : what is said, on the clock of the scene; None where nobody knows
    folder : of the files in between
    emotion : on the faces, see `predict_file`
    device : cpu or cuda, where the photo renderer's networks run
    check : finds a face of the photo
    n_stages : that the caller counts: this begins the third and the fourth

    Raises
    ------
    InputError : captions without words, a photo without these faces, options that a scene cannot have.
    """
    if options.captions != "none" and words is None:
        raise InputError("--captions", f"{options.captions}, without words", "a script", "--captions none")
    seconds = max(part.end_s for part in parts) + _TAIL_S
    speech = open_speech(write_track(parts, folder / "speech.wav", seconds, stage=STAGE))
    words_file = None if words is None else write_words(list(words), folder, stage=STAGE, inputs=[speech.path])[0]
    begin("landmarks", 3, n_stages)
    people = []
    for i, (name, role) in enumerate(roles.items()):
        own = write_track([part for part in parts if part.person == name], folder / name / "speech.wav", seconds, stage=STAGE)
        landmarks = predict_file(own, folder / name, emotion=emotion, seed=options.seed + i, style=options.style)
        found = check(photo, str(role.face))
        write_check(found, folder / name)
        people.append(Person(name, found.photo, landmarks))
    begin("render", 4, n_stages)
    return write_scene(people, out, options, speech, words=words_file, device=device)
