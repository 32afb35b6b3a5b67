from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.finder import Finder, Found, FoundDog
from dogmood.lab.data.pets import PetPhoto
from dogmood.lab.two_dogs import joined, kept_apart, measure_pairs


def found(*middles: float) -> Found:
    dogs = tuple(FoundDog((x - 5, 0, x + 5, 10), None, 0.9) for x in middles)
    return Found(dogs, 0.9, np.zeros((2, 2), np.float32))


SIDES = st.integers(20, 60)


@given(SIDES, SIDES, SIDES, SIDES)
def test_photos_stand_side_by_side_at_one_height(wide: int, high: int, other_wide: int, other_high: int) -> None:
    left, right = (np.full((h, w, 3), v, np.uint8) for w, h, v in ((wide, high, 0), (other_wide, other_high, 255)))
    picture, seam = joined(left, right)
    assert picture.shape[0] == min(high, other_high)
    assert (picture[:, :seam] == 0).all()
    assert (picture[:, seam:] == 255).all()


@pytest.mark.parametrize(
    ("middles", "apart"), [((20, 80), True), ((80, 20), True), ((20,), False), ((20, 30), False), ((20, 60, 80), False)]
)
def test_two_dogs_are_apart_when_each_lies_on_its_side(middles: tuple[float, ...], apart: bool) -> None:
    assert kept_apart(found(*middles), seam=50) == apart


def test_a_real_dog_beside_itself_is_two(bull_mastiff: Path, cottage: Path) -> None:
    bundle = open_bundle("base")
    finder = Finder(Network(bundle.finder), read_settings(bundle.card).finder)

    def pet(path: Path, kind: str) -> PetPhoto:
        return PetPhoto(path, path.stem, kind, "test", None, None, None)

    figures = measure_pairs(finder, [pet(bull_mastiff, "dog"), pet(cottage, "none"), pet(bull_mastiff, "dog")])
    assert figures["kept apart"]["value"] == 1
    assert figures["kept apart"]["n"] == 1
    assert figures["fewer than two"] == figures["more than two"] == 0
