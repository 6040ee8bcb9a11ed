"""The share that one of several processes takes of a batch.

Reads, writes: nothing.
"""

from typing import Any


def _leaves(values):
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (tuple, list)):
        return [leaf for value in values for leaf in _leaves(value)]
    return [values] if getattr(values, "shape", ()) else []


def share_of(values: Any, rank: int, n: int) -> Any:
    """What process `rank` of `n` takes of a batch: every n-th item of each array, from `rank` on.

    `values` : tensor or array [n, ...], or a sequence or dict of such. A batch that is not of so many equal shares, as the
    frames of one video are not, all processes take whole: the mean is the same, and no time is saved.
    """
    lengths = {len(leaf) for leaf in _leaves(values)}
    if n == 1 or len(lengths) != 1 or lengths.pop() % n:
        return values

    def of(value):
        if isinstance(value, dict):
            return {name: of(each) for name, each in value.items()}
        if isinstance(value, (tuple, list)):
            return type(value)(of(each) for each in value)
        return value[rank::n] if getattr(value, "shape", ()) else value

    return of(values)
