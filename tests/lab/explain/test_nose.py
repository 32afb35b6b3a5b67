from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dogmood.finder import FoundDog
from dogmood.lab.data.pets import PetPhoto
from dogmood.lab.explain.nose import check, fit
from dogmood.regions import NOSE, facts_of_head, nose_in_head


def drawn(n: int, rule: np.ndarray) -> list[tuple[PetPhoto, FoundDog]]:
    """Dogs whose noses follow a rule."""
    random = np.random.default_rng(0)
    dogs = []
    for i in range(n):
        body = (0.0, 0.0, *random.uniform(150, 300, 2))
        x, y, wide, high = *random.uniform(0, 90, 2), *random.uniform(40, 60, 2)
        head = (x, y, x + wide, y + high)
        u, v = rule @ facts_of_head(head, body)
        nose = (x + u * wide, y + v * high)
        dogs.append((PetPhoto(Path("x"), f"pet_{i}", "dog", "test", head, nose, None), FoundDog(body, head, 1.0)))
    return dogs


def test_the_rule_that_noses_follow_is_found_again() -> None:
    rule = np.array([[0.5, 0.3, 0.0, 0.1, 0.0, 0.0], [0.6, 0.0, 0.2, 0.0, 0.1, -0.05]])
    assert fit(drawn(40, rule)) == pytest.approx(rule, abs=1e-6)


def test_noses_that_follow_our_rule_are_at_no_distance_and_in_the_muzzle() -> None:
    dogs = [
        (pet, dog)
        for pet, dog in drawn(60, np.array(NOSE))
        if dog.head and np.dot(NOSE, facts_of_head(dog.head, dog.box)) == pytest.approx(nose_in_head(dog.head, dog.box))
    ]
    figures = check(dogs)
    assert figures["n"] > 10
    assert figures["distance"]["value"] == pytest.approx(0, abs=1e-9)
    assert figures["noses in the muzzle"]["value"] == 1


def test_noses_at_the_head_s_corner_are_far_and_outside_the_muzzle() -> None:
    dogs = []
    for pet, dog in drawn(5, np.array(NOSE)):
        assert dog.head is not None
        dogs.append((PetPhoto(pet.path, pet.name, "dog", "test", dog.head, dog.head[:2], None), dog))
    figures = check(dogs)
    assert figures["distance"]["value"] > 0.5
    assert figures["noses in the muzzle"]["value"] == 0
