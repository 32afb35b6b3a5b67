"""95 % intervals by resampling groups of photos (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

Figure = dict[str, Any]
"""``value``, ``interval`` (95 %, group bootstrap) and ``n``; value and interval are None where n is 0."""


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    groups: Sequence[Hashable],
    rounds: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return the 2.5 % and 97.5 % points of a statistic over resampled groups.

    Args:
        statistic: maps the indices of the drawn photos to a number; a draw on
            which it is not defined (nan) is left out.
        groups: the group of each photo; whole groups are drawn, with repetition.
        rounds: how many draws.
        seed: of the draws.
    """
    members: dict[Hashable, list[int]] = {}
    for i, group in enumerate(groups):
        members.setdefault(group, []).append(i)
    blocks = [np.array(block) for block in members.values()]
    random = np.random.default_rng(seed)
    values = [
        statistic(np.concatenate([blocks[b] for b in random.integers(len(blocks), size=len(blocks))]))
        for _ in range(rounds)
    ]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def mean_with_interval(
    values: Sequence[float] | NDArray[np.float64] | NDArray[np.bool_], groups: Sequence[Hashable]
) -> Figure:
    """Return the mean of numbers, those that are not known (nan) left out.

    Args:
        values: a number a photo.
        groups: what is resampled together.
    """
    known = [i for i, value in enumerate(values) if not np.isnan(value)]
    if not known:
        return {"value": None, "interval": None, "n": 0}
    numbers = np.array([values[i] for i in known])
    interval = bootstrap(lambda drawn: float(numbers[drawn].mean()), [groups[i] for i in known])
    return {"value": float(numbers.mean()), "interval": list(interval), "n": len(known)}
