"""The page: a photo, a text or a recording, some controls; then the video and every file in between.

Reads: uploads. Writes: what `web.job` writes. Nothing on the page comes from another server.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InputError
from core.media.provenance import CONSENT
from web import controls
from web.guard import NAMES, Guard
from web.job import State, states
from web.limits import MOST_CHARS, MOST_MB, MOST_SPEECH_S, plain_message
from web.status import WAITING, status
from web.uploads import KEPT_S, Uploads
from web.waiting import MOST_WAITING, Waiting

CHECKED_EVERY_S = 600
PHOTO_PX = 320
_THEME = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"], primary_hue="teal",
                        neutral_hue="slate").set(block_info_text_color="*neutral_500", input_placeholder_color="*neutral_500")
LOOKS = {"theme": _THEME, "css_paths": Path(__file__).with_name("page.css")}
_PICTURES = ("photo_check.png", "landmarks.gif", "speech.wav.png", "emotion.png")
_TEXT, _RECORDING = "A text", "A recording"
_ABOUT = f"""# Talking face
A photo and a voice become a video. At most {MOST_CHARS} characters or {MOST_SPEECH_S} seconds, {MOST_MB} MB a file; everything
stays on this machine and is removed after an hour. {CONSENT} Each video says of itself that it is synthetic."""


OPEN_PATHS = (  # what the page asks its server for; the rest of Gradio's is shut
    "/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/assets/*", "/static/*", "/svelte/*",
    "/pwa_icon*", *(f"/gradio_api/{path}" for path in (
        "queue/join", "queue/data", "upload", "upload_progress", "cancel", "reset", "heartbeat/*", "startup-events", "app_id",
        "info", "file=*")))


def _as_uploaded(payload):
    """The file as it came, unread: what is wrong with it is said by our own checks. `web.uploads` knows whose it is."""
    return payload and payload.path


def _unchecked(value):
    """A value, unchecked by Gradio: `controls.to_options` says in one line what is wrong with it."""
    return value


def file_inputs(blocks: gr.Blocks) -> dict:
    """{number of an event: positions of its inputs that are files}."""
    return {number: tuple(i for i, block in enumerate(fn.inputs) if isinstance(block, (gr.Image, gr.Audio)))
            for number, fn in blocks.fns.items()}


def site(folder: str | Path, names: tuple = NAMES) -> Guard:
    """The page as an ASGI app, within its guards: against strange hosts and pages, files of others, a full queue.

    `folder` is the one that uploads and results are in.
    """
    from fastapi import FastAPI
    blocks = page()
    shut: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    app = gr.mount_gradio_app(FastAPI(**shut), blocks, "/", app_kwargs=shut, max_file_size=f"{MOST_MB}mb", footer_links=[],
                              run_history=False, enable_monitoring=False, ssr_mode=False, show_error=False, **LOOKS)
    uploads = Uploads(Waiting(app, blocks), folder, file_inputs(blocks))
    return Guard(uploads, names, OPEN_PATHS, (uploads.allow, uploads.count))


def _output_values(state):
    """What changes on the page: values of the outputs of `_results`, in their order."""
    if not (state.video or state.error):
        return [status(state), *[gr.skip()] * 7]
    video = str(state.video) if state.video else None
    if not state.files:
        return [status(state), video, *[gr.skip()] * 6]
    pictures = (state.pictures.get(name) for name in _PICTURES)
    return [status(state), video, *(str(path) if path else None for path in pictures), state.transcript,
            [str(path) for path in state.files]]


def _picture(label, name):
    """A picture to look at and to take away; Gradio's own button would share it with another server."""
    return gr.Image(label=label, interactive=False, elem_id=name, buttons=["download", "fullscreen"])


def _results():
    """The right half of the page: the outputs."""
    progress = gr.HTML(WAITING, elem_id="status")
    video = gr.Video(label="Video", interactive=False, elem_id="video", buttons=["download"])
    with gr.Tabs():
        with gr.Tab("Voice"):
            words = gr.Textbox(label="What is said", interactive=False, lines=3, elem_id="words")
            sound = _picture("speech.wav and its spectrum", "sound")
            emotion = _picture("emotion.png: what the voice says", "emotion")
        with gr.Tab("Face"):
            landmarks = _picture("landmarks.gif", "landmarks")
            check = _picture("photo_check.png", "check")
        with gr.Tab("Files"):
            files = gr.Files(label="everything.zip holds a page, index.html, that shows them all", interactive=False,
                             elem_id="files")
    return [progress, video, check, landmarks, sound, emotion, words, files]


def page() -> gr.Blocks:
    """The page, a `gradio.Blocks`, not yet served."""
    with gr.Blocks(title="Talking face", analytics_enabled=False, delete_cache=(CHECKED_EVERY_S, KEPT_S)) as blocks:
        gr.Markdown(_ABOUT, elem_id="about")
        with gr.Row():
            with gr.Column(elem_id="given"):
                photo = gr.Image(label="Photo", sources=["upload", "webcam"], type="filepath", image_mode=None,
                                 height=PHOTO_PX, elem_id="photo")
                source = gr.Radio([_TEXT, _RECORDING], value=_TEXT, label="Speech", elem_id="source")
                with gr.Group() as with_text:
                    text = gr.Textbox(label="Text", lines=4, max_length=MOST_CHARS, elem_id="text",
                                      placeholder="Good morning. Your payment of INR 5,053 is due on 12 May.")
                    spoken = controls.text_controls()
                with gr.Group(visible=False) as with_recording:
                    speech = gr.Audio(label="Recording", sources=["upload", "microphone"], type="filepath", elem_id="speech")
                    recorded = controls.recording_controls()
                with gr.Accordion("More", open=False):
                    shown = controls.video_controls()
                with gr.Row():
                    start = gr.Button("Make the video", variant="primary", elem_id="start", scale=3, min_width=120)
                    stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=60)
            with gr.Column(elem_id="made"):
                outputs = _results()
        for upload in (photo, speech):
            upload.preprocess = _as_uploaded
        for control in (text, source, *spoken.values(), *recorded.values(), *shown.values()):
            control.preprocess = _unchecked
        names = [*spoken, *recorded, *shown]

        def make(photo, source, text, speech, *values):
            given = {"text": text} if source == _TEXT else {"speech": speech}
            left_out = recorded if source == _TEXT else spoken
            try:
                options = controls.to_options({name: value for name, value in zip(names, values) if name not in left_out})
            except InputError as error:
                yield _output_values(State(error=plain_message(error)))
                return
            for state in states(photo, **given, **options):
                yield _output_values(state)

        source.change(lambda chosen: (gr.Group(visible=chosen == _TEXT), gr.Group(visible=chosen == _RECORDING)), source,
                      [with_text, with_recording], show_progress="hidden", api_visibility="private")
        run = start.click(make, [photo, source, text, speech, *spoken.values(), *recorded.values(), *shown.values()], outputs,
                          concurrency_limit=1, show_progress="minimal", show_progress_on=outputs[0], api_visibility="private")
        stop.click(lambda: WAITING, None, outputs[0], cancels=run, show_progress="hidden", api_visibility="private")
    return blocks.queue(max_size=MOST_WAITING)
