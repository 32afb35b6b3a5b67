from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.crop import FILL, Square, cut, square_around, ten_squares


def test_the_square_is_about_the_middle_of_the_box() -> None:
    assert square_around((10, 20, 30, 60), 1.5) == Square(-10, 10, 60)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 100))
def test_ten_crops_lie_in_the_square_and_touch_its_corners(x: float, y: float, side: float) -> None:
    squares = ten_squares(Square(x, y, side))
    assert len(squares) == 5
    for square in squares:
        assert square.side == pytest.approx(0.875 * side)
        assert x - 1e-6 <= square.x0
        assert square.box[2] <= x + side + 1e-6
    assert squares[0].box[:2] == (x, y)
    assert squares[3].box[2:] == pytest.approx((x + side, y + side))


def test_a_cut_holds_the_pixels_it_names() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (50, 60, 3), dtype=np.uint8)
    assert np.array_equal(cut(pixels, Square(10, 20, 16), 16), pixels[20:36, 10:26])


def test_beyond_the_photo_is_the_fill_colour() -> None:
    pixels = np.full((20, 20, 3), 255, np.uint8)
    part = cut(pixels, Square(-10, 0, 20), 20)
    assert (part[:, :10] == FILL).all()
    assert (part[:, 10:] == 255).all()
    assert (cut(pixels, Square(100, 100, 10), 8) == FILL).all()


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(0.3, 200), st.integers(1, 40))
def test_any_square_gives_a_picture_of_the_asked_size(x: float, y: float, side: float, size: int) -> None:
    part = cut(np.zeros((30, 40, 3), np.uint8), Square(x, y, side), size)
    assert part.shape == (size, size, 3)
    assert part.dtype == np.uint8


@given(st.floats(0, 500), st.floats(0, 500), st.floats(0.5, 500), st.floats(0.5, 500), st.floats(1, 3))
def test_the_square_holds_the_box_about_its_middle(x: float, y: float, wide: float, high: float, expand: float) -> None:
    square = square_around((x, y, x + wide, y + high), expand)
    assert square.side == pytest.approx(max(wide, high, 1) * expand)
    x0, y0, x1, y1 = square.box
    assert (x0 + x1, y0 + y1) == pytest.approx((2 * x + wide, 2 * y + high), abs=1e-6)
    assert x0 <= x + 1e-6
    assert y1 >= y + high - 1e-6
