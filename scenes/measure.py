"""Measure what each further person costs: frames of two people in one photo, beside those of one.

Reads: the models that ship, landmarks of a speech, a photo of two. Writes: the photo, at another size.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from numpy.typing import NDArray

from core.cost import Row
from render.background import person_of
from render.life.talker import talker
from render.motion import read_motion
from render.options import DEFAULTS
from render.parts.rest import shut_lips
from render.photo_check import check_photo
from scenes.picture import shares, together

WIDE_PX, HIGH_PX, N_FIRST, N_SHOWN = 1920, 1080, 5, 100


def widen(path: Path) -> None:
    """Make a photo WIDE_PX by HIGH_PX, grey at its sides."""
    from PIL import Image
    pair = Image.open(path).convert("RGB")
    width = round(pair.width * HIGH_PX / pair.height)
    wide = Image.new("RGB", (WIDE_PX, HIGH_PX), (110, 110, 110))
    wide.paste(pair.resize((width, HIGH_PX)), ((WIDE_PX - width) // 2, 0))
    wide.save(path)


def _cpu_s(frames: Iterator[NDArray]) -> float:
    """CPU seconds a frame, once begun."""
    list(islice(frames, N_FIRST))
    began, n = time.process_time(), sum(1 for _ in frames)
    return (time.process_time() - began) / n


def two_people(landmarks: Path, path: Path) -> list[Row]:
    """Frames of the two people of a photo, which is widened, without the encoding, beside those of one of them in it."""
    widen(path)
    moves, rest = read_motion(landmarks)
    photos = [shut_lips(check_photo(path, which).photo) for which in ("1", "2")]
    people = []
    for seed, (photo, own) in enumerate(zip(photos, parts := shares(photos))):
        person = person_of(photo)
        people.append(talker(moves, rest, N_SHOWN, replace(DEFAULTS, seed=seed), face=photo,
                             person=None if person is None else person * own))
    one, two = (_cpu_s(frames) for frames in (people[0].frames(N_SHOWN, encoded=True),
                                              together(parts, [each.frames(N_SHOWN, encoded=True) for each in people])))
    return [Row(f"two people, {WIDE_PX}x{HIGH_PX}, without encoding", 1 / two, "frames/CPU s", "one of them", 1 / one)]
