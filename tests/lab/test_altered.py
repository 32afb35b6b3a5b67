from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dogmood.crop import FILL
from dogmood.finder import Found
from dogmood.lab.altered import (
    Wear,
    dog_share,
    face,
    face_region,
    on_backdrop,
    without_backdrop,
    without_box,
    without_dog,
)

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


EDGES = st.floats(-50, 150, allow_nan=False)


@given(st.tuples(EDGES, EDGES, st.floats(0, 100), st.floats(0, 100)))
def test_a_face_is_what_lies_in_the_box_and_never_nothing(head: tuple[float, float, float, float]) -> None:
    x, y, wide, high = head
    pixels = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3)
    cut = face(pixels, (x, y, x + wide, y + high))
    assert cut.size > 0
    x0, y0, x1, y1 = face_region(80, 60, (x, y, x + wide, y + high))
    assert cut.shape[:2] == (y1 - y0, x1 - x0)
    rows, columns = cut.shape[:2]
    assert rows <= max(1, round(high) + 1)
    assert columns <= max(1, round(wide) + 1)


def test_a_face_is_cut_exactly() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(60, 80, 3), dtype=np.uint8)
    assert np.array_equal(face(pixels, (10.2, 5.4, 40.4, 30.6)), pixels[5:31, 10:40])


def test_a_margin_is_shared_by_both_sides() -> None:
    assert np.array_equal(face(PIXELS, (20, 10, 40, 30), margin=0.5), PIXELS[5:35, 15:45])


@given(st.integers(0, 2**32 - 1), st.integers(8, 300), st.integers(8, 300))
def test_worn_photos_are_grey_and_small(seed: int, width: int, height: int) -> None:
    photo = np.full((height, width, 3), (200, 40, 90), np.uint8)
    wear = Wear.drawn(np.random.default_rng(seed))
    result = wear.of(photo)
    assert (result == result[..., :1]).all()
    assert 63 <= max(result.shape[:2]) <= 201
    assert result.shape[1::-1] == wear.size(width, height)
    assert wear == Wear.drawn(np.random.default_rng(seed))
