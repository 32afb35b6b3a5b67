"""95 % intervals by resampling groups of photos (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]


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
