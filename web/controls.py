"""The controls of the page: each is a keyword of `Animator.animate` or `dub`, or a field of its `options`.

Reads, writes: nothing.
"""

import functools
from dataclasses import fields
from typing import Any

import gradio as gr

from core.errors import InputError
from core.media.captions import WAYS
from core.media.formats import QUALITIES
from core.media.marks.watermark import MOST_CHARS
from landmarks.emphasis.style import DEFAULT, STYLES
from landmarks.expression import EMOTIONS
from render.avatar import AVATARS
from render.dub.options import LOOPS, TAILS
from render.life.gaze import GAZES
from render.options import DEFAULTS, RenderOptions
from render.photo import FRAMINGS
from speech.engines import DEFAULT_RATE, DEFAULT_VOICE
from speech.espeak import FASTEST, SLOWEST
from speech.voices.table import listed_voices
from speech.whisper import is_installed

MOST_SEED, MOST_FACE_CHARS = 9999, 20
_SOUNDS = {"espeak": "like a machine"}
SIZES = (("as the photo", ""), ("256 px", 256), ("512 px", 512), ("768 px", 768), ("1080 px", 1080))


def _transcribers() -> dict:
    """Name of each that recognises words on this machine -> its label; the best first."""
    return {**({"whisper": "Whisper"} if is_installed() else {}), "sphinx": "PocketSphinx", "none": "none"}


@functools.cache
def _voices() -> dict:
    """ENGINE:VOICE of each voice on this machine -> its label: language, name, sex, a warning; the best first."""
    labels = {}
    for row in listed_voices():
        notes = ", ".join(filter(None, (row.sex, _SOUNDS.get(row.engine))))
        labels[f"{row.engine}:{row.voice}"] = f"{row.language} {row.name} ({notes})"
    return labels


def default_voice() -> str:
    """ENGINE:VOICE of the voice that speaks when none is chosen."""
    return next(voice for voice in _voices() if voice.partition(":")[2].partition("+")[0] == DEFAULT_VOICE)


def voice_choices() -> list:
    """The voices to choose from: (what the page says, ENGINE:VOICE)."""
    return [(label, voice) for voice, label in _voices().items()]


PHOTO, VIDEO = "A photo", "A video"  # what speaks
WRITTEN, RECORDED, DIALOGUE = "A text", "A recording", "A dialogue"  # what is said
MODES = ((PHOTO, WRITTEN), (PHOTO, RECORDED), (PHOTO, DIALOGUE), (VIDEO, WRITTEN), (VIDEO, RECORDED))
_ONLY = {  # control -> what speaks and what is said where it has a meaning; all others have one everywhere
    "voice": {WRITTEN}, "rate": {WRITTEN, DIALOGUE}, "transcriber": {RECORDED}, "force_captions": {RECORDED}, "gaze": {PHOTO},
    "avatar": {PHOTO, WRITTEN, RECORDED}, "preprocess": {PHOTO, WRITTEN, RECORDED}, "size_px": {PHOTO}, "still": {PHOTO},
    "which": {WRITTEN, RECORDED}, "loop": {VIDEO}, "tail": {VIDEO},
}


def has_meaning(name: str, picture: str, source: str) -> bool:
    """True when a control says something of what speaks, PHOTO or VIDEO, and what is said, WRITTEN, RECORDED or DIALOGUE."""
    allowed = _ONLY.get(name, {picture, source})
    pictures, sources = allowed & {PHOTO, VIDEO}, allowed - {PHOTO, VIDEO}
    return (not pictures or picture in pictures) and (not sources or source in sources)


def voice_control() -> dict:
    """Of a text that is read aloud."""
    return {"voice": gr.Dropdown(voice_choices(), value=default_voice(), label="Voice", elem_id="voice", min_width=160,
                                 scale=3)}


def other_controls() -> dict:
    """All others, of which those are shown that have a meaning."""
    return {
        "emotion": gr.Dropdown(["auto", *EMOTIONS], value="auto", label="Emotion", info="auto is what the voice says"),
        "style": gr.Radio(list(STYLES), value=DEFAULT, label="Style", info="how far the face moves"),
        "gaze": gr.Radio(list(GAZES), value=DEFAULTS.gaze, label="Gaze", info="still is as in the photo"),
        "rate": gr.Slider(SLOWEST, FASTEST, DEFAULT_RATE, step=5, label="Words a minute", buttons=[]),
        "avatar": gr.Radio([("none", AVATARS[0]), ("comic", AVATARS[1])], value=DEFAULTS.avatar, label="Avatar",
                           info="a comic speaks in place of the photo; no real face is left in the files"),
        "captions": gr.Radio([("none", WAYS[0]), ("drawn", WAYS[1]), ("a track", WAYS[2])], value=DEFAULTS.captions,
                             label="Captions"),
        "watermark": gr.Textbox("", max_length=MOST_CHARS, label="Mark", placeholder="none",
                                info="a text in every frame, such as: synthetic"),
        "transcriber": gr.Radio([(label, name) for name, label in _transcribers().items()], value=next(iter(_transcribers())),
                                label="Transcript", info="Whisper understands clear English", visible=False),
        "force_captions": gr.Checkbox(False, label="Captions even of words that are unsure", visible=False),
        "size_px": gr.Radio(SIZES, value=SIZES[0][1], label="Longer side"),
        "preprocess": gr.Radio([("whole photo", "full"), ("face alone", "crop")], value=DEFAULTS.preprocess, label="Picture"),
        "quality": gr.Radio(list(QUALITIES), value=DEFAULTS.quality, label="Quality"),
        "expression_scale": gr.Slider(0, 2, DEFAULTS.expression_scale, step=0.1, label="Expression",
                                      info="bolder above 1, subtler below", buttons=[]),
        "which": gr.Textbox("", max_length=MOST_FACE_CHARS, label="Face", placeholder="largest",
                            info="or its number from the left"),
        "loop": gr.Radio([("back and forth", LOOPS[0]), ("hold its last frame", LOOPS[1]), ("cut the sound", LOOPS[2])],
                         value=LOOPS[0], label="A video shorter than its speech", visible=False),
        "tail": gr.Radio([("is cut", TAILS[0]), ("is kept", TAILS[1])], value=TAILS[0], label="A longer one", visible=False),
        "seed": gr.Number(DEFAULTS.seed, minimum=0, maximum=MOST_SEED, precision=0, label="Seed",
                          info="another motion of head and brows"),
        "still": gr.Checkbox(DEFAULTS.still, label="Hold the head still"),
    }


def to_options(values: dict) -> dict:
    """Keywords of `Animator.animate` or `dub`: fields of `RenderOptions` in its `options`; what was left empty is left out.

    Raises
    ------
    InputError : a value that its control cannot have; a request need not come from the page.
    """
    for name, value in values.items():
        if value not in ("", None) and not _FITS[name](value):
            raise InputError(name, f"{str(value)[:40]!r}", "what the page offers")
    given = {name: int(value) if name in _WHOLE else value for name, value in values.items() if value not in ("", None)}
    if "voice" in given:
        given["engine"], _, given["voice"] = str(given["voice"]).partition(":")
    shown: dict[str, Any] = {field.name: given.pop(field.name) for field in fields(RenderOptions) if field.name in given}
    return {**given, "options": RenderOptions(**shown)}


def _between(least, most):
    return lambda value: type(value) in (int, float) and least <= value <= most  # NaN is not


def _one_of(choices):
    return lambda value: isinstance(value, (str, int)) and value in choices


_WHOLE = ("rate", "seed")  # numbers
_FITS = {
    "voice": lambda value: isinstance(value, str) and value in _voices(), "rate": _between(SLOWEST, FASTEST),
    "transcriber": lambda value: isinstance(value, str) and value in _transcribers(),
    "force_captions": lambda value: isinstance(value, bool), "emotion": _one_of(("auto", *EMOTIONS)),
    "style": _one_of(STYLES), "gaze": _one_of(GAZES),
    "expression_scale": _between(0, 2), "avatar": _one_of(AVATARS), "seed": _between(0, MOST_SEED),
    "preprocess": _one_of(FRAMINGS), "size_px": _one_of([px for _, px in SIZES]), "quality": _one_of(QUALITIES),
    "captions": _one_of(WAYS), "loop": _one_of(LOOPS), "tail": _one_of(TAILS),
    "which": lambda value: isinstance(value, str) and len(value) <= MOST_FACE_CHARS,
    "still": lambda value: isinstance(value, bool),
    "watermark": lambda value: isinstance(value, str) and len(value) <= MOST_CHARS,
}  # what each control may be
