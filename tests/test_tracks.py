from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.boxes import Box
from dogmood.tracks import KEPT_SECONDS, Tracker


def box_at(x: float, y: float = 100, size: float = 80) -> Box:
    return x - size / 2, y - size / 2, x + size / 2, y + size / 2


def test_two_dogs_keep_their_numbers_in_any_order() -> None:
    tracker = Tracker()
    random = np.random.default_rng(0)
    for i in range(50):
        boxes = [box_at(100 + 4 * i), box_at(600 - 4 * i, 300)]
        order = random.permutation(2)
        numbers = tracker.update(i / 5, [boxes[k] for k in order])
        assert numbers == [k + 1 for k in order]


@pytest.mark.parametrize("fps", [2, 5, 30])
@pytest.mark.parametrize("speed", [0, 40, 160])
def test_a_dog_that_walks_or_runs_is_one_dog(fps: int, speed: float) -> None:
    tracker = Tracker()
    numbers = {number for i in range(4 * fps) for number in tracker.update(i / fps, [box_at(100 + speed * i / fps)])}
    assert numbers == {1}


def test_two_dogs_that_pass_each_other_keep_their_numbers() -> None:
    tracker = Tracker()
    for i in range(41):
        boxes = [box_at(100 + 10 * i, 100), box_at(500 - 10 * i, 130)]
        assert tracker.update(i / 5, boxes) == [1, 2]


@pytest.mark.parametrize("gap", [0.4, 1.0, KEPT_SECONDS])
def test_a_dog_that_was_hidden_is_found_again(gap: float) -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.update(i / 5, [box_at(100 + 4 * i), box_at(600)])
    at = 1.8
    while at + 0.2 < 1.8 + gap:
        at += 0.2
        assert tracker.update(at, [box_at(600)]) == [2]
    assert tracker.update(1.8 + gap, [box_at(100 + 4 * 9 + 15), box_at(600)]) == [1, 2]


def test_after_long_a_dog_counts_as_another() -> None:
    tracker = Tracker()
    assert tracker.update(0, [box_at(100)]) == [1]
    assert tracker.update(KEPT_SECONDS + 0.1, [box_at(100)]) == [2]


def test_a_dog_somewhere_else_is_another() -> None:
    tracker = Tracker()
    assert tracker.update(0, [box_at(100)]) == [1]
    assert tracker.update(0.2, [box_at(500)]) == [2]
    assert tracker.update(0.4, [box_at(500), box_at(100)]) == [2, 1]


boxes = st.tuples(*[st.floats(0, 500)] * 2, *[st.floats(1, 500)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.lists(boxes, max_size=4)), max_size=12), st.integers(0, 12))
@settings(deadline=None)
def test_numbers_are_unique_and_a_saved_state_changes_nothing(frames: list[tuple[float, list[Box]]], cut: int) -> None:
    one, two, time = Tracker(), Tracker(), 0.0
    seen = 0
    for i, (step, found) in enumerate(frames):
        time += step
        numbers = one.update(time, found)
        assert len(set(numbers)) == len(found)
        assert all(
            number <= seen or number == seen + 1 + new for new, number in enumerate(n for n in numbers if n > seen)
        )
        seen = max([seen, *numbers])
        if i == cut:
            two = Tracker.from_state(json.loads(json.dumps(two.state())))
        assert two.update(time, found) == numbers
        assert all(math.isfinite(x) for track in one.state()["tracks"] for x in track["place"] + track["spread"])
