"""The page: a photo, a text or a recording, some controls; then the video and every file in between.

Reads: uploads, examples. Writes: what `web.job` writes. Nothing on the page comes from another server.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InputError
from core.media.provenance import CONSENT
from web import api, controls, voice_sample
from web.examples import RECORDED, WRITTEN, Filling, buttons
from web.guard import NAMES, Guard
from web.job import State, states
from web.limits import MOST_CHARS, MOST_MB, MOST_SPEECH_S, plain_message
from web.looks import LOOKS
from web.results import Results
from web.serve import LIVE_PORT, door
from web.status import WAITING
from web.uploads import KEPT_S, Uploads
from web.waiting import MOST_WAITING, QUEUE, Waiting

CHECKED_EVERY_S = 600
PHOTO_PX = 220
_ABOUT = f"""<h1>Talking face</h1>
<p>A photo and a voice become a video. Everything stays on this machine and is removed after an hour. {CONSENT} Each video
says of itself that it is synthetic.</p>"""
_FOOT = """<p>Live, with your microphone: <a href="live">a face that speaks while you do</a>. From a program: docs/api.md says
how.</p>"""
OPEN_PATHS = (  # what the page asks its server for, and the API; the rest of Gradio's is shut
    "/", "/live", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/assets/*", "/static/*",
    "/svelte/*", "/pwa_icon*", *(f"/gradio_api/{path}" for path in (
        "queue/join", "queue/data", "upload", "upload_progress", "cancel", "reset", "heartbeat/*", "startup-events", "app_id",
        "info", "file=*")), api.PATH, f"{api.PATH}/*")
_SHOW, _HIDE = (json.dumps(gr.update(visible=shown)) for shown in (True, False))
_ENABLE, _DISABLE = (json.dumps(gr.update(interactive=able)) for able in (True, False))
_BEGIN, _END = f"() => {{ toResult(); return [{_DISABLE}, {_SHOW}]; }}", f"() => {{ atEnd(); return [{_ENABLE}, {_HIDE}]; }}"
_CHOOSE = f"(chosen) => chosen === '{WRITTEN}' ? [{_SHOW}, {_HIDE}] : [{_HIDE}, {_SHOW}]"
_IN_BROWSER: dict[str, Any] = {"fn": None, "show_progress": "hidden", "api_visibility": "private"}


def _as_uploaded(payload):
    """The file as it came, unread: what is wrong with it is said by our own checks. `web.uploads` knows whose it is."""
    return payload and payload.path


def _unchecked(value):
    """A value, unchecked by Gradio: `controls.to_options` says in one line what is wrong with it."""
    return value


def file_inputs(blocks: gr.Blocks) -> dict:
    """{number of an event: positions of its inputs that are files; path of the API: their names}."""
    positions = {number: api.FILES_AT if fn.api_name == api.NAME else
                 tuple(i for i, block in enumerate(fn.inputs) if isinstance(block, (gr.Image, gr.Audio)))
                 for number, fn in blocks.fns.items()}
    return {**positions, api.PATH: api.FILES}


def site(folder: str | Path, names: tuple = NAMES, live_port: int = LIVE_PORT) -> Guard:
    """The page as an ASGI app, within its guards: against strange hosts and pages, files of others, a full queue.

    `folder` is the one that uploads and results are in; `live_port` is that of the live page.
    """
    from fastapi import FastAPI
    blocks, filling = page()
    shut: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    outer = FastAPI(**shut)
    outer.add_route("/live", door(live_port, "A face that speaks while you do", "make live PHOTO=me.jpg"))
    app = gr.mount_gradio_app(outer, blocks, "/", app_kwargs=shut, max_file_size=f"{MOST_MB}mb", footer_links=[],
                              run_history=False, enable_monitoring=False, ssr_mode=False, show_error=False, **LOOKS)
    uploads = Uploads(Waiting(app, blocks), folder, file_inputs(blocks), filling.shared())
    return Guard(uploads, names, OPEN_PATHS, (api.check_names(blocks), uploads.allow, uploads.count))


def _given():
    """The left half of the page: what a video is made of. The components of `make`, by the names of its arguments."""
    photo = gr.Image(label="Photo", sources=["upload", "webcam"], type="filepath", image_mode=None, height=PHOTO_PX,
                     buttons=[], elem_id="photo")
    source = gr.Radio([WRITTEN, RECORDED], value=WRITTEN, label="What is said", elem_id="source")
    with gr.Group() as with_text:
        text = gr.Textbox(label=f"Text, at most {MOST_CHARS} characters", lines=2, max_lines=8, max_length=MOST_CHARS,
                          elem_id="text", placeholder="Good morning. Your payment of INR 5,053 is due on 12 May.")
        spoken = controls.text_controls()
        voice_sample.add(text, **spoken)
    with gr.Group(visible=False) as with_recording:
        speech = gr.Audio(label=f"Recording, at most {MOST_SPEECH_S} seconds and {MOST_MB} MB", type="filepath",
                          sources=["upload", "microphone"], buttons=[], elem_id="speech")
        recorded = controls.recording_controls()
    with gr.Accordion("More: emotion, comic, size, captions", open=False, elem_id="more"):
        shown = controls.video_controls()
    for upload in (photo, speech):
        upload.preprocess = _as_uploaded
    for control in (text, source, *spoken.values(), *recorded.values(), *shown.values()):
        control.preprocess = _unchecked
    source.change(**_IN_BROWSER, inputs=source, outputs=[with_text, with_recording], js=_CHOOSE)
    return photo, source, text, speech, spoken, recorded, shown


def page() -> tuple[gr.Blocks, Filling]:
    """The page, a `gradio.Blocks`, not yet served, and its examples."""
    with gr.Blocks(title="Talking face", analytics_enabled=False, delete_cache=(CHECKED_EVERY_S, KEPT_S)) as blocks:
        gr.HTML(_ABOUT, elem_id="about")
        with gr.Row(elem_id="halves"):
            with gr.Column(elem_id="given"):
                examples = buttons()
                photo, source, text, speech, spoken, recorded, shown = _given()
                with gr.Row():
                    start = gr.Button("Make the video", variant="primary", elem_id="start", scale=3, min_width=120)
                    stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=60, visible=False)
            with gr.Column(elem_id="made"):
                results = Results()
            with gr.Column(elem_id="before"):
                results.add_earlier()
        gr.HTML(_FOOT, elem_id="foot")
        filling = Filling(photo.GRADIO_CACHE)
        names = [*spoken, *recorded, *shown]

        def make_and_show(photo, source, text, speech, kept, *values):
            yield results.begun(kept)
            given = {"text": text} if source == WRITTEN else {"speech": speech}
            left_out = recorded if source == WRITTEN else spoken
            try:
                options = controls.to_options({name: value for name, value in zip(names, values) if name not in left_out})
            except InputError as error:
                yield results.values(State(error=plain_message(error)), kept)
                return
            for state in states(photo, **given, **options):
                yield results.values(state, kept, text[:80] if source == WRITTEN else "a recording")

        for example, button in examples:
            button.click(lambda example=example: filling.values(example), None,
                         [photo, source, text, speech, shown["avatar"]], show_progress="hidden", api_visibility="private")
        start.click(**_IN_BROWSER, outputs=[start, stop], js=_BEGIN)
        inputs = [photo, source, text, speech, results.kept, *spoken.values(), *recorded.values(), *shown.values()]
        run = start.click(make_and_show, inputs, results.outputs(), concurrency_limit=1, concurrency_id=QUEUE,
                          show_progress="minimal", show_progress_on=results.progress, api_visibility="private")
        for after in (run.then, run.failure):  # a request that is refused is a failure alone
            after(**_IN_BROWSER, outputs=[start, stop], js=_END)
        stop.click(lambda: WAITING, None, results.progress, cancels=run, show_progress="hidden", api_visibility="private")
        api.add(spoken, recorded, shown)
    return blocks.queue(max_size=MOST_WAITING), filling
