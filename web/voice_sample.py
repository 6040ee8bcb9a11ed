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


def add(text: gr.Textbox, voice: gr.Dropdown, rate: gr.Slider) -> None:
    """Add a button, and the sound that appears when it is pressed."""
    hear = gr.Button("Hear the voice", size="sm", elem_id="hear")
    sample = gr.Audio(label="The voice", visible=False, interactive=False, autoplay=True, buttons=[], elem_id="sample")

    def hear_voice(text, voice, rate):
        try:
            return gr.Audio(say_beginning(text, voice, rate), visible=True)
        except InputError as error:
            raise gr.Error(plain_message(error), print_exception=False) from None

    hear.click(hear_voice, [text, voice, rate], sample, show_progress="minimal", api_visibility="private")
