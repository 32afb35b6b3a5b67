from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.crop import Square
from dogmood.lab.explain.localise import energy_inside, gaussian, gaussian_in_views, points_into, shuffled


def corner_map() -> np.ndarray:
    saliency = np.zeros((10, 20), np.float32)
    saliency[:5, :5] = 1
    return saliency


def test_a_map_in_the_mask_has_all_its_energy_there_and_outside_it_none() -> None:
    inside = np.zeros((10, 20), bool)
    inside[:5, :5] = True
    assert energy_inside(corner_map(), inside) == 1
    assert energy_inside(corner_map(), ~inside) == 0
    inside[:, 3:] = False
    assert energy_inside(corner_map(), inside) == pytest.approx(0.6)


def test_spots_that_do_not_count_are_left_out() -> None:
    inside, counted = np.zeros((10, 20), bool), np.ones((10, 20), bool)
    inside[:, :2] = True
    counted[:, 2:4] = False
    assert energy_inside(corner_map(), inside, counted) == pytest.approx(2 / 3)


def test_an_empty_map_is_nowhere() -> None:
    assert math.isnan(energy_inside(np.zeros((4, 4), np.float32), np.ones((4, 4), bool)))


def test_the_strongest_spot_is_told_in_pixels_of_the_photo() -> None:
    saliency = np.zeros((10, 20), np.float32)
    saliency[2, 15] = 1  # of a photo of 200 x 100: at 155, 25
    assert points_into(saliency, (150, 20, 160, 30), 200, 100)
    assert not points_into(saliency, (20, 150, 30, 160), 200, 100)
    assert not points_into(saliency, (0, 0, 150, 100), 200, 100)


def test_a_gaussian_lies_in_the_middle_and_is_the_same_both_ways() -> None:
    middle = gaussian(9, 15)
    assert np.unravel_index(middle.argmax(), middle.shape) == (4, 7)
    assert middle.max() == pytest.approx(1)
    assert np.allclose(middle, middle[::-1, ::-1])


def test_a_gaussian_in_each_view_is_strongest_in_the_smallest() -> None:
    saliency = gaussian_in_views((Square(0, 0, 100), Square(10, 60, 20)), 100, 100)
    assert points_into(saliency, (10, 60, 30, 80), 100, 100)
    assert saliency[128, 128] > 0.02 * saliency.max()


@given(st.integers(0, 2**31))
def test_shuffled_cells_are_the_same_cells_and_stay_together(seed: int) -> None:
    maps = np.arange(2 * 5 * 3 * 4, dtype=np.float32).reshape(2, 5, 3, 4)
    mixed = shuffled(maps, np.random.default_rng(seed))
    assert mixed.shape == maps.shape
    for before, after in zip(maps, mixed, strict=True):
        cells = {tuple(cell) for cell in before.reshape(5, -1).T.tolist()}
        assert {tuple(cell) for cell in after.reshape(5, -1).T.tolist()} == cells
