"""Damaged files of every kind end in a result or in one line: two hundred for each reader, a share of them for slow ones."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests import fuzz

N, SEED = 200, 0


def test_the_same_seed_does_the_same_damage():
    content = b'{"words": [{"word": "hello", "start_s": 0.5}]}' * 20
    once, again, other = (fuzz.damaged(content, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert once == again != other != content


def test_every_reader_answers_damaged_files_in_one_line():
    readers = fuzz.readers()
    assert len(readers) > 30
    with ThreadPoolExecutor(2) as pool:  # each waits for a process of its own
        done = list(pool.map(lambda reader: fuzz.try_reader(reader[0], max(1, N // reader[1]), SEED), readers))
    bad = [line for _, lines in done for line in lines]
    assert not bad, "\n".join(bad)
    total = sum((counts for counts, _ in done), Counter())
    assert total[fuzz.REFUSED] > 0.3 * total.total(), "the damage is seen"
