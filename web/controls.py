"""The controls of the page: each is one keyword of `Animator.animate`, and how it is chosen. One line, one control.

Reads, writes: nothing.
"""

import gradio as gr

from core.captions import WAYS
from core.video import CRF
from landmarks.expression import EMOTIONS
from preprocess.espeak import FASTEST, SLOWEST, voices
from preprocess.speech_engines import DEFAULT_RATE, DEFAULT_VOICE
from render.avatar import AVATARS

SIZES = (("as the photo", ""), ("256 px", 256), ("512 px", 512), ("768 px", 768), ("1080 px", 1080))


def text_controls() -> dict:
    """Of a text that is read aloud."""
    return {
        "voice": gr.Dropdown(voices(), value=DEFAULT_VOICE, label="Voice", info="en-in is Indian English"),
        "rate": gr.Slider(SLOWEST, FASTEST, DEFAULT_RATE, step=5, label="Words a minute"),
    }


def recording_controls() -> dict:
    """Of a recording."""
    return {
        "transcriber": gr.Radio([("recognise the words", "sphinx"), ("do not", "none")], value="sphinx", label="Transcript"),
    }


def video_controls() -> dict:
    """Of every video."""
    return {
        "emotion": gr.Dropdown(["auto", *EMOTIONS], value="auto", label="Emotion", info="auto is what the voice says"),
        "expression_scale": gr.Slider(0, 2, 1, step=0.1, label="Expression", info="bolder above 1, subtler below"),
        "avatar": gr.Radio([("none", AVATARS[0]), ("comic", AVATARS[1])], value=AVATARS[0], label="Avatar",
                           info="a comic speaks in place of the photo; no real face is left in the files"),
        "seed": gr.Number(0, minimum=0, maximum=9999, precision=0, label="Seed", info="another motion of head and brows"),
        "preprocess": gr.Radio([("whole photo", "full"), ("face alone", "crop")], value="full", label="Picture"),
        "size_px": gr.Radio(SIZES, value=SIZES[0][1], label="Longer side"),
        "quality": gr.Radio(list(CRF), value="medium", label="Quality"),
        "captions": gr.Radio([("none", WAYS[0]), ("drawn", WAYS[1]), ("a track", WAYS[2])], value=WAYS[0], label="Captions"),
        "which": gr.Textbox("", max_length=20, label="Face", placeholder="largest", info="or its number from the left"),
        "still": gr.Checkbox(False, label="Hold the head still"),
    }


def chosen(values: dict) -> dict:
    """The options of a video, those that were left empty not among them."""
    return {name: value for name, value in values.items() if value not in ("", None)}
