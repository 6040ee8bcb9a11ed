"""A page that shows every file of a run: sound, spectrum, landmarks, frames, words, and what each file is.

Reads: a folder of files that stages wrote, and their sidecars.
Writes: FOLDER/index.html, and the drawings of `viewer.inspect` in FOLDER/pictures/. The page needs no network.
"""

import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from core.errors import InputError
from core.files import whole_file
from viewer.look import look_at

if TYPE_CHECKING:
    from core.media.speech import Speech

_PLAYED = {".mp4": '<video controls src="{0}" aria-label="{1}"></video>',
           ".wav": '<audio controls src="{0}" aria-label="{1}"></audio>',
           ".gif": '<img src="{0}" alt="{1}">', ".png": '<img src="{0}" alt="{1}">'}
_SHOWN_AS_THEY_ARE = (".gif", ".png")
_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
 :root {{ color-scheme: light dark; --page: #fff; --ink: #223; --soft: #556; --line: #ccd; --link: #0f766e }}
 @media (prefers-color-scheme: dark) {{
  :root {{ --page: #0b0f19; --ink: #e2e8f0; --soft: #cbd5e1; --line: #334155; --link: #5eead4 }}
 }}
 body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink);
  background: var(--page) }}
 a {{ color: var(--link) }} :focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px }}
 h2 {{ border-top: 1px solid var(--line); padding-top: 1rem; overflow-wrap: anywhere }}
 img, video {{ max-width: 100% }} img {{ background: #fff }} audio {{ width: 100% }}
 th, td {{ vertical-align: top; padding: 0 1rem 0 0; text-align: left; overflow-wrap: anywhere }}
 th {{ color: var(--soft); white-space: nowrap; font-weight: normal }}
 pre {{ white-space: pre-wrap }} nav ul {{ columns: 14rem; padding-left: 1.2rem }}
{style}</style>
</head>
<body><main>
<h1>{title}</h1>
{body}
</main></body>
</html>
"""


def document(title: str, body: str, style: str = "") -> str:
    """A page of HTML, light or dark as its reader wishes; `body` is HTML, `style` further CSS."""
    return _SHELL.format(title=escape(title), body=body, style=style)


def _draw(path, pictures, speech):
    """Facts about a file, and the place of its drawing; the drawing is None when the file shows itself, or cannot be drawn."""
    try:
        facts, figure = look_at(path, speech)
    except InputError:  # text, or a kind of somebody else's: it is listed all the same
        return [], None
    if path.suffix in _SHOWN_AS_THEY_ARE:
        return facts, None
    with whole_file(pictures / f"{path.name}.png") as part:
        figure().savefig(part)
    return facts, pictures / f"{path.name}.png"


def _section(path, folder, pictures, speech) -> str:
    facts, drawing = _draw(path, pictures, speech)
    link, name = quote(Path(os.path.relpath(path, folder)).as_posix()), escape(path.name)
    parts = [f'<h2 id="{quote(path.name)}"><a href="{link}">{name}</a></h2>', _PLAYED.get(path.suffix, "").format(link, name)]
    if drawing:
        parts.append(f'<p><img src="{quote(drawing.relative_to(folder).as_posix())}" alt="What {name} holds, drawn"></p>')
    if path.suffix in (".txt", ".srt", ".vtt"):
        parts.append(f"<pre>{escape(path.read_text(encoding='utf-8'))}</pre>")
    rows = "".join(f'<tr><th scope="row">{escape(str(label))}</th><td>{escape(str(text))}</td></tr>' for label, text in facts)
    if rows:
        parts.append(f"<details><summary>what {name} is</summary><table>{rows}</table></details>")
    return "\n".join(filter(None, parts))


def write_page(folder: str | Path, video: str | Path, speech: "Speech | None" = None) -> Path:
    """Write FOLDER/index.html: `video` first, then every file of `folder` in the order of their making; return its path.

    `speech` is the `core.media.speech.Speech` among the files, which is then not decoded again.
    """
    folder, video = Path(folder), Path(video)
    files = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "." and path.name != "index.html"]
    files = [path for path in files if not (path.suffix == ".json" and path.with_suffix("").is_file())]  # sidecars
    files.sort(key=lambda path: path.stat().st_mtime_ns)
    sections = [_section(path, folder, folder / "pictures", speech) for path in [video, *files]]
    page = folder / "index.html"
    contents = "\n".join(f'<li><a href="#{quote(path.name)}">{escape(path.name)}</a></li>' for path in [video, *files])
    sections = [f'<nav aria-label="Files"><ul>\n{contents}\n</ul></nav>', *sections]
    text = document(video.name, "\n".join(sections))
    with whole_file(page) as part:
        part.write_text(text, encoding="utf-8")
    return page
