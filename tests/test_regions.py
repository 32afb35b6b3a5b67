from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.finder import FoundDog
from dogmood.regions import REGIONS, divide, nose_in_head, shares_of

REX = FoundDog(box=(20.0, 10.0, 80.0, 90.0), head=(30.0, 10.0, 70.0, 50.0), presence=1.0)
ALL_DOG = np.ones((25, 25), np.float32)


def divided(dog: FoundDog = REX, mask: np.ndarray = ALL_DOG) -> dict[str, np.ndarray]:
    """The regions of a photo of 100 x 100, a row and a column a pixel."""
    return dict(zip(REGIONS, divide((100, 100), 100, 100, dog, mask), strict=True))


def spot(x: int, y: int) -> dict[str, np.ndarray]:
    one = np.zeros((100, 100), np.float32)
    one[y, x] = 1
    return {"anger": one}


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ((50, 38), "muzzle"),
        ((44, 26), "eyes"),
        ((57, 26), "eyes"),
        ((31, 12), "ears"),
        ((68, 12), "ears"),
        ((31, 48), "rest_of_head"),
        ((50, 80), "body"),
        ((5, 5), "backdrop"),
        ((50, 95), "backdrop"),
    ],
)
def test_a_dog_that_faces_us_has_its_parts_where_they_belong(place: tuple[int, int], region: str) -> None:
    shares = shares_of(spot(*place), divide((100, 100), 100, 100, REX, ALL_DOG))
    assert shares["anger"][region] == pytest.approx(1)


def test_what_the_mask_leaves_out_is_backdrop_even_in_the_head_box() -> None:
    mask = ALL_DOG.copy()
    mask[:, :12] = 0
    parts = divided(mask=mask)
    assert parts["backdrop"][30, 35] == 1
    assert parts["rest_of_head"][48, 65] == 1


def test_muzzle_and_eyes_are_dog_even_where_the_mask_has_holes() -> None:
    parts = divided(mask=ALL_DOG * 0.4)
    assert parts["muzzle"][38, 50] == parts["eyes"][26, 44] == 1
    assert parts["backdrop"][12, 31] == parts["backdrop"][80, 50] == 1


def test_without_a_head_its_parts_are_not_told() -> None:
    dog = FoundDog(REX.box, None, 1.0)
    shares = shares_of(spot(50, 38), divide((100, 100), 100, 100, dog, ALL_DOG))
    assert shares == {"anger": {"body": 1, "backdrop": 0}}


def test_an_emotion_for_which_nothing_speaks_is_left_out() -> None:
    maps = {"fear": np.zeros((100, 100), np.float32), **spot(50, 80)}
    assert list(shares_of(maps, divide((100, 100), 100, 100, REX, ALL_DOG))) == ["anger"]


def test_a_head_to_the_left_of_its_body_looks_left() -> None:
    body = (0.0, 0.0, 200.0, 100.0)
    left, _ = nose_in_head((0.0, 0.0, 40.0, 40.0), body)
    middle, low = nose_in_head((80.0, 0.0, 120.0, 40.0), body)
    right, _ = nose_in_head((160.0, 0.0, 200.0, 40.0), body)
    assert left < 0.35 < middle < 0.65 < right
    assert low > 0.5


def test_an_open_mouth_below_the_head_box_is_muzzle() -> None:
    low = FoundDog((20.0, 10.0, 80.0, 99.0), (30.0, 50.0, 60.0, 80.0), 1.0)
    _, nose = nose_in_head((30.0, 50.0, 60.0, 80.0), low.box)
    assert 50 + 30 * (nose + 0.08 + 0.25) > 81
    assert divided(low)["muzzle"][80, 44] == 1


@st.composite
def dogs(draw: st.DrawFn) -> FoundDog:
    edge, side = st.floats(-50, 150), st.floats(0, 120)
    x, y, wide, high = draw(edge), draw(edge), draw(side), draw(side)
    head = None
    if draw(st.booleans()):
        u, v, s = draw(edge), draw(edge), draw(side)
        head = (u, v, u + s, v + draw(side))
    return FoundDog((x, y, x + wide, y + high), head, 1.0)


@given(dogs(), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31))
def test_wherever_boxes_lie_regions_share_every_spot_out(dog: FoundDog, rows: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = random.random((6, 9), dtype=np.float32)
    regions = divide((rows, columns), 120, 90, dog, mask)
    assert set(np.unique(regions)) <= {0, 1}
    assert regions.sum(axis=0) == pytest.approx(np.ones((rows, columns)), abs=1e-5)
    shares = shares_of({"fear": random.random((rows, columns), dtype=np.float32) + 0.1}, regions)
    assert sum(shares["fear"].values()) == pytest.approx(1)
