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

_PLAYED = {".mp4": '<video controls src="{0}"></video>', ".wav": '<audio controls src="{0}"></audio>',
           ".gif": '<img src="{0}" alt="">', ".png": '<img src="{0}" alt="">'}
_SHOWN_AS_THEY_ARE = (".gif", ".png")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
 body {{ font: 15px/1.5 sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #223 }}
 h2 {{ border-top: 1px solid #ccd; padding-top: 1rem }} img, video {{ max-width: 100% }} audio {{ width: 100% }}
 td {{ vertical-align: top; padding: 0 1rem 0 0 }} td:first-child {{ color: #667; white-space: nowrap }}
 pre {{ white-space: pre-wrap }}
</style>
<h1>{title}</h1>
{sections}
</html>
"""


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
    link = quote(Path(os.path.relpath(path, folder)).as_posix())
    parts = [f'<h2><a href="{link}">{escape(path.name)}</a></h2>', _PLAYED.get(path.suffix, "").format(link)]
    if drawing:
        parts.append(f'<p><img src="{quote(drawing.relative_to(folder).as_posix())}" alt=""></p>')
    if path.suffix in (".txt", ".srt", ".vtt"):
        parts.append(f"<pre>{escape(path.read_text(encoding='utf-8'))}</pre>")
    rows = "".join(f"<tr><td>{escape(str(label))}</td><td>{escape(str(text))}</td></tr>" for label, text in facts)
    return "\n".join([*filter(None, parts), f"<details><summary>what it is</summary><table>{rows}</table></details>"])


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
    with whole_file(page) as part:
        part.write_text(_PAGE.format(title=escape(video.name), sections="\n".join(sections)), encoding="utf-8")
    return page
