"""What is said in a file of subtitles: its words, without times, numbers, styles and names of speakers.

Reads: text. Writes: nothing.
Sources: SubRip (.srt), WebVTT (.vtt, W3C), SubViewer (.sbv), Advanced SubStation (.ass, .ssa), LRC, and pasted transcripts.
"""

import re

_TIME = r"(?:\d+:)?\d{1,2}:\d{2}(?:[.,:]\d{1,3})?"
_CUE = re.compile(rf"\s*{_TIME}\s*-+>\s*{_TIME}.*$|\s*\d+:\d{{2}}:\d{{2}}\.\d{{3}},\d+:\d{{2}}:\d{{2}}\.\d{{3}}\s*$")
_ABOUT_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)\b")
_MARKS = re.compile(r"</?[a-zA-Z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}|[♪♫]")
_SPEAKER = re.compile(r"^\s*(?:-|–|>>+)\s*(?=\S)")
_DIALOGUE = re.compile(r"Dialogue:(?:[^,]*,){9}(.*)$")
_SUNG = re.compile(r"\s*(?:\[\d+:\d{2}(?:[.:]\d+)?\]\s*)+(.*)$")
_ABOUT_SONG = re.compile(r"\s*\[(?:ar|ti|al|au|by|offset|length|re|ve|la|id):.*\]\s*$")
_STAMP = re.compile(rf"\s*[\[(]?{_TIME}[\])]?(?:\s*[-–:]\s+|\s+|$)")
_FROM_THE_START = re.compile(r"\s*[\[(]?(?:00?:)?00?:0\d\b")


def _cue_lines(lines) -> list:
    """The lines of cues, without their times and the line before, a number or a name."""
    kept, about, is_web = [], False, lines[0].strip().startswith("WEBVTT")
    for i, line in enumerate(lines):
        before_times = i + 1 < len(lines) and _CUE.match(lines[i + 1])
        begins = i == 0 or not lines[i - 1].strip()
        if begins:
            about = is_web and bool(_ABOUT_BLOCK.match(line))
        if _CUE.match(line):
            about = False
        elif not about and not (before_times and (begins or line.strip().isdigit())):
            kept.append(line)
    return kept


def said_in_subtitles(text: str) -> str | None:
    """The words of subtitles, a line each; None where `text` is something else. A line that is shown twice is said once."""
    lines = [line for line in text.strip().split("\n")]
    if any(map(_CUE.match, lines)):
        lines = _cue_lines(lines)
    elif "[Events]" in text and any(map(_DIALOGUE.match, lines)):
        lines = [re.sub(r"\\[Nnh]", " ", found[1]) for found in map(_DIALOGUE.match, lines) if found]
    elif any(map(_SUNG.match, lines)):
        lines = [(_SUNG.match(line) or ["", line])[1] for line in lines if not _ABOUT_SONG.match(line)]
    elif _FROM_THE_START.match(lines[0]) and sum(map(bool, map(_STAMP.match, lines))) > 1:
        lines = [_STAMP.sub("", line, count=1) for line in lines]
    else:
        return None
    said: list = []
    for line in (" ".join(_SPEAKER.sub("", _MARKS.sub("", line), count=1).split()) for line in lines):
        if line and line != (said or [""])[-1]:
            said.append(line)
    return "\n".join(said)
