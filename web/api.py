"""The page's HTTP API: one function of Gradio's, `make`, with the page's own limits, queue and guards. docs/api.md explains it.

Reads: uploads. Writes: copies of the video and of a .zip in Gradio's folder, which go after an hour.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_file_to_cache

from core.errors import InputError
from web import controls
from web.guard import Refusal
from web.job import states
from web.limits import plain_message
from web.status import in_words
from web.waiting import QUEUE

NAME = "make"
PATH = f"/gradio_api/call/v2/{NAME}"
FILES, FILES_AT = ("photo", "recording"), (0, 1)  # arguments that are files, and their positions
_FILE = dict | None


def _as_file(path, cache) -> dict:
    """A file for a program to fetch, copied into Gradio's folder."""
    return FileData(path=save_file_to_cache(path, cache), orig_name=path.name).model_dump()


def check_names(blocks: gr.Blocks) -> Callable:
    """A rule of `web.guard`: what a program names are arguments of `make`, and the photo is among them."""
    function = next(fn for fn in blocks.fns.values() if fn.api_name == NAME)
    known = list(inspect.signature(function.fn).parameters)

    def check(scope, body):
        if scope["path"].rstrip("/") != PATH or scope["method"] != "POST":
            return
        unknown = sorted(set(body) - set(known)) if isinstance(body, dict) else ["no object of JSON"]
        if unknown:
            raise Refusal(400, f"{', '.join(unknown)[:80]}: no argument of {NAME}; it takes {', '.join(known)}")
        if "photo" not in body:
            raise Refusal(400, "photo: none given; upload one first")

    return check


def add(spoken: dict, recorded: dict, shown: dict) -> None:
    """Add the function `make` to the page; its arguments are the page's controls, {name: component}, and their values."""
    options = {**spoken, **recorded, **shown}

    def make(photo, recording, text, *values) -> Iterator:
        left_out = spoken if recording else recorded
        try:
            given = controls.to_options({name: value for name, value in zip(options, values) if name not in left_out})
        except InputError as error:
            raise gr.Error(plain_message(error), print_exception=False) from None
        speech = {"speech": recording["path"]} if recording else {"text": text}
        for state in states(photo and photo["path"], **speech, **given):
            if state.error:
                raise gr.Error(state.error, print_exception=False)
            done = bool(state.files)
            yield (in_words(state), _as_file(state.video, cache) if done else None,
                   _as_file(state.files[0], cache) if done else None)

    cache = shown["avatar"].GRADIO_CACHE
    types: dict[str, Any] = {"photo": _FILE, "recording": _FILE, "text": str,
                             **{name: type(component.value) for name, component in options.items()}}
    defaults = {"photo": inspect.Parameter.empty, "recording": None, "text": "",
                **{name: component.value for name, component in options.items()}}
    make.__annotations__ = types
    make.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=defaults[name], annotation=types[name])
         for name in types], return_annotation=tuple[str, _FILE, _FILE])
    gr.api(make, api_name=NAME, concurrency_limit=1, concurrency_id=QUEUE,
           api_description="A photo, and a text or a recording, become a talking video: status, video, .zip of every file.")
