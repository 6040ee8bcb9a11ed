"""A job's state as HTML: stages, progress bar, time left, warnings, or the one error.

Reads, writes: nothing.
"""

from html import escape

from web.job import State

_NAMES = {"photo": "Looking at the photo", "speech": "Getting the speech ready", "landmarks": "Moving the landmarks",
          "video": "Looking at the video", "render": "Drawing the video", "dub": "Drawing the video",
          "page": "Drawing the files in between"}
WAITING = """<div class="hint"><p><strong>The video appears here.</strong></p>
<p>No photo at hand? The buttons under Examples fill one in.</p></div>"""


def _stage(state, i, name) -> str:
    running = i == len(state.stages) - 1
    note = f" · {state.seconds_left:.0f} s left" if running and state.seconds_left is not None else ""
    label = escape(_NAMES.get(name, name))
    timed = running and state.done is not None
    bar = f'<progress max="1" value="{state.done}" aria-label="{label}"></progress>' if timed else ""
    return f'<li class="{"running" if running else "done"}">{label}{note}{bar}</li>'


def in_words(state: State) -> str:
    """How far a `web.job.State` is, in a few words."""
    if state.ended:
        return f"Done in {state.ended - state.began:.1f} s"
    if not state.stages:
        return "Starting"
    return f"Step {len(state.stages)} of {state.n_stages}: {_NAMES.get(state.stages[-1], state.stages[-1])}"


def status(state: State) -> str:
    """HTML of a `web.job.State`."""
    if state.error:
        return f'<p class="error" role="alert"><strong>No video yet.</strong> {escape(state.error)}</p>'
    items = "".join(_stage(state, i, name) for i, name in enumerate(state.stages)) if not state.ended else ""
    steps = f'<ol class="stages">{items}</ol>' if items else ""
    warnings = "".join(f'<p class="warning">{escape(text)}</p>' for text in state.warnings)
    return f'<div role="status"><strong>{escape(in_words(state).partition(":")[0])}</strong>{steps}{warnings}</div>'
