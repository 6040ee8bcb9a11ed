"""Damaged files of every kind end in a result or in one line: two hundred for each reader, a share of them for slow ones."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tests import fuzz

N, SEED = 200, 0


def test_the_same_seed_does_the_same_damage():
    content = b'{"words": [{"word": "hello", "start_s": 0.5}]}' * 20
    once, again, other = (fuzz.damaged(content, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert once == again != other != content


def test_every_reader_answers_damaged_files_in_one_line():
    readers = {name: max(1, N // cost) for name, cost in fuzz.readers()}
    assert len(readers) > 30
    halves = [dict(list(readers.items())[first::2]) for first in range(2)]
    with ThreadPoolExecutor(2) as pool:  # each waits for a process of its own
        done = [ends for found in pool.map(lambda half: fuzz.try_readers(half, SEED), halves) for ends in found.values()]
    bad = [line for _, lines in done for line in lines]
    assert not bad, "\n".join(bad)
    total = sum((counts for counts, _ in done), Counter())
    assert total.total() == sum(readers.values())
    assert total[fuzz.REFUSED] > 0.3 * total.total(), "the damage is seen"


def _die_of_some(path):
    if path.read_bytes() != b"0" * 100 and path.stat().st_size % 2:
        os._exit(3)


def _refuse_all(path):
    raise ValueError(path)


def make_three(folder):
    """A reader that dies of some files, one that refuses its good one, and one that takes all."""
    for name, reader in (("dies", _die_of_some), ("refuses", _refuse_all), ("takes", Path)):
        (folder / name).write_bytes(b"0" * 100)
        yield name, folder / name, reader, 1


def test_who_dies_is_counted_and_the_others_go_on():
    found = fuzz.try_readers({"dies": 8, "refuses": 9, "takes": 7}, SEED, "tests.test_fuzz.make_three")
    counts, bad = found["dies"]
    assert counts.total() == 8 and 1 < counts["crash 3"] == len(bad) < 8 and counts[fuzz.GOOD]
    assert found["refuses"][1] == ["refuses: the good file is not read"]
    assert found["takes"] == (Counter({fuzz.GOOD: 7}), [])
