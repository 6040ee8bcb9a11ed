"""The right half of the page: how far the video is, and, once there is one, the video and every file in between.

Reads: what `web.job` made, while it is there. Writes: copies in Gradio's folder, which go after an hour.
"""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from web.job import State
from web.status import WAITING, status

MOST_KEPT = 12  # videos of a visitor that are listed
_PICTURES = {"check": ("photo_check.png", "The face that was found"), "landmarks": ("landmarks.gif", "Its landmarks, moving"),
             "sound": ("speech.wav.png", "Sound and spectrum"), "emotion": ("emotion.png", "Emotion of the voice")}


def _picture(name):
    """A picture to look at and to take away; Gradio's own button would share it with another server."""
    return gr.Image(label=_PICTURES[name][1], interactive=False, elem_id=name, buttons=["download", "fullscreen"])


@dataclass
class Results:
    """The outputs; `made` and `drawn` are the groups that appear with the video, and with the files in between."""

    progress: gr.HTML = field(default_factory=lambda: gr.HTML(WAITING, elem_id="status"))

    def __post_init__(self):
        with gr.Column(visible=False, elem_id="result") as self.made:
            self.video = gr.Video(label="Video", interactive=False, elem_id="video", buttons=[])
            with gr.Row():
                self.take = gr.DownloadButton("Download the video", elem_id="take", min_width=120)
                self.zip = gr.DownloadButton("Everything, as a .zip", elem_id="zip", min_width=120, visible=False)
            with gr.Column(visible=False) as self.drawn:
                with gr.Tabs():
                    with gr.Tab("Voice"):
                        self.words = gr.Textbox(label="What is said", interactive=False, lines=2, elem_id="words")
                        sound, emotion = _picture("sound"), _picture("emotion")
                    with gr.Tab("Face"):
                        landmarks, check = _picture("landmarks"), _picture("check")
                self.pictures = {"check": check, "landmarks": landmarks, "sound": sound, "emotion": emotion}
                with gr.Accordion("Every file", open=False, elem_id="every-file"):
                    self.files = gr.Files(label="Files", show_label=False, interactive=False, elem_id="files")
        self.kept = gr.State()  # None, or a list: what the browser is told of it is nothing

    def add_earlier(self):
        """Add the gallery of a visitor's earlier videos."""
        self.earlier = gr.Gallery(label="Your earlier videos, kept for an hour", visible=False, interactive=False, columns=3,
                                  object_fit="cover", height="auto", buttons=[], elem_id="earlier")

    def outputs(self) -> list:
        """All components that `values` may change."""
        return [self.progress, self.made, self.video, self.take, self.zip, self.drawn, *self.pictures.values(), self.words,
                self.files, self.kept, self.earlier]

    def begun(self, kept: list | None) -> dict:
        """What the page shows when a new video begins: what was made before moves to the gallery."""
        return {self.made: gr.Column(visible=False), self.earlier: gr.Gallery(kept or None, visible=bool(kept))}

    def values(self, state: State, kept: list | None, text: str = "") -> dict:
        """What changes on the page with a `State`: {component: value}.

        Parameters
        ----------
        kept : (path, caption) of the videos that this visitor made before
        text : what the new one says, in a few words
        """
        values: dict[Any, Any] = {self.progress: status(state)}
        if state.video and not state.error:
            path = save_file_to_cache(state.video, self.video.GRADIO_CACHE)
            values |= {self.video: path, self.take: gr.DownloadButton(value=path), self.made: gr.Column(visible=True),
                       self.zip: gr.DownloadButton(visible=False), self.drawn: gr.Column(visible=False)}
        if state.files:
            everything, *files = [str(path) for path in state.files]
            for name, component in self.pictures.items():
                path = state.pictures.get(_PICTURES[name][0])
                values[component] = gr.update(value=path and str(path), visible=bool(path))
            values |= {self.words: state.transcript, self.files: files, self.drawn: gr.Column(visible=True),
                       self.zip: gr.DownloadButton(value=everything, visible=True),
                       self.kept: [(values[self.video], state.transcript or text), *(kept or ())][:MOST_KEPT]}
        return values
