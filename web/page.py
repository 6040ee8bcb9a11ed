"""The page: a photo, a text or a recording, some controls; then the video and every file in between.

Reads: uploads, examples. Writes: what `web.job` writes. Nothing on the page comes from another server.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InputError
from core.media.provenance import CONSENT
from web import api, cast, controls, given
from web.controls import DIALOGUE, PHOTO, RECORDED, WRITTEN
from web.examples import Filling, buttons
from web.given import IN_BROWSER
from web.guard import NAMES, Guard
from web.job import State, states
from web.limits import MOST_MB, plain_message
from web.looks import LOOKS
from web.orders import Order, faces_talk, photo_speaks, video_speaks
from web.results import Results
from web.serve import LIVE_PORT, door
from web.status import WAITING
from web.uploads import KEPT_S, Uploads
from web.waiting import MOST_WAITING, QUEUE, Waiting

CHECKED_EVERY_S = 600
_ABOUT = f"""<h1>Talking face</h1>
<p>A photo, or a video, and a voice become a video that talks. Everything stays on this machine and is removed after an hour.
{CONSENT} Each video says of itself that it is synthetic.</p>"""
_FOOT = """<p>Live, with your microphone: <a href="live">a face that speaks while you do</a>. From a program: docs/api.md says
how.</p>"""
OPEN_PATHS = (  # what the page asks its server for, and the API; the rest of Gradio's is shut
    "/", "/live", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/assets/*", "/static/*",
    "/svelte/*", "/pwa_icon*", *(f"/gradio_api/{path}" for path in (
        "queue/join", "queue/data", "upload", "upload_progress", "cancel", "reset", "heartbeat/*", "startup-events", "app_id",
        "info", "file=*")), *(path + end for path in api.PATHS.values() for end in ("", "/*")))
_SHOW, _HIDE = (json.dumps(gr.update(visible=shown)) for shown in (True, False))
_ENABLE, _DISABLE = (json.dumps(gr.update(interactive=able)) for able in (True, False))
_BEGIN, _END = f"() => {{ toResult(); return [{_DISABLE}, {_SHOW}]; }}", f"() => {{ atEnd(); return [{_ENABLE}, {_HIDE}]; }}"


def file_inputs(blocks: gr.Blocks) -> dict:
    """{number of an event: positions of its inputs that are files; path of the API: their names}."""
    positions = {number: api.files_at(fn.api_name) if fn.api_name in api.PATHS else
                 tuple(i for i, block in enumerate(fn.inputs) if isinstance(block, (gr.Image, gr.Audio, gr.Video)))
                 for number, fn in blocks.fns.items()}
    return {**positions, **{path: api.FILES[name] for name, path in api.PATHS.items()}}


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


def asked(picture: Any, photo: Any, video: Any, source: Any, text: Any, speech: Any, *values: Any,
          names: Sequence[str]) -> Order:
    """What the left half asks for.

    Parameters
    ----------
    values : the names and the voices of the cast, then of each control of `names`

    Raises
    ------
    InputError : a value that its control cannot have.
    """
    n_people = len(cast.NAMES)
    people, voices, others = values[:n_people], values[n_people:2 * n_people], values[2 * n_people:]
    if (picture, source) not in controls.MODES:
        raise InputError("what is said", f"{str(source)[:40]!r} of {str(picture)[:40]!r}", "what the page offers")
    options = controls.to_options({name: value for name, value in zip(names, others)
                                   if controls.has_meaning(name, picture, source)})
    if source == DIALOGUE:
        return faces_talk(photo, text, cast.by_rows(people, voices), **options)
    said = {"text": text} if source == WRITTEN else {"speech": speech}
    return photo_speaks(photo, **said, **options) if picture == PHOTO else video_speaks(video, **said, **options)


def page() -> tuple[gr.Blocks, Filling]:
    """The page, a `gradio.Blocks`, not yet served, and its examples."""
    with gr.Blocks(title="Talking face", analytics_enabled=False, delete_cache=(CHECKED_EVERY_S, KEPT_S)) as blocks:
        gr.HTML(_ABOUT, elem_id="about")
        with gr.Row(elem_id="halves"):
            with gr.Column(elem_id="given"):
                examples = buttons()
                left = given.add()
                with gr.Row(elem_id="go"):
                    start = gr.Button("Make the video", variant="primary", elem_id="start", scale=3, min_width=120)
                    stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=60, visible=False)
            with gr.Column(elem_id="made"):
                results = Results()
            with gr.Column(elem_id="before"):
                results.add_earlier()
        gr.HTML(_FOOT, elem_id="foot")
        filling = Filling(left.photo.GRADIO_CACHE)

        def make_and_show(kept, *values):
            yield results.begun(kept)
            try:
                order = asked(*values, names=list(left.controls))
            except InputError as error:
                yield results.values(State(error=plain_message(error)), kept)
                return
            source, text = values[3:5]
            for state in states(order):
                yield results.values(state, kept, "a recording" if source == RECORDED else str(text)[:80])

        for example, button in examples:
            button.click(lambda example=example: filling.values(example), None,
                         [left.picture, left.faces, left.photo, left.source, left.text, left.speech, left.controls["avatar"]],
                         show_progress="hidden", api_visibility="private")
        start.click(**IN_BROWSER, outputs=[start, stop], js=_BEGIN)
        run = start.click(make_and_show, [results.kept, *left.inputs()], results.outputs(), concurrency_limit=1,
                          concurrency_id=QUEUE, show_progress="minimal", show_progress_on=results.progress,
                          api_visibility="private")
        for after in (run.then, run.failure):  # a request that is refused is a failure alone
            after(**IN_BROWSER, outputs=[start, stop], js=_END)
        # In the browser alone: a full queue cannot refuse it
        stop.click(**IN_BROWSER, outputs=results.progress, js=f"() => {json.dumps(WAITING)}", cancels=run)
        api.add(left.controls)
    return blocks.queue(max_size=MOST_WAITING), filling
