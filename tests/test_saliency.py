from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.classifier import Evidence
from dogmood.crop import Square
from dogmood.emotions import EMOTIONS
from dogmood.saliency import saliency_maps


def evidence(square: Square, cell: tuple[int, int], emotion: str, value: float = 1.0) -> Evidence:
    maps = np.zeros((1, 5, 4, 4), np.float32)
    maps[(0, EMOTIONS.index(emotion), *cell)] = value
    return Evidence((square,), maps)


def test_the_map_lights_up_where_the_cell_lies_in_the_photo() -> None:
    maps = saliency_maps([evidence(Square(200, 0, 200), (0, 3), "fear")], width=400, height=200)
    assert set(maps) == set(EMOTIONS)
    assert maps["fear"].shape == (128, 256)
    assert maps["fear"].max() == 1
    row, column = np.unravel_index(maps["fear"].argmax(), maps["fear"].shape)
    assert row < 32
    assert column > 224
    assert maps["fear"][:, :120].max() == 0


def test_what_speaks_for_one_emotion_speaks_against_the_others() -> None:
    maps = saliency_maps([evidence(Square(0, 0, 100), (1, 1), "anger")], 100, 100)
    assert maps["anger"].max() == 1
    # Bicubic stretching swings a little below 0 beside a peak.
    assert maps["relaxed"][80:100, 80:100].max() == 0


def test_an_addition_counts_per_area_so_a_small_view_is_brighter() -> None:
    items = [evidence(Square(0, 0, 100), (1, 1), "anger"), evidence(Square(100, 0, 50), (1, 1), "anger")]
    anger = saliency_maps(items, 200, 100)["anger"]
    scale = 256 / 200
    large, small = anger[int(37 * scale), int(37 * scale)], anger[int(19 * scale), int(119 * scale)]
    assert small == pytest.approx(4 * large, rel=0.1)


def test_no_evidence_gives_an_empty_map_and_all_maps_stay_in_unit_range() -> None:
    silent = saliency_maps([Evidence((Square(0, 0, 50),), np.zeros((1, 5, 4, 4), np.float32))], 50, 50)
    assert all(not one.any() for one in silent.values())
    random = np.random.default_rng(0).normal(size=(1, 5, 7, 7)).astype(np.float32)
    maps = saliency_maps([Evidence((Square(-30, -30, 200),), random)], 100, 60, ("anger", "relaxed"))
    assert list(maps) == ["anger", "relaxed"]
    assert all(one.min() >= 0 and one.max() == 1 for one in maps.values())


def test_a_square_beyond_the_photo_adds_nothing() -> None:
    maps = saliency_maps([evidence(Square(500, 500, 50), (0, 0), "anger")], 100, 100)
    assert not maps["anger"].any()


@pytest.mark.parametrize("cell", [(0, 0), (1, 2), (3, 3)])
def test_the_mass_of_a_cell_lies_about_its_middle(cell: tuple[int, int]) -> None:
    fear = saliency_maps([evidence(Square(64, 32, 128), cell, "fear")], width=256, height=192)["fear"]
    rows, columns = np.indices(fear.shape)
    middle = (rows * fear).sum() / fear.sum(), (columns * fear).sum() / fear.sum()
    assert middle == pytest.approx((32 + 32 * (cell[0] + 0.5), 64 + 32 * (cell[1] + 0.5)), abs=8)


def test_equal_additions_weigh_the_same_whatever_the_size_of_their_views() -> None:
    maps = np.zeros((1, 5, 4, 4), np.float32)
    maps[0, EMOTIONS.index("fear"), 1:3, 1:3] = 1
    squares = Square(0, 0, 192), Square(192, 0, 48)
    fear = saliency_maps([Evidence((square,), maps) for square in squares], 256, 192)["fear"]
    assert fear[:, :192].sum() == pytest.approx(fear[:, 192:].sum(), rel=0.01)


@given(st.floats(-300, 300), st.floats(-300, 300), st.floats(1, 900), st.integers(1, 500), st.integers(1, 500))
def test_wherever_a_view_lies_the_map_covers_the_photo_in_unit_range(
    x: float, y: float, side: float, width: int, height: int
) -> None:
    for one in saliency_maps([evidence(Square(x, y, side), (1, 2), "fear")], width, height).values():
        assert max(one.shape) == 256
        assert one.min() >= 0
        assert one.max() in (0, 1)


def test_what_speaks_for_every_emotion_alike_is_shown_for_none() -> None:
    maps = np.zeros((1, 5, 4, 4), np.float32)
    maps[0, :, 1, 1] = 2
    silent = saliency_maps([Evidence((Square(0, 0, 100),), maps)], 100, 100)
    assert all(not one.any() for one in silent.values())


def test_several_crops_of_a_view_are_averaged_where_they_overlap_and_show_no_edge() -> None:
    right_half = np.zeros((1, 5, 20, 20), np.float32)
    right_half[0, EMOTIONS.index("fear"), :, 10:] = 1

    def of(square: Square) -> Evidence:
        return Evidence((square,), right_half * np.float32((square.side / 100) ** 2))  # as much per area

    crops = [of(Square(0, 0, 100)), of(Square(20, 20, 60)), of(Square(30, 30, 40))]
    fear = saliency_maps(crops, 100, 100)["fear"]
    side = len(fear)
    flat = fear[side // 10 : -side // 10, side * 5 // 8 : -side // 10]
    assert flat == pytest.approx(np.median(flat), rel=0.02)
    assert np.median(flat) > 0.8
    assert fear[side // 10 : -side // 10, side // 10 : side * 3 // 8] == pytest.approx(0, abs=0.02)


def test_what_every_cell_says_alike_has_no_place() -> None:
    maps = np.zeros((1, 5, 7, 7), np.float32)
    maps[0, EMOTIONS.index("anger")] = 5
    maps[0, EMOTIONS.index("anger"), 2, 4] = 6
    anger = saliency_maps([Evidence((Square(0, 0, 70),), maps)], 70, 70)["anger"]
    cell = len(anger) // 7
    assert anger.max() == 1
    assert anger[2 * cell : 3 * cell, 4 * cell : 5 * cell].mean() > 0.5
    assert anger[4 * cell :].max() < 0.01
