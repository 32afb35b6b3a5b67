"""Whether two dogs are kept apart: photos of two pets put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dogmood.finder import Finder, Found
from dogmood.lab.data.pets import PetPhoto
from dogmood.lab.intervals import mean_with_interval
from dogmood.photo import Pixels, open_photo, resized


def joined(left: Pixels, right: Pixels) -> tuple[Pixels, int]:
    """Return two photos side by side, as high as the lower one, and the column where the second begins."""
    height = min(left.shape[0], right.shape[0])
    parts = [resized(one, max(1, round(one.shape[1] * height / one.shape[0])), height) for one in (left, right)]
    return np.hstack(parts), parts[0].shape[1]


def kept_apart(found: Found, seam: int) -> bool:
    """Return whether just two dogs were found, each with its middle on its own side of the seam."""
    middles = sorted((dog.box[0] + dog.box[2]) / 2 for dog in found.dogs)
    return len(middles) == 2 and middles[0] < seam < middles[1]


def measure_pairs(finder: Finder, pets: Sequence[PetPhoto]) -> dict[str, Any]:
    """Return how often two dogs side by side are found as two, with the finder's own thresholds.

    Args:
        finder: says where the dogs are.
        pets: photos of one dog each; each is in one pair at most.
    """
    dogs = [pet for pet in pets if pet.kind == "dog"]
    order = np.random.default_rng(0).permutation(len(dogs))
    apart, counts = [], []
    for first, second in zip(order[::2], order[1::2], strict=False):
        picture, seam = joined(*(open_photo(dogs[i].path).pixels for i in (first, second)))
        found = finder.find(picture)
        apart.append(kept_apart(found, seam))
        counts.append(len(found.dogs))
    return {
        "kept apart": mean_with_interval(apart, list(range(len(apart)))),
        "fewer than two": sum(count < 2 for count in counts),
        "more than two": sum(count > 2 for count in counts),
    }
