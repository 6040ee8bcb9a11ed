"""Words with times: what was said, and when. `words.json`, `.srt`, `.vtt`, and the lines of captions.

Reads: words.json (words). Writes: words.json, words.srt (subtitles), words.vtt (web-subtitles).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from core import artifacts
from core.errors import InputError, readable
from core.files import read_json

LINE_CHARS, MOST_LINES = 38, 2  # of a caption, as broadcasters set them
_COMMA_WINS = 4  # characters by which a line may be longer so that the break follows a comma
PAUSE_S = 0.6  # a longer one ends a caption
LONGEST_WORD, LAST_S = 200, 100 * 3600  # characters, s: beyond them a file is damaged
HELD_S = 0.4  # a caption stays this long after its last word, unless the next one begins
_SENTENCE_ENDS, _CLAUSE_ENDS = ".!?।。", ",;:–—"


@dataclass(frozen=True)
class Word:
    """One word as it is written, its punctuation with it, and when it sounds, in seconds of the recording.

    `probability`, 0..1, is how sure a recogniser is of it; None where nobody says.
    """

    word: str
    start_s: float
    end_s: float
    probability: float | None = None


@dataclass(frozen=True)
class Cue:
    """One caption: its lines, joined by a line break, and when it is shown."""

    text: str
    start_s: float
    end_s: float


def transcript(words: Iterable[Word]) -> str:
    """All words in a row."""
    return " ".join(word.word for word in words)


def confidence(words: Sequence[Word]) -> float | None:
    """Mean probability of the words, 0..1; None when a word has none, or there is no word."""
    known = [word.probability for word in words if word.probability is not None]
    return sum(known) / len(known) if words and len(known) == len(words) else None


def _row(word):
    row = {**asdict(word), "start_s": round(word.start_s, 3), "end_s": round(word.end_s, 3)}
    probability = row.pop("probability")
    return row if probability is None else {**row, "probability": round(probability, 3)}


def save_words(path: str | Path, words: Sequence[Word], *, stage: str, options: dict | None = None,
               inputs: Iterable[str | Path] = ()) -> Path:
    """Write words.json and its sidecar; return its path."""
    rows = [_row(word) for word in words]
    return artifacts.save_described_json(path, {"text": transcript(words), "words": rows}, "words", stage=stage,
                                         options=options, inputs=inputs, n_words=len(rows))


def load_words(path: str | Path) -> list:
    """Read words.json, a list of `Word`.

    Raises
    ------
    InputError : missing, damaged, or not words in the order of their times.
    """
    path = Path(path)
    artifacts.check(path, "words")
    wanted = '{"words": [{"word": "hello", "start_s": 0.1, "end_s": 0.5}, ...]}'
    data = read_json(path, wanted)
    with readable(path, "words with times", wanted, "python -m speech.transcribe speech.wav"):
        words = [Word(" ".join(str(row["word"]).splitlines()), float(row["start_s"]), float(row["end_s"]),
                      None if row.get("probability") is None else float(row["probability"])) for row in data["words"]]
    last_s = 0.0
    for word in words:
        if not word.word.strip() or len(word.word) > LONGEST_WORD:
            raise InputError(path, f"a word of {len(word.word)} characters at {word.start_s:g} s",
                             f"words of 1 to {LONGEST_WORD} characters")
        if word.probability is not None and not 0 <= word.probability <= 1:
            raise InputError(path, f"{word.word!r} with probability {word.probability:g}", "0 to 1, or none")
        if word.end_s > LAST_S:
            raise InputError(path, f"{word.word!r} at {word.end_s:g} s", f"times up to {LAST_S} s")
        if not (math.isfinite(word.end_s) and last_s <= word.start_s <= word.end_s):
            raise InputError(path, f"{word.word!r} from {word.start_s:g} to {word.end_s:g} s, after {last_s:g} s",
                             "words one after the other: " + wanted)
        last_s = word.start_s
    return words


def _filled(words) -> list:
    """Words laid in lines of at most LINE_CHARS characters, each as full as can be; a longer word has a line of its own."""
    lines = [words[0].word]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word.word) <= LINE_CHARS:
            lines[-1] += " " + word.word
        else:
            lines.append(word.word)
    return lines


def _lines(words) -> list:
    """The lines of one caption: where it takes two, as long as each other as can be, sooner broken after a comma."""
    if len(filled := _filled(words)) != MOST_LINES:
        return filled
    widest = max(LINE_CHARS, *map(len, filled))
    halves = [[transcript(words[:i]), transcript(words[i:])] for i in range(1, len(words))]

    def cost(two):
        return max(map(len, two)) - _COMMA_WINS * two[0].endswith(tuple(_CLAUSE_ENDS))

    return min((two for two in halves if max(map(len, two)) <= widest), key=cost)


def _ends_with(word, marks) -> bool:
    return word.word.rstrip("\"')").endswith(tuple(marks))


def cues(words: Sequence[Word], last_s: float = math.inf) -> list:
    """Captions of at most MOST_LINES lines; a pause or the end of a sentence begins the next one, in need a comma does.

    None is shown beyond `last_s`, where the recording ends.
    """
    groups = []
    for word in words:
        before = groups[-1] if groups else None
        if not before or word.start_s - before[-1].end_s >= PAUSE_S or _ends_with(before[-1], _SENTENCE_ENDS):
            groups.append([word])
            continue
        before.append(word)
        if len(_filled(before)) > MOST_LINES:
            last = next((i for i in reversed(range(len(before) - 1)) if _ends_with(before[i], _CLAUSE_ENDS)), len(before) - 2)
            groups[-1:] = [before[:last + 1], before[last + 1:]]
    starts = [group[0].start_s for group in groups[1:]] + [math.inf]
    return [Cue("\n".join(_lines(group)), group[0].start_s,
                min(group[-1].end_s + HELD_S, max(following, group[-1].end_s), max(last_s, group[0].start_s)))
            for group, following in zip(groups, starts)]


def _clock(seconds, point=",") -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"


def srt(words: Sequence[Word], last_s: float = math.inf) -> str:
    """SubRip text of the captions; see `cues`."""
    return "".join(f"{i}\n{_clock(cue.start_s)} --> {_clock(cue.end_s)}\n{cue.text}\n\n"
                   for i, cue in enumerate(cues(words, last_s), 1))


def vtt(words: Sequence[Word], last_s: float = math.inf) -> str:
    """WebVTT text of the captions, as a browser's <track> takes it (W3C); see `cues`."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n{escape(cue.text, quote=False)}\n\n"
        for cue in cues(words, last_s))


def save_subtitles(path: str | Path, words: Sequence[Word], *, stage: str, inputs: Iterable[str | Path] = ()) -> list:
    """Write `path`, a .srt, and beside it the same as .vtt, each with its sidecar; return both paths."""
    paths = [Path(path).with_suffix(suffix) for suffix in (".srt", ".vtt")]
    for written, kind, text in zip(paths, ("subtitles", "web-subtitles"), (srt(words), vtt(words))):
        with artifacts.described(written, kind, stage=stage, inputs=inputs) as (part, _):
            part.write_text(text, encoding="utf-8")
    return paths
