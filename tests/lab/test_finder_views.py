from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.finder import FinderSettings
from dogmood.lab.altered import Wear
from dogmood.lab.finder_targets import Truth
from dogmood.lab.finder_views import FinderPhoto, View, cut_out, turned
from dogmood.lab.nets.finder import BACKDROP, DOG, OTHER

ANIMAL = np.full((8, 8), 2, np.uint8)
ANIMAL[2:6, 2:6] = 1
SOFT = np.zeros((3, 8, 8), np.float32)
SOFT[DOG, 2:6, 2:6] = 1
SOFT[BACKDROP] = 1 - SOFT[DOG]
MIDDLE = (0.25, 0.25, 0.75, 0.75)
TRUTH = Truth(dog=True, animal=ANIMAL, species=DOG, bodies=(MIDDLE,), heads=(MIDDLE,), soft=SOFT)
SETTINGS = FinderSettings(side=448, presence=0.5, box=0.7, head=0.1, enlarged=1.25)
SHARE = st.integers(0, 15).map(lambda sixteenths: sixteenths / 16)


def test_what_is_cut_out_keeps_its_masks_and_boxes() -> None:
    part = cut_out(TRUTH, MIDDLE)
    assert part.bodies == ((0, 0, 1, 1),)
    assert part.heads == ((0, 0, 1, 1),)
    assert part.animal is not None
    assert (part.animal == 1).all()
    assert part.soft is not None
    assert part.soft[DOG].mean() > 0.8


def test_a_part_without_the_dog_knows_that_there_is_none() -> None:
    part = cut_out(replace(TRUTH, bodies=((0.5, 0.5, 1, 1),), heads=((0.5, 0.5, 1, 1),)), (0, 0, 0.25, 0.25))
    assert part.bodies == ()
    assert part.heads == ()


def test_slivers_and_several_dogs_are_unknown() -> None:
    assert cut_out(replace(TRUTH, bodies=((0.24, 0, 1, 1),)), (0, 0, 0.25, 1)).bodies is None
    assert cut_out(replace(TRUTH, bodies=((0, 0, 0.5, 1), (0.5, 0, 1, 1))), MIDDLE).bodies is None


def test_a_head_that_is_cut_through_is_not_asked_for() -> None:
    assert cut_out(TRUTH, (0, 0, 0.5, 1)).heads == ()


@given(SHARE, SHARE, SHARE, SHARE)
def test_boxes_stay_within_what_is_cut_out(x: float, y: float, wide: float, high: float) -> None:
    region = (x, y, min(1.0, x + wide + 1 / 16), min(1.0, y + high + 1 / 16))
    part = cut_out(TRUTH, region)
    for box in (*(part.bodies or ()), *(part.heads or ())):
        assert 0 <= box[0] < box[2] <= 1
        assert 0 <= box[1] < box[3] <= 1
    assert part.animal is not None
    assert part.animal.size


def test_masks_turn_with_the_photo_and_boxes_are_unknown() -> None:
    result = turned(TRUTH, 25, 64, 64)
    assert result.bodies is None
    assert result.heads is None
    assert result.animal is not None
    assert result.animal.shape == (64, 64)
    assert result.animal[32, 32] == 1
    assert result.animal[0, 0] == 2  # what turns in is backdrop
    assert result.soft is not None
    assert result.soft[:, 0, 0].tolist() == [1, 0, 0]
    assert (result.animal == 1).mean() == pytest.approx(0.25, abs=0.02)


def test_without_a_dog_there_is_none_when_the_photo_is_turned() -> None:
    cat = Truth(dog=False, animal=ANIMAL, species=OTHER, bodies=(), heads=(MIDDLE,), head_scored=False)
    result = turned(cat, 10, 64, 64)
    assert result.bodies == ()
    assert result.heads == ()
    assert result.head_scored


def photo(head: tuple[float, float, float, float] | None) -> FinderPhoto:
    return FinderPhoto(Path("a.jpg"), "ab" * 32, (200, 100), TRUTH, head)


def test_a_photo_has_guises_of_its_own_a_face_only_where_the_head_is_known() -> None:
    guises = photo((80, 20, 120, 60)).guises(SETTINGS)
    assert guises == photo((80, 20, 120, 60)).guises(SETTINGS)
    assert [(view.cut is None, view.wear is None) for view in guises] == [(True, False), (False, False), (False, True)]
    assert [view.cut for view in photo(None).guises(SETTINGS)] == [None]
    assert {view.side % 32 for view in guises} == {0}


@given(st.integers(0, 2**32 - 1))
def test_pixels_and_masks_of_a_view_go_together(seed: int) -> None:
    pixels = np.zeros((80, 80, 3), np.uint8)
    pixels[20:60, 20:60] = 255
    wear = Wear.drawn(np.random.default_rng(seed))
    view = View(224, (10, 10, 70, 70), wear)
    seen = view.pixels(pixels)
    truth = view.known(replace(TRUTH, animal=np.where(pixels[..., 0] > 0, 1, 2).astype(np.uint8)), 80, 80)
    assert truth.animal is not None
    rows, columns = (((np.arange(224) + 0.5) / 224 * side).astype(int) for side in truth.animal.shape)
    mask = truth.animal[np.ix_(rows, columns)] == 1
    assert ((seen[..., 0] > 127) == mask).mean() > 0.93
