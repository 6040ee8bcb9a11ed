"""Copies of this process make frames in turns: in order, the same as one process makes, and none is left behind."""

import os
import signal
import sys
import threading
import time
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import portrait_photo

from core.face import face68
from core.processes import copies
from core.processes.copies import N_AHEAD, in_copies, n_copies
from render import liveliness, portrait
from render.life.gaze import gaze_of
from render.life.gaze_part import attend, gaze_part
from render.life.iris import is_installed
from render.parts.painted import painted_parts

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
LIKE = np.empty((3, 5), np.uint8)


def fill(item, array):
    array[:] = item


def children():
    """Processes that this one has begun and not seen the end of."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(listed.read_text().split()) if listed.is_file() else set()


@pytest.fixture(autouse=True)
def others():
    """Those of other tests; none of this one is left."""
    before, n_threads = children(), cv2.getNumThreads()
    yield before
    assert children() <= before and cv2.getNumThreads() == n_threads


@linux
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("n_items", [0, 1, 5, 40])
def test_what_is_made_comes_in_order(n, n_items):
    made = list(in_copies(fill, range(n_items), LIKE, n))
    assert [array.mean() for array in made] == list(range(n_items))
    assert all(array.shape == LIKE.shape and array.dtype == LIKE.dtype for array in made)


@linux
def test_who_is_slow_is_waited_for():
    def slow(item, array):
        time.sleep(0.02 * (item % 3))
        fill(item, array)

    assert [array[0, 0] for array in in_copies(slow, range(20), LIKE, 2)] == list(range(20))


@linux
def test_items_are_taken_as_they_are_needed():
    taken = []
    made = in_copies(fill, (taken.append(k) or k for k in count()), LIKE, 2)
    assert next(made).mean() == 0 and len(taken) == 2 * N_AHEAD
    assert [array.mean() for array in islice(made, 9)] == list(range(1, 10))
    made.close()


@linux
@pytest.mark.parametrize("error", [ValueError("no such frame"), MemoryError(), KeyError("x")])
def test_an_error_is_raised_where_frames_are_asked_for(error):
    def fails(item, array):
        if item == 4:
            raise error
        fill(item, array)

    made = in_copies(fails, range(9), LIKE, 2)
    assert [next(made).mean() for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(type(error)):
        next(made)


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
@pytest.mark.parametrize("ended", [(4,), (0, 1), (39,)])
def test_what_an_ended_copy_was_to_do_is_done(number, ended):
    """The system ends processes where memory is scarce."""
    parent = os.getpid()

    def ends(item, array):
        if item in ended and os.getpid() != parent:
            os.kill(os.getpid(), number)
        fill(item, array)

    assert [array.mean() for array in in_copies(ends, range(40), LIKE, 2)] == list(range(40))


@linux
def test_ctrl_c_is_the_parents(others):
    """A terminal sends it to all: the copies leave it to who can say so, and end with it."""
    made = in_copies(fill, count(), LIKE, 2)
    next(made)
    for child in children() - others:
        os.kill(int(child), signal.SIGINT)
    assert [array.mean() for array in islice(made, 20)] == list(range(1, 21))
    made.close()


@linux
def test_a_copy_ends_with_its_parent():
    read, write = os.pipe()
    if not (parent := os.fork()):
        made = in_copies(fill, count(), LIKE, 2)
        next(made)
        os.write(write, " ".join(children()).encode())
        time.sleep(60)
        os._exit(0)
    try:
        started = os.read(read, 100).decode().split()
    finally:
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
    assert len(started) == 2
    ends_s = time.monotonic() + 10
    while any(Path(f"/proc/{child}/cmdline").is_file() and Path(f"/proc/{child}/cmdline").read_bytes() for child in started):
        assert time.monotonic() < ends_s
        time.sleep(0.05)


def test_no_copies_where_they_would_hang(monkeypatch):
    count_all, n_others = threading.active_count, threading.active_count() - 1  # other tests left some
    monkeypatch.setattr(copies.threading, "active_count", lambda: count_all() - n_others)
    monkeypatch.setattr(copies.sys, "platform", "linux")
    monkeypatch.setattr(copies.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(copies, "_THREADED", ("no such library",))
    assert n_copies() == copies.MOST_COPIES
    monkeypatch.setattr(copies.os, "sched_getaffinity", lambda _: {0})
    assert n_copies() == 0
    monkeypatch.setattr(copies.os, "sched_getaffinity", lambda _: {0, 1})
    assert n_copies() == 2
    for name in ("_THREADED", "sys"):
        with monkeypatch.context() as other:
            other.setattr(copies, name, ("numpy",) if name == "_THREADED" else type("sys", (), {"platform": "darwin"}))
            assert n_copies() == 0
    asked, held = threading.Event(), threading.Thread(target=lambda: asked.wait(20))
    held.start()
    try:
        assert n_copies() == 0
    finally:
        asked.set()
        held.join()


@linux
@pytest.mark.parametrize("encoded", [False, True])
def test_frames_are_those_of_one_process(tmp_path, monkeypatch, encoded):
    """To the bit, with mouth, lids and eyes that look about: a frame needs nothing but its move."""
    face = portrait_photo(tmp_path / "portrait.png", 256)
    mouth, lids = painted_parts(face)
    eyes = gaze_part(face) if is_installed() else None
    n_frames = 24
    faces = [liveliness.close_lids(face68.closed_mouth(face.face, 0), 0.5 + 0.5 * np.sin(k)) for k in range(n_frames)]
    moves = list(zip(faces, liveliness.head_motion(n_frames)))
    moves = list(attend(moves, gaze_of(n_frames, seed=3))) if eyes else moves
    parts = (mouth, eyes, lids) if eyes else (mouth, lids)
    made = {}
    for n in (0, 2):
        monkeypatch.setattr(portrait, "n_copies", lambda n=n: n)
        made[n] = np.stack(list(portrait.frames(face, moves, parts, encoded=encoded)))
    assert made[0].std(0).max() > 5
    np.testing.assert_array_equal(made[0], made[2])
