"""Data-parallel training of speech networks: TF_CONFIG names the processes, each takes its share, gradients are their mean.

Reads: the environment variable TF_CONFIG, as TensorFlow does. Writes: nothing; the first process alone writes the run.
Each process makes the whole batch, which follows from the seed and the step, and takes its share: N processes do what one does.
Source: `tf.distribute.MultiWorkerMirroredStrategy`. It connects the processes and reduces the gradients, in
`learn.keras_run.descend`, where all trainings move their weights; variables stay as they are, so no network is wrapped.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from learn.shares import share_of

VARIABLE = "TF_CONFIG"
EXAMPLE = '{"cluster": {"worker": ["one:12345", "two:12345"]}, "task": {"type": "worker", "index": 0}}'
_LONGEST_PATH = 4096  # bytes
together = False  # whether `learn.tensorflow`, when it is first read, is to connect the processes
_strategy: Any = None


def _told_of() -> tuple[int, int]:
    """The number of this process, and how many there are. Raises InputError for a TF_CONFIG that says neither."""
    try:
        about = json.loads(os.environ.get(VARIABLE) or "{}")
        workers = about.get("cluster", {}).get("worker", [])
        rank = about.get("task", {}).get("index", 0)
        known = not about or (about["cluster"].keys() == {"worker"} and about["task"]["type"] == "worker")
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known or (workers and (not isinstance(rank, int) or not 0 <= rank < len(workers))):
        raise InputError(VARIABLE, os.environ[VARIABLE][:80], "workers, and which of them this is",
                         f"TF_CONFIG as docs/scale.md has it: {EXAMPLE}")
    return rank, len(workers) or 1


def rank() -> int:
    """The number of this process, from 0 on, while it is connected to others."""
    return _told_of()[0] if _strategy else 0


@contextmanager
def connected() -> Iterator[None]:
    """While in it the processes can talk; they leave it together. TensorFlow must not have computed anything before.

    Raises
    ------
    InputError : another process was lost.
    """
    global together, _strategy
    if _told_of()[1] == 1:
        yield
        return
    together = True
    from learn.tensorflow import strategy, tf
    _strategy = strategy
    try:
        yield
        told()  # who goes while the first one still writes would end it
    except (tf.errors.AbortedError, tf.errors.UnavailableError) as error:
        raise InputError(VARIABLE, f"a process of the training was lost ({type(error).__name__})", "all of them, to the end",
                         "the same command in each: it goes on from the last saved state") from None
    finally:
        together, _strategy = False, None


def mean_of(values: Sequence[Any]) -> list:
    """The mean of each tensor over all processes; inside of a `tf.function`, too."""
    if not _strategy:
        return list(values)
    from learn.tensorflow import tf

    @tf.autograph.experimental.do_not_convert
    def reduced(*mine):
        here = [tf.identity(value) for value in mine]  # on this process's device: of others the reduction does not know where
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, here)

    return [_strategy.experimental_local_results(value)[0] for value in _strategy.run(reduced, args=tuple(values))]


def told(folder: Path | None = None) -> Path:
    """The folder that the first process names, in all of them."""
    if not _strategy:
        return Path(folder or "")
    letters = np.zeros(_LONGEST_PATH, np.float32)
    name = os.fsencode(folder or "") if rank() == 0 else b""
    letters[:len(name)] = list(name)
    from learn.tensorflow import tf
    summed = _told_of()[1] * np.asarray(tf.function(mean_of)([tf.constant(letters)])[0])
    return Path(os.fsdecode(bytes(np.round(summed).astype(np.uint8)).rstrip(b"\0")))


def share(values: Any) -> Any:
    """What this process takes of a batch, see `learn.shares`."""
    return share_of(values, *_told_of()) if _strategy else values
