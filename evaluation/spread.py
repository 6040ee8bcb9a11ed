"""How the measures of many clips spread: means, deviations, how sure the means are, and which clips are worst.

Reads, writes: nothing. A row is one clip by one method: clip, source, method, and its measures by their names.
"""

from collections.abc import Iterable, Sequence

import numpy as np

ALL = "all clips"
NAMES = ("clip", "source", "method")  # of a row; the others are measures
_DRAWS, _LEVEL = 1000, 95  # times the clips are drawn anew; per cent of the means that lie between low and high


def spread_of(values: Iterable[float | None], seed: int = 0) -> dict | None:
    """Number, mean, standard deviation of the values that are known, and the interval of the mean by bootstrap.

    Returns
    -------
    n, mean, sd, low, high (95 % of the means of clips drawn anew lie between); None: no value is known
    """
    known = np.array([value for value in values if value is not None and np.isfinite(value)], float)
    if not len(known):
        return None
    draws = np.random.default_rng(seed).integers(len(known), size=(_DRAWS, len(known)))
    low, high = np.percentile(known[draws].mean(1), [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
    return {"n": len(known), "mean": float(known.mean()), "sd": float(known.std()), "low": float(low), "high": float(high)}


def measures_of(rows: Sequence[dict]) -> list[str]:
    """Names of the measures in `rows`, in their order."""
    return [name for name in dict.fromkeys(name for row in rows for name in row) if name not in NAMES]


def table_of(rows: Sequence[dict]) -> dict:
    """Source -> method -> measure -> `spread_of` its clips; over all clips last."""
    table: dict[str, dict] = {}
    for source in (*sorted({row["source"] for row in rows}), ALL):
        for method in dict.fromkeys(row["method"] for row in rows):
            chosen = [row for row in rows if row["method"] == method and source in (row["source"], ALL)]
            if chosen:
                table.setdefault(source, {})[method] = {
                    name: spread_of(row.get(name) for row in chosen) for name in measures_of(rows)}
    return table


def worst(rows: Sequence[dict], method: str, measure: str, n: int = 5) -> list[dict]:
    """The `n` rows of a method whose measure, of which more is better, is least; the worst first."""
    known = [row for row in rows if row["method"] == method and row.get(measure) is not None and np.isfinite(row[measure])]
    return sorted(known, key=lambda row: row[measure])[:n]
