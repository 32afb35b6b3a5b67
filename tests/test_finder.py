from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.errors import ModelError
from dogmood.finder import Finder, FinderSettings, find_dogs, whole_photo, with_edge

SETTINGS = FinderSettings(side=384, presence=0.5, box=0.4, head=0.1)


def maps(
    bodies: dict[tuple[int, int], tuple[float, ...]], heads: dict[tuple[int, int], tuple[float, ...]] | None = None
):
    """Maps of 8 x 12 cells with a score and four distances at some of them."""

    def boxes(found: dict[tuple[int, int], tuple[float, ...]]) -> np.ndarray:
        result = np.zeros((5, 8, 12), np.float32)
        for (row, column), values in found.items():
            result[:, row, column] = values
        return result

    return {
        "presence": np.float32(0.9),
        "mask": np.zeros((32, 48), np.float32),
        "body": boxes(bodies),
        "head": boxes(heads or {}),
    }


def test_a_peak_becomes_a_box_in_photo_pixels() -> None:
    found = find_dogs(maps({(4, 6): (0.8, 2, 1, 3, 2.5)}), width=1200, height=400, settings=SETTINGS)
    (dog,) = found.dogs
    assert dog.box == pytest.approx((450, 175, 950, 350))  # 100 x 50 pixels a cell
    assert dog.head is None
    assert dog.presence == pytest.approx(0.9)


def test_two_dogs_side_by_side_stay_two_from_left_to_right_each_with_its_head() -> None:
    bodies = {(4, 9): (0.9, 2, 3, 2, 3), (4, 4): (0.7, 2, 3, 2, 3)}
    heads = {(2, 4): (0.5, 1, 1, 1, 1), (2, 9): (0.6, 1, 1, 1, 1)}
    left, right = find_dogs(maps(bodies, heads), 120, 80, SETTINGS).dogs
    assert left.box == pytest.approx((25, 15, 65, 75))
    assert right.box == pytest.approx((75, 15, 115, 75))
    assert left.head == pytest.approx((35, 15, 55, 35))
    assert right.head == pytest.approx((85, 15, 105, 35))
    assert right.presence == pytest.approx(0.9)
    assert left.presence == pytest.approx(0.9 * 0.7 / 0.9)


def test_a_weak_peak_is_a_dog_if_it_holds_a_head_of_its_own() -> None:
    settings = replace(SETTINGS, box_with_head=0.1)
    bodies = {(4, 3): (0.9, 2, 2, 2, 2), (4, 9): (0.2, 2, 2, 2, 2)}
    its_own, the_other_s = {(3, 9): (0.6, 1, 1, 1, 1)}, {(3, 3): (0.6, 1, 1, 1, 1)}
    found = find_dogs(maps(bodies, its_own), 120, 80, settings)
    assert len(found.dogs) == 2
    assert found.dogs[1].presence == pytest.approx(0.9 * 0.6)
    assert len(find_dogs(maps(bodies, the_other_s), 120, 80, settings).dogs) == 1
    assert len(find_dogs(maps(bodies, its_own), 120, 80, SETTINGS).dogs) == 1


def test_a_weak_peak_upon_a_dog_is_none_even_with_a_head() -> None:
    settings = replace(SETTINGS, box_with_head=0.1)
    bodies = {(4, 5): (0.9, 3, 3, 3, 3), (4, 7): (0.3, 4, 3, 2, 3)}
    heads = {(3, 4): (0.6, 1, 1, 1, 1), (3, 7): (0.6, 1, 1, 1, 1)}
    assert len(find_dogs(maps(bodies, heads), 120, 80, settings).dogs) == 1


def test_two_peaks_of_one_dog_are_one() -> None:
    bodies = {(4, 5): (0.9, 3, 3, 3, 3), (4, 7): (0.8, 4.8, 3, 1.2, 3)}
    assert len(find_dogs(maps(bodies), 120, 80, SETTINGS).dogs) == 1


def test_weak_peaks_beside_a_strong_one_are_left_out() -> None:
    bodies = {(4, 3): (0.9, 2, 2, 2, 2), (4, 9): (0.3, 2, 2, 2, 2)}
    assert len(find_dogs(maps(bodies), 120, 80, SETTINGS).dogs) == 1


def test_a_head_outside_every_body_belongs_to_none() -> None:
    (dog,) = find_dogs(maps({(4, 3): (0.9, 2, 2, 2, 2)}, {(1, 10): (0.9, 1, 1, 1, 1)}), 120, 80, SETTINGS).dogs
    assert dog.head is None


def test_below_the_presence_threshold_there_is_no_dog() -> None:
    given_maps = maps({(4, 6): (0.8, 2, 1, 3, 2)}) | {"presence": np.float32(0.49)}
    found = find_dogs(given_maps, 120, 80, SETTINGS)
    assert found.dogs == ()
    assert found.presence == pytest.approx(0.49)


@given(st.integers(16, 3000), st.integers(16, 3000))
def test_a_photo_is_fitted_to_whole_steps_and_keeps_its_aspect(width: int, height: int) -> None:
    seen = whole_photo(np.zeros((height, width, 3), np.uint8), 384)
    rows, columns = seen.shape[:2]
    assert rows % 32 == columns % 32 == 0
    assert max(rows, columns) == 384
    scale = 384 / max(width, height)
    assert abs(columns - width * scale) <= 32
    assert abs(rows - height * scale) <= 32


@given(st.integers(1, 5000))
def test_a_small_photo_is_enlarged_as_little_as_the_settings_say(long_side: int) -> None:
    side = FinderSettings(side=384, presence=0.5, box=0.4, head=0.1, enlarged=1.25).side_for(long_side)
    assert side % 32 == 0
    assert 224 <= side <= 384
    assert side == 384 or side < max(224, long_side * 1.25) + 32
    assert side >= min(384, long_side * 1.25)
    assert SETTINGS.side_for(long_side) == 384


def test_a_network_with_a_smaller_side_is_not_asked_for_more() -> None:
    assert FinderSettings(side=64, presence=0.5, box=0.4, head=0.1, enlarged=1.25).side_for(10) == 64


def test_a_head_is_given_once_and_the_best_scored_first() -> None:
    bodies = {(4, 4): (0.9, 3, 3, 3, 3), (4, 9): (0.8, 3, 3, 3, 3)}
    heads = {(3, 4): (0.5, 1, 1, 1, 1), (3, 6): (0.7, 1, 1, 1, 1)}
    left, right = find_dogs(maps(bodies, heads), 120, 80, SETTINGS).dogs
    assert left.head == pytest.approx((55, 25, 75, 45))
    assert right.head is None


def test_a_weak_head_is_no_head() -> None:
    (dog,) = find_dogs(maps({(4, 4): (0.9, 3, 3, 3, 3)}, {(3, 4): (0.09, 1, 1, 1, 1)}), 120, 80, SETTINGS).dogs
    assert dog.head is None


def test_a_box_ends_where_the_photo_ends() -> None:
    (dog,) = find_dogs(maps({(4, 6): (0.8, 99, 99, 99, 99)}), 120, 80, SETTINGS).dogs
    assert dog.box == (0, 0, 120, 80)


def test_a_head_that_lies_in_two_bodies_goes_to_the_better_one() -> None:
    bodies = {(4, 4): (0.8, 3, 3, 3, 3), (4, 7): (0.9, 3, 3, 3, 3)}
    left, right = find_dogs(maps(bodies, {(3, 5): (0.7, 0.8, 0.8, 0.8, 0.8)}), 120, 80, SETTINGS).dogs
    assert left.head is None
    assert right.head == pytest.approx((47, 27, 63, 43))


def test_at_the_presence_threshold_there_is_a_dog() -> None:
    given_maps = maps({(4, 6): (0.8, 2, 1, 3, 2)}) | {"presence": np.float32(0.5)}
    assert len(find_dogs(given_maps, 120, 80, SETTINGS).dogs) == 1


@given(st.floats(0.01, 0.99), st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_a_mask_s_edge_becomes_a_half_and_its_order_stays(edge: float, values: list[float]) -> None:
    mask = np.array([*values, edge], np.float32)
    shifted = with_edge(mask, edge)
    assert shifted[-1] == pytest.approx(0.5, abs=1e-4)
    assert ((shifted >= 0) & (shifted <= 1)).all()
    assert (np.diff(shifted[np.argsort(mask, kind="stable")]) >= -1e-6).all()
    assert np.array_equal(with_edge(mask, 0.5), mask)


def test_the_mask_s_edge_is_the_setting_s() -> None:
    given = maps({(4, 6): (0.8, 2, 1, 3, 2.5)})
    given["mask"][:, :24] = 0.3
    for edge, is_dog in ((0.2, True), (0.5, False)):
        found = find_dogs(given, 120, 80, replace(SETTINGS, mask=edge))
        assert (found.mask[:, :24] >= 0.5).all() == is_dog
        assert found.mask[:, 24:].max() < 0.5


@pytest.mark.parametrize("odd", ["body", "head"])
def test_a_network_with_other_box_maps_is_no_finder(odd: str) -> None:
    answer = {name: value[None] for name, value in maps({}).items()}
    answer[odd] = answer[odd][:, :4]
    finder = Finder(lambda _: list(answer.values()), SETTINGS)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="in another form"):
        finder.find(np.zeros((64, 64, 3), np.uint8))
