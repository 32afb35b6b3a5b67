from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.boxes import Box, area, clipped, inside, iou, scaled

edges = st.floats(0, 1000)
boxes = st.tuples(edges, edges, edges, edges).map(
    lambda e: (min(e[0], e[2]), min(e[1], e[3]), max(e[0], e[2]) + 1, max(e[1], e[3]) + 1)
)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        ((0, 0, 1, 1), (1, 1, 2, 2), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_iou_of_known_boxes(a: Box, b: Box, expected: float) -> None:
    assert iou(a, b) == pytest.approx(expected)


def test_share_inside() -> None:
    assert inside((0, 0, 2, 2), (1, 0, 9, 9)) == 0.5
    assert inside((1, 1, 1, 1), (0, 0, 9, 9)) == 0.0


@given(boxes, boxes)
def test_iou_is_symmetric_and_bounded(a: Box, b: Box) -> None:
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert 0 <= iou(a, b) <= 1
    assert iou(a, a) == pytest.approx(1)


@given(boxes, st.floats(1, 500), st.floats(1, 500))
def test_a_clipped_box_lies_in_the_picture(box: Box, width: float, height: float) -> None:
    part = clipped(box, width, height)
    assert area(part) <= area(box)
    if area(part):
        assert 0 <= part[0] < part[2] <= width
        assert 0 <= part[1] < part[3] <= height


def test_scaling() -> None:
    assert scaled((1, 2, 3, 4), 10, 100) == (10, 200, 30, 400)
