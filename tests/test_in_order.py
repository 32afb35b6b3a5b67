"""Work begun ahead, and its results in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.in_order import in_order


@given(
    items=st.lists(st.integers(), max_size=20),
    ahead=st.integers(min_value=0, max_value=6),
    threads=st.integers(min_value=1, max_value=4),
)
def test_each_item_comes_with_its_result_in_its_turn(items: list[int], ahead: int, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        done = list(in_order(lambda item: pool.submit(lambda: item * 2), items, ahead))
    assert done == [(item, item * 2) for item in items]


def test_no_more_is_asked_for_than_said() -> None:
    asked = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        results = in_order(lambda item: pool.submit(str, item), numbers(), ahead=3)
        assert next(results) == (0, "0")
        assert len(asked) == 4
        assert next(results) == (1, "1")
        assert len(asked) == 5


def test_work_is_under_way_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)
    with ThreadPoolExecutor(2) as pool:
        done = [place for _, place in in_order(lambda _: pool.submit(both.wait), "ab", ahead=1)]
    assert sorted(done) == [0, 1]


def test_what_fails_is_raised_in_its_turn() -> None:
    with ThreadPoolExecutor(1) as pool:
        results = in_order(lambda item: pool.submit(lambda: 6 // item), [3, 0, 2], ahead=2)
        assert next(results) == (3, 2)
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_what_was_asked_for_before_asking_failed_comes_first() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("no more of them")

    with ThreadPoolExecutor(1) as pool:
        results = in_order(lambda item: pool.submit(str, item), numbers(), ahead=5)
        assert [next(results), next(results)] == [(1, "1"), (2, "2")]
        with pytest.raises(ValueError, match="no more of them"):
            next(results)
