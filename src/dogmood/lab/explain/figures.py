"""A mean and its interval, and how both are written."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogmood.lab.intervals import Figure, bootstrap

BETTER = "map is better by"
"""Of a baseline: the mean by which the map under test does better, photo by photo."""


def mean_over_kinds(values: Sequence[float], kinds: Sequence[Hashable]) -> Figure:
    """Return the mean of the kinds' means, so that a kind with many photos counts no more than another.

    Args:
        values: a number a photo.
        kinds: of which kind each is.  Photos are resampled one by one.
    """
    numbers, number_of = np.array(values), {kind: i for i, kind in enumerate(dict.fromkeys(kinds))}
    indices = np.array([number_of[kind] for kind in kinds])

    def mean(drawn: NDArray[np.intp]) -> float:
        sums = np.bincount(indices[drawn], numbers[drawn], len(number_of))
        counts = np.bincount(indices[drawn], minlength=len(number_of))
        return float((sums[counts > 0] / counts[counts > 0]).mean())

    everything = np.arange(len(numbers))
    return {"value": mean(everything), "interval": list(bootstrap(mean, everything.tolist())), "n": len(number_of)}


def written(figure: Mapping[str, Any], digits: int = 3) -> str:
    """Return a figure as "0.812 (0.790 to 0.834)"."""
    if figure["value"] is None:
        return "not known"
    low, high = figure["interval"]
    return f"{figure['value']:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
