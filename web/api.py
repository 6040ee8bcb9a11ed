"""The page's HTTP API: three functions of Gradio's, with the page's own limits, queue and guards. docs/api.md explains them.

Reads: uploads. Writes: copies of the video and of a .zip in Gradio's folder, which go after an hour.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_file_to_cache

from core.errors import InputError
from web import cast, controls
from web.controls import DIALOGUE, PHOTO, RECORDED, VIDEO, WRITTEN
from web.guard import Refusal
from web.job import states
from web.limits import plain_message
from web.orders import Order, faces_talk, photo_speaks, video_speaks
from web.status import in_words
from web.waiting import API_CALLS, QUEUE

_FILE = dict | None
_NEEDED = inspect.Parameter.empty
_TAKEN: dict[str, dict[str, Any]] = {  # function -> its arguments before those that are controls -> type, value by default
    "make": {"photo": (_FILE, _NEEDED), "recording": (_FILE, None), "text": (str, "")},
    "dub": {"video": (_FILE, _NEEDED), "recording": (_FILE, None), "text": (str, "")},
    "scene": {"photo": (_FILE, _NEEDED), "text": (str, ""), "cast": (str, ""), "voices": (str, "")},
}
_ABOUT = {"make": "A photo, and a text or a recording, become a talking video",
          "dub": "A video gets a new voice, and the lips for it", "scene": "The faces of one photo say a dialogue"}
PATHS = {name: f"{API_CALLS}{name}" for name in _TAKEN}
FILES = {name: tuple(each for each, (of_type, _) in taken.items() if of_type is _FILE) for name, taken in _TAKEN.items()}


def files_at(name: str) -> tuple:
    """Positions of the arguments of a function that are files."""
    return tuple(i for i, argument in enumerate(_TAKEN[name]) if argument in FILES[name])


def _as_file(path, cache) -> dict:
    """A file for a program to fetch, copied into Gradio's folder."""
    return FileData(path=save_file_to_cache(path, cache), orig_name=path.name).model_dump()


def check_names(blocks: gr.Blocks) -> Callable:
    """A rule of `web.guard`: what a program names are arguments of the function, and the picture is among them."""
    known = {PATHS[fn.api_name]: list(inspect.signature(fn.fn).parameters) for fn in blocks.fns.values()
             if fn.api_name in _TAKEN}

    def check(scope, body):
        arguments = known.get(scope["path"].rstrip("/"))
        if arguments is None or scope["method"] != "POST":
            return
        unknown = sorted(set(body) - set(arguments)) if isinstance(body, dict) else ["no object of JSON"]
        if unknown:
            name = scope["path"].rstrip("/").rpartition("/")[2]
            raise Refusal(400, f"{', '.join(unknown)[:80]}: no argument of {name}; it takes {', '.join(arguments)}")
        if arguments[0] not in body:
            raise Refusal(400, f"{arguments[0]}: none given; upload one first")

    return check


def _path(file):
    return file and file["path"]


def _order(name, given, options) -> Order:
    """What a call asks for: `given` are its own arguments, `options` its controls. Raises InputError."""
    if name == "scene":
        casting = cast.by_words(given["cast"], given["voices"])
        return faces_talk(_path(given["photo"]), given["text"], casting, **options)
    said = {"speech": _path(given["recording"])} if given["recording"] else {"text": given["text"]}
    if name == "dub":
        return video_speaks(_path(given["video"]), **said, **options)
    return photo_speaks(_path(given["photo"]), **said, **options)


def _modes(name) -> list:
    """What speaks and what is said, in a call: whose controls it takes."""
    return {"make": [(PHOTO, WRITTEN), (PHOTO, RECORDED)], "dub": [(VIDEO, WRITTEN), (VIDEO, RECORDED)],
            "scene": [(PHOTO, DIALOGUE)]}[name]


def _add(name, all_controls, cache):
    taken = _TAKEN[name]
    options = {each: component for each, component in all_controls.items()
               if any(controls.has_meaning(each, *mode) for mode in _modes(name))}

    def call(*values) -> Iterator:
        given = dict(zip([*taken, *options], values))
        of, said = _modes(name)[bool(given.get("recording")) if len(_modes(name)) > 1 else 0]
        try:
            order = _order(name, given, controls.to_options(
                {each: given[each] for each in options if controls.has_meaning(each, of, said)}))
        except InputError as error:
            raise gr.Error(plain_message(error), print_exception=False) from None
        for state in states(order):
            if state.error:
                raise gr.Error(state.error, print_exception=False)
            done = bool(state.files)
            yield (in_words(state), _as_file(state.video, cache) if done else None,
                   _as_file(state.files[0], cache) if done else None)

    arguments = {**taken, **{each: (type(component.value), component.value) for each, component in options.items()}}
    call.__annotations__ = {each: of_type for each, (of_type, _) in arguments.items()}
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=of_type)
         for each, (of_type, default) in arguments.items()], return_annotation=tuple[str, _FILE, _FILE])
    call.__name__ = name
    gr.api(call, api_name=name, concurrency_limit=1, concurrency_id=QUEUE,
           api_description=f"{_ABOUT[name]}: status, video, .zip of every file.")


def add(all_controls: dict) -> None:
    """Add the functions; beside their own arguments they take the page's controls, {name: component}, that have a meaning."""
    for name in _TAKEN:
        _add(name, all_controls, all_controls["avatar"].GRADIO_CACHE)
