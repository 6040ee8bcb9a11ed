"""Hear a voice before a video is made with it: the beginning of the text, or a greeting.

Reads: the text on the page. Writes: a sound in Gradio's folder.
"""

from typing import Any

import gradio as gr
import numpy as np

from core.errors import InputError
from speech.engines import speak
from speech.speakable import check_text
from web import controls
from web.limits import plain_message

GREETING = "Good morning. This is how I sound."
MOST_CHARS = 120


def beginning(text: str, most: int = MOST_CHARS) -> str:
    """The first words of a text, at most `most` characters of it; a greeting when there are none."""
    text = " ".join(text[:10 * most].split())
    return (text if len(text) <= most else text[:most].rpartition(" ")[0] or text[:most]) or GREETING


def say_beginning(text: Any, voice: Any, rate: Any) -> tuple:
    """The beginning of `text`, spoken: rate in Hz, int16 [sample]. Raises InputError, for values no control has too."""
    given = controls.to_options({"voice": voice, "rate": rate})
    said = check_text(beginning(text if isinstance(text, str) else ""), given["voice"], "the text")
    spoken = speak(said, given["voice"], given["rate"], engine=given["engine"])
    return spoken.rate, (32767 * np.clip(spoken.sound, -1, 1)).astype(np.int16)


def button() -> gr.Button:
    """The button that asks for it."""
    return gr.Button("Hear it", elem_id="hear", scale=1, min_width=90)


def player() -> gr.Audio:
    """What plays it; it appears with the first sound."""
    return gr.Audio(label="The voice", visible=False, interactive=False, autoplay=True, buttons=[], elem_id="sample")


def hear(asked: gr.Button, sample: gr.Audio, text: gr.Textbox, voice: gr.Dropdown, rate: gr.Slider) -> None:
    """Play the beginning of `text` in `sample` when the button is pressed."""
    def hear_voice(text, voice, rate):
        try:
            return gr.Audio(say_beginning(text, voice, rate), visible=True)
        except InputError as error:
            raise gr.Error(plain_message(error), print_exception=False) from None

    asked.click(hear_voice, [text, voice, rate], sample, show_progress="minimal", api_visibility="private")
