"""Results of many videos in one call: results.csv, a line a video, and a page of thumbnails.

Reads: OUT/results.csv. Writes: OUT/results.csv, OUT/thumbnails/NAME.jpg, OUT/index.html.
"""

import csv
import html
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from core.errors import in_one_line
from core.files import whole_file

COLUMNS = ("row", "video", "state", "seconds", "reason", "key")
DONE, FAILED = "done", "failed"
THUMBNAIL_PX = 240
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how spreadsheets know a formula


def thumbnail_of(video: Path) -> Path:
    """Where the small picture of a video lies."""
    return video.parent / "thumbnails" / f"{video.stem}.jpg"


def write_thumbnail(video: Path) -> None:
    """Write the first frame of a video, small."""
    import cv2

    from core.media.video import read_frames
    frame = next(iter(read_frames(video)))
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (THUMBNAIL_PX, round(height * THUMBNAIL_PX / width)), interpolation=cv2.INTER_AREA)
    with whole_file(thumbnail_of(video)) as part:
        cv2.imwrite(str(part), small[..., ::-1])


def read_results(path: Path) -> dict[str, dict[str, str]]:
    """Video -> the line about it in results.csv, of those that were made. A line that a kill cut off is left out."""
    if not path.is_file():
        return {}
    with open(path, encoding="utf-8", errors="replace", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["video"]: row for row in rows if row.get("state") == DONE and row.get("key")}


def safe(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = in_one_line(str(cell))
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_results(path: Path, results: Sequence[dict]) -> Path:
    """Write results.csv, one line a row of the table, in their order."""
    with whole_file(path) as part, open(part, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: safe(result.get(name, "")) for name in COLUMNS}
                         for result in sorted(results, key=lambda result: int(result["row"])))
    return path


def write_page(out: Path, results: Sequence[dict]) -> Path:
    """Write OUT/index.html: each video with its thumbnail, and why one is missing."""
    cards = []
    for result in sorted(results, key=lambda result: int(result["row"])):
        name, reason = html.escape(result["video"]), html.escape(result["reason"])
        if result["state"] == DONE:
            thumbnail = quote(thumbnail_of(out / result["video"]).relative_to(out).as_posix())
            cards.append(f'<li><a href="{quote(result["video"])}"><img src="{thumbnail}" alt="" loading="lazy">{name}</a>'
                         f"<small>{reason}</small></li>")
        else:
            cards.append(f'<li class="failed">{name}<small>row {result["row"]}: {reason}</small></li>')
    with whole_file(out / "index.html") as part:
        part.write_text(_PAGE.format(n=len(results), failed=sum(result["state"] != DONE for result in results),
                                     cards="\n".join(cards)), encoding="utf-8")
    return out / "index.html"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{n} videos</title>
<style>
 :root {{ color-scheme: light dark }}
 body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem;
  max-width: 70rem }}
 ul {{ list-style: none; padding: 0; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)) }}
 img {{ width: 100%; display: block; border-radius: .4rem }}
 small {{ display: block; opacity: .8 }}
 li {{ overflow-wrap: anywhere }}
 .failed {{ border: 1px solid #c2410c; border-radius: .4rem; padding: .5rem }}
</style>
<h1>{n} videos, {failed} failed</h1>
<ul>
{cards}
</ul>
</html>
"""
