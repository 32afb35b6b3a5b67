"""Photos worked on side by side, as many as there are cores."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.lab.each import each


@given(st.lists(st.integers(), max_size=30))
def test_results_come_in_order(items: list[int]) -> None:
    assert list(each(lambda item: item * 2, items, "Doubling")) == [item * 2 for item in items]


def test_two_cores_have_two_photos_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    both = threading.Barrier(2, timeout=10)
    assert sorted(each(lambda _: both.wait(), ["a", "b"], "Meeting")) == [0, 1]


def test_what_fails_is_raised_in_its_turn_and_no_more_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    begun = []

    def halved(number: int) -> float:
        begun.append(number)
        return 6 / number

    results = each(halved, [3, 0, *range(1, 50)], "Halving")
    assert next(results) == 2
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(begun) < 10
