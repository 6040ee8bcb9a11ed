"""The left half of the page: what speaks, what is said, and how.

Reads: uploads. Writes: nothing.
"""

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from web import cast, controls, voice_sample
from web.controls import DIALOGUE, MODES, PHOTO, RECORDED, VIDEO, WRITTEN
from web.limits import MOST_CHARS, MOST_MB, MOST_SPEECH_S, MOST_VIDEO_S

PICTURE_PX = 170
IN_BROWSER: dict[str, Any] = {"fn": None, "show_progress": "hidden", "api_visibility": "private"}
_SAYS = {WRITTEN: {"label": f"Text, at most {MOST_CHARS} characters", "lines": 2,
                   "placeholder": "Good morning. Your payment of INR 5,053 is due on 12 May."},
         DIALOGUE: {"label": "Each line begins with a name", "lines": 4,
                    "placeholder": "Anna: Good morning, Ben.\nBen: Good morning, Anna. Did you see the moon?"}}
ONE_SPEAKS = [WRITTEN, RECORDED]  # what one can say


def _as_uploaded(payload):
    """The file as it came, unread: what is wrong with it is said by our own checks. `web.uploads` knows whose it is."""
    return payload and payload.path


def _unchecked(value):
    """A value, unchecked by Gradio: `controls.to_options` says in one line what is wrong with it."""
    return value


@dataclass
class Given:
    """The components: inputs of the event that makes a video."""

    picture: gr.Radio
    faces: gr.Number  # how many the photo has; no input
    photo: gr.Image
    video: gr.Video
    source: gr.Radio
    text: gr.Textbox
    speech: gr.Audio
    people: cast.Cast
    controls: dict  # by the names that `controls.to_options` knows

    def inputs(self) -> list:
        """All of them, in the order of `web.page.asked`."""
        return [self.picture, self.photo, self.video, self.source, self.text, self.speech, *self.people.names,
                *self.people.voices, *self.controls.values()]


def _seen(picture, source, groups, names) -> list:
    """What the browser changes for what speaks and what is said: an update for each of `groups`, then of `names`, as JSON."""
    shown = {"photo": picture == PHOTO, "video": picture == VIDEO, "speech": source == RECORDED, "cast": source == DIALOGUE,
             "hear": source == WRITTEN}
    text = gr.update(visible=source != RECORDED, **_SAYS.get(source, {}))
    return [text, *(gr.update(visible=shown[name]) for name in groups),
            *(gr.update(visible=controls.has_meaning(name, picture, source)) for name in names)]


def _switch(groups, names) -> str:
    """The function of the browser that shows what has a meaning: only several faces of one photo have a dialogue."""
    table = {picture: {source: _seen(picture, source, groups, names) for of, source in MODES if of == picture}
             for picture in (PHOTO, VIDEO)}
    one, all_ = ([[each, each] for each in sources] for sources in (ONE_SPEAKS, (*ONE_SPEAKS, DIALOGUE)))
    return f"""(picture, source, faces) => {{
        const several = picture === "{PHOTO}" && faces > 1;
        const said = several || source !== "{DIALOGUE}" ? source : "{WRITTEN}";
        const choice = {{__type__: "update", value: said, choices: several ? {json.dumps(all_)} : {json.dumps(one)},
            info: several ? `${{faces}} faces: one can speak, or all of them, in a dialogue` : null}};
        return [choice, ...{json.dumps(table)}[picture][said]];
    }}"""


def _look(photo, people) -> list:
    """What a new photo changes: how many faces it has, and their rows."""
    faces = cast.faces_in(photo)
    return [len(faces), *people.values(faces if len(faces) > 1 else ())]


def _pictures():
    picture = gr.Radio([PHOTO, VIDEO], value=PHOTO, label="What speaks", elem_id="picture", elem_classes="choice")
    with gr.Column(elem_classes="upload") as of_photo:
        photo = gr.Image(label="Photo", sources=["upload", "webcam"], type="filepath", image_mode=None, height=PICTURE_PX,
                         buttons=[], elem_id="photo")
    with gr.Column(elem_classes="upload", visible=False) as of_video:
        video = gr.Video(label=f"Video, at most {MOST_VIDEO_S} seconds and {MOST_MB} MB", sources=["upload"],
                         height=PICTURE_PX, buttons=[], elem_id="clip")
    return picture, photo, video, {"photo": of_photo, "video": of_video}


def add() -> Given:
    """Add the left half; which of it is seen, the browser decides."""
    picture, photo, video, groups = _pictures()
    faces = gr.Number(0, visible=False)
    source = gr.Radio(ONE_SPEAKS, value=WRITTEN, label="What is said", elem_id="source", elem_classes="choice")
    text = gr.Textbox(max_lines=8, max_length=MOST_CHARS, elem_id="text", **_SAYS[WRITTEN])
    with gr.Row(elem_id="voices") as groups["hear"]:
        of_text = controls.voice_control()
        hear = voice_sample.button()
    sample = voice_sample.player()
    with gr.Column(visible=False, elem_id="cast") as groups["cast"]:
        people = cast.add()
    with gr.Column(visible=False, elem_classes="upload") as groups["speech"]:
        speech = gr.Audio(label=f"Recording, at most {MOST_SPEECH_S} seconds and {MOST_MB} MB", type="filepath",
                          sources=["upload", "microphone"], buttons=[], elem_id="speech")
    with gr.Accordion("More: emotion, style, comic, captions, size", open=False, elem_id="more"):
        others = controls.other_controls()
    voice_sample.hear(hear, sample, text, of_text["voice"], others["rate"])
    given = Given(picture, faces, photo, video, source, text, speech, people, {**of_text, **others})
    for upload in (photo, video, speech):
        upload.preprocess = _as_uploaded
    for control in given.inputs():
        if control not in (photo, video, speech):
            control.preprocess = _unchecked
    switch: dict[str, Any] = {**IN_BROWSER, "inputs": [picture, source, faces], "js": _switch(groups, others),
                              "outputs": [source, text, *groups.values(), *others.values()]}
    gr.on([picture.change, source.change], **switch)
    looked = photo.change(lambda photo: _look(photo, people), photo, [faces, *people.outputs()], show_progress="hidden",
                          api_visibility="private", trigger_mode="always_last")
    looked.then(**switch)
    return given
