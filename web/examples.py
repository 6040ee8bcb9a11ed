"""Examples to click: each fills in the page's left half. The portrait is a photo by NASA, the voice a synthesiser's.

Reads: the portrait in scikit-image, data/samples/, the pictures of the buttons beside this file.
Writes: copies in Gradio's folder.
"""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from core import paths
from core.face.sample import write_photo
from render.avatar import AVATARS
from web.controls import DIALOGUE, PHOTO, RECORDED, WRITTEN

_HERE = Path(__file__).parent
NO_AVATAR, COMIC = AVATARS[:2]
_REMINDER = paths.SAMPLE_SPEECH.with_name("reminder.txt")
_TALK = paths.SAMPLE_SPEECH.with_name("dialogue.txt")


@dataclass(frozen=True)
class Example:
    """What a button says and shows, and what it fills in: the portrait, or a pair of it, and this."""

    label: str
    icon: Path
    source: str = WRITTEN
    text: str = ""
    recording: Path | None = None
    avatar: str = NO_AVATAR


def examples() -> tuple:
    """The examples, in the order of their buttons."""
    paragraphs = _REMINDER.read_text(encoding="utf-8").split("\n\n")
    return (Example("Text", _HERE / "portrait.jpg", text="\n\n".join(paragraphs[:2])),
            Example("Recording", _HERE / "portrait.jpg", RECORDED, recording=paths.SAMPLE_SPEECH),
            Example("Comic", _HERE / "comic.jpg", text=paragraphs[-1].strip(), avatar=COMIC),
            Example("Dialogue", _HERE / "pair.jpg", DIALOGUE, text=_TALK.read_text(encoding="utf-8").strip()))


class Filling:
    """Puts an example into Gradio's folder, `cache`, and knows the paths there: they are everybody's."""

    def __init__(self, cache: str | Path):
        self.cache = str(cache)
        self.photo = write_photo(Path(self.cache) / "examples" / "portrait.png")
        self.pair = write_photo(Path(self.cache) / "examples" / "pair.png", pair=True)

    def shared(self) -> set:
        """Paths that every visitor may name as if they had uploaded them."""
        return {path for example in examples() for path in self._files(example) if path}

    def _files(self, example):
        photo = self.pair if example.source == DIALOGUE else self.photo
        return tuple(path and save_file_to_cache(path, self.cache) for path in (photo, example.recording))

    def values(self, example: Example) -> list:
        """Values of what speaks, the number of faces, the photo, what is said, the text, the recording, and the avatar."""
        photo, recording = self._files(example)
        faces = 2 if example.source == DIALOGUE else 1
        return [PHOTO, faces, photo, example.source, example.text, recording, example.avatar]


def buttons() -> list:
    """A row of buttons, one an example: (example, button)."""
    with gr.Row(elem_id="examples"):
        gr.HTML("<p>Examples</p>", elem_id="examples-label")
        return [(example, gr.Button(example.label, icon=str(example.icon), size="sm", min_width=80, elem_classes="example"))
                for example in examples()]
