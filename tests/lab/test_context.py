from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.crop import FILL
from dogmood.finder import Found
from dogmood.lab.context import dog_share, measure_context, on_backdrop, without_backdrop, without_box, without_dog

SIDE = 64
PIXELS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def left_half() -> np.ndarray:
    mask = np.zeros((8, 8), np.float32)
    mask[:, :4] = 1
    return dog_share(Found((), 1.0, mask), SIDE, SIDE)


def test_a_mask_becomes_a_share_of_each_pixel() -> None:
    share = left_half()
    assert share.shape == (SIDE, SIDE)
    assert share[:, :24].min() == 1
    assert share[:, 40:].max() == 0


def test_the_backdrop_goes_and_the_dog_stays() -> None:
    result = without_backdrop(PIXELS, left_half())
    assert np.array_equal(result[:, :24], PIXELS[:, :24])
    assert (result[:, 40:] == FILL).all()


def test_the_dog_goes_with_a_rim_and_the_backdrop_stays() -> None:
    result = without_dog(PIXELS, left_half())
    assert (result[:, :32] == FILL).all()
    assert np.array_equal(result[:, 48:], PIXELS[:, 48:])


def test_the_dog_stands_before_another_picture() -> None:
    backdrop = np.full((10, 20, 3), 200, np.uint8)
    result = on_backdrop(PIXELS, left_half(), backdrop)
    assert np.array_equal(result[:, :24], PIXELS[:, :24])
    assert (result[:, 40:] == 200).all()


@given(st.tuples(*[st.floats(-20, 90, allow_nan=False) for _ in range(4)]))
def test_a_box_is_blanked_and_nothing_else(box: tuple[float, ...]) -> None:
    x0, y0, x1, y1 = min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])
    changed = (without_box(PIXELS, (x0, y0, x1, y1)) != PIXELS).any(axis=2)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = (columns >= round(x0)) & (columns < round(x1)) & (rows >= round(y0)) & (rows < round(y1))
    assert not changed[~inside].any()
    assert changed[inside].mean() > 0.99 if inside.any() else True


def test_each_condition_is_measured_on_every_photo(small_data: Path) -> None:
    figures = measure_context("base", small_data, "test")
    assert figures["n"] == 10
    assert figures["chance"] == pytest.approx(0.2)
    assert len(figures["accuracy"]) == 5
    assert all(0 <= figure["value"] <= 1 for figure in figures["accuracy"].values())
