"""A state as a piece of a page: its stages, the bar of the running one, the time left, warnings, or the one error.

Reads, writes: nothing.
"""

import time
from html import escape

from web.job import State

_NAMES = {"photo": "Looking at the photo", "speech": "Getting the speech ready", "landmarks": "Moving the landmarks",
          "render": "Drawing the video", "page": "Drawing the files in between"}
WAITING = '<p class="hint">The video appears here.</p>'


def _stage(state, i, name) -> str:
    running = i == len(state.stages) - 1 and state.ended is None
    mark = "running" if running else "done"
    note = f" · {state.seconds_left:.0f} s left" if running and state.seconds_left is not None else ""
    bar = f'<progress max="1" value="{state.done}"></progress>' if running and state.done is not None else ""
    return f'<li class="{mark}">{escape(_NAMES.get(name, name))}{note}{bar}</li>'


def status(state: State) -> str:
    """HTML of a `web.job.State`."""
    if state.error:
        return f'<p class="error" role="alert">{escape(state.error)}</p>'
    items = "".join(_stage(state, i, name) for i, name in enumerate(state.stages))
    seconds = (state.ended or time.monotonic()) - state.began
    running = f"Step {len(state.stages)} of {state.n_stages}" if items else "Starting"
    head = f"Done in {seconds:.1f} s" if state.ended else running
    warnings = "".join(f'<p class="warning">{escape(text)}</p>' for text in state.warnings)
    return f'<div role="status"><strong>{head}</strong><ol class="stages">{items}</ol>{warnings}</div>'
