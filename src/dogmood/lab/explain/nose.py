"""Fit the rule for the nose in `dogmood.regions`: ``python -m dogmood.lab.explain.nose --data DATA``.

Prints the coefficients, and on held-out dogs how far the rule's noses are from the
true ones and how many of those lie in the region it calls the muzzle.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.errors import DogMoodError
from dogmood.finder import Finder, FoundDog
from dogmood.lab.data.pets import PetPhoto, read_pets
from dogmood.lab.dogs import largest
from dogmood.lab.finder_metrics import eager
from dogmood.lab.intervals import mean_with_interval
from dogmood.lab.progress import track
from dogmood.photo import open_photo
from dogmood.regions import REGIONS, divide, facts_of_head, nose_in_head

Nosed = tuple[PetPhoto, FoundDog]


def dogs_with_noses(finder: Finder, data: Path) -> list[Nosed]:
    """Return the photos with a nose point, and the dog found in each, where its head was found."""
    pets = [pet for pet in read_pets(data / "finder") if pet.kind == "dog" and pet.nose]
    found = [(pet, largest(finder.find(open_photo(pet.path).pixels).dogs)) for pet in track(pets, "Finding dogs")]
    return [(pet, dog) for pet, dog in found if dog.head is not None]


def fit(dogs: Sequence[Nosed]) -> NDArray[np.float64]:
    """Return the coefficients ``(2, 6)`` by least squares, from dogs whose nose lies in the head box."""
    facts, noses = [], []
    for pet, dog in dogs:
        x, y = _nose(pet, dog)
        if 0 <= x <= 1 and 0 <= y <= 1:
            assert dog.head is not None
            facts.append(facts_of_head(dog.head, dog.box))
            noses.append((x, y))
    solution, *_ = np.linalg.lstsq(np.array(facts), np.array(noses), rcond=None)
    result: NDArray[np.float64] = solution.T
    return result


def check(dogs: Sequence[Nosed]) -> dict[str, Any]:
    """Return how well the rule of `dogmood.regions` places noses.

    Distances are shares of the head box's size, the root of its area.
    """
    far, in_muzzle = [], []
    for pet, dog in dogs:
        assert dog.head is not None
        assert pet.nose is not None
        (x, y), (u, v) = _nose(pet, dog), nose_in_head(dog.head, dog.box)
        wide, high = dog.head[2] - dog.head[0], dog.head[3] - dog.head[1]
        far.append(float(np.hypot((x - u) * wide, (y - v) * high) / np.sqrt(wide * high)))
        in_muzzle.append(float(_in_muzzle(pet.nose, dog)))
    each = range(len(dogs))
    return {
        "n": len(dogs),
        "distance": mean_with_interval(far, each),
        "noses in the muzzle": mean_with_interval(in_muzzle, each),
    }


def _in_muzzle(nose: tuple[float, float], dog: FoundDog) -> bool:
    # A photo of one pixel, at the nose, all dog: which region is it?
    assert dog.head is not None
    x, y = nose[0] - 0.5, nose[1] - 0.5
    body, head = ((x0 - x, y0 - y, x1 - x, y1 - y) for x0, y0, x1, y1 in (dog.box, dog.head))
    moved = FoundDog(body, head, dog.presence)
    return bool(divide((1, 1), 1, 1, moved, np.ones((1, 1), np.float32))[REGIONS.index("muzzle")] > 0)


def _nose(pet: PetPhoto, dog: FoundDog) -> tuple[float, float]:
    """Return the true nose as shares of the head box."""
    assert pet.nose is not None
    assert dog.head is not None
    x0, y0, x1, y1 = dog.head
    return (pet.nose[0] - x0) / (x1 - x0), (pet.nose[1] - y0) / (y1 - y0)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds finder/")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    options = parser.parse_args()
    try:
        bundle = open_bundle(options.model)
        finder = Finder(Network(bundle.finder), eager(read_settings(bundle.card).finder))
        dogs = dogs_with_noses(finder, options.data)
    except DogMoodError as error:
        sys.exit(str(error))
    learnt = [dog for dog in dogs if dog[0].split != "test"]
    held_out = [dog for dog in dogs if dog[0].split == "test"]
    figures = {"coefficients": fit(learnt).round(3).tolist(), "test": check(held_out)}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
